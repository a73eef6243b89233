"""sed: s, p, d, q and = with addresses, on lines or in files."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from node.programs.options import OptionError, busybox_complaint, complaint, read
from node.programs.process import NoSpace, Process
from node.programs.regular import compiled
from node.programs.streams import Writer
from node.programs.text import lines_of

COMMANDS_MAX = 100
_ADDRESS = re.compile(r"\s*(\d{1,9}|\$|/(?:\\.|[^/\\])*/)")


class ScriptError(Exception):
    """It is no script; the text is what sed says."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """s/pattern/replacement/flags; ``nth`` is the first match that is replaced, counted from 1."""

    pattern: re.Pattern[str]
    replacement: str
    everywhere: bool
    shown: bool
    nth: int

    def apply(self, text: str) -> tuple[str, bool]:
        """The text afterwards, and whether anything was replaced."""
        place, replaced = 0, False

        def put(match: re.Match[str]) -> str:
            nonlocal place, replaced
            place += 1
            if place < self.nth or (place > self.nth and not self.everywhere):
                return match[0]
            replaced = True
            return _filled(self.replacement, match)

        return self.pattern.sub(put, text), replaced


Address = int | re.Pattern[str]
"""A line's number (0: the last), or what it contains."""


@dataclass(slots=True)
class Command:
    """One command: its name, and where it applies."""

    name: str
    first: Address | None
    last: Address | None
    turned: bool
    substitution: Substitution | None = None
    is_within: bool = False
    """Between the first and the last line of a range."""

    def applies(self, number: int, text: str, is_last: bool) -> bool:
        """Whether it is for this line."""
        return self._is_meant(number, text, is_last) != self.turned

    def _is_meant(self, number: int, text: str, is_last: bool) -> bool:
        if self.first is None:
            return True
        if self.is_within:
            self.is_within = not _fits(self.last, number, text, is_last) and not self._is_over(number)
            return not (self._is_over(number) and self.last != number)
        if not _fits(self.first, number, text, is_last):
            return False
        self.is_within = self.last is not None and not self._is_over(number)
        return True

    def _is_over(self, number: int) -> bool:
        """Whether the range ends with a line that has been."""
        return isinstance(self.last, int) and 0 < self.last <= number


def _fits(address: Address | None, number: int, text: str, is_last: bool) -> bool:
    if isinstance(address, int):
        return number == address if address else is_last
    return address is not None and address.search(text) is not None


def _filled(replacement: str, match: re.Match[str]) -> str:
    def one(escape: re.Match[str]) -> str:
        if escape[0] == "&":
            return match[0]
        if escape[1].isdecimal():
            return match[int(escape[1])] or ""
        return {"n": "\n", "t": "\t"}.get(escape[1], escape[1])

    return re.sub(r"\\(.)|&", one, replacement, flags=re.DOTALL)


def parse(text: str, *, extended: bool) -> list[Command]:
    """The commands of a script. Raises ScriptError."""
    commands: list[Command] = []
    at = 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\n;"))
        if at >= len(text):
            return commands
        if len(commands) >= COMMANDS_MAX:
            raise ScriptError("too many commands")
        first, at = _address(text, at, extended=extended)
        last = None
        if first is not None and text[at : at + 1] == ",":
            last, at = _address(text, at + 1, extended=extended)
            if last is None:
                raise ScriptError("no address after comma")
        rest = text[at:].lstrip(" ")
        turned = rest.startswith("!")
        rest = rest[1:].lstrip(" ") if turned else rest
        if not rest:
            raise ScriptError("missing command")
        command = Command(rest[0], first, last, turned)
        rest = rest[1:]
        if command.name == "s":
            command.substitution, rest = _substitution(rest, extended=extended)
        elif command.name not in "pdq=":
            raise ScriptError(f"unsupported command {command.name}")
        if rest.lstrip(" \t")[:1] not in ("", ";", "\n"):
            raise ScriptError("extra characters after command")
        commands.append(command)
        at = len(text) - len(rest)


def _address(text: str, at: int, *, extended: bool) -> tuple[Address | None, int]:
    match = _ADDRESS.match(text, at)
    if match is None:
        return None, at
    word = match[1]
    if word.startswith("/"):
        return _pattern(word[1:-1].replace("\\/", "/"), extended=extended), match.end()
    return (0 if word == "$" else int(word)), match.end()


def _pattern(text: str, *, extended: bool, ignore_case: bool = False) -> re.Pattern[str]:
    try:
        return compiled(text, extended=extended, ignore_case=ignore_case)
    except ValueError as error:
        raise ScriptError(f"bad regex '{text}': {error}") from None


def _substitution(text: str, *, extended: bool) -> tuple[Substitution, str]:
    """What stands behind s, and the rest of the script."""
    separator = re.escape(text[:1] or "/")
    part = rf"((?:\\.|(?!{separator})[^\\])*)"
    match = re.match(rf"{separator}{part}{separator}{part}{separator}([gpiI0-9]{{0,9}})", text, re.DOTALL)
    if match is None:
        raise ScriptError("unterminated `s' command")
    old, new = (side.replace(f"\\{text[0]}", text[0]) for side in (match[1], match[2]))
    flags = match[3]
    number = re.sub(r"\D", "", flags)
    if number and int(number) == 0:
        raise ScriptError("number option to `s' command may not be zero")
    pattern = _pattern(old, extended=extended, ignore_case="i" in flags.lower())
    if max((int(digit) for digit in re.findall(r"\\(\d)", new)), default=0) > pattern.groups:
        raise ScriptError("invalid reference on `s' command's RHS")
    return Substitution(pattern, new, "g" in flags, "p" in flags, int(number or 1)), text[match.end() :]


async def sed(process: Process) -> int:
    """The program."""
    gnu = process.userland.family == "gnu"
    try:
        options = read(process.arguments[1:], "nEre:i")
    except OptionError as error:
        return process.fail((complaint if gnu else busybox_complaint)("sed", error))
    words = list(options.words)
    scripts = options.all("-e") or words[:1]
    if not scripts:
        return process.fail("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...")
    names = words if options.has("-e") else words[1:]
    extended, quiet = options.has("-E", "-r"), options.has("-n")
    script = "\n".join(scripts)
    try:
        parse(script, extended=extended)
    except ScriptError as error:
        return process.fail(f"sed: {f'-e expression #1: {error}' if gnu else error}")
    if not options.has("-i"):
        return await _edit(process, names, parse(script, extended=extended), quiet=quiet)
    for name in names:
        code = await _in_place(process, name, parse(script, extended=extended), quiet=quiet)
        if code:
            return code
    return 0


async def _in_place(process: Process, name: str, commands: list[Command], *, quiet: bool) -> int:
    written = bytearray()
    code = await _edit(replace(process, stdout=Writer(written.extend)), [name], commands, quiet=quiet)
    try:
        if not code:
            process.userland.files.write(process.path(name), bytes(written))
    except NoSpace:
        return process.fail(f"sed: {name}: No space left on device")
    return code


async def _edit(process: Process, names: list[str], commands: list[Command], *, quiet: bool) -> int:
    code: list[int] = []
    number, current = 0, ""
    async for following in lines_of(process, names, code):
        if number and _line(process, commands, number, current, is_last=False, quiet=quiet):
            return 0
        await process.stdout.drain()
        number, current = number + 1, following
    if number:
        _line(process, commands, number, current, is_last=True, quiet=quiet)
    return max(code, default=0)


def _line(
    process: Process, commands: list[Command], number: int, line: str, *, is_last: bool, quiet: bool
) -> bool:
    """One line through all commands; whether that was the end."""
    text = line.removesuffix("\n")
    newline = line[len(text) :]

    def show(shown: str) -> None:
        process.stdout.write((shown + newline).encode(errors="surrogateescape"))

    for command in commands:
        if not command.applies(number, text, is_last):
            continue
        if command.substitution is not None:
            text, replaced = command.substitution.apply(text)
            if replaced and command.substitution.shown:
                show(text)
        elif command.name == "=":
            process.stdout.write(f"{number}\n")
        elif command.name == "p":
            show(text)
        elif command.name == "d":
            return False
        else:
            break
    else:
        if not quiet:
            show(text)
        return False
    if not quiet:
        show(text)
    return True

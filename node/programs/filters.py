"""Filters of lines: sort, uniq, cut, tr; and tee, and which."""

from __future__ import annotations

import re
from collections.abc import Callable

from node.programs import table
from node.programs.options import OptionError, Options, busybox_complaint, complaint, read
from node.programs.process import NoSpace, Process
from node.programs.text import lines_of

SORTED_BYTES_MAX = 16_777_216
POSITIONS_MAX = 1_000_000
_NUMBER = re.compile(r"\s*(-?\d{1,300}(?:\.\d{1,300})?)")
_KEY = re.compile(r"(\d{1,6})(?:\.\d+)?([nrbfg]*)(?:,(\d{1,6})(?:\.\d+)?([nrbfg]*))?")


def _options(process: Process, short: str) -> Options | None:
    """The options; None if they are wrong, which has been said."""
    name = process.arguments[0].rpartition("/")[2]
    try:
        return read(process.arguments[1:], short)
    except OptionError as error:
        words = complaint if process.userland.family == "gnu" else busybox_complaint
        process.fail(words(name, error))
        return None


async def sort(process: Process) -> int:
    """sort, by whole lines or by keys"""
    options = _options(process, "nruft:k:")
    if options is None:
        return 2
    separator = options.text("-t") or None
    keys: list[re.Match[str]] = []
    for text in options.all("-k"):
        key = _KEY.fullmatch(text)
        if key is None or key[1] == "0":
            return process.fail(f"sort: invalid key specification: {text}", 2)
        keys.append(key)
    lines: list[str] = []
    size = 0
    async for line in lines_of(process, options.words):
        size += len(line)
        if size > SORTED_BYTES_MAX:
            return process.fail("sort: memory exhausted", 2)
        lines.append(line.rstrip("\n"))
    flags = "".join(flag for flag in "nrf" if options.has(f"-{flag}"))
    orders = [_order(key[1], key[3], separator, (key[2] + (key[4] or "")) or flags) for key in keys]
    orders = orders or [(lambda line: _value(line, flags), "r" in flags)]
    if not options.has("-u"):
        lines.sort(reverse="r" in flags)  # among equals, the whole line decides
    for value, is_reversed in reversed(orders):
        lines.sort(key=value, reverse=is_reversed)
    before: list[object] | None = None
    for line in lines:
        values: list[object] = [value(line) for value, _ in orders]
        if not options.has("-u") or values != before:
            process.stdout.write(_bytes(f"{line}\n"))
            await process.stdout.drain()
        before = values
    return 0


Value = tuple[float, str]


def _order(
    first: str, last: str | None, separator: str | None, flags: str
) -> tuple[Callable[[str], Value], bool]:
    """What lines are compared by: fields from first to last (counted from 1, none: to the end)."""
    start, end = int(first) - 1, int(last) if last else None

    def value(line: str) -> Value:
        return _value((separator or " ").join(line.split(separator)[start:end]), flags)

    return value, "r" in flags


def _value(text: str, flags: str) -> Value:
    if "n" in flags or "g" in flags:
        match = _NUMBER.match(text)
        return (float(match[1]) if match else 0.0), ""
    return 0.0, text.upper() if "f" in flags else text


async def uniq(process: Process) -> int:
    """uniq, of lines that follow each other"""
    options = _options(process, "cdui")
    if options is None:
        return 1
    current, count = "", 0

    def show() -> None:
        if (options.has("-d") and count < 2) or (options.has("-u") and count > 1) or not count:
            return
        process.stdout.write(_bytes((f"{count:>7} " if options.has("-c") else "") + f"{current}\n"))

    async for line in lines_of(process, options.words[:1]):
        text = line.rstrip("\n")
        if count and (text.lower() == current.lower() if options.has("-i") else text == current):
            count += 1
            continue
        show()
        current, count = text, 1
        await process.stdout.drain()
    show()
    return 0


async def cut(process: Process) -> int:
    """cut, by fields or characters"""
    options = _options(process, "d:f:c:b:s")
    if options is None:
        return 1
    wanted = options.text("-f", "-c", "-b")
    if not wanted:
        if process.userland.family == "gnu":
            return process.fail("cut: you must specify a list of bytes, characters, or fields")
        return process.fail("cut: expected a list of bytes, characters, or fields")
    ranges = _ranges(wanted)
    if ranges is None:
        return process.fail(f"cut: invalid field value '{wanted}'")
    delimiter = options.text("-d", default="\t")
    if len(delimiter) != 1:
        return process.fail("cut: the delimiter must be a single character")
    async for line in lines_of(process, options.words):
        text = line.rstrip("\n")
        if options.has("-f"):
            if delimiter not in text:
                if options.has("-s"):
                    continue
                shown = text
            else:
                shown = delimiter.join(_chosen(text.split(delimiter), ranges))
        else:
            shown = "".join(_chosen(list(text), ranges))
        process.stdout.write(_bytes(f"{shown}\n"))
        await process.stdout.drain()
    return 0


def _ranges(text: str) -> list[tuple[int, int]] | None:
    """ "1,3-5,7-" as pairs of first and last, counted from 1; None if it is no such list."""
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{0,6})(-?)(\d{0,6})", part)
        if match is None or not (match[1] or match[3]):
            return None
        first = int(match[1] or 1)
        last = int(match[3] or POSITIONS_MAX) if match[2] else first
        if first < 1 or last < first:
            return None
        found.append((first, last))
    return found


def _chosen(parts: list[str], ranges: list[tuple[int, int]]) -> list[str]:
    return [
        part
        for place, part in enumerate(parts, start=1)
        if any(first <= place <= last for first, last in ranges)
    ]


async def tr(process: Process) -> int:
    """tr: other characters for some, or none (-d), or one for many (-s)"""
    options = _options(process, "dsc")
    if options is None:
        return 1
    sets = [_characters(word) for word in options.words]
    deleting, squeezing = options.has("-d"), options.has("-s")
    if not sets or (len(sets) < 2 and not deleting and not squeezing):
        return process.fail("tr: missing operand" + (f" after '{options.words[0]}'" if sets else ""))
    first, second = sets[0], sets[1] if len(sets) > 1 else ""
    others = options.has("-c")
    last = ""
    async for line in lines_of(process, ()):
        out: list[str] = []
        for character in line:
            is_meant = (character in first) != others
            if is_meant and deleting:
                continue
            shown = character
            if is_meant and second and not deleting:
                place = len(second) - 1 if others else first.index(character)
                shown = second[min(place, len(second) - 1)]
            if squeezing and shown == last and shown in (second or first):
                continue
            last = shown
            out.append(shown)
        process.stdout.write(_bytes("".join(out)))
        await process.stdout.drain()
    return 0


_SETS = {
    "[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:alpha:]": "A-Za-z",
    "[:alnum:]": "0-9A-Za-z", "[:space:]": "\t\n\v\f\r ", "[:blank:]": "\t ",
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0"}


def _characters(text: str) -> str:
    """All characters of a set such as a-z."""
    text = re.sub(r"\[:\w+:\]", lambda match: _SETS.get(match[0], ""), text)
    text = re.sub(r"\\([ntr\\0])", lambda match: _ESCAPES[match[1]], text)
    return re.sub(
        r"(.)-(.)",
        lambda match: "".join(map(chr, range(ord(match[1]), min(ord(match[2]), ord(match[1]) + 255) + 1))),
        text,
        flags=re.DOTALL,
    )


async def tee(process: Process) -> int:
    """tee: to standard output, and to files"""
    options = _options(process, "ai")
    if options is None:
        return 1
    written = bytearray()
    while data := await process.stdin.read():
        process.stdout.write(data)
        written += data
        await process.stdout.drain()
        if len(written) > SORTED_BYTES_MAX:
            break
    files, code = process.userland.files, 0
    for name in options.words:
        path = process.path(name)
        before = (files.read(path) or b"") if options.has("-a") else b""
        try:
            files.write(path, before + bytes(written))
        except NoSpace:
            code = process.fail(f"tee: {name}: No space left on device")
    return code


async def which(process: Process) -> int:
    """which: where a program is"""
    code = 0
    for name in process.arguments[1:]:
        if name.startswith("-"):
            continue
        if table.find(name) is None:
            code = 1
        else:
            process.stdout.write(name + "\n" if "/" in name else f"/usr/bin/{name}\n")
    return code


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")

"""Small programs that read and write text: cat, echo, printf, head, tail, grep, wc, seq, ls."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

from node.programs.process import NoSpace, Process
from node.programs.regular import compiled
from node.programs.streams import Pipe

LINES_MAX = 1_000_000
"""Of what seq counts."""


async def opened(process: Process, names: list[str]) -> AsyncIterator[tuple[str, Pipe | None]]:
    """Each file named, or standard input; None for what cannot be opened, which has been said."""
    for name in names or ["-"]:
        if name == "-":
            yield name, process.stdin
            continue
        path = process.path(name)
        content = process.userland.files.read(path)
        if content is None:
            reason = (
                "Is a directory" if process.userland.files.is_directory(path) else "No such file or directory"
            )
            program = process.arguments[0].rpartition("/")[2]
            if process.userland.family == "gnu":
                process.fail(f"{program}: {name}: {reason}")
            else:
                process.fail(f"{program}: can't open '{name}': {reason}")
            yield name, None
            continue
        pipe = Pipe()
        pipe.feed(content)
        pipe.end()
        yield name, pipe


async def lines_of(
    process: Process, names: Sequence[str], failed: list[int] | None = None
) -> AsyncIterator[str]:
    """Each line of the files named, or of standard input; ``failed`` gets a 1 for what cannot be opened."""
    async for _, pipe in opened(process, list(names)):
        if pipe is None and failed is not None:
            failed.append(1)
        while pipe is not None and (line := await pipe.read_line()):
            yield line.decode(errors="surrogateescape")


def _words(process: Process) -> list[str]:
    return [word for word in process.arguments[1:] if word == "-" or not word.startswith("-")]


async def cat(process: Process) -> int:
    """cat"""
    code = 0
    async for _, pipe in opened(process, _words(process)):
        if pipe is None:
            code = 1
            continue
        while data := await pipe.read():
            process.stdout.write(data)
            await process.stdout.drain()
    return code


async def echo(process: Process) -> int:
    """echo"""
    words = list(process.arguments[1:])
    newline, escapes = "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        option = words.pop(0)
        newline = "" if "n" in option else newline
        escapes = "e" in option or escapes
    text = " ".join(words)
    process.stdout.write((_unescaped(text) if escapes else text) + newline)
    return 0


def _unescaped(text: str) -> str:
    meanings = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "\\": "\\", "0": "\0", "e": "\x1b"}
    return re.sub(r"\\([ntrab\\0e])", lambda match: meanings[match[1]], text)


async def printf(process: Process) -> int:
    """printf with %s, %d, %% and escapes"""
    if len(process.arguments) < 2:
        return process.fail("printf: a format is needed")
    values = list(process.arguments[2:])

    def field(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        value = values.pop(0) if values else ""
        if match[2] == "d":
            digits = value if re.fullmatch(r"-?\d{1,18}", value) else "0"
            return _padded(digits, match[1])
        return _padded(value, match[1])

    pattern = _unescaped(process.arguments[1])
    out = re.sub(r"%(-?\d{0,3})([sd%])", field, pattern)
    while values:
        before = len(values)
        out += re.sub(r"%(-?\d{0,3})([sd%])", field, pattern)
        if len(values) == before:
            break
    process.stdout.write(out)
    return 0


def _padded(text: str, width: str) -> str:
    if width.startswith("-"):
        return text.ljust(int(width[1:] or 0))
    return text.rjust(int(width or 0))


def _count(process: Process, default: int) -> tuple[int, list[str]]:
    """-n NUMBER or -NUMBER, and the names."""
    words = list(process.arguments[1:])
    number = default
    names: list[str] = []
    while words:
        word = words.pop(0)
        if word == "-n" and words:
            word = words.pop(0)
            number = int(word) if word.lstrip("+-").isdecimal() else default
        elif re.fullmatch(r"-n?\d+", word):
            number = int(word.lstrip("-n"))
        elif word == "-" or not word.startswith("-"):
            names.append(word)
    return number, names


async def head(process: Process) -> int:
    """head"""
    number, names = _count(process, 10)
    code = 0
    async for _, pipe in opened(process, names):
        if pipe is None:
            code = 1
            continue
        for _ in range(number):
            line = await pipe.read_line()
            if not line:
                break
            process.stdout.write(line)
            await process.stdout.drain()
    return code


async def tail(process: Process) -> int:
    """tail; with -f it goes on for ever, as containers do that are kept alive by it"""
    number, names = _count(process, 10)
    follow = any(word in ("-f", "-F") for word in process.arguments)
    code = 0
    names = [name for name in names if process.path(name) != "/dev/null"]
    if names or not follow:
        async for _, pipe in opened(process, names):
            if pipe is None:
                code = 1
                continue
            lines: list[bytes] = []
            while line := await pipe.read_line():
                lines = [*lines, line][-max(number, 1) :]
            process.stdout.write(b"".join(lines))
    while follow:
        await process.clock.sleep(3600)
    return code


async def grep(process: Process) -> int:
    """grep with -v, -i, -c, -q and a regular expression"""
    flags = "".join(word[1:] for word in process.arguments[1:] if word.startswith("-") and len(word) > 1)
    words = _words(process)
    if not words:
        return process.fail("grep: a pattern is needed", 2)
    try:
        pattern = compiled(words[0], extended="E" in flags, ignore_case="i" in flags)
    except ValueError as error:
        return process.fail(f"grep: bad regex '{words[0]}': {error}", 2)
    count = 0
    async for _, pipe in opened(process, words[1:]):
        while pipe is not None and (line := await pipe.read_line()):
            if bool(pattern.search(line.decode(errors="replace").rstrip("\n"))) == ("v" in flags):
                continue
            count += 1
            if not ("q" in flags or "c" in flags):
                process.stdout.write(line)
    if "c" in flags:
        process.stdout.write(f"{count}\n")
    return 0 if count else 1


async def wc(process: Process) -> int:
    """wc"""
    flags = "".join(word[1:] for word in process.arguments[1:] if word.startswith("-") and len(word) > 1)
    code = 0
    async for name, pipe in opened(process, _words(process)):
        if pipe is None:
            code = 1
            continue
        lines = words = size = 0
        while line := await pipe.read_line():
            lines += line.endswith(b"\n")
            words += len(line.split())
            size += len(line)
        figures = [
            value for flag, value in (("l", lines), ("w", words), ("c", size)) if flag in (flags or "lwc")
        ]
        shown = " ".join(str(figure) for figure in figures)
        process.stdout.write(shown + (f" {name}" if name != "-" else "") + "\n")
    return code


async def seq(process: Process) -> int:
    """seq"""
    try:
        numbers = [int(word) for word in process.arguments[1:]]
        first, step, last = {1: (1, 1, *numbers), 2: (numbers[0], 1, numbers[-1]), 3: tuple(numbers)}[
            len(numbers)
        ]
    except (ValueError, KeyError, IndexError):
        return process.fail("seq: numbers are needed: seq [FIRST [STEP]] LAST")
    if step == 0 or abs(last - first) // abs(step) > LINES_MAX:
        return process.fail("seq: that would never end here")
    for number in range(first, last + (1 if step > 0 else -1), step):
        process.stdout.write(f"{number}\n")
        await process.stdout.drain()
    return 0


async def ls(process: Process) -> int:
    """ls of the few files there are"""
    code = 0
    files = process.userland.files
    for name in _words(process) or ["."]:
        path = process.path(name)
        if files.read(path) is not None:
            process.stdout.write(f"{name}\n")
            continue
        if not files.is_directory(path):
            code = process.fail(f"ls: {name}: No such file or directory")
            continue
        prefix = path.rstrip("/") + "/"
        inside = {
            each.removeprefix(prefix).partition("/")[0] for each in files.paths() if each.startswith(prefix)
        }
        if path == "/":
            inside |= {"dev", "etc", "home", "proc", "root", "tmp", "var"}
        process.stdout.write("".join(f"{each}\n" for each in sorted(inside)))
    return code


async def remove(process: Process) -> int:
    """rm"""
    code = 0
    for name in _words(process):
        if not process.userland.files.remove(process.path(name)) and "-f" not in process.arguments:
            code = process.fail(f"rm: can't remove '{name}': No such file or directory")
    return code


async def touch(process: Process) -> int:
    """touch"""
    files = process.userland.files
    for name in _words(process):
        path = process.path(name)
        if files.read(path) is None:
            try:
                files.write(path, b"")
            except NoSpace:
                return process.fail(f"touch: {name}: No space left on device")
    return 0

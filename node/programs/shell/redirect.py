"""Redirections: a process with other streams, and what to do when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from node.programs.process import NoSpace, Process
from node.programs.shell.expand import Expansion
from node.programs.shell.syntax import Redirection
from node.programs.streams import Pipe, Writer


async def redirected(
    redirections: tuple[Redirection, ...], process: Process, expansion: Expansion
) -> tuple[Process, Callable[[], None] | None]:
    """The process with its streams redirected, and what to do when it has ended."""
    files: list[tuple[str, bytearray]] = []
    for redirection in redirections:
        match redirection.operator:
            case "2>&1":
                process = replace(process, stderr=process.stdout)
                continue
            case ">&2" | "1>&2":
                process = replace(process, stdout=process.stderr)
                continue
        assert redirection.target is not None
        if redirection.operator.startswith("<<"):
            text = await expansion.unsplit(redirection.target, process)
            process = replace(process, stdin=_holding(text + "\n" * (redirection.operator == "<<<")))
            continue
        names = await expansion.fields((redirection.target,), process)
        if len(names) != 1:
            raise OSError("ambiguous redirect")
        path = process.path(names[0])
        if redirection.operator == "<":
            process = replace(process, stdin=_reading(process, path, names[0]))
            continue
        written = bytearray()
        if redirection.operator.endswith(">>"):
            written += process.userland.files.read(path) or b""
        writer = Writer(written.extend)
        if path != "/dev/null":
            files.append((path, written))
        if redirection.operator.startswith("2"):
            process = replace(process, stderr=writer)
        else:
            process = replace(process, stdout=writer)
    if not files:
        return process, None

    def finish() -> None:
        for path, written in files:
            try:
                process.userland.files.write(path, bytes(written))
            except NoSpace:
                process.fail("write error: No space left on device")

    return process, finish


def _holding(text: str) -> Pipe:
    pipe = Pipe()
    pipe.feed(text.encode())
    pipe.end()
    return pipe


def _reading(process: Process, path: str, name: str) -> Pipe:
    pipe = Pipe()
    if path != "/dev/null":
        content = process.userland.files.read(path)
        if content is None:
            raise OSError(f"can't open {name}: no such file")
        pipe.feed(content)
    pipe.end()
    return pipe

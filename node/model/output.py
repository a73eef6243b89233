"""What programs write, and which part of it somebody asks for."""

from __future__ import annotations

from typing import Literal

import msgspec

STDOUT: Literal[1] = 1
STDERR: Literal[2] = 2


class Output(msgspec.Struct, frozen=True):
    """One piece of output; in a log it is one line, its newline included.

    A program on a terminal has one stream only: STDOUT.
    """

    stream: Literal[1, 2]
    data: bytes
    time: str = ""
    """When it was written, RFC 3339 with nanoseconds; empty where nobody asks for it."""


class AttachSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `docker attach` asks for."""

    logs: bool = False
    """Begin with everything written so far."""
    stream: bool = False
    """Go on with what is written from now on; without it the stream ends after the logs."""
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False


class LogSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `docker logs` asks for. Moments are seconds since 1970; 0 is no limit."""

    stdout: bool = True
    stderr: bool = True
    follow: bool = False
    tail: int | None = None
    """At most so many of the last lines; None: all."""
    since_s: float = 0.0
    until_s: float = 0.0

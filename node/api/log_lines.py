"""A container's log as `docker logs` receives it: framed, and with the time before each line if asked."""

from __future__ import annotations

import re

from node.api.frames import framed
from node.model.output import Output

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")

ATTRIBUTES = b" "
"""`--details` shows attributes of the log driver before each line; there are none."""


class LogLines:
    """Remembers in which stream a line is unfinished: only beginnings of lines get a time."""

    def __init__(self, *, tty: bool, timestamps: bool, details: bool) -> None:
        self._tty = tty
        self._timestamps = timestamps
        self._details = details
        self._unfinished: dict[int, bool] = {}

    def encode(self, output: Output) -> bytes:
        """One piece of the log as it goes to the client."""
        if self._timestamps or self._details:
            output = Output(output.stream, self._with_prefixes(output), output.time)
        return output.data if self._tty else framed(output)

    def _with_prefixes(self, output: Output) -> bytes:
        prefix = f"{fixed(output.time)} ".encode() if self._timestamps else b""
        if self._details:
            prefix += ATTRIBUTES
        lines = _LINES.findall(output.data) or [b""]
        first = b"" if self._unfinished.get(output.stream) else prefix
        self._unfinished[output.stream] = not lines[-1].endswith(b"\n")
        return first + prefix.join(lines)


def fixed(time: str) -> str:
    """An RFC 3339 moment with all nine digits of its nanoseconds (moby: jsonmessage.RFC3339NanoFixed)."""
    stem, _, fraction = time.removesuffix("Z").partition(".")
    return f"{stem}.{fraction:0<9}Z"

"""Telemetry as lines of a log file that never outgrows its bound.

    2026-01-01T00:00:00.250Z member.joined node=node-1
    2026-01-01T00:00:03.500Z member.store_away node=node-1 reason="etcd at 127.0.0.1:2379: no answer"

The standard library's rotating handler is not used: after a write to a full disk it raises again
when it is closed.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from node.seams import Clock

LOG_BYTES_MAX = 10 * 1024 * 1024
"""Of the file; one older file of the same size is kept beside it, with .1 after its name."""
FIELD_LENGTH_MAX = 1_000

_PLAIN = re.compile(r"[!#-<>-[\]-~]+")
"""Printable ASCII without space, quotes, equals sign and backslash."""


class LogTelemetry:
    """See node/seams.py. ``lost`` counts lines that could not be written, such as to a full disk."""

    def __init__(self, path: Path, clock: Clock, bytes_max: int = LOG_BYTES_MAX) -> None:
        """Append to the file, or make it, mode 0600. Raises OSError if that is impossible."""
        self.lost = 0
        self._path = path
        self._clock = clock
        self._bytes_max = bytes_max
        self._open()

    def tell(self, event: str, **fields: object) -> None:
        """See node/seams.py."""
        moment = datetime.fromtimestamp(self._clock.wall(), UTC).isoformat(timespec="milliseconds")
        words = [moment.replace("+00:00", "Z"), event]
        words.extend(f"{key}={field_text(value)}" for key, value in fields.items())
        line = (" ".join(words) + "\n").encode()
        try:
            if self._bytes_written + len(line) > self._bytes_max:
                self._start_anew()
            self._bytes_written += os.write(self._file, line)
        except OSError:
            self.lost += 1

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._bytes_written = os.fstat(self._file).st_size

    def _start_anew(self) -> None:
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        full = self._file
        self._open()
        os.close(full)


def field_text(value: object) -> str:
    """One word as it stands, anything else in the quotes of JSON: a line stays one line."""
    text = str(value)
    if len(text) > FIELD_LENGTH_MAX:
        text = f"{text[:FIELD_LENGTH_MAX]}..."
    return text if _PLAIN.fullmatch(text) else json.dumps(text)

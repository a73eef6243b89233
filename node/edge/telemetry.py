"""Telemetry as lines of a log file that never outgrows its bound.

2026-01-01T00:00:00.25Z member.joined node=node-1
2026-01-01T00:00:03.5Z member.store_away node=node-1 reason="etcd at 127.0.0.1:2379: no answer"
"""

from __future__ import annotations

import json
import re
from logging import Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

from node.model.times import rfc3339
from node.seams import Clock

LOG_BYTES_MAX = 10 * 1024 * 1024
"""Of the file; one older file of the same size is kept beside it, with .1 after its name."""
FIELD_LENGTH_MAX = 1_000

_PLAIN = re.compile(r"[!#-<>-[\]-~]+")
"""Printable ASCII without space, quotes, equals sign and backslash."""


class LogTelemetry:
    """See node/seams.py. ``lost`` counts lines that could not be written, such as to a full disk."""

    def __init__(self, path: Path, clock: Clock, bytes_max: int = LOG_BYTES_MAX) -> None:
        """Append to the file, or make it. Raises OSError if that is impossible."""
        self._clock = clock
        self._file = _CountingHandler(path, maxBytes=bytes_max, backupCount=1, encoding="utf-8")
        self._file.setFormatter(Formatter("%(message)s"))

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._file.lost

    def tell(self, event: str, **fields: object) -> None:
        """See node/seams.py."""
        line = " ".join(
            [rfc3339(self._clock.wall()), event, *(f"{key}={_text(value)}" for key, value in fields.items())]
        )
        self._file.handle(LogRecord("node", 0, "", 0, line, None, None))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _CountingHandler(RotatingFileHandler):
    """Counts what cannot be written instead of complaining on stderr."""

    lost = 0

    def handleError(self, record: LogRecord) -> None:  # noqa: N802 - logging's own name
        self.lost += 1


def _text(value: object) -> str:
    """One word as it stands, anything else in the quotes of JSON: a line stays one line."""
    text = str(value)
    if len(text) > FIELD_LENGTH_MAX:
        text = f"{text[:FIELD_LENGTH_MAX]}..."
    if _PLAIN.fullmatch(text):
        return text
    return json.dumps(text)

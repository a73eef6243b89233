"""A listening unix socket that is its user's alone from the first instant, whatever lay at its path."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

BACKLOG = 128
PATH_BYTES_MAX = 107
"""What fits in a socket address (unix(7)), its final zero excluded."""


def listen(path: Path) -> socket.socket:
    """A socket bound to ``path`` with mode 0600. Raises OSError, with a sentence that names the path.

    A socket file that nobody listens on is a left-over and makes room; one that somebody listens on,
    and every other file, stays.
    """
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise OSError(
            errno.ENAMETOOLONG,
            f"a socket's path has at most {PATH_BYTES_MAX} bytes: choose another",
            str(path),
        )
    _make_room(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)  # this process has one thread: nothing else makes a file meanwhile
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _make_room(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(
            errno.EEXIST, "a file that is no socket lies where the Engine API would listen", str(path)
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, "another node answers on this socket", str(path))


def identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path, to tell later whether it still is the same; None if none does."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino

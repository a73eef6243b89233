"""Further commands in a running container (`docker exec`)."""

from __future__ import annotations

import msgspec


class ExecSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `docker exec` asks for; ``command`` is never empty."""

    command: tuple[str, ...]
    environment: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    privileged: bool = False
    tty: bool = False
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
    console_size: tuple[int, int] = (0, 0)
    """Rows and columns of the client's terminal; zeros: unknown."""


class ExecRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One exec as it stands; it is forgotten when its container goes."""

    id: str
    container: str
    """The container's id."""
    spec: ExecSpec
    running: bool = False
    exit_code: int | None = None
    """None before it has ended."""
    pid: int = 0

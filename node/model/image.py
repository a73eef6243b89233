"""Images: names for the programs that simulated containers run."""

from __future__ import annotations

import msgspec


class ImageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One image of the catalogue, as the Engine API shows it."""

    id: str
    """ "sha256:" and 64 hexadecimal digits."""
    tags: tuple[str, ...]
    """As people write them, "nginx:latest" first."""
    created: str
    """RFC 3339."""
    size: int
    """Bytes, as the real image would take."""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    """"80/tcp"."""
    working_directory: str = ""
    user: str = ""
    stop_signal: str = ""
    labels: dict[str, str] = {}

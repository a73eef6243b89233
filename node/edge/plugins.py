"""Plugins as programs of this machine: HTTP over a unix socket, or TCP (moby: pkg/plugins).

DIRECTORY/NAME.sock, DIRECTORY/NAME/NAME.sock      the plugin listens there
DIRECTORY/NAME.spec, DIRECTORY/NAME/NAME.spec      one line: unix:///path or tcp://host:port
DIRECTORY/NAME.json, DIRECTORY/NAME/NAME.json      {"Name": ..., "Addr": the same}
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from node.seams import ANSWER_BYTES_MAX, PluginAnswer, PluginAway

MEDIA_TYPE = "application/vnd.docker.plugins.v1.2+json"
SPEC_BYTES_MAX = 64 * 1024


class HttpPlugins:
    """See the module and node/seams.py."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories

    def find(self, name: str) -> str:
        """See Plugins: sockets of all directories first, then what is written down."""
        for suffix in (".sock", ".spec", ".json"):
            for directory in self._directories:
                for path in (directory / f"{name}{suffix}", directory / name / f"{name}{suffix}"):
                    if address := _address(path):
                        return address
        return ""

    async def post(self, address: str, method: str, body: bytes, timeout_s: float) -> PluginAnswer:
        """See Plugins."""
        where = urlsplit(address)
        host = where.netloc if where.scheme == "tcp" else "plugin.moby.localhost"
        headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        try:
            async with (
                _session(address) as session,
                session.post(
                    f"http://{host}/{method}",
                    data=body,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(total=timeout_s),
                    allow_redirects=False,
                ) as response,
            ):
                content = await response.content.read(ANSWER_BYTES_MAX + 1)
                while len(content) <= ANSWER_BYTES_MAX and not response.content.at_eof():
                    content += await response.content.read(ANSWER_BYTES_MAX + 1 - len(content))
        except TimeoutError:
            raise PluginAway("context deadline exceeded") from None
        except aiohttp.ClientConnectorError as error:
            network, place = ("tcp", where.netloc) if where.scheme == "tcp" else ("unix", where.path)
            number = error.os_error.errno
            reason = os.strerror(number).lower() if number else str(error.os_error)
            raise PluginAway(f"dial {network} {place}: connect: {reason}") from None
        except aiohttp.ServerDisconnectedError:
            raise PluginAway("EOF") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PluginAway(str(error) or "EOF") from None
        return PluginAnswer(response.status, content)


def _session(address: str) -> aiohttp.ClientSession:
    """A session for one call: a plugin may be killed and started again at any time, so none is kept."""
    where = urlsplit(address)
    is_tcp = where.scheme == "tcp"
    connector = aiohttp.TCPConnector() if is_tcp else aiohttp.UnixConnector(where.path)
    # What a plugin sends is taken as it stands: unpacking could make much of little.
    return aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False)


def _address(path: Path) -> str:
    """What a file says about where a plugin listens; "" if it says nothing that can be used."""
    try:
        if path.suffix == ".sock":
            return f"unix://{path.resolve()}" if stat.S_ISSOCK(path.stat().st_mode) else ""
        if not path.is_file():
            return ""  # nor is a pipe opened, which might never be written to
        with path.open(encoding="utf-8") as file:
            text = file.read(SPEC_BYTES_MAX)
        address = (str(json.loads(text)["Addr"]) if path.suffix == ".json" else text).strip()
        where = urlsplit(address)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    is_usable = (where.scheme == "unix" and where.path) or (where.scheme == "tcp" and where.netloc)
    return address if is_usable else ""

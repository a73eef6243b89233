"""A small client of a node's Engine API over its unix socket, for the lab's own commands."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

TIMEOUT_S = 5.0


class EngineError(Exception):
    """The node answered with an error, or not at all; the text is its own."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket file instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Engine:
    """One node's Engine API. Every method raises EngineError."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def call(
        self, method: str, path: str, body: object = None, *, timeout_s: float | None = None, **query: object
    ) -> Any:
        """One request; the decoded JSON answer, or None where there is none."""
        data = self.raw(method, path, body, timeout_s=timeout_s, **query)
        return json.loads(data) if data.strip() else None

    def raw(
        self, method: str, path: str, body: object = None, *, timeout_s: float | None = None, **query: object
    ) -> bytes:
        """One request; the answer's bytes."""
        connection = _UnixConnection(self._path, timeout_s or self._timeout_s)
        target = path + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if content else {}
        try:
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"the node at {self._path} does not answer: {error}") from None
        finally:
            connection.close()
        if response.status >= 400:
            raise EngineError(_message(data), response.status)
        return data

    def run(
        self,
        image: str,
        command: list[str],
        *,
        network: str = "bridge",
        name: str = "",
        timeout_s: float = 60.0,
    ) -> tuple[int, str]:
        """`docker run --rm`: its exit code, and all it wrote."""
        identity = self.create(image, command, network=network, name=name)
        try:
            self.call("POST", f"/containers/{identity}/start")
            ended = self.call("POST", f"/containers/{identity}/wait", timeout_s=timeout_s)
            return ended["StatusCode"], self.logs(identity)
        finally:
            self.call("DELETE", f"/containers/{identity}", force=1)

    def create(
        self,
        image: str,
        command: list[str],
        *,
        network: str,
        name: str = "",
        ports: Mapping[int, int] | None = None,
    ) -> str:
        """`docker create`: the container's id. ``ports``: of the host, to those of the container (TCP)."""
        bindings = {
            f"{inside}/tcp": [{"HostPort": str(outside)}] for outside, inside in (ports or {}).items()
        }
        body = {
            "Image": image,
            "HostConfig": {"NetworkMode": network, "PortBindings": bindings},
            **({"Cmd": command} if command else {}),
        }
        query = {"name": name} if name else {}
        return str(self.call("POST", "/containers/create", body, timeout_s=None, **query)["Id"])

    def logs(self, container: str) -> str:
        """`docker logs`."""
        data = self.raw("GET", f"/containers/{container}/logs", stdout=1, stderr=1)
        return b"".join(payload for _, payload in frames(data)).decode(errors="replace")

    def execute(self, container: str, command: list[str], timeout_s: float = 60.0) -> tuple[int, str]:
        """`docker exec`: its exit code, and all it wrote."""
        body = {"Cmd": command, "AttachStdout": True, "AttachStderr": True}
        identity = self.call("POST", f"/containers/{container}/exec", body)["Id"]
        data = self.raw("POST", f"/exec/{identity}/start", {}, timeout_s=timeout_s)
        text = b"".join(payload for _, payload in frames(data)).decode(errors="replace")
        return self.call("GET", f"/exec/{identity}/json")["ExitCode"], text


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        return data.decode(errors="replace").strip()


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """(stream, payload) of the engine's multiplexed output: 8 bytes of header each."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        found.append((data[at], data[at + 8 : at + 8 + size]))
        at += 8 + size
    return found

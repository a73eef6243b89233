"""A node's Engine API for many questions at once, over its unix socket."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import aiohttp
import msgspec

from lab.launch.engine import frames
from lab.scenario.stage import Outcome

PATIENCE_S = 60.0
"""How long a user waits for an answer of a node that says nothing."""


class AsyncEngine:
    """See the module; use as an async context manager. A node that does not answer is Outcome -1."""

    def __init__(self, node: str, path: Path) -> None:
        self._node = node
        # A connection for each question: none is left over from before a node was killed.
        connector = aiohttp.UnixConnector(path=str(path), limit=0, force_close=True)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        self._session = aiohttp.ClientSession("http://docker", connector=connector, timeout=timeout)

    async def __aenter__(self) -> AsyncEngine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def request(self, method: str, path: str, body: object = None) -> Outcome:
        """One request: its HTTP status, and the answer's body."""
        code, data = await self._raw(method, path, body)
        return Outcome(code, data.decode(errors="replace"))

    async def execute(self, container: str, command: tuple[str, ...]) -> Outcome:
        """`docker exec`: its exit code, and all it wrote."""
        wish = {"Cmd": command, "AttachStdout": True, "AttachStderr": True}
        code, made = await self._raw("POST", f"/containers/{container}/exec", wish)
        if code != 201:
            return Outcome(-1, _message(made))
        identity = msgspec.json.decode(made)["Id"]
        code, output = await self._raw("POST", f"/exec/{identity}/start", {})
        if code < 0:
            return Outcome(-1, output.decode())
        text = b"".join(payload for _, payload in frames(output)).decode(errors="replace")
        code, ended = await self._raw("GET", f"/exec/{identity}/json", None)
        exit_code = msgspec.json.decode(ended).get("ExitCode") if code == 200 else None
        return Outcome(-1 if exit_code is None else exit_code, text)

    async def _raw(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with self._session.request(method, path, data=data, headers=headers) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return -1, f"{self._node} does not answer: {error or type(error).__name__}".encode()


def _message(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body.decode(errors="replace")

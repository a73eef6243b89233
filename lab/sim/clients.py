"""Clients of the simulated nodes' Engine APIs, who may wait in vain: a node can be frozen, or die."""

from __future__ import annotations

import asyncio
import struct
import traceback
from collections.abc import Coroutine
from typing import Any

import msgspec

from lab.scenario.stage import Outcome
from lab.sim.world import World
from node.api.http import Hijack, Request, Response

PATIENCE_S = 60.0
"""How long a user waits for an answer of a node that says nothing."""
_HEAD = struct.Struct(">BxxxL")


class Clients:
    """See the module."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, dict[asyncio.Task[Any], None]] = {}

    async def request(self, node: str, method: str, path: str, body: object = None) -> Outcome:
        """See Stage.request."""
        return await self._as_client(node, self._request(node, method, path, body))

    async def _request(self, node: str, method: str, path: str, body: object) -> Outcome:
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"} if content else {}
        agent = self._world.hosts[node].agent
        if agent is None:
            return Outcome(-1, f"{node} went down")  # between two requests of one command
        answer = await agent.app.handle(Request.of(method, path, headers, content))
        if isinstance(answer, Response):
            return Outcome(answer.status, answer.body.decode(errors="replace"))
        if isinstance(answer, Hijack):
            listener = _Listener()
            try:
                await answer.talk(listener)
            finally:
                answer.close()
            return Outcome(101, listener.text())
        answer.close()
        return Outcome(200, "")

    async def execute(self, node: str, container: str, command: tuple[str, ...]) -> Outcome:
        """See Stage.execute."""
        return await self._as_client(node, self._execute(node, container, command))

    async def _execute(self, node: str, container: str, command: tuple[str, ...]) -> Outcome:
        wish = {"Cmd": command, "AttachStdout": True, "AttachStderr": True}
        made = await self._request(node, "POST", f"/containers/{container}/exec", wish)
        if made.code != 201:
            return Outcome(-1, _message(made.text))
        identity = msgspec.json.decode(made.text)["Id"]
        output = await self._request(node, "POST", f"/exec/{identity}/start", {})
        ended = await self._request(node, "GET", f"/exec/{identity}/json", None)
        code = msgspec.json.decode(ended.text).get("ExitCode") if ended.code == 200 else None
        return Outcome(-1 if code is None else code, output.text)

    async def _as_client(self, node: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """The node works on it as its own, and may be frozen or die while it does."""
        agent = self._world.hosts[node].agent
        if agent is None or not agent.answers:
            work.close()
            return Outcome(-1, f"{node} is down")
        task = self._world.inside(node, work)
        mine = self._waiting.setdefault(node, {})
        mine[task] = None
        try:
            await asyncio.wait([task], timeout=PATIENCE_S)
        finally:
            mine.pop(task, None)
            if not task.done():
                task.cancel()
        if task.cancelled():
            return Outcome(-1, f"{node} went down")
        if not task.done():
            return Outcome(-1, f"{node} does not answer")
        if (error := task.exception()) is not None:
            return self._bug(node, error)
        return task.result()

    def _bug(self, node: str, error: BaseException) -> Outcome:
        """The node fell over an error that nobody expects: told as what it is, as by a real one."""
        where = "".join(traceback.format_exception(error)[-3:])
        self._world.story.tell(node, "node.bug", {"task": "request", "error": repr(error), "where": where})
        return Outcome(500, msgspec.json.encode({"message": f"a bug in the node: {error!r}"}).decode())

    def hang_up(self, node: str) -> None:
        """The node has gone: nobody waits for its answers any more."""
        for task in list(self._waiting.pop(node, {})):
            task.cancel()


class _Listener:
    """The connection of somebody who only listens."""

    def __init__(self) -> None:
        self._heard = bytearray()

    async def read(self) -> bytes:
        """See node/api/http.py."""
        return b""

    async def write(self, data: bytes) -> None:
        """See node/api/http.py."""
        self._heard += data

    async def gone(self) -> None:
        """It stays to the end."""
        await asyncio.get_running_loop().create_future()

    def text(self) -> str:
        """What was said, without the heads between its pieces (node/api/frames.py)."""
        pieces, at = [], 0
        while at + _HEAD.size <= len(self._heard):
            _, length = _HEAD.unpack_from(self._heard, at)
            at += _HEAD.size
            pieces.append(bytes(self._heard[at : at + length]))
            at += length
        return b"".join(pieces).decode(errors="replace")


def _message(body: str) -> str:
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body

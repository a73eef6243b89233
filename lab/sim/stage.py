"""A simulated world as a stage for scenarios (lab/scenario/stage.py)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Coroutine, Mapping
from typing import Any

import msgspec

from kvstore.store import Transaction
from lab.checkers.history import Operation
from lab.checkers.seen import Seen
from lab.scenario.stage import NotHere, Outcome, Witness
from lab.sim.gate import OUTSIDE
from lab.sim.look import Looker
from lab.sim.world import World
from node.agent import Agent
from node.api.http import Hijack, Request, Response
from node.chaos.faults import Injection

PATIENCE_S = 60.0
"""How long a user waits for an answer of a node that says nothing."""
SMALL = 10
"""Nodes of a world that is looked at after every change; a larger one is looked at now and then."""
NOW_AND_THEN_S = 1.0
_HEAD = struct.Struct(">BxxxL")


class SimStage:
    """See the module."""

    world = "simulated"

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        self._world = world
        self._looker = Looker(world)
        self._witness: Witness | None = None
        self._closely = False
        self._showing = False
        self._clients: dict[str, dict[asyncio.Task[Any], None]] = {}
        for host in world.hosts.values():
            host.config = host.config.changed(settings or {})
        world.born = self._born

    def begin(self) -> None:
        """See Stage."""
        self._looker.start = self._world.clock.now()

    def now(self) -> float:
        """See Stage."""
        return round(self._world.clock.now() - self._looker.start, 9)

    async def sleep_until(self, at: float) -> None:
        """See Stage."""
        await self._world.clock.sleep(max(0.0, at + self._looker.start - self._world.clock.now()))

    # -- nodes ------------------------------------------------------------------------------------

    def nodes(self) -> tuple[str, ...]:
        """See Stage."""
        return tuple(self._world.hosts)

    async def kill(self, node: str) -> None:
        """See Stage."""
        await self._world.kill(node)
        self._hang_up(node)

    async def start(self, node: str) -> None:
        """See Stage."""
        await self._world.start(node)

    async def restart(self, node: str) -> None:
        """See Stage."""
        await self._world.stop(node)
        self._hang_up(node)
        await self._world.start(node)

    async def pause(self, node: str) -> None:
        """See Stage."""
        self._world.freeze(node)
        self._changed()

    async def resume(self, node: str) -> None:
        """See Stage. A node that was killed meanwhile has nothing to go on with."""
        self._world.thaw(node)
        self._changed()

    def _agent(self, node: str) -> Agent | None:
        return self._world.hosts[node].agent

    # -- faults -----------------------------------------------------------------------------------

    async def inject(self, node: str, injection: Injection) -> None:
        """See Stage."""
        agent = self._agent(node)
        if agent is not None:
            agent.faults.inject(injection, self._world.clock.now())
        self._changed()

    async def heal(self, ids: tuple[str, ...] = ()) -> None:
        """See Stage."""
        now = self._world.clock.now()
        for host in self._world.hosts.values():
            if host.agent is not None:
                faults = host.agent.faults
                faults.heal(ids or [seen.fault.id for seen in faults.list(now)], now)
        self._changed()

    async def lose_store_member(self, member: int, duration_s: float) -> None:
        """See Stage."""
        raise NotHere(
            "the simulated store is one and has no members to lose: play this on a live cluster (shoal play)"
        )

    # -- what a user does -------------------------------------------------------------------------

    async def request(self, node: str, method: str, path: str, body: object = None) -> Outcome:
        """See Stage."""
        return await self._as_client(node, self._request(node, method, path, body))

    async def _request(self, node: str, method: str, path: str, body: object) -> Outcome:
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"} if content else {}
        agent = self._world.agent(node)
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
        """See Stage."""
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
        if self._agent(node) is None:
            work.close()
            return Outcome(-1, f"{node} is down")
        task = self._world.inside(node, work)
        mine = self._clients.setdefault(node, {})
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
        return task.result()

    def _hang_up(self, node: str) -> None:
        for task in list(self._clients.pop(node, {})):
            task.cancel()
        self._changed()

    # -- looking ----------------------------------------------------------------------------------

    async def look(self) -> Seen:
        """See Stage."""
        return self._looker.look()

    def watch(self, witness: Witness, *, closely: bool) -> None:
        """See Stage."""
        self._witness = witness
        self._closely = closely
        for host in self._world.hosts.values():
            if host.agent is not None:
                self._born(host.config.name, host.agent)

    def _born(self, node: str, agent: Agent) -> None:
        """An agent is about to start, or runs already: hear of what happens in it."""
        if self._witness is None:
            return
        small = len(self._world.hosts) <= SMALL
        if small:
            for ledger in agent.ledgers.values():
                ledger.listeners.append(lambda _: self._changed())
        if self._closely:
            witness, way = self._witness, self._world.hosts[node].way
            agent.switchboard.observer = lambda hop: witness.hop(node, hop)
            if way is not None:
                way.told = lambda begun, transaction, done: self._told(node, begun, transaction, done)

    def _told(self, node: str, begun: float, transaction: Transaction, succeeded: bool | None) -> None:
        assert self._witness is not None
        start = begun - self._looker.start
        self._witness.operation(Operation(node, "swarm", start, self.now(), transaction, succeeded))

    def _changed(self) -> None:
        """Let the witness see, once for all that happens in this round of the loop."""
        if self._witness is not None and not self._showing:
            self._showing = True
            self._world.loop.call_soon(self._show, context=OUTSIDE.context)

    def _show(self) -> None:
        self._showing = False
        if self._witness is not None:
            self._witness.moment(self._looker.look())


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

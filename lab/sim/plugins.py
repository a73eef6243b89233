"""Plugins of a simulated world: handlers in memory, each of which can be made to misbehave.

world.plugins.add("weave", handler)       every node finds it
world.plugins.misbehave("weave", "NetworkDriver.Join", Misbehavior.DIE)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from node.seams import ANSWER_BYTES_MAX, Clock, PluginAnswer, PluginAway

Handler = Callable[[str, bytes], tuple[int, bytes]]
"""Answers one call: (method, body) -> (status, body)."""


class Misbehavior(StrEnum):
    """What may go wrong with one call. All but DEAD and HANG happen after the plugin did its work."""

    DEAD = "dead"
    """It is not running: the connection is refused."""
    DIE = "die"
    """It does what it is asked and dies before it has answered; it is dead until it is revived."""
    HANG = "hang"
    STATUS_500 = "status 500"
    NOT_JSON = "not json"
    NOT_UNICODE = "not unicode"
    EMPTY = "empty"
    WRONG_TYPES = "wrong types"
    DEEP = "deep"
    HUGE = "huge"


@dataclass(slots=True)
class Simulated:
    """One plugin."""

    handler: Handler
    dead: bool = False
    bad: dict[str, Misbehavior] = field(default_factory=dict)
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    """What it was asked, in order."""


class SimulatedPlugins:
    """See the module and node/seams.py: one instance serves all nodes of a world."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._plugins: dict[str, Simulated] = {}

    def add(self, name: str, handler: Handler) -> Simulated:
        """A plugin starts to run."""
        plugin = self._plugins[name] = Simulated(handler)
        return plugin

    def misbehave(self, name: str, method: str, how: Misbehavior) -> None:
        """Let a plugin do this whenever it is asked that."""
        self._plugins[name].bad[method] = how

    def revive(self, name: str) -> None:
        """It runs again and behaves."""
        plugin = self._plugins[name]
        plugin.dead = False
        plugin.bad.clear()

    def find(self, name: str) -> str:
        """See Plugins."""
        return f"unix:///run/{name}.sock" if name in self._plugins else ""

    async def post(self, address: str, method: str, body: bytes, timeout_s: float) -> PluginAnswer:
        """See Plugins."""
        place = address.removeprefix("unix://")
        plugin = self._plugins.get(place.removeprefix("/run/").removesuffix(".sock"))
        how = plugin.bad.get(method) if plugin is not None else None
        if plugin is None or plugin.dead or how is Misbehavior.DEAD:
            raise PluginAway(f"dial unix {place}: connect: connection refused")
        plugin.calls.append((method, body))
        if how is Misbehavior.HANG:
            await self._clock.sleep(timeout_s)
            raise PluginAway("context deadline exceeded")
        await asyncio.sleep(0)
        status, answer = plugin.handler(method, body)
        match how:
            case Misbehavior.DIE:
                plugin.dead = True
                raise PluginAway("EOF")
            case Misbehavior.STATUS_500:
                return PluginAnswer(500, b"something broke\n")
            case Misbehavior.NOT_JSON:
                return PluginAnswer(200, b"<html>hello</html>")
            case Misbehavior.NOT_UNICODE:
                return PluginAnswer(200, b'{"Err": "\xff", "Error": "\xff"}')
            case Misbehavior.EMPTY:
                return PluginAnswer(200, b"")
            case Misbehavior.WRONG_TYPES:
                return PluginAnswer(200, b'["what", {"is": 7}, null]')
            case Misbehavior.DEEP:
                answer = b'{"deep": ' + b"[" * 500_000
            case Misbehavior.HUGE:
                answer = b" " * (ANSWER_BYTES_MAX + 1)
        return PluginAnswer(status, answer[: ANSWER_BYTES_MAX + 1])

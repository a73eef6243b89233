"""A simulated world under the eyes of all checkers: what tests of invariants and of defects play in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from lab.checkers.catalogue import checkers
from lab.checkers.checker import Violation
from lab.checkers.history import Operation
from lab.sim import loop
from lab.sim.look import Looker
from lab.sim.world import World
from node.datapath.switchboard import Hop
from tests.sim.play import settle

LOOK_EVERY_S = 0.25
RECOVERY_S = 12.0
"""Longer than anything may be wrong before it is a violation."""

Act = Callable[[World], Awaitable[None]]


class Watched:
    """Checkers at work on one world; ``violations`` in the order in which they came."""

    def __init__(self, world: World, names: tuple[str, ...] = ()) -> None:
        self.world = world
        self.violations: list[Violation] = []
        self.looker = Looker(world)
        self._checkers = checkers(names)
        for name in world.hosts:
            self.attach(name)

    def attach(self, name: str) -> None:
        """Hear of a node's hops and transactions; again after each of its starts."""
        host = self.world.hosts[name]
        assert host.agent is not None
        assert host.way is not None
        host.agent.switchboard.observer = lambda hop: self.hop(name, hop)
        host.way.told = lambda begun, transaction, succeeded: self.operation(
            Operation(name, "swarm", begun, self.world.clock.now(), transaction, succeeded)
        )

    def hop(self, node: str, hop: Hop) -> None:
        """A frame moves."""
        for checker in self._checkers:
            self.violations.extend(checker.hop(node, hop))

    def operation(self, operation: Operation) -> None:
        """A transaction has ended."""
        for checker in self._checkers:
            self.violations.extend(checker.operation(operation))

    def look(self) -> None:
        """Check this moment."""
        seen = self.looker.look()
        for checker in self._checkers:
            self.violations.extend(checker.check(seen))

    async def keep_looking(self, seconds: float) -> None:
        """Check again and again for a while."""
        until = self.world.clock.now() + seconds
        while self.world.clock.now() < until:
            self.look()
            await self.world.clock.sleep(LOOK_EVERY_S)


def violations(act: Act, *, nodes: int = 3, seed: int = 1, names: tuple[str, ...] = ()) -> list[Violation]:
    """What checkers say of a world in which ``act`` happens, and of the time to recover after it."""

    async def main() -> list[Violation]:
        async with World(seed, nodes) as world:
            await settle(world)
            watched = Watched(world, names)
            looking = world.loop.create_task(watched.keep_looking(1e9))
            await act(world)
            for name, host in world.hosts.items():
                if host.agent is not None:
                    watched.attach(name)
            await settle(world, RECOVERY_S)
            watched.look()
            looking.cancel()
            return watched.violations

    return loop.run(main())

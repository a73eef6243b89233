"""What a scenario is played on: the simulated world and a live cluster, behind one protocol.

The director (director.py) knows nothing else of either; what only one world can do is refused by the
other with a sentence (NotHere).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lab.checkers.history import Operation
from lab.checkers.seen import Seen
from node.chaos.faults import Injection
from node.datapath.switchboard import Hop


class NotHere(Exception):
    """This world cannot do that; the sentence says why, and which can."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command in a container, or of a request."""

    code: int
    """Exit code; HTTP status for requests. -1: no answer came, and the text says why."""
    text: str


class Witness(Protocol):
    """Who is shown what happens on a stage."""

    def moment(self, seen: Seen) -> None:
        """Something has changed, or some time has passed."""

    def hop(self, node: str, hop: Hop) -> None:
        """A frame took a step on a node."""

    def passed(self, node: str, hop: Hop, at: float) -> None:
        """The same, told too late to be judged by; it was at this moment."""

    def operation(self, operation: Operation) -> None:
        """Somebody used a store."""


class Hosts(Protocol):
    """The nodes of a stage, what becomes of them, and their faults."""

    def nodes(self) -> tuple[str, ...]:
        """All nodes of the scenario, whether they live or not."""

    async def kill(self, node: str) -> None:
        """End it as a power cut does."""

    async def start(self, node: str) -> None:
        """Start it (again); returns when it answers."""

    async def restart(self, node: str) -> None:
        """End it in order, and start it again."""

    async def pause(self, node: str) -> None:
        """Freeze it: nothing moves in it, its sockets fill."""

    async def resume(self, node: str) -> None:
        """Let it go on."""

    # -- faults -----------------------------------------------------------------------------------

    async def inject(self, node: str, injection: Injection) -> None:
        """Put a fault into the table of a node. A node that is down has none."""

    async def heal(self, ids: tuple[str, ...] = ()) -> None:
        """End faults on all nodes: those named, or all."""

    async def lose_store_member(self, member: int, duration_s: float) -> None:
        """One member of a store of several goes away for a while. Raises NotHere."""


class Stage(Hosts, Protocol):
    """See the module. Times are seconds since ``begin``; before it they are negative or anything else."""

    world: str
    """"simulated" or "live"."""

    def begin(self) -> None:
        """Networks and containers stand: now() is 0 at this moment."""

    def now(self) -> float:
        """Seconds since the start."""

    async def sleep_until(self, at: float) -> None:
        """Return at that moment."""

    # -- what a user does -------------------------------------------------------------------------

    async def request(self, node: str, method: str, path: str, body: object = None) -> Outcome:
        """One request to a node's Engine API; the text is the body of the answer."""

    async def execute(self, node: str, container: str, command: tuple[str, ...]) -> Outcome:
        """`docker exec`, to its end: exit code and what it printed."""

    # -- looking ----------------------------------------------------------------------------------

    async def look(self) -> Seen:
        """Everything that checkers look at, at this moment."""

    def watch(self, witness: Witness, *, closely: bool) -> None:
        """Show every moment from now on: after each batch of changes, or as often as this world can.

        ``closely``: also hops and operations, where this world can show them.
        """

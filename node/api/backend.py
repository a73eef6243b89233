"""What the Engine API needs of the node behind it: one protocol a subject, in values of node/model.

    routes/*.py  --- calls --->  Networks  Containers  Programs  Execs  Images  System  Swarm  Events
                                     ^ implemented by node/control, and in memory by the tests

Where a ``term`` is taken, the implementation looks it up as the engine does: full id, then name, then
the beginning of an id. Failures are the kinds of node/errors.py with the engine's own text; status.py
turns a kind into an HTTP status. Looking is synchronous: it reads what the node knows already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from node.model.container import (
    ContainerRecord,
    ContainerSpec,
    Ended,
    ProcessRow,
    RestartPolicy,
    WaitCondition,
)
from node.model.event import EngineEvent
from node.model.exec import ExecRecord, ExecSpec
from node.model.facts import NodeFacts, NodeSeen, SwarmFacts
from node.model.image import ImageRecord
from node.model.member import NodeWish
from node.model.network import EndpointRecord, EndpointSpec, NetworkRecord, NetworkSpec
from node.model.output import AttachSpec, LogSpec, Output

Item = TypeVar("Item", covariant=True)


class Flow(Protocol[Item]):
    """Things that come one by one, until they end.

    What has to be registered for it (a listener, a place in a log) is registered when it is handed
    out, not when it is first read. Whoever took it closes it, read to its end or not.
    """

    def __aiter__(self) -> AsyncIterator[Item]: ...

    def close(self) -> None:
        """Nobody reads any more, and it ends; without effect the second time."""


class Terminal(Flow[Output], Protocol):
    """A program's input and output from where its user sits. It ends when the program has ended and
    all it wrote was read, or when the start that it waited for has failed."""

    async def write(self, data: bytes) -> None:
        """Give the program input, waiting while it has more than it wants; ignored once it has ended."""

    def close_stdin(self) -> None:
        """The user has no more input. A container whose stdin serves further users keeps it open."""


class Networks(Protocol):
    """The networks that this node shows (the swarm's first), and who stands in them."""

    def list(self) -> Sequence[NetworkRecord]: ...

    def find(self, term: str, scope: str = "") -> NetworkRecord:
        """Only among networks of a scope, if one is given. Raises NotFound, InvalidParameter."""

    def attached(self, network: NetworkRecord) -> Sequence[EndpointRecord]:
        """Endpoints on this node, in the order in which they came."""

    def peers(self, network: NetworkRecord) -> Sequence[tuple[str, str]]:
        """Name and address of every node that has an endpoint in an overlay; none for others."""

    async def create(self, spec: NetworkSpec) -> tuple[str, str]:
        """The new network's id, and a warning or ""."""

    async def remove(self, term: str) -> None: ...

    async def prune(self, wanted: Callable[[NetworkRecord], bool]) -> Sequence[str]:
        """Remove every unused network that the caller wants removed; their names."""

    async def connect(self, term: str, container: str, spec: EndpointSpec) -> None:
        """Put a container into a network; one that does not run gets it at its next start."""

    async def disconnect(self, term: str, container: str, *, force: bool) -> None: ...


class Containers(Protocol):
    """The containers of this node, and what becomes of them."""

    def list(self) -> Sequence[ContainerRecord]:
        """All, the newest first."""

    def find(self, term: str) -> ContainerRecord:
        """Raises NotFound "No such container: x", InvalidParameter."""

    def endpoints(self, container: ContainerRecord) -> Mapping[str, EndpointRecord]:
        """By network name, as far as the user asked for the network; empty while it does not run."""

    async def create(self, name: str, spec: ContainerSpec) -> tuple[str, Sequence[str]]:
        """Id and warnings. Without a name one is chosen. Raises NotFound "No such image: x:latest"."""

    async def start(self, term: str) -> None:
        """Raises NotModified if it runs. A failed start ends the attached terminals and waits, too."""

    async def stop(self, term: str, *, timeout_s: int | None, signal: int | None) -> None:
        """None: as the container was created. A negative time: for ever. Raises NotModified."""

    async def restart(self, term: str, *, timeout_s: int | None, signal: int | None) -> None: ...

    async def kill(self, term: str, signal: int) -> None: ...

    async def pause(self, term: str) -> None: ...

    async def unpause(self, term: str) -> None: ...

    async def rename(self, term: str, name: str) -> None: ...

    async def update(self, term: str, restart: RestartPolicy) -> None: ...

    async def remove(self, term: str, *, force: bool) -> None: ...


class Programs(Protocol):
    """The program that a container runs: watched, talked to, waited for."""

    def wait(self, term: str, condition: WaitCondition) -> asyncio.Future[Ended]:
        """Done when the condition comes true. Cancelling the future ends the waiting."""

    def attach(self, term: str, spec: AttachSpec) -> Terminal:
        """Also before the container's first start."""

    def logs(self, term: str, spec: LogSpec) -> Flow[Output]:
        """Line by line, each with its time."""

    def resize(self, term: str, height: int, width: int) -> None: ...

    def top(self, term: str) -> Sequence[ProcessRow]: ...


class Execs(Protocol):
    """Further commands in running containers."""

    def find(self, identity: str) -> ExecRecord:
        """Raises NotFound "No such exec instance: x"."""

    async def create(self, term: str, spec: ExecSpec) -> str:
        """Its id."""

    async def start(self, identity: str, *, console_size: tuple[int, int]) -> Terminal:
        """Run it. A command that cannot be run tells so in its output and by exit code 126 or 127."""

    def resize(self, identity: str, height: int, width: int) -> None: ...


class Images(Protocol):
    """The catalogue."""

    def list(self) -> Sequence[ImageRecord]: ...

    def find(self, term: str) -> ImageRecord:
        """By name, tag or id. Raises NotFound "No such image: x:latest"."""

    def missing(self, name: str) -> str:
        """What to tell a user who wants an image that is not in the catalogue: a sentence that lists it."""


class System(Protocol):
    """The node itself."""

    def facts(self) -> NodeFacts: ...


class Swarm(Protocol):
    """The swarm as this node knows it."""

    def facts(self) -> SwarmFacts: ...

    def nodes(self) -> Sequence[NodeSeen]:
        """By name. Raises Unavailable with the engine's sentence where this node is no manager."""

    async def remove(self, identity: str, *, force: bool) -> None:
        """A node by its id, with all that it owns; one that lives only by force."""

    async def update(self, identity: str, version: int, wish: NodeWish) -> None:
        """A node's role, availability and labels, if it is still as it was at ``version``."""


class Events(Protocol):
    """What happens on this node."""

    @property
    def listeners(self) -> int:
        """How many listen now."""

    def since(self, time_ns: int) -> Sequence[EngineEvent]:
        """What is remembered from this time on (nanoseconds since 1970)."""

    def listen(self) -> Flow[EngineEvent]:
        """From now on. It ends for a listener that falls too far behind."""


@dataclass(frozen=True, slots=True)
class Backend:
    """All of it."""

    networks: Networks
    containers: Containers
    programs: Programs
    execs: Execs
    images: Images
    system: System
    swarm: Swarm
    events: Events

"""The seven protocols through which a node touches the world.

                     +--------------------------------------+
      Clock   <------|                                      |------>  Store      (kvstore/store.py)
      Underlay <-----|                node                  |------>  Control    (other nodes)
      Outside <------|                                      |------>  Telemetry  (whoever watches)
      Plugins <------|                                      |
                     +--------------------------------------+

Each has two complete implementations that never meet: node/edge/ (sockets, wall clocks, gRPC) and
lab/sim/ (virtual time, an in-memory fabric). Faults are wrappers around these seams (node/chaos/).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kvstore.store import Store

__all__ = [
    "ANSWER_BYTES_MAX",
    "Channel",
    "Clock",
    "Control",
    "ControlAnswers",
    "Conversation",
    "NoPlugins",
    "Nowhere",
    "Opened",
    "Outside",
    "PluginAnswer",
    "PluginAway",
    "Plugins",
    "Store",
    "Telemetry",
    "Timer",
    "Underlay",
    "Unreachable",
]


class Channel(StrEnum):
    """Which of a node's two UDP ports a datagram belongs to."""

    DATA = "data"
    """VXLAN of overlay networks (RFC 7348, UDP 4789)."""
    CABLE = "cable"
    """Ethernet frames of the LAN that joins the hosts, in the same format on a port of its own."""


class Timer(Protocol):
    """A call that has been put off."""

    def cancel(self) -> None:
        """Do not make the call; without effect once it was made."""


class Clock(Protocol):
    """Time, in seconds. Nothing in a node reads a clock except through this."""

    def now(self) -> float:
        """Monotonic seconds, for durations and deadlines."""

    def wall(self) -> float:
        """Seconds since 1970 UTC, for what people read."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Make a call when now() reaches ``when``."""


class Underlay(Protocol):
    """Datagrams between nodes: best effort, unordered, unauthenticated, as UDP is."""

    def send(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> bool:
        """Hand a datagram to the network; False if it was refused at once (no buffer, no route).

        ``destination`` is the peer's underlay address, dotted quad; the port follows from the
        channel. ``flow_hash`` chooses the source port (RFC 7348 section 5).
        """

    def listen(self, receive: Callable[[Channel, str, bytes], None]) -> None:
        """Deliver every datagram from now on, with the sender's address (never its port)."""


class Control(Protocol):
    """Calls to other nodes."""

    async def probe(self, address: str, *, sender: str, timeout_s: float) -> float:
        """Ask whether the node at ``address`` (host:port) answers; the round trip in seconds.

        Raises Unreachable.
        """

    async def announce(self, address: str, *, sender: str, revision: int, timeout_s: float) -> int:
        """Tell a node the newest revision this one has committed; its view's revision comes back.

        Raises Unreachable.
        """

    def serve(self, answers: ControlAnswers) -> None:
        """Answer other nodes' calls from now on."""


class ControlAnswers(Protocol):
    """What a node says when another one calls."""

    def probed(self, sender: str) -> None:
        """Another node asked whether this one is there."""

    def announced(self, sender: str, revision: int) -> int:
        """Another node has committed ``revision``; answer with the revision of the own view."""


class Telemetry(Protocol):
    """Where a node tells what happens in it; telling costs nothing and never fails."""

    def tell(self, event: str, **fields: object) -> None:
        """One thing that happened, as ``event key=value``."""


class Opened(Protocol):
    """Something that stands open until it is closed."""

    def close(self) -> None:
        """Close it, and end what goes through it."""


class Conversation(Protocol):
    """Bytes to and from somebody inside the simulation: a stream, or one datagram at a time."""

    async def read(self) -> bytes:
        """What has come; empty at the end. OSError."""

    async def write(self, data: bytes) -> None:
        """Send. OSError."""

    def finish(self) -> None:
        """Nothing more will be written."""

    def close(self) -> None:
        """End it."""


class Outside(Protocol):
    """The world around the simulation, which published ports open to."""

    async def open(
        self, protocol: str, host_port: int, connect: Callable[[], Awaitable[Conversation]]
    ) -> Opened | None:
        """Let real programs reach a container through a port of the node; each gets a conversation.

        None if there is no such world, or the port may not be opened there. OSError EADDRINUSE.
        """


class Nowhere:
    """No world around: ports are published inside the simulation alone."""

    async def open(
        self, protocol: str, host_port: int, connect: Callable[[], Awaitable[Conversation]]
    ) -> Opened | None:
        """See Outside."""
        return None


ANSWER_BYTES_MAX = 1 << 20
"""What a plugin may answer at most."""


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """What came back from a plugin: an HTTP status and a body, unread."""

    status: int
    body: bytes


class PluginAway(Exception):
    """Nobody answered; the text says how it came about."""


class Plugins(Protocol):
    """Programs of other people that build networks or give out addresses (moby: pkg/plugins)."""

    def find(self, name: str) -> str:
        """Where the plugin of that name listens, "unix:///..." or "tcp://..."; "" if there is none."""

    async def post(self, address: str, method: str, body: bytes, timeout_s: float) -> PluginAnswer:
        """One call, tried once; of an answer at most ANSWER_BYTES_MAX + 1 bytes. Raises PluginAway."""


class NoPlugins:
    """Nobody but the node itself builds networks."""

    def find(self, name: str) -> str:
        """See Plugins."""
        return ""

    async def post(self, address: str, method: str, body: bytes, timeout_s: float) -> PluginAnswer:
        """See Plugins."""
        raise PluginAway("there are no plugins here")


class Unreachable(Exception):
    """The other node gave no answer in time."""


Waiter = Callable[[float], Awaitable[None]]
"""Clock.sleep, where only that is needed."""

"""The network between simulated nodes: datagrams and calls that take a little virtual time.

    node-1 --send--> fabric --(latency)--> node-2's receiver
                                   `-----> its socket's buffer, while node-2 is frozen

It is perfect on purpose: faults are wrappers around the seams (node/chaos/), never part of it.
A node that is down hears nothing; what was on its way to it is lost, as on a real wire, and counted:

    carried  =  arrived + nobody_there + buffer_full + waiting for a frozen node + in_flight
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from node.seams import Channel, Clock, ControlAnswers, Unreachable

IN_FLIGHT_MAX = 100_000
"""Datagrams on the way at one time; beyond it a send is refused, as by a full queue."""
SOCKET_BUFFER_BYTES = 212_992
"""What waits for a frozen node on each of its ports (Linux: net.core.rmem_default)."""
DATAGRAM_OVERHEAD_BYTES = 768
"""What the kernel counts for a short datagram beyond its bytes (struct sk_buff and its rounding)."""

Receive = Callable[[Channel, str, bytes], None]
Tap = Callable[[Channel, str, str, bytes], None]
"""(channel, source, destination, datagram), for every datagram that is sent."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way delay in seconds: a floor, and a uniformly drawn part on top."""

    floor_s: float = 0.000_05
    spread_s: float = 0.000_05

    def draw(self, chance: random.Random) -> float:
        """How long one message takes."""
        return self.floor_s + chance.random() * self.spread_s


@dataclass(slots=True, eq=False)
class Place:
    """One node on the wire. ``context``: what it does about what comes is the node's work."""

    context: Context
    receive: Receive | None = None
    answers: ControlAnswers | None = None
    frozen: bool = False
    waiting: list[tuple[Channel, str, bytes]] = field(default_factory=list)
    waiting_bytes: dict[Channel, int] = field(default_factory=dict)


class Fabric:
    """Every simulated node's place on the wire, by underlay address."""

    def __init__(self, clock: Clock, chance: random.Random, latency: Latency | None = None) -> None:
        self.carried = 0
        """Datagrams ever put on the wire; the next four say what became of them."""
        self.arrived = 0
        self.nobody_there = 0
        self.buffer_full: dict[str, int] = {}
        """By address: what a frozen node's sockets had no room for."""
        self.in_flight = 0
        self.tap: Tap | None = None
        self._clock = clock
        self._chance = chance
        self._latency = latency or Latency()
        self._places: dict[str, Place] = {}

    def underlay(self, address: str) -> FabricUnderlay:
        """The Underlay of the node at this address."""
        return FabricUnderlay(self, address)

    def control(self, address: str) -> FabricControl:
        """The Control of the node at this address."""
        return FabricControl(self, address)

    def connect(self, address: str, context: Context) -> None:
        """A node's work happens in this context from now on."""
        self._places[address] = Place(context)

    def disconnect(self, address: str) -> None:
        """The node is gone: nothing reaches it any more."""
        place = self._places.pop(address, None)
        if place is not None and place.waiting:
            self.nobody_there += len(place.waiting)

    def _place(self, address: str) -> Place:
        if address not in self._places:
            self.connect(address, copy_context())
        return self._places[address]

    def attach_receiver(self, address: str, receive: Receive) -> None:
        """Deliver datagrams for this address from now on."""
        self._place(address).receive = receive

    def attach_answers(self, address: str, answers: ControlAnswers) -> None:
        """Answer calls to this address from now on."""
        self._place(address).answers = answers

    # -- nodes that stand still -------------------------------------------------------------------

    def freeze(self, address: str) -> None:
        """The node reads nothing any more: its sockets fill, and calls to it are not answered."""
        self._place(address).frozen = True

    def thaw(self, address: str) -> None:
        """It reads what has waited."""
        place = self._place(address)
        waiting, place.waiting = place.waiting, []
        place.waiting_bytes.clear()
        place.frozen = False
        for channel, source, datagram in waiting:
            self._deliver(place, channel, source, datagram)

    # -- datagrams --------------------------------------------------------------------------------

    def delay_s(self) -> float:
        """How long one message takes."""
        return self._latency.draw(self._chance)

    def carry(self, channel: Channel, source: str, destination: str, datagram: bytes) -> bool:
        """Put a datagram on the wire; False when there is no room for it."""
        if self.in_flight >= IN_FLIGHT_MAX:
            return False
        self.in_flight += 1
        self.carried += 1
        if self.tap is not None:
            self.tap(channel, source, destination, datagram)
        self._clock.call_at(
            self._clock.now() + self.delay_s(), lambda: self._arrive(channel, source, destination, datagram)
        )
        return True

    def _arrive(self, channel: Channel, source: str, destination: str, datagram: bytes) -> None:
        self.in_flight -= 1
        place = self._places.get(destination)
        if place is None or place.receive is None:
            self.nobody_there += 1
        elif place.frozen:
            self._buffer(place, channel, source, destination, datagram)
        else:
            self._deliver(place, channel, source, datagram)

    def _deliver(self, place: Place, channel: Channel, source: str, datagram: bytes) -> None:
        assert place.receive is not None
        self.arrived += 1
        place.context.run(place.receive, channel, source, datagram)

    def _buffer(self, place: Place, channel: Channel, source: str, destination: str, datagram: bytes) -> None:
        taken = place.waiting_bytes.get(channel, 0) + len(datagram) + DATAGRAM_OVERHEAD_BYTES
        if taken > SOCKET_BUFFER_BYTES:
            self.buffer_full[destination] = self.buffer_full.get(destination, 0) + 1
            return
        place.waiting_bytes[channel] = taken
        place.waiting.append((channel, source, datagram))

    @property
    def unaccounted(self) -> int:
        """Datagrams of which nobody knows what became: always 0."""
        waiting = sum(len(place.waiting) for place in self._places.values())
        lost = self.nobody_there + sum(self.buffer_full.values())
        return self.carried - self.arrived - lost - waiting - self.in_flight

    # -- calls ------------------------------------------------------------------------------------

    async def call(self, address: str, timeout_s: float) -> Place:
        """Reach a node that answers, after the time that a request takes. Raises Unreachable."""
        await self._clock.sleep(self.delay_s())
        place = self._places.get(address)
        if place is None or place.answers is None or place.frozen:
            await self._clock.sleep(timeout_s)
            raise Unreachable(f"no node answers at {address}")
        return place


class FabricUnderlay:
    """A node's Underlay seam on the fabric; it counts what went through it."""

    def __init__(self, fabric: Fabric, address: str) -> None:
        self._fabric = fabric
        self._address = address
        self._gone = False
        self.sent = 0
        self.arrived = 0

    def fall_silent(self) -> None:
        """The node was killed: what is left of it sends no more."""
        self._gone = True

    def send(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> bool:
        """See node/seams.py."""
        if self._gone:
            return False
        taken = self._fabric.carry(channel, self._address, destination, bytes(datagram))
        self.sent += taken
        return taken

    def listen(self, receive: Receive) -> None:
        """See node/seams.py."""

        def count(channel: Channel, source: str, datagram: bytes) -> None:
            self.arrived += 1
            receive(channel, source, datagram)

        self._fabric.attach_receiver(self._address, count)


class FabricControl:
    """A node's Control seam on the fabric; a call's address is "underlay address:port"."""

    def __init__(self, fabric: Fabric, address: str) -> None:
        self._fabric = fabric
        self._address = address

    async def probe(self, address: str, *, sender: str, timeout_s: float) -> float:
        """See node/seams.py."""
        place = await self._fabric.call(_host(address), timeout_s)
        assert place.answers is not None
        place.context.run(place.answers.probed, sender)
        return 2 * self._fabric.delay_s()

    async def announce(self, address: str, *, sender: str, revision: int, timeout_s: float) -> int:
        """See node/seams.py."""
        place = await self._fabric.call(_host(address), timeout_s)
        assert place.answers is not None
        return place.context.run(place.answers.announced, sender, revision)

    def serve(self, answers: ControlAnswers) -> None:
        """See node/seams.py."""
        self._fabric.attach_answers(self._address, answers)


def _host(address: str) -> str:
    return address.rpartition(":")[0] or address

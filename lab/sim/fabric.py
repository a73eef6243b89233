"""The network between simulated nodes: datagrams and calls that take a little virtual time.

    node-1 --send--> fabric --(latency)--> node-2's receiver

It is perfect on purpose: faults are wrappers around the seams (node/chaos/), never part of it.
A node that is down hears nothing; what was on its way to it is lost, as on a real wire, and counted:

    carried  =  arrived + nobody_there + in_flight
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from node.seams import Channel, Clock, ControlAnswers, Unreachable

IN_FLIGHT_MAX = 100_000
"""Datagrams on the way at one time; beyond it a send is refused, as by a full queue."""

Receive = Callable[[Channel, str, bytes], None]


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way delay in seconds: a floor, and a uniformly drawn part on top."""

    floor_s: float = 0.000_05
    spread_s: float = 0.000_05


class Fabric:
    """Every simulated node's place on the wire, by underlay address."""

    def __init__(self, clock: Clock, chance: random.Random, latency: Latency | None = None) -> None:
        self._clock = clock
        self._chance = chance
        self._latency = latency or Latency()
        self._receivers: dict[str, Receive] = {}
        self._answers: dict[str, ControlAnswers] = {}
        self.carried = 0
        """Datagrams ever put on the wire; the next three say what became of them."""
        self.arrived = 0
        self.nobody_there = 0
        self.in_flight = 0

    def underlay(self, address: str) -> FabricUnderlay:
        """The Underlay of the node at this address."""
        return FabricUnderlay(self, address)

    def control(self, address: str) -> FabricControl:
        """The Control of the node at this address."""
        return FabricControl(self, address)

    def disconnect(self, address: str) -> None:
        """The node is gone: nothing reaches it any more."""
        self._receivers.pop(address, None)
        self._answers.pop(address, None)

    def attach_receiver(self, address: str, receive: Receive) -> None:
        """Deliver datagrams for this address from now on."""
        self._receivers[address] = receive

    def attach_answers(self, address: str, answers: ControlAnswers) -> None:
        """Answer calls to this address from now on."""
        self._answers[address] = answers

    def delay_s(self) -> float:
        """How long one message takes."""
        return self._latency.floor_s + self._chance.random() * self._latency.spread_s

    def carry(self, channel: Channel, source: str, destination: str, datagram: bytes) -> bool:
        """Put a datagram on the wire; False when there is no room for it."""
        if self.in_flight >= IN_FLIGHT_MAX:
            return False
        self.carried += 1
        self.in_flight += 1
        self._clock.call_at(
            self._clock.now() + self.delay_s(), lambda: self._arrive(channel, source, destination, datagram)
        )
        return True

    def _arrive(self, channel: Channel, source: str, destination: str, datagram: bytes) -> None:
        self.in_flight -= 1
        receive = self._receivers.get(destination)
        if receive is None:
            self.nobody_there += 1
            return
        self.arrived += 1
        receive(channel, source, datagram)

    async def call(self, address: str, timeout_s: float) -> ControlAnswers:
        """Reach a node's answers after the time that a request takes. Raises Unreachable."""
        await self._clock.sleep(self.delay_s())
        answers = self._answers.get(address)
        if answers is None:
            await self._clock.sleep(timeout_s)
            raise Unreachable(f"no node answers at {address}")
        return answers


class FabricUnderlay:
    """A node's Underlay seam on the fabric; it counts what went through it."""

    def __init__(self, fabric: Fabric, address: str) -> None:
        self._fabric = fabric
        self._address = address
        self.sent = 0
        self.arrived = 0

    def send(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> bool:
        """See node/seams.py."""
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
        answers = await self._fabric.call(_host(address), timeout_s)
        answers.probed(sender)
        return 2 * self._fabric.delay_s()

    async def announce(self, address: str, *, sender: str, revision: int, timeout_s: float) -> int:
        """See node/seams.py."""
        answers = await self._fabric.call(_host(address), timeout_s)
        return answers.announced(sender, revision)

    def serve(self, answers: ControlAnswers) -> None:
        """See node/seams.py."""
        self._fabric.attach_answers(self._address, answers)


def _host(address: str) -> str:
    return address.rpartition(":")[0] or address

"""An Underlay whose datagrams are judged: those to others when sent, those from others when they arrive.

send --> judge --+--> inner.send          now, later, twice, or with a wrong bit
                 '--> lost                 counted; a rejected one is refused to its sender

Both ways together:  taken + arrived + copied  =  sent on + handed on + lost + held
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from node.chaos.faults import Direction, Traffic
from node.chaos.kinds import PLANE_OF, Mode
from node.chaos.table import DELIVER, FaultTable, Verdict
from node.seams import Channel, Clock, Underlay

HELD_MAX = 20_000
"""Datagrams that are late at one time; beyond it they are lost, as in a full queue."""
FLOWS_MAX = 16_384
"""Conversations that are known to be established; when full, all are forgotten."""
ENCAPSULATION_BYTES = 8
"""The VXLAN header before every carried frame."""
HEADERS_BYTES = 28
"""IPv4 and UDP before that."""


class Names(Protocol):
    """What faults call things by; "" for what is not known: only faults that name none apply to it."""

    def node_at(self, underlay_address: str) -> str:
        """The node at an underlay address."""

    def network_of(self, channel: Channel, vni: int) -> str:
        """The network whose frames carry a VNI."""


class FaultyUnderlay:
    """See node/seams.py. ``lost`` is called for every datagram that a fault swallows.

    ``copied`` counts the further copies that faults made, ``held`` the datagrams that wait at this moment.
    """

    def __init__(
        self,
        inner: Underlay,
        table: FaultTable,
        clock: Clock,
        names: Names,
        lost: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock
        self._names = names
        self._lost = lost
        self._established: dict[tuple[Channel, str, int], None] = {}
        self.copied = 0
        self.held = 0

    def send(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> bool:
        """See node/seams.py. A dropped datagram looks sent; a rejected one is refused."""
        flow = channel, destination, flow_hash
        if self._table.empty:
            if flow not in self._established:
                self._establish(flow)
            return self._inner.send(channel, destination, flow_hash, datagram)
        verdict = self._judge(
            channel, Direction.OUTGOING, destination, datagram, established=flow in self._established
        )
        if verdict.mode is Mode.REJECT:
            return False  # whoever sends counts what is refused
        if verdict.mode is Mode.DROP:
            self._lost()
            return True
        if verdict is DELIVER:
            return self._inner.send(channel, destination, flow_hash, datagram)
        carried = _spoilt(datagram, verdict)
        if verdict.delay_s > 0:
            return self._later(verdict, lambda: self._send_late(channel, destination, flow_hash, carried))
        for _ in range(verdict.copies - 1):
            self.copied += self._inner.send(channel, destination, flow_hash, carried)
        return self._inner.send(channel, destination, flow_hash, carried)

    def _establish(self, flow: tuple[Channel, str, int]) -> None:
        if len(self._established) >= FLOWS_MAX:
            self._established.clear()
        self._established[flow] = None

    def _send_late(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> None:
        if not self._inner.send(channel, destination, flow_hash, datagram):
            self._lost()

    def listen(self, receive: Callable[[Channel, str, bytes], None]) -> None:
        """See node/seams.py. UDP tells a sender nothing: here, rejecting is dropping."""

        def receive_judged(channel: Channel, source: str, datagram: bytes) -> None:
            if self._table.empty:
                receive(channel, source, datagram)
                return
            verdict = self._judge(channel, Direction.INCOMING, source, datagram, established=None)
            if verdict.mode is not None:
                self._lost()
                return
            carried = _spoilt(datagram, verdict)
            if verdict.delay_s > 0:
                self._later(verdict, lambda: receive(channel, source, carried))
                return
            self.copied += verdict.copies - 1
            for _ in range(verdict.copies):
                receive(channel, source, carried)

        self._inner.listen(receive_judged)

    def _later(self, verdict: Verdict, act: Callable[[], None]) -> bool:
        """Act when the delay is over, once for each copy."""
        if self.held >= HELD_MAX:
            self._lost()
            return True
        self.held += 1

        def release() -> None:
            self.held -= 1
            self.copied += verdict.copies - 1
            for _ in range(verdict.copies):
                act()

        self._clock.call_at(self._clock.now() + verdict.delay_s, release)
        return True

    def _judge(
        self,
        channel: Channel,
        direction: Direction,
        address: str,
        datagram: bytes,
        *,
        established: bool | None,
    ) -> Verdict:
        vni = int.from_bytes(datagram[4:7], "big")
        traffic = Traffic(
            PLANE_OF[channel],
            direction,
            self._names.node_at(address),
            len(datagram) + HEADERS_BYTES,
            self._names.network_of(channel, vni),
            vni,
            established,
        )
        return self._table.judge(traffic, self._clock.now())


def _spoilt(datagram: bytes, verdict: Verdict) -> bytes:
    """The datagram with the verdict's wrong bit, which lies in the carried frame."""
    if verdict.flipped_bit is None or len(datagram) <= ENCAPSULATION_BYTES:
        return datagram
    bit = verdict.flipped_bit % (8 * (len(datagram) - ENCAPSULATION_BYTES))
    spoilt = bytearray(datagram)
    spoilt[ENCAPSULATION_BYTES + bit // 8] ^= 1 << bit % 8
    return bytes(spoilt)

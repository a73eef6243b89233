"""An Underlay whose datagrams are judged: those to others when sent, those from others when they arrive."""

from __future__ import annotations

from collections.abc import Callable

from node.chaos.faults import PLANE_OF, Direction, Mode
from node.chaos.table import FaultTable
from node.seams import Channel, Clock, Underlay


class FaultyUnderlay:
    """See node/seams.py.

    ``name_of`` finds the node at an underlay address ("" if none is known there: only faults that
    name no peers apply to it); ``lost`` is called for every datagram that a fault swallows.
    """

    def __init__(
        self,
        inner: Underlay,
        table: FaultTable,
        clock: Clock,
        name_of: Callable[[str], str],
        lost: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock
        self._name_of = name_of
        self._lost = lost

    def send(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> bool:
        """See node/seams.py. A dropped datagram looks sent; a rejected one is refused."""
        if not self._table.empty:
            mode = self._judge(channel, Direction.OUTGOING, destination)
            if mode is Mode.REJECT:
                return False  # whoever sends counts what is refused
            if mode is Mode.DROP:
                self._lost()
                return True
        return self._inner.send(channel, destination, flow_hash, datagram)

    def listen(self, receive: Callable[[Channel, str, bytes], None]) -> None:
        """See node/seams.py. UDP tells a sender nothing: here, rejecting is dropping."""

        def receive_judged(channel: Channel, source: str, datagram: bytes) -> None:
            if not self._table.empty and self._judge(channel, Direction.INCOMING, source) is not None:
                self._lost()
            else:
                receive(channel, source, datagram)

        self._inner.listen(receive_judged)

    def _judge(self, channel: Channel, direction: Direction, address: str) -> Mode | None:
        peer = self._name_of(address)
        return self._table.judge(PLANE_OF[channel], direction, peer, self._clock.now()).mode

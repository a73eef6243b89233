"""Frames through transmit, bridge, encapsulate, parse, bridge, deliver: two nodes in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from node.datapath.drops import Counters
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.switchboard import Switchboard
from node.datapath.vtep import Vtep
from node.seams import Channel
from node.wire import ethernet, icmp, ipv4

FRAMES = 100_000
RUNS = 5
TARGET = 250_000
ONE, TWO = b"\x02\x42\x0a\0\1\2", b"\x02\x42\x0a\0\1\3"


def path() -> tuple[Callable[[bytes], None], Counters]:
    """From a port on one node to a port on another; and the receiver's counters."""
    receiver = Switchboard(lambda *_: True, Counters())

    def carry(channel: Channel, _destination: str, _flow: int, datagram: bytes) -> bool:
        receiver.receive(channel, "127.0.0.2", datagram, 0.0)
        return True

    sender = Switchboard(carry, Counters())
    ports = []
    for board, mac in ((sender, ONE), (receiver, TWO)):
        segment = Segment("app", "app", Vtep(4097))
        segment.vtep.static[TWO] = "127.0.0.3"  # type: ignore[union-attr]
        board.add_segment(segment)
        port = Port("eth0", mac, lambda *_: None, 1450)
        board.plug(segment, port)
        ports.append(port)
    return (lambda frame: sender.transmit(ports[0], frame, 0.0)), receiver.counters


def frame(payload_bytes: int) -> bytes:
    """A ping between the two."""
    packet = ipv4.Packet(b"\x0a\0\1\2", b"\x0a\0\1\3", 1, icmp.Echo(True, 1, 1, bytes(payload_bytes)).emit())
    return ethernet.emit(TWO, ONE, ethernet.TYPE_IPV4, packet.emit())


def per_second(act: Callable[[bytes], object], data: bytes) -> float:
    """Calls a second, the median of several runs."""
    rates = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        for _ in range(FRAMES):
            act(data)
        rates.append(FRAMES / (time.perf_counter() - begun))
    return statistics.median(rates)


def bare(data: bytes) -> int:
    """What any Python switch must do at least: slice two addresses, look one up, copy the frame."""
    table = {ONE: 1, TWO: 2}
    return table[data[0:6]] + len(b"12345678" + data) + (data[6:12] != TWO)


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    rows = []
    for size in (56, 1422):
        send, counters = path()
        data = frame(size)
        value, baseline = per_second(send, data), per_second(bare, data)
        assert counters.delivered == RUNS * FRAMES, "a frame was lost"
        rows.append(
            {
                "what": f"frames of {len(data)} bytes through the whole path",
                "value": value,
                "unit": "frames/s",
                "target": f"at least {TARGET}",
                "ok": value >= TARGET,
                "baseline": baseline,
                "ratio": value / baseline,
            }
        )
    return {"title": "Forwarding on one core (beside: the barest switch in Python)", "rows": rows}

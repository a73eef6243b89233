"""Checkers that watch frames: what crosses between networks, and what comes past a partition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.checkers.apart import Apart
from lab.checkers.cuts import Cuts
from lab.checkers.seen import FaultSeen, NetworkSeen, Seen
from node.datapath.switchboard import Hop
from node.wire import ethernet
from tests.checkers.moments import UNDERLAY, WEB, moment

BLUE = NetworkSeen(id="b1", name="blue", driver="bridge", scope="node-1", subnets=("172.18.0.0/16",))
RED = NetworkSeen(id="b2", name="red", driver="bridge", scope="node-1", subnets=("172.19.0.0/16",))
CUT = FaultSeen("node-1", "f1", "Partition", peers=("node-2",), planes=("data", "cable"))


def frame(source: str, number: int = 0) -> bytes:
    """An IPv4 frame from an address, as far as checkers read it."""
    packet = bytes(12) + bytes(int(part) for part in source.split(".")) + bytes(4) + bytes([number])
    return ethernet.emit(b"\x02" * 6, b"\x04" * 6, ethernet.TYPE_IPV4, packet)


def hop(stage: str, segment: str, content: bytes, port: str = "1a2b/eth0", peer: str = "") -> Hop:
    return Hop(1.0, stage, segment, port, content, peer)


def watching(*networks: NetworkSeen) -> Apart:
    checker = Apart()
    assert not list(checker.check(moment(networks=networks)))
    return checker


def test_a_frame_belongs_where_it_was_sent() -> None:
    checker = watching(WEB)
    content = frame("10.0.1.2")
    assert not checker.hop("node-1", hop("transmit", "web", content))
    assert not checker.hop("node-1", hop("deliver", "web", content))
    (violation,) = checker.hop("node-1", hop("deliver", "app", content))
    assert violation.what == "a frame sent in web on node-1 was delivered to 1a2b/eth0 in app on node-1"
    assert not checker.hop("node-1", hop("deliver", "app", content)), "told once"


def test_a_tunnel_leads_to_the_same_network_of_other_nodes_only() -> None:
    checker = watching(WEB)
    content = frame("10.0.1.2")
    checker.hop("node-1", hop("transmit", "web", content))
    assert checker.hop("node-2", hop("deliver", "web", content)), "it never entered a tunnel"
    other = frame("10.0.1.2", 1)
    checker.hop("node-1", hop("transmit", "web", other))
    checker.hop("node-1", hop("encapsulate", "web", other, peer=UNDERLAY["node-2"]))
    assert not checker.hop("node-2", hop("deliver", "web", other))
    assert checker.hop("node-2", hop("deliver", "app", other))


def test_what_nobody_here_has_sent_comes_from_outside() -> None:
    assert not watching(WEB).hop("node-1", hop("deliver", "web", frame("10.0.1.77")))


def test_the_bridges_of_a_host_are_apart() -> None:
    checker = watching(BLUE, RED)
    (violation,) = checker.hop("node-1", hop("deliver", "blue", frame("172.19.0.2")))
    assert violation.what == "172.19.0.2 of network red came to 1a2b/eth0 in blue on node-1"
    assert not checker.hop("node-1", hop("deliver", "blue", frame("172.18.0.9")))
    assert not checker.hop("node-1", hop("deliver", "blue", frame("192.168.65.4")))
    assert not checker.hop("node-1", hop("deliver", "red", frame("172.18.0.2"), port="node-1/br-1")), (
        "the host"
    )


@pytest.mark.parametrize("network", [WEB, replace(BLUE, name="web")])
def test_nothing_comes_into_an_internal_network(network: NetworkSeen) -> None:
    checker = watching(replace(network, internal=True))
    inside = network.subnets[0].replace("0.0/16", "0.7").replace("0/24", "7").partition("/")[0]
    assert not checker.hop("node-1", hop("deliver", "web", frame(inside)))
    (violation,) = checker.hop("node-1", hop("deliver", "web", frame("192.168.65.4")))
    assert violation.what == "192.168.65.4 came to 1a2b/eth0 in the internal network web on node-1"


def arrived(
    fault: FaultSeen, segment: str = "web", peer: str = "node-2", *, healed: bool = False
) -> list[str]:
    """What is told of one frame that arrives on node-1 while a fault is in force."""
    checker = Cuts()
    faulty: Seen = moment(faults=(fault,))
    assert not list(checker.check(faulty))
    assert not checker.hop("node-1", hop("receive", segment, frame("10.0.1.3"), "", UNDERLAY[peer]))
    return [v.what for v in checker.check(moment(1.0) if healed else replace(faulty, at=1.0))]


def test_no_frame_comes_past_a_partition() -> None:
    told = ["a frame of web came to node-1 from node-2, past partition f1"]
    assert arrived(CUT) == told
    assert arrived(replace(CUT, peers=())) == told
    assert arrived(replace(CUT, networks=("web",))) == told
    assert arrived(CUT, "lan") == ["a frame of lan came to node-1 from node-2, past partition f1"]


def test_a_partition_cuts_what_it_is_told_to() -> None:
    assert arrived(replace(CUT, peers=("node-3",))) == []
    assert arrived(replace(CUT, planes=("control",))) == []
    assert arrived(replace(CUT, networks=("app",))) == []
    assert arrived(replace(CUT, incoming=False)) == []
    assert arrived(replace(CUT, whole=False)) == []
    assert arrived(replace(CUT, kind="Loss")) == []
    assert arrived(CUT, healed=True) == [], "it may have been healed before the frame came"

"""Frames inside a node and between two: delivered, or dropped under one name."""

from __future__ import annotations

import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from node.datapath import bridge as bridges
from node.datapath.bridge import Bridge
from node.datapath.drops import EXPLANATIONS, ON_THE_WAY, Counters, Drop
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.switchboard import WORK_MAX, Switchboard
from node.datapath.vtep import Vtep, flow_hash
from node.model.address import BROADCAST_MAC, parse_ipv4
from node.seams import Channel
from node.wire import arp, ethernet, ipv4, udp, vxlan

FUZZ_ROUNDS = int(os.environ.get("SHOAL_FUZZ_ROUNDS", "100000"))


def mac(number: int) -> bytes:
    return b"\x02\x42\x0a\0\1" + bytes((number,))


class Node:
    """A switchboard with one overlay segment, and what came of frames."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.counters = Counters()
        self.sent: list[tuple[Channel, str, int, bytes]] = []
        self.accepts = True
        self.switchboard = Switchboard(self._send, self.counters)
        self.vtep = Vtep(4097)
        self.segment = Segment("app", "app", self.vtep)
        self.switchboard.add_segment(self.segment)
        self.delivered: list[tuple[str, bytes]] = []

    def _send(self, channel: Channel, destination: str, flow: int, datagram: bytes) -> bool:
        if self.accepts:
            self.sent.append((channel, destination, flow, datagram))
        return self.accepts

    def plug(self, number: int, **more: object) -> Port:
        name = f"c{number}"
        port = Port(name, mac(number), lambda frame, _: self.delivered.append((name, frame)), **more)  # type: ignore[arg-type]
        self.switchboard.plug(self.segment, port)
        return port

    def lawful(self) -> bool:
        c = self.counters
        dropped = sum(count for (_, drop), count in c.drops.items() if drop in ON_THE_WAY)
        return c.transmitted + c.received + c.copies == c.delivered + c.encapsulated + c.answered + dropped


def frame(destination: int, source: int, payload: bytes = b"hello") -> bytes:
    return ethernet.emit(mac(destination), mac(source), 0x88B5, payload)


def test_a_frame_goes_to_the_port_that_has_its_address_and_to_no_other() -> None:
    node = Node("127.0.0.2")
    one, _, _ = node.plug(1), node.plug(2), node.plug(3)
    node.switchboard.transmit(one, frame(2, 1), 0.0)
    assert node.delivered == [("c2", frame(2, 1))]


def test_a_frame_for_another_node_travels_in_vxlan() -> None:
    here, there = Node("127.0.0.2"), Node("127.0.0.3")
    one = here.plug(1)
    there.plug(2)
    here.vtep.static[mac(2)] = there.address
    here.switchboard.transmit(one, frame(2, 1), 0.0)
    channel, destination, _, datagram = here.sent[0]
    assert (channel, destination) == (Channel.DATA, "127.0.0.3")
    assert vxlan.parse(datagram) == (4097, frame(2, 1))
    there.switchboard.receive(channel, here.address, datagram, 0.0)
    assert there.delivered == [("c2", frame(2, 1))]


def test_what_nobody_knows_is_dropped_under_its_name() -> None:
    node = Node("127.0.0.2")
    one = node.plug(1)
    node.switchboard.transmit(one, frame(9, 1), 0.0)
    node.switchboard.transmit(one, frame(1, 1), 0.0)
    node.switchboard.transmit(one, b"short", 0.0)
    node.switchboard.transmit(one, frame(9, 1, bytes(1501)), 0.0)
    node.switchboard.receive(Channel.DATA, "127.0.0.3", vxlan.emit(4098, frame(1, 2)), 0.0)
    node.switchboard.receive(Channel.DATA, "127.0.0.3", b"junk", 0.0)
    node.accepts = False
    node.vtep.static[mac(9)] = "127.0.0.3"
    node.switchboard.transmit(one, frame(9, 1), 0.0)
    assert node.counters.drops == {
        ("app", Drop.NO_FORWARDING_ENTRY): 1,
        ("app", Drop.HAIRPIN): 1,
        ("app", Drop.MALFORMED_FRAME): 1,
        ("app", Drop.FRAME_TOO_BIG): 1,
        ("", Drop.UNKNOWN_VNI): 1,
        ("", Drop.MALFORMED_VXLAN): 1,
        ("app", Drop.UNDERLAY_REFUSED): 1,
    }
    assert node.lawful()


def test_arp_for_a_remote_endpoint_is_answered_here_and_goes_no_further() -> None:
    node = Node("127.0.0.2")
    one = node.plug(1)
    node.plug(2)
    address = parse_ipv4("10.0.1.9")
    node.segment.neighbors.set(address, mac(9))
    asked = arp.request(mac(1), parse_ipv4("10.0.1.1"), address)
    node.switchboard.transmit(one, ethernet.emit(BROADCAST_MAC, mac(1), ethernet.TYPE_ARP, asked.emit()), 0.0)
    assert [name for name, _ in node.delivered] == ["c1"]
    answer = arp.parse(node.delivered[0][1][14:])
    assert (answer.operation, answer.sender_mac, answer.sender_ip) == (arp.REPLY, mac(9), address)
    assert node.sent == []
    assert node.lawful()


def test_arp_for_nobody_has_a_name_of_its_own() -> None:
    node = Node("127.0.0.2")
    one = node.plug(1)
    asked = arp.request(mac(1), parse_ipv4("10.0.1.1"), parse_ipv4("10.0.1.99"))
    node.switchboard.transmit(one, ethernet.emit(BROADCAST_MAC, mac(1), ethernet.TYPE_ARP, asked.emit()), 0.0)
    assert node.counters.drops == {("app", Drop.NO_SUCH_NEIGHBOR): 1}


def test_a_flooding_segment_reaches_all_and_learns_where_they_are() -> None:
    lan = Node("127.0.0.2")
    lan.vtep.flood = lan.vtep.learning = True
    lan.vtep.add_peer("127.0.0.3")
    lan.vtep.add_peer("127.0.0.4")
    one = lan.plug(1)
    lan.switchboard.transmit(one, frame(9, 1), 0.0)
    assert [destination for _, destination, _, _ in lan.sent] == ["127.0.0.3", "127.0.0.4"]
    lan.switchboard.receive(Channel.DATA, "127.0.0.4", vxlan.emit(4097, frame(1, 9)), 1.0)
    lan.sent.clear()
    lan.switchboard.transmit(one, frame(9, 1), 2.0)
    assert [destination for _, destination, _, _ in lan.sent] == ["127.0.0.4"]
    lan.vtep.remove_peer("127.0.0.4")
    lan.sent.clear()
    lan.switchboard.transmit(one, frame(9, 1), 3.0)
    assert [destination for _, destination, _, _ in lan.sent] == ["127.0.0.3"]
    assert lan.lawful()


def test_what_comes_out_of_a_tunnel_never_goes_back_into_one() -> None:
    node = Node("127.0.0.2")
    node.vtep.flood = True
    node.vtep.add_peer("127.0.0.3")
    node.plug(1)
    broadcast = ethernet.emit(BROADCAST_MAC, mac(9), 0x88B5, b"")
    node.switchboard.receive(Channel.DATA, "127.0.0.3", vxlan.emit(4097, broadcast), 0.0)
    assert node.sent == []
    assert [name for name, _ in node.delivered] == ["c1"]


def test_isolated_ports_reach_only_those_that_are_not() -> None:
    node = Node("127.0.0.2")
    one, two, _ = node.plug(1, isolated=True), node.plug(2, isolated=True), node.plug(3)
    node.switchboard.transmit(one, frame(2, 1), 0.0)
    node.switchboard.transmit(one, frame(3, 1), 0.0)
    node.switchboard.transmit(two, ethernet.emit(BROADCAST_MAC, mac(2), 0x88B5, b""), 0.0)
    assert [name for name, _ in node.delivered] == ["c3", "c3"]
    assert node.counters.drops == {("app", Drop.PORT_ISOLATED): 2}, "the broadcast's copy for c1 too"
    assert node.lawful()


def test_two_that_answer_each_other_for_ever_end_in_the_work_list_not_in_the_stack() -> None:
    node = Node("127.0.0.2")
    ports: dict[int, Port] = {}
    rounds = 0

    def echo(me: int, other: int):  # type: ignore[no-untyped-def]
        def deliver(_: bytes, now: float) -> None:
            nonlocal rounds
            rounds += 1
            if rounds < 50_000:
                node.switchboard.transmit(ports[me], frame(other, me), now)

        return deliver

    for me, other in ((1, 2), (2, 1)):
        ports[me] = Port(f"c{me}", mac(me), echo(me, other))
        node.switchboard.plug(node.segment, ports[me])
    node.switchboard.transmit(ports[1], frame(2, 1), 0.0)
    assert rounds == 50_000


def test_the_work_list_is_bounded() -> None:
    node = Node("127.0.0.2")
    one = node.plug(1)

    def storm(_: bytes, now: float) -> None:
        for _ in range(WORK_MAX + 10):
            node.switchboard.transmit(one, frame(9, 1), now)

    node.switchboard.plug(node.segment, Port("storm", mac(2), storm))
    node.switchboard.transmit(one, frame(2, 1), 0.0)
    assert node.counters.dropped(Drop.WORK_LIST_FULL) == 10
    assert node.lawful()


def test_a_bridge_learns_moves_ages_and_stays_bounded() -> None:
    bridge = Bridge()
    one, two = (Port(f"p{n}", mac(n), lambda *_: None) for n in (1, 2))
    bridge.plug(one)
    bridge.plug(two)
    bridge.learn(b"\2" * 6, one, 0.0)
    assert bridge.find(b"\2" * 6, 1.0) is one
    bridge.learn(b"\2" * 6, two, 2.0)
    assert bridge.find(b"\2" * 6, 3.0) is two
    assert bridge.find(b"\2" * 6, 2.0 + bridges.AGEING_S + 1) is None
    bridge.learn(mac(1), two, 0.0)
    assert bridge.find(mac(1), 0.0) is one, "a port's own address cannot be taken over"
    for number in range(bridges.LEARNED_MAX + 100):
        bridge.learn(b"\2" + number.to_bytes(5, "big"), one, float(number))
    assert len(bridge.learned) == bridges.LEARNED_MAX
    bridge.unplug(one)
    assert bridge.learned == {}


@given(
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=4, max_size=4),
    st.integers(1, 65535),
    st.integers(1, 65535),
)
def test_the_flow_hash_is_the_same_both_ways(one: bytes, other: bytes, sport: int, dport: int) -> None:
    def flow(source: bytes, destination: bytes, datagram: udp.Datagram) -> int:
        packet = ipv4.Packet(source, destination, 17, datagram.emit(source, destination))
        return flow_hash(ethernet.emit(mac(1), mac(2), ethernet.TYPE_IPV4, packet.emit()))

    there = flow(one, other, udp.Datagram(sport, dport, b""))
    assert there == flow(other, one, udp.Datagram(dport, sport, b"more"))


def test_every_drop_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Drop)


actions = st.one_of(
    st.tuples(st.just("transmit"), st.integers(0, 3), st.binary(max_size=80)),
    st.tuples(st.just("ethernet"), st.integers(0, 3), st.integers(0, 12)),
    st.tuples(st.just("arp"), st.integers(0, 3), st.integers(0, 12)),
    st.tuples(st.just("receive"), st.integers(4090, 4100), st.binary(max_size=80)),
    st.tuples(st.just("junk"), st.integers(0, 3), st.binary(max_size=60)),
    st.tuples(st.just("down"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("unplug"), st.integers(0, 3), st.none()),
)


@settings(max_examples=200)
@given(st.lists(actions, max_size=40), st.booleans(), st.booleans())
def test_every_frame_is_accounted_for_and_none_crosses_segments(script, flood, accepts) -> None:  # type: ignore[no-untyped-def]
    node = Node("127.0.0.2")
    node.accepts = accepts
    node.vtep.flood = node.vtep.learning = flood
    node.vtep.add_peer("127.0.0.3")
    node.vtep.static[mac(7)] = "127.0.0.3"
    node.segment.neighbors.set(b"\x0a\0\1\7", mac(7))
    other = Segment("other", "other", Vtep(4099))
    node.switchboard.add_segment(other)
    strangers: list[bytes] = []
    node.switchboard.plug(other, Port("stranger", mac(8), lambda data, _: strangers.append(data)))
    ports = [node.plug(number) for number in range(4)]
    foreign = 0
    for kind, number, argument in script:
        match kind:
            case "transmit":
                node.switchboard.transmit(ports[number], argument, 1.0)
            case "ethernet":
                node.switchboard.transmit(ports[number], frame(argument, number), 1.0)
            case "arp":
                asked = arp.request(mac(number), b"\x0a\0\1\0", b"\x0a\0\1" + bytes((argument,)))
                data = ethernet.emit(BROADCAST_MAC, mac(number), ethernet.TYPE_ARP, asked.emit())
                node.switchboard.transmit(ports[number], data, 1.0)
            case "receive":
                foreign += number == 4099
                node.switchboard.receive(Channel.DATA, "127.0.0.3", vxlan.emit(number, argument), 1.0)
            case "junk":
                node.switchboard.receive(Channel.DATA, "127.0.0.9", argument, 1.0)
            case "down":
                ports[number].up = argument
            case "unplug":
                node.switchboard.unplug(ports[number])
    assert node.lawful()
    assert len(strangers) <= foreign + sum(kind == "junk" for kind, _, _ in script)


def test_a_long_run_of_junk_changes_nothing_but_the_counters() -> None:
    chance = random.Random(4)
    node = Node("127.0.0.2")
    one = node.plug(1)
    node.vtep.flood = node.vtep.learning = True
    good = vxlan.emit(4097, frame(1, 2, bytes(60)))
    for _ in range(FUZZ_ROUNDS):
        data = bytearray(good)
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(len(data) + 1)])
        node.switchboard.receive(Channel.DATA, f"127.0.0.{chance.randrange(2, 250)}", cut, 1.0)
        if chance.random() < 0.2:
            node.switchboard.transmit(one, cut[8:], 1.0)
    assert node.lawful()
    assert len(node.vtep.learned) <= 4096

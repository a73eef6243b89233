"""VLANs on the cable, and who hears whom on an interface with macvlan containers: frame by frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.datapath.drops import Drop
from node.datapath.macvlan import Role, obstacle
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.vtep import Vtep
from node.model.address import BROADCAST_MAC
from node.seams import Channel
from node.wire import ethernet, vlan, vxlan
from tests.datapath.test_switchboard import Node, frame, mac

BROADCAST = ethernet.emit(BROADCAST_MAC, mac(1), 0x88B5, b"to all")


class Host(Node):
    """A node whose switchboard has the LAN, and VLAN 10 of it, on the cable."""

    def __init__(self, address: str = "127.0.0.2") -> None:
        super().__init__(address)
        self.lan = self.cable("lan", Vtep(1, flood=True, learning=True))
        self.ten = self.cable("lan.10", Vtep(1, flood=True, learning=True, vlan_number=10))

    def cable(self, name: str, vtep: Vtep) -> Segment:
        segment = Segment(name, name, vtep, Channel.CABLE)
        vtep.add_peer("127.0.0.3")
        if name == "lan":
            segment.vlans = {}
        self.switchboard.add_segment(segment)
        return segment

    def join(self, segment: Segment, number: int, role: Role = Role.BRIDGE) -> Port:
        name = f"c{number}"
        port = Port(name, mac(number), lambda data, _: self.delivered.append((name, data)))
        port.macvlan = role
        self.switchboard.plug(segment, port)
        return port

    def arrive(self, data: bytes) -> None:
        self.switchboard.receive(Channel.CABLE, "127.0.0.3", vxlan.emit(1, data), 0.0)


def tagged(number: int, data: bytes, priority: int = 0) -> bytes:
    return data[:12] + b"\x81\x00" + (priority << 13 | number).to_bytes(2, "big") + data[12:]


def test_a_vlan_s_frames_are_tagged_on_the_cable_and_nowhere_else() -> None:
    here, there = Host(), Host("127.0.0.3")
    one = here.join(here.ten, 1)
    there.join(there.ten, 2)
    here.switchboard.transmit(one, frame(2, 1), 0.0)
    ((channel, _, _, datagram),) = here.sent
    assert (channel, vxlan.parse(datagram)) == (Channel.CABLE, (1, tagged(10, frame(2, 1))))
    there.switchboard.receive(channel, "127.0.0.2", datagram, 0.0)
    assert there.delivered == [("c2", frame(2, 1))]
    assert mac(1) in (there.ten.vtep.learned if there.ten.vtep else {})
    assert here.lawful()
    assert there.lawful()


def test_what_arrives_goes_to_its_vlan_alone() -> None:
    host = Host()
    host.join(host.lan, 1)
    host.join(host.ten, 2)
    host.arrive(tagged(10, BROADCAST))
    host.arrive(tagged(10, BROADCAST, priority=7))
    assert [name for name, _ in host.delivered] == ["c2", "c2"]
    host.delivered.clear()
    host.arrive(BROADCAST)
    host.arrive(tagged(0, BROADCAST, priority=5))
    assert host.delivered == [("c1", BROADCAST)] * 2, "a tag with a priority only"
    host.arrive(tagged(20, BROADCAST))
    host.arrive(tagged(10, BROADCAST)[:17])
    assert host.counters.drops == {("lan", Drop.UNKNOWN_VLAN): 1, ("lan", Drop.MALFORMED_FRAME): 1}
    assert host.lawful()


def test_a_vlan_that_has_gone_is_unknown_and_may_come_again() -> None:
    host = Host()
    host.switchboard.remove_segment(host.ten)
    host.arrive(tagged(10, BROADCAST))
    assert host.counters.drops == {("lan", Drop.UNKNOWN_VLAN): 1}
    host.cable("lan.10", Vtep(1, flood=True, learning=True, vlan_number=10))
    with pytest.raises(AssertionError, match="10 is in use"):
        host.cable("again", Vtep(1, flood=True, learning=True, vlan_number=10))


def test_a_tag_within_an_overlay_means_nothing_to_the_hosts() -> None:
    node = Node("127.0.0.2")
    node.plug(1)
    node.switchboard.receive(Channel.DATA, "127.0.0.3", vxlan.emit(4097, tagged(10, frame(1, 2))), 0.0)
    assert node.delivered == [("c1", tagged(10, frame(1, 2)))]


@given(st.integers(1, 4094), st.binary(min_size=14, max_size=80))
def test_a_tag_is_taken_off_as_it_was_put_on(number: int, data: bytes) -> None:
    assert vlan.remove(vlan.insert(data, vlan.tag(number))) == (number, data)


@pytest.mark.parametrize("number", [-1, 0, 4095, 4096])
def test_a_vlan_that_is_none_has_no_tag(number: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 4094"):
        vlan.tag(number)


@pytest.mark.parametrize("source", Role)
@pytest.mark.parametrize("target", Role)
def test_who_hears_whom(source: Role, target: Role) -> None:
    alone, reflected = (obstacle(source, target, hairpin=hairpin) for hairpin in (False, True))
    if source is target is Role.BRIDGE:
        assert (alone, reflected) == (None, None)
    elif Role.PRIVATE in (source, target) and Role.PARENT not in (source, target):
        assert (alone, reflected) == (Drop.PORT_ISOLATED, Drop.PORT_ISOLATED)
    else:
        with_host = Role.PARENT in (source, target)
        assert (alone, reflected) == (Drop.MACVLAN_PARENT if with_host else Drop.HAIRPIN, None)


def test_what_a_private_one_says_to_all_comes_back_to_nobody() -> None:
    assert obstacle(Role.PRIVATE, Role.PARENT, hairpin=True, to_all=True) is Drop.MACVLAN_PARENT
    assert obstacle(Role.PARENT, Role.PRIVATE, hairpin=True, to_all=True) is None


def test_a_host_and_its_containers_do_not_hear_each_other() -> None:
    host = Host()
    parent = host.join(host.lan, 1, Role.PARENT)
    child, sibling = host.join(host.lan, 2), host.join(host.lan, 3)
    host.switchboard.transmit(parent, frame(2, 1), 0.0)
    host.switchboard.transmit(child, frame(1, 2), 0.0)
    assert (host.delivered, host.sent) == ([], [])
    host.switchboard.transmit(parent, BROADCAST, 0.0)
    host.switchboard.transmit(child, ethernet.emit(BROADCAST_MAC, mac(2), 0x88B5, b""), 0.0)
    assert [name for name, _ in host.delivered] == ["c3"], "siblings do"
    assert len(host.sent) == 2, "and so do the other hosts"
    assert host.counters.drops == {("lan", Drop.MACVLAN_PARENT): 2 + 2 + 1}
    host.delivered.clear()
    host.arrive(ethernet.emit(BROADCAST_MAC, mac(9), 0x88B5, b""))
    assert sorted(name for name, _ in host.delivered) == ["c1", "c2", "c3"], "from outside: all"
    assert sibling.frames_out == 2
    assert host.lawful()

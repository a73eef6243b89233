"""Our codecs against scapy's, both ways: what one builds, the other reads alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN

from node.model.address import format_ipv4, format_mac, parse_ipv4, parse_mac
from node.wire import arp, ethernet, icmp, ipv4, tcp, udp, vlan, vxlan

macs = st.binary(min_size=6, max_size=6)
addresses = st.binary(min_size=4, max_size=4)
payloads = st.binary(max_size=200)
words = st.integers(0, 65535)


@given(macs, macs, payloads)
def test_ethernet(destination: bytes, source: bytes, payload: bytes) -> None:
    read = Ether(ethernet.emit(destination, source, 0x1234, payload))
    assert (read.dst, read.src, read.type) == (format_mac(destination), format_mac(source), 0x1234)
    built = bytes(Ether(dst=format_mac(destination), src=format_mac(source), type=0x1234) / payload)
    assert ethernet.parse(built) == ethernet.Frame(destination, source, 0x1234, payload)


@given(st.integers(1, 4094), macs, macs, payloads)
def test_vlan(number: int, destination: bytes, source: bytes, payload: bytes) -> None:
    untagged = ethernet.emit(destination, source, 0x1234, payload)
    read = Ether(vlan.insert(untagged, vlan.tag(number)))
    assert (read.type, read[Dot1Q].vlan, read[Dot1Q].prio, read[Dot1Q].type) == (0x8100, number, 0, 0x1234)
    built = Ether(untagged[:12] + b"\x81\x00") / Dot1Q(vlan=number, prio=5, dei=1, type=0x1234) / payload
    assert vlan.remove(bytes(built)) == (number, untagged)


@given(st.sampled_from([1, 2]), macs, addresses, macs, addresses)
def test_arp(operation: int, mac: bytes, address: bytes, other_mac: bytes, other: bytes) -> None:
    packet = arp.Arp(operation, mac, address, other_mac, other)
    read = ARP(packet.emit())
    assert (read.op, read.hwsrc, read.psrc) == (operation, format_mac(mac), format_ipv4(address))
    assert (read.hwdst, read.pdst) == (format_mac(other_mac), format_ipv4(other))
    assert arp.parse(bytes(read)) == packet


packets = st.builds(
    ipv4.Packet,
    source=addresses,
    destination=addresses,
    protocol=st.integers(0, 255),
    payload=payloads,
    ttl=st.integers(1, 255),
    identification=words,
    more_fragments=st.booleans(),
    fragment_offset=st.integers(0, 8191).map(lambda units: units * 8),
)


@given(packets)
def test_ipv4(packet: ipv4.Packet) -> None:
    read = IP(packet.emit())
    assert (read.src, read.dst) == (format_ipv4(packet.source), format_ipv4(packet.destination))
    assert (read.ttl, read.proto, read.id) == (packet.ttl, packet.protocol, packet.identification)
    assert (read.frag * 8, bool(read.flags.MF)) == (packet.fragment_offset, packet.more_fragments)
    assert read.len == 20 + len(packet.payload)
    computed = read.chksum
    del read.chksum
    assert IP(bytes(read)).chksum == computed
    assert ipv4.parse(packet.emit()) == packet


@given(addresses, addresses, words, words, payloads)
def test_udp(source: bytes, destination: bytes, sport: int, dport: int, payload: bytes) -> None:
    datagram = udp.Datagram(sport, dport, payload)
    data = datagram.emit(source, destination)
    built = bytes(
        IP(src=format_ipv4(source), dst=format_ipv4(destination)) / UDP(sport=sport, dport=dport) / payload
    )
    assert built[20:] == data
    assert udp.parse(data, source, destination) == datagram


@given(st.booleans(), words, words, payloads)
def test_icmp_echo(request: bool, identifier: int, sequence: int, payload: bytes) -> None:
    message = icmp.Echo(request, identifier, sequence, payload)
    read = ICMP(message.emit())
    assert (read.type, read.id, read.seq) == (8 if request else 0, identifier, sequence)
    built = bytes(ICMP(type=read.type, id=identifier, seq=sequence) / payload)
    assert built == message.emit()
    assert icmp.parse(built) == message


@given(st.sampled_from([(3, 0), (3, 1), (3, 3), (3, 4), (11, 0)]), st.integers(68, 1500), payloads)
def test_icmp_errors(kind: tuple[int, int], mtu: int, quoted: bytes) -> None:
    needed = kind == (3, 4)
    message = icmp.Error(*kind, quoted, mtu if needed else 0)
    read = ICMP(message.emit())
    assert (read.type, read.code) == kind
    if needed:
        assert read.nexthopmtu == mtu
    assert icmp.parse(message.emit()) == message


@given(st.integers(0, 2**24 - 1), st.binary(min_size=14, max_size=100))
def test_vxlan(vni: int, frame: bytes) -> None:
    read = VXLAN(vxlan.emit(vni, frame))
    assert (int(read.flags), read.vni) == (0x08, vni)
    built = bytes(VXLAN(vni=vni, flags=0x08)) + frame
    assert vxlan.parse(built) == (vni, frame)
    assert vxlan.emit(vni, frame) == built


def test_addresses_and_text() -> None:
    assert parse_mac(format_mac(bytes(range(6)))) == bytes(range(6))
    assert parse_ipv4(format_ipv4(b"\x0a\0\1\3")) == b"\x0a\0\1\3"


numbers = st.integers(0, 0xFFFF_FFFF)
segments = st.builds(
    tcp.Segment,
    source_port=words,
    destination_port=words,
    sequence=numbers,
    acknowledgment=numbers,
    flags=st.integers(0, 63),
    window=words,
    payload=payloads,
    mss=st.none() | words,
    window_scale=st.none() | st.integers(0, 14),
)


@given(addresses, addresses, segments)
def test_tcp(source: bytes, destination: bytes, segment: tcp.Segment) -> None:
    data = segment.emit(source, destination)
    head = IP(src=format_ipv4(source), dst=format_ipv4(destination), proto=6)
    read = IP(bytes(head / data))[TCP]
    assert (read.sport, read.dport) == (segment.source_port, segment.destination_port)
    assert (read.seq, read.ack, int(read.flags)) == (segment.sequence, segment.acknowledgment, segment.flags)
    assert (read.window, bytes(read.payload)) == (segment.window, segment.payload)
    options = dict(read.options)
    assert (options.get("MSS"), options.get("WScale")) == (segment.mss, segment.window_scale)
    computed = read.chksum
    read.chksum = None
    built = bytes(head / read)[20:]
    assert TCP(built).chksum == computed
    assert tcp.parse(built, source, destination) == segment

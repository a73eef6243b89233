"""Frames as people read them, on one line or a header a line; junk is shown too, as what it is."""

from __future__ import annotations

from node.model.address import format_ipv4, format_mac
from node.wire import arp, ethernet, icmp, ipv4, tcp, udp, vlan
from node.wire.malformed import Malformed

_UNREACHABLE = {
    icmp.NET_UNREACHABLE: "net",
    icmp.HOST_UNREACHABLE: "host",
    icmp.PROTOCOL_UNREACHABLE: "protocol",
    icmp.PORT_UNREACHABLE: "port",
    icmp.ADMINISTRATIVELY_PROHIBITED: "administratively prohibited",
}


def line(frame: bytes) -> str:
    """ "02:42:0a:00:01:02 > 02:42:0a:00:01:03 IPv4 10.0.1.2 > 10.0.1.3 ttl 64 ICMP echo request ..."."""
    return " ".join(layers(frame))


def layers(frame: bytes) -> list[str]:
    """One text a header, the outermost first."""
    try:
        parsed = ethernet.parse(frame)
        shown = [f"{format_mac(parsed.source)} > {format_mac(parsed.destination)}"]
        if parsed.ethertype == ethernet.TYPE_VLAN:
            number, untagged = vlan.remove(frame)
            shown.append(f"VLAN {number}")
            parsed = ethernet.parse(untagged)
    except Malformed as error:
        return [f"malformed: {error}"]
    if parsed.ethertype == ethernet.TYPE_ARP:
        return [*shown, _arp(parsed.payload)]
    if parsed.ethertype == ethernet.TYPE_IPV4:
        return [*shown, *_ipv4(parsed.payload)]
    return [*shown, f"type 0x{parsed.ethertype:04x}, {len(parsed.payload)} bytes"]


def _arp(data: bytes) -> str:
    try:
        packet = arp.parse(data)
    except Malformed as error:
        return f"ARP malformed: {error}"
    if packet.operation == arp.REQUEST:
        return f"ARP who has {format_ipv4(packet.target_ip)}? tell {format_ipv4(packet.sender_ip)}"
    return f"ARP {format_ipv4(packet.sender_ip)} is at {format_mac(packet.sender_mac)}"


def _ipv4(data: bytes) -> list[str]:
    try:
        packet = ipv4.parse(data)
    except Malformed as error:
        return [f"IPv4 malformed: {error}"]
    text = f"IPv4 {format_ipv4(packet.source)} > {format_ipv4(packet.destination)} ttl {packet.ttl}"
    if packet.dont_fragment:
        text += " DF"
    if packet.is_fragment:
        more = "+" if packet.more_fragments else ""
        text += f" fragment {packet.identification}:{len(packet.payload)}@{packet.fragment_offset}{more}"
        if packet.fragment_offset:
            return [text]
    return [text, _payload(packet)]


def _payload(packet: ipv4.Packet) -> str:
    try:
        if packet.protocol == ipv4.PROTOCOL_ICMP:
            return _icmp(packet)
        if packet.protocol == ipv4.PROTOCOL_UDP:
            datagram = udp.parse(packet.payload, packet.source, packet.destination)
            return f"UDP {datagram.source_port} > {datagram.destination_port}, {len(datagram.payload)} bytes"
        if packet.protocol == ipv4.PROTOCOL_TCP:
            return _tcp(tcp.parse(packet.payload, packet.source, packet.destination))
    except Malformed as error:
        if packet.is_fragment:
            return f"first part of protocol {packet.protocol}"
        return f"malformed: {error}"
    return f"protocol {packet.protocol}, {len(packet.payload)} bytes"


def _tcp(segment: tcp.Segment) -> str:
    text = f"TCP {segment.source_port} > {segment.destination_port} [{tcp.flag_names(segment.flags)}]"
    text += f" seq {segment.sequence}"
    if segment.flags & tcp.ACK:
        text += f" ack {segment.acknowledgment}"
    return f"{text} win {segment.window}, {len(segment.payload)} bytes"


def _icmp(packet: ipv4.Packet) -> str:
    message = icmp.parse(packet.payload)
    match message:
        case icmp.Echo():
            kind = "request" if message.request else "reply"
            numbers = f"id {message.identifier}, seq {message.sequence}"
            return f"ICMP echo {kind}, {numbers}, {len(packet.payload)} bytes"
        case icmp.Error(kind=icmp.TIME_EXCEEDED):
            return "ICMP time exceeded"
        case icmp.Error(code=icmp.FRAGMENTATION_NEEDED):
            return f"ICMP unreachable: fragmentation needed, mtu {message.mtu}"
        case icmp.Error():
            return f"ICMP unreachable: {_UNREACHABLE.get(message.code, f'code {message.code}')}"
        case icmp.Other():
            return f"ICMP type {message.kind} code {message.code}"

"""A frame as tcpdump prints it (the original: print-ip.c, print-tcp.c, print-icmp.c, print-arp.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.model.address import BROADCAST_MAC, ZERO_IPV4, ZERO_MAC, format_mac
from node.programs.tcpdump.expression import SERVICES
from node.wire import arp, ethernet, icmp, ipv4, tcp
from node.wire.malformed import Malformed

CONVERSATIONS_MAX = 10_000
HTTP_LINE_BYTES_MAX = 200

_ETHERTYPES = {ethernet.TYPE_IPV4: "IPv4", ethernet.TYPE_ARP: "ARP", ethernet.TYPE_VLAN: "802.1Q"}
_PROTOCOLS = {ipv4.PROTOCOL_ICMP: "ICMP", ipv4.PROTOCOL_TCP: "TCP", ipv4.PROTOCOL_UDP: "UDP"}
_PORT_NAMES = {number: name for name, number in SERVICES.items() if name != "iperf3"}
_FLAGS = (
    (tcp.FIN, "F"), (tcp.SYN, "S"), (tcp.RST, "R"), (tcp.PSH, "P"), (tcp.ACK, "."), (tcp.URG, "U"),
)  # fmt: skip

End = tuple[bytes, int]
"""Address and TCP port."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to print: -v, -e, -n, -S."""

    verbose: bool = False
    link: bool = False
    numeric: bool = False
    absolute: bool = False


class Lines:
    """Prints frames one after the other; TCP's numbers count from where a conversation began."""

    def __init__(self, style: Style, name_of: Callable[[bytes], str]) -> None:
        """``name_of`` turns an address into what is shown for it."""
        self._style = style
        self._name_of = name_of
        self._began: dict[tuple[End, End], tuple[int, int]] = {}
        """The first sequence numbers, from here and from there, by the ends of a conversation."""

    def show(self, frame: bytes) -> str:
        """One frame, without the time."""
        try:
            parsed = ethernet.parse(frame)
        except Malformed:
            return "[|ether]"
        head = self._link(parsed, len(frame)) if self._style.link else ""
        if parsed.ethertype == ethernet.TYPE_ARP:
            return head + ("" if head else "ARP, ") + self._arp(parsed.payload)
        if parsed.ethertype == ethernet.TYPE_IPV4:
            return head + ("" if head else "IP ") + self._ipv4(parsed.payload)
        return f"{head}ethertype Unknown (0x{parsed.ethertype:04x}), length {len(frame)}:"

    def _link(self, parsed: ethernet.Frame, size: int) -> str:
        source, destination = self._mac(parsed.source), self._mac(parsed.destination)
        kind = f"{_ETHERTYPES.get(parsed.ethertype, 'Unknown')} (0x{parsed.ethertype:04x})"
        return f"{source} > {destination}, ethertype {kind}, length {size}: "

    def _mac(self, mac: bytes) -> str:
        return "Broadcast" if mac == BROADCAST_MAC and not self._style.numeric else format_mac(mac)

    def _arp(self, data: bytes) -> str:
        try:
            packet = arp.parse(data)
        except Malformed:
            return "[|arp]"
        head = "Ethernet (len 6), IPv4 (len 4), " if self._style.verbose else ""
        target, sender = self._name_of(packet.target_ip), self._name_of(packet.sender_ip)
        if packet.operation != arp.REQUEST:
            text = f"Reply {sender} is-at {format_mac(packet.sender_mac)}"
        elif packet.sender_ip == packet.target_ip:
            text = f"Announcement {sender}"
        elif packet.sender_ip == ZERO_IPV4:
            text = f"Probe {target}"
        else:
            known = f" ({format_mac(packet.target_mac)})" if packet.target_mac != ZERO_MAC else ""
            text = f"Request who-has {target}{known} tell {sender}"
        return f"{head}{text}, length {len(data)}"

    def _ipv4(self, data: bytes) -> str:
        try:
            packet = ipv4.parse(data)
        except Malformed:
            return "[|ip]"
        head = _details(packet) if self._style.verbose else ""
        if packet.fragment_offset:
            name = _PROTOCOLS.get(packet.protocol, f"ip-proto-{packet.protocol}").lower()
            return f"{head}{self._between(packet)}: {name}"
        try:
            match packet.protocol:
                case ipv4.PROTOCOL_ICMP:
                    return f"{head}{self._between(packet)}: {self._icmp(packet)}"
                case ipv4.PROTOCOL_UDP if len(packet.payload) >= 8:
                    return head + self._udp(packet)
                case ipv4.PROTOCOL_TCP:
                    return head + self._tcp(packet)
        except Malformed:
            name = _PROTOCOLS[packet.protocol].lower()
            return f"{head}{self._between(packet)}: [|{name}]"
        return f"{head}{self._between(packet)}:  ip-proto-{packet.protocol} {len(packet.payload)}"

    def _between(self, packet: ipv4.Packet, ports: tuple[int, int] | None = None) -> str:
        source, destination = self._name_of(packet.source), self._name_of(packet.destination)
        if ports is None:
            return f"{source} > {destination}"
        return f"{source}.{self._port(ports[0])} > {destination}.{self._port(ports[1])}"

    def _port(self, number: int) -> str:
        return str(number) if self._style.numeric else _PORT_NAMES.get(number, str(number))

    def _udp(self, packet: ipv4.Packet) -> str:
        source, destination, length = (int.from_bytes(packet.payload[at : at + 2], "big") for at in (0, 2, 4))
        return f"{self._between(packet, (source, destination))}: UDP, length {length - 8}"

    def _icmp(self, packet: ipv4.Packet) -> str:
        data, length = packet.payload, len(packet.payload)
        if len(data) < icmp.HEADER_BYTES:
            raise Malformed("no room for a header")
        if data[0] in (icmp.ECHO_REQUEST, icmp.ECHO_REPLY):
            # Read by hand: the first fragment of a long one is shown like a whole one.
            kind = "request" if data[0] == icmp.ECHO_REQUEST else "reply"
            identifier, sequence = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
            return f"ICMP echo {kind}, id {identifier}, seq {sequence}, length {length}"
        message = icmp.parse(data)
        if isinstance(message, icmp.Error):
            return f"ICMP {self._error(message)}, length {length}"
        return f"ICMP type-#{data[0]}, length {length}"

    def _error(self, error: icmp.Error) -> str:
        if error.kind == icmp.TIME_EXCEEDED:
            on_the_way = error.code == icmp.TTL_EXPIRED
            return "time exceeded in-transit" if on_the_way else "ip reassembly time exceeded"
        quoted = error.quoted
        if len(quoted) < ipv4.HEADER_BYTES + 4:
            raise Malformed("nothing is quoted")
        host = self._name_of(quoted[16:20])
        ports = quoted[(quoted[0] & 0xF) * 4 :]
        protocol = _PROTOCOLS.get(quoted[9], str(quoted[9])).lower()
        match error.code:
            case icmp.NET_UNREACHABLE:
                return f"net {host} unreachable"
            case icmp.HOST_UNREACHABLE:
                return f"host {host} unreachable"
            case icmp.PROTOCOL_UNREACHABLE:
                return f"{host} protocol {quoted[9]} unreachable"
            case icmp.PORT_UNREACHABLE:
                return f"{host} {protocol} port {self._port(int.from_bytes(ports[2:4], 'big'))} unreachable"
            case icmp.FRAGMENTATION_NEEDED:
                return f"{host} unreachable - need to frag (mtu {error.mtu})"
            case icmp.ADMINISTRATIVELY_PROHIBITED:
                return f"host {host} unreachable - admin prohibited filter"
        return f"{host} unreachable - #{error.code}"

    def _tcp(self, packet: ipv4.Packet) -> str:
        segment = tcp.parse(packet.payload, packet.source, packet.destination)
        ports = segment.source_port, segment.destination_port
        length = len(segment.payload)
        sequence, acknowledged = self._relative(packet, segment)
        flags = "".join(letter for bit, letter in _FLAGS if segment.flags & bit) or "none"
        text = f"{self._between(packet, ports)}: Flags [{flags}]"
        if self._style.verbose:
            text += f", cksum 0x{packet.payload[16:18].hex()} (correct)"
        if length or segment.flags & (tcp.SYN | tcp.FIN | tcp.RST):
            text += f", seq {sequence}" + (f":{sequence + length}" if length else "")
        if segment.flags & tcp.ACK:
            text += f", ack {acknowledged}"
        text += f", win {segment.window}"
        options = []
        if segment.mss is not None:
            options.append(f"mss {segment.mss}")
        if segment.window_scale is not None:
            options.append(f"nop,wscale {segment.window_scale}")
        text += f", options [{','.join(options)}]" if options else ""
        return f"{text}, length {length}" + (_http(segment.payload) if 80 in ports and length else "")

    def _relative(self, packet: ipv4.Packet, segment: tcp.Segment) -> tuple[int, int]:
        """Sequence and acknowledgment numbers as they are shown: only a conversation's first are whole."""
        here = packet.source, segment.source_port
        there = packet.destination, segment.destination_port
        began = self._began.get((here, there))
        if self._style.absolute or began is None or segment.flags & tcp.SYN:
            if len(self._began) >= CONVERSATIONS_MAX:
                self._began.clear()
            first, answering = segment.sequence, (segment.acknowledgment - 1) & 0xFFFFFFFF
            self._began[here, there], self._began[there, here] = (first, answering), (answering, first)
            return segment.sequence, segment.acknowledgment
        return (segment.sequence - began[0]) & 0xFFFFFFFF, (segment.acknowledgment - began[1]) & 0xFFFFFFFF


def _details(packet: ipv4.Packet) -> str:
    flags = "+" if packet.more_fragments else "DF" if packet.dont_fragment else "none"
    protocol = f"{_PROTOCOLS.get(packet.protocol, 'unknown')} ({packet.protocol})"
    return (
        f"(tos 0x{packet.type_of_service:x}, ttl {packet.ttl}, id {packet.identification}, "
        f"offset {packet.fragment_offset}, flags [{flags}], proto {protocol}, "
        f"length {packet.total_bytes})\n    "
    )


def _http(payload: bytes) -> str:
    """The first line of a message of HTTP/1, if one begins here."""
    line = payload[:HTTP_LINE_BYTES_MAX].partition(b"\r\n")[0].decode("ascii", "replace")
    return f": HTTP: {line}" if "HTTP/1." in line and line.isprintable() else ": HTTP"

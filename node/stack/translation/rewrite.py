"""Packets with other addresses and ports, their checksums kept right (RFC 3022 section 4.1).

A checksum is adjusted by what has changed (RFC 1624), so that a packet that was broken stays broken.
"""

from __future__ import annotations

from dataclasses import replace

from node.stack.translation.flow import End
from node.wire import icmp, ipv4, tcp, udp
from node.wire.checksum import checksum
from node.wire.ipv4 import Packet

_CHECKSUM_AT = {ipv4.PROTOCOL_TCP: 16, ipv4.PROTOCOL_UDP: 6}
_LENGTH_MIN = {ipv4.PROTOCOL_TCP: tcp.HEADER_BYTES, ipv4.PROTOCOL_UDP: udp.HEADER_BYTES}


def with_source(packet: Packet, end: End) -> Packet:
    """The packet as if it came from somebody else."""
    payload = _payload(packet.protocol, packet.payload, packet.source, end, port_at=0)
    return replace(packet, source=end[0], payload=payload)


def with_destination(packet: Packet, end: End) -> Packet:
    """The packet as if it went to somebody else."""
    payload = _payload(packet.protocol, packet.payload, packet.destination, end, port_at=2)
    return replace(packet, destination=end[0], payload=payload)


def _payload(protocol: int, payload: bytes, address: bytes, end: End, *, port_at: int) -> bytes:
    new_port = end[1].to_bytes(2, "big")
    if protocol == ipv4.PROTOCOL_ICMP:
        # Only the identifier; addresses are not in ICMP's checksum.
        place, checksum_at, old, new = 4, 2, payload[4:6], new_port
    elif protocol in _CHECKSUM_AT and len(payload) >= _LENGTH_MIN[protocol]:
        place, checksum_at = port_at, _CHECKSUM_AT[protocol]
        old, new = address + payload[place : place + 2], end[0] + new_port
    else:
        return payload
    changed = bytearray(payload)
    changed[place : place + 2] = new_port
    stood = payload[checksum_at : checksum_at + 2]
    if protocol != ipv4.PROTOCOL_UDP or stood != b"\0\0":  # a UDP checksum of 0 is none
        made = adjusted(stood, old, new)
        # For UDP, 0 would say "no checksum"; 0xFFFF is the same number.
        is_zero_udp = protocol == ipv4.PROTOCOL_UDP and made == b"\0\0"
        changed[checksum_at : checksum_at + 2] = b"\xff\xff" if is_zero_udp else made
    return bytes(changed)


def adjusted(stood: bytes, old: bytes, new: bytes) -> bytes:
    """A checksum after some even-aligned bytes it covers have changed (RFC 1624 equation 3)."""
    complement = bytes(byte ^ 0xFF for byte in stood + old)
    return checksum(complement + new).to_bytes(2, "big")


def error_about(packet: Packet, *, source: End | None = None, destination: End | None = None) -> Packet:
    """An ICMP error whose quoted packet has other ends; its checksums are made anew."""
    data = packet.payload
    inner = bytearray(data[icmp.HEADER_BYTES :])
    header_bytes = (inner[0] & 0x0F) * 4
    if source is not None:
        _replace_end(inner, header_bytes, source, address_at=12, port_at=0)
    if destination is not None:
        _replace_end(inner, header_bytes, destination, address_at=16, port_at=2)
    inner[10:12] = b"\0\0"
    inner[10:12] = checksum(bytes(inner[:header_bytes])).to_bytes(2, "big")
    whole = data[:2] + b"\0\0" + data[4 : icmp.HEADER_BYTES] + bytes(inner)
    total = checksum(whole).to_bytes(2, "big")
    return replace(packet, payload=whole[:2] + total + whole[4:])


def _replace_end(inner: bytearray, header_bytes: int, end: End, *, address_at: int, port_at: int) -> None:
    """What a quotation has of checksums above IPv4 is left: nobody can verify a part."""
    inner[address_at : address_at + 4] = end[0]
    place = header_bytes + (4 if inner[9] == ipv4.PROTOCOL_ICMP else port_at)
    inner[place : place + 2] = end[1].to_bytes(2, "big")

"""Hardware and IPv4 addresses: bytes in network order inside, text towards people."""

from __future__ import annotations

import random
import re
import socket  # inet_pton only: no socket is opened

BROADCAST_MAC = b"\xff" * 6
ZERO_MAC = bytes(6)
ZERO_IPV4 = bytes(4)
BROADCAST_IPV4 = b"\xff" * 4

_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}")


def format_mac(mac: bytes) -> str:
    """Six bytes as "02:42:0a:00:01:03"."""
    return mac.hex(":")


def parse_mac(text: str) -> bytes:
    """ "02:42:0a:00:01:03" as six bytes. Raises ValueError."""
    if not _MAC.fullmatch(text):
        raise ValueError(f"invalid MAC address {text}")
    return bytes.fromhex(text.replace(":", ""))


def format_ipv4(address: bytes) -> str:
    """Four bytes as a dotted quad."""
    return f"{address[0]}.{address[1]}.{address[2]}.{address[3]}"


def parse_ipv4(text: str) -> bytes:
    """A dotted quad, all four numbers, as four bytes. Raises ValueError."""
    try:
        return socket.inet_pton(socket.AF_INET, text)
    except OSError:
        raise ValueError(f"invalid IPv4 address {text}") from None


def parse_cidr(text: str) -> tuple[bytes, int]:
    """ "10.0.1.3/24" as the address and the length of its network's prefix. Raises ValueError."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or not 0 <= int(length) <= 32:
        raise ValueError(f"invalid CIDR address {text}")
    return parse_ipv4(address), int(length)


def is_group(mac: bytes) -> bool:
    """Broadcast or multicast: the lowest bit of the first byte (IEEE 802-2014 section 8.2)."""
    return bool(mac[0] & 1)


def address_mac(address: bytes) -> bytes:
    """The hardware address of an overlay endpoint, and before engine 28 of every one: 02:42 and IPv4 address.

    A pure function of the address, so one that is used again elsewhere keeps its MAC and changes its
    tunnel endpoint only (moby: libnetwork/netutils, GenerateMACFromIP).
    """
    return b"\x02\x42" + address


def random_mac(chance: random.Random) -> bytes:
    """A locally administered hardware address of one station, as bridges give since engine 28."""
    number = chance.getrandbits(48)
    number = (number & ~(0x01 << 40)) | (0x02 << 40)
    return number.to_bytes(6, "big")

"""What to look for: the plain part of libpcap's filter language (pcap-filter(7)).

expression  term  and term  or term ...     from left to right: neither binds tighter
term        not term | ( expression ) | what
what        arp  ip  icmp  tcp  udp
            [tcp|udp] [src|dst] port NUMBER    [src|dst] host ADDRESS    [src|dst] net CIDR
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from node.model.address import parse_cidr, parse_ipv4
from node.wire import arp, ethernet, ipv4
from node.wire.malformed import Malformed

WORDS_MAX = 100
SERVICES = {"ssh": 22, "domain": 53, "http": 80, "https": 443, "iperf3": 5201}
"""Those of /etc/services that are met here."""
End = TypeVar("End")
_PROTOCOLS = {"icmp": ipv4.PROTOCOL_ICMP, "tcp": ipv4.PROTOCOL_TCP, "udp": ipv4.PROTOCOL_UDP}


class ExpressionError(Exception):
    """It is no filter; the text is what tcpdump says."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What filters ask about: addresses of four bytes, ports where there are any."""

    kind: str
    """ "arp", "ip", or "" for anything else."""
    protocol: int = -1
    source: bytes = b""
    destination: bytes = b""
    ports: tuple[int, int] | None = None


Test = Callable[[Subject], bool]
Resolve = Callable[[str], Awaitable[str]]
"""From a host's name to its address; raises ExpressionError."""


def subject(frame: bytes) -> Subject:
    """What a frame is about; whatever cannot be read is about nothing."""
    kind, data = frame[12:14], frame[ethernet.HEADER_BYTES :]
    try:
        if kind == ethernet.ARP:
            asked = arp.parse(data)
            return Subject("arp", source=asked.sender_ip, destination=asked.target_ip)
        if kind != ethernet.IPV4:
            return Subject("")
        packet = ipv4.parse(data)
    except Malformed:
        return Subject("")
    ports = None
    has_ports = packet.protocol in (ipv4.PROTOCOL_TCP, ipv4.PROTOCOL_UDP) and not packet.fragment_offset
    if has_ports and len(packet.payload) >= 4:
        ports = int.from_bytes(packet.payload[:2], "big"), int.from_bytes(packet.payload[2:4], "big")
    return Subject("ip", packet.protocol, packet.source, packet.destination, ports)


async def parse(text: str, resolve: Resolve) -> Test:
    """The test that an expression stands for; an empty one wants everything. Raises ExpressionError."""
    words = re.findall(r"&&|\|\||[()!]|[^\s()!&|]+", text)
    if not words:
        return lambda asked: True
    if len(words) > WORDS_MAX:
        raise ExpressionError("expression is too long")
    parser = _Parser(words, resolve)
    test = await parser.expression()
    if parser.words:
        raise _wrong()
    return test


def _wrong() -> ExpressionError:
    return ExpressionError("can't parse filter expression: syntax error")


class _Parser:
    def __init__(self, words: list[str], resolve: Resolve) -> None:
        self.words = words
        self._resolve = resolve
        self._qualifiers: tuple[str, str, str] | None = None
        """Protocol, direction and kind of the last primitive: "port 80 or 443" goes on with them."""

    async def expression(self) -> Test:
        test = await self._term()
        while (operator := self._take("and", "&&", "or", "||")) is not None:
            test = _joined(test, await self._term(), is_and=operator in ("and", "&&"))
        return test

    async def _term(self) -> Test:
        if self._take("not", "!") is not None:
            inner = await self._term()
            return lambda asked: not inner(asked)
        if self._take("(") is not None:
            inside = await self.expression()
            if self._take(")") is None:
                raise _wrong()
            return inside
        return await self._primitive()

    async def _primitive(self) -> Test:
        protocol = self._take("arp", "ip", *_PROTOCOLS) or ""
        direction = self._take("src", "dst") or ""
        kind = self._take("host", "port", "net") or ("host" if direction else "")
        if not kind:
            if protocol:
                return _of_protocol(protocol)
            if self._qualifiers is None:
                raise _wrong()
            protocol, direction, kind = self._qualifiers
        self._qualifiers = protocol, direction, kind
        if not self.words or self.words[0] in ("and", "or", "not", "(", ")", "&&", "||", "!"):
            raise _wrong()
        test = await self._about(kind, direction, self.words.pop(0))
        return _joined(_of_protocol(protocol), test, is_and=True) if protocol else test

    async def _about(self, kind: str, direction: str, word: str) -> Test:
        if kind == "port":
            number = SERVICES.get(word, int(word) if re.fullmatch(r"\d{1,5}", word) else -1)
            if not 0 <= number <= 65535:
                raise ExpressionError(f"unknown port '{word}'")
            return lambda asked: asked.ports is not None and number in _chosen(asked.ports, direction)
        if kind == "net":
            try:
                network, prefix = parse_cidr(word)
            except ValueError:
                raise _wrong() from None
            return lambda asked: any(
                _is_within(address, network, prefix)
                for address in _chosen((asked.source, asked.destination), direction)
            )
        wanted = parse_ipv4(await self._resolve(word))
        return lambda asked: wanted in _chosen((asked.source, asked.destination), direction)

    def _take(self, *words: str) -> str | None:
        return self.words.pop(0) if self.words and self.words[0] in words else None


def _of_protocol(name: str) -> Test:
    if name in _PROTOCOLS:
        number = _PROTOCOLS[name]
        return lambda asked: asked.protocol == number
    return lambda asked: asked.kind == name


def _joined(one: Test, other: Test, *, is_and: bool) -> Test:
    if is_and:
        return lambda asked: one(asked) and other(asked)
    return lambda asked: one(asked) or other(asked)


def _chosen(both: tuple[End, End], direction: str) -> tuple[End, ...]:
    """The source's, the destination's, or either's."""
    if direction:
        return both[:1] if direction == "src" else both[1:]
    return both


def _is_within(address: bytes, network: bytes, prefix: int) -> bool:
    if not address:
        return False
    differing = int.from_bytes(address, "big") ^ int.from_bytes(network, "big")
    return differing >> (32 - prefix) == 0

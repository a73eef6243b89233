"""Names to addresses, as a C library does it: /etc/hosts, then the name servers of /etc/resolv.conf."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.reversename

from node.model.address import parse_ipv4
from node.programs.process import Process
from node.stack.sockets import UdpSocket

TIMEOUT_S = 5.0
"""Altogether, as in musl."""
ATTEMPTS = 2
DNS_PORT = 53
SERVERS_MAX = 3
QUESTIONS_REMEMBERED_MAX = 1024


class NoAddress(Exception):
    """The name has no address. ``temporary``: nobody could be asked."""

    def __init__(self, name: str, *, temporary: bool) -> None:
        super().__init__(name)
        self.temporary = temporary


@dataclass(frozen=True, slots=True)
class Settings:
    """What /etc/resolv.conf says."""

    servers: tuple[str, ...]
    search: tuple[str, ...]
    ndots: int


def settings(process: Process) -> Settings:
    """Read /etc/resolv.conf."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    ndots = 1
    text = (process.userland.files.read("/etc/resolv.conf") or b"").decode()
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            servers.append(words[1])
        elif words[:1] == ["search"]:
            search = tuple(words[1:])
        elif words[:1] == ["options"]:
            for word in words[1:]:
                if word.startswith("ndots:") and word[6:].isdecimal():
                    ndots = int(word[6:])
    # Without any name server in the file, a C library asks the machine itself (resolv.conf(5)).
    return Settings(tuple(servers[:SERVERS_MAX]) or ("127.0.0.1",), search, ndots)


async def address_of(process: Process, name: str) -> str:
    """The first address of a name, or the address that it is already. Raises NoAddress."""
    return (await addresses_of(process, name))[0]


async def addresses_of(process: Process, name: str) -> tuple[str, ...]:
    """All addresses of a name. Raises NoAddress."""
    if is_address(name):
        return (name,)
    if (found := _in_hosts_file(process, name)) is not None:
        return (found,)
    asked = settings(process)
    temporary = False
    for candidate in _candidates(name, asked):
        response = await query(process, candidate, "A", asked.servers)
        if response is None or response.rcode() in (dns.rcode.SERVFAIL, dns.rcode.REFUSED):
            temporary = True
            continue
        records = [item for rrset in response.answer for item in rrset if item.rdtype == dns.rdatatype.A]
        if records:
            return tuple(record.address for record in records)
    raise NoAddress(name, temporary=temporary)


async def query(
    process: Process, name: str, kind: str, servers: tuple[str, ...]
) -> dns.message.Message | None:
    """Ask all servers at once, as musl does; the first answer, or None if none comes in time."""
    try:
        wire = _question(name, kind)
    except (dns.exception.DNSException, ValueError):
        return None
    identity = process.chance.randrange(65536).to_bytes(2, "big")
    socket = process.sandbox.udp_socket()
    try:
        for _ in range(ATTEMPTS):
            for server in servers:
                socket.send(identity + wire[2:], (server, DNS_PORT))
            try:
                async with asyncio.timeout(TIMEOUT_S / ATTEMPTS):
                    return await _answer(socket, identity)
            except TimeoutError:
                continue
    except OSError:
        return None
    finally:
        socket.close()
    return None


@lru_cache(QUESTIONS_REMEMBERED_MAX)
def _question(name: str, kind: str) -> bytes:
    """A query as bytes; whoever sends it replaces the identification, the first two."""
    message = dns.message.make_query(name, kind)
    message.flags |= dns.flags.RD
    return message.to_wire()


async def _answer(socket: UdpSocket, identity: bytes) -> dns.message.Message:
    while True:
        data, _ = await socket.receive()
        if data[:2] == identity:
            try:
                return dns.message.from_wire(data)
            except dns.exception.DNSException:
                continue


async def name_of(process: Process, address: str) -> str | None:
    """The name of an address, without the final dot, or None."""
    response = await query(process, reverse_name(address), "PTR", settings(process).servers)
    for rrset in response.answer if response is not None else ():
        for record in rrset:
            if record.rdtype == dns.rdatatype.PTR:
                return str(record.target.to_text(omit_final_dot=True))
    return None


def reverse_name(address: str) -> str:
    """ "10.0.1.3" as "3.1.0.10.in-addr.arpa"."""
    return dns.reversename.from_address(address).to_text(omit_final_dot=True)


def is_address(text: str) -> bool:
    """A dotted quad."""
    try:
        parse_ipv4(text)
    except ValueError:
        return False
    return True


def _in_hosts_file(process: Process, name: str) -> str | None:
    for line in (process.userland.files.read("/etc/hosts") or b"").decode().splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1 and name.lower() in (word.lower() for word in words[1:]) and is_address(words[0]):
            return words[0]
    return None


def _candidates(name: str, asked: Settings) -> list[str]:
    """The names to ask for, in order: as it stands, or with each search domain first (ndots)."""
    if name.endswith("."):
        return [name]
    searched = [f"{name}.{domain}" for domain in asked.search]
    return [name, *searched] if name.count(".") >= asked.ndots else [*searched, name]

"""dig and host: what a name server says, in full or in short (BIND's tools)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from node.programs.process import Process
from node.programs.resolve import (
    DNS_PORT,
    NoAddress,
    address_of,
    is_address,
    query,
    reverse_name,
    settings,
)

VERSION = "9.18.33"
NO_REPLY, NO_SERVER = 9, 10
TCP_WAIT_S = 10.0
MESSAGE_BYTES_MAX = 65_535
DIG_USAGE = "Usage:  dig [@server] [-x ADDRESS] [-t TYPE] [name] [type] [+short] [+tcp] [+noall] [+answer]"
HOST_USAGE = "Usage: host [-t TYPE] {hostname} [server]"


@dataclass(slots=True)
class Wish:
    """What is asked for."""

    name: str = ""
    kind: str = "A"
    server: str = ""
    is_short: bool = False
    is_tcp: bool = False
    shows_all: bool = True
    shows_answer: bool = True


class Misuse(Exception):
    """An argument makes no sense; the text is dig's."""


async def dig(process: Process) -> int:
    """The program."""
    words = list(process.arguments[1:])
    if words[:1] in (["-h"], ["--help"]):
        process.stdout.write(f"{DIG_USAGE}\n")
        return 0
    try:
        wish = _wish(words)
    except Misuse as error:
        return process.fail(f"{error}\n\n{DIG_USAGE}")
    servers = settings(process).servers
    if wish.server:
        try:
            servers = (await address_of(process, wish.server),)
        except NoAddress:
            return process.fail(f"dig: couldn't get address for '{wish.server}': not found", NO_SERVER)
    begun = process.clock.now()
    answer = await _ask(process, wish, servers)
    if answer is None:
        process.stdout.write(f"\n; <<>> DiG {VERSION} <<>> {' '.join(words)}\n" if not wish.is_short else "")
        process.stdout.write(f";; communications error to {servers[0]}#{DNS_PORT}: timed out\n")
        process.stdout.write(";; no servers could be reached\n")
        return NO_REPLY
    if wish.is_short:
        lines = [record.to_text() for rrset in answer.answer for record in rrset]
        process.stdout.write("".join(f"{line}\n" for line in lines))
        return 0
    took_ms = round((process.clock.now() - begun) * 1000)
    process.stdout.write(_shown(wish, answer, words))
    if wish.shows_all:
        moment = datetime.fromtimestamp(process.clock.wall(), UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
        process.stdout.write(
            f";; Query time: {took_ms} msec\n"
            f";; SERVER: {servers[0]}#{DNS_PORT}({servers[0]}) ({'TCP' if wish.is_tcp else 'UDP'})\n"
            f";; WHEN: {moment}\n;; MSG SIZE  rcvd: {len(answer.to_wire())}\n\n"
        )
    return 0


def _wish(words: list[str]) -> Wish:
    wish = Wish()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("@"):
            wish.server = word[1:]
        elif word.startswith("+"):
            _switch(wish, word[1:])
        elif word in ("-x", "-t", "-q", "-c", "-p"):
            if not rest:
                raise Misuse(f"option requires an argument: {word}")
            value = rest.pop(0)
            if word == "-x":
                if not is_address(value):
                    raise Misuse(f"Invalid IP address {value}")
                wish.name, wish.kind = reverse_name(value), "PTR"
            elif word == "-t":
                wish.kind = value.upper()
            elif word == "-q":
                wish.name = value
            elif (word, value) not in (("-c", "IN"), ("-p", str(DNS_PORT))):
                raise Misuse(f"{word} {value} is not simulated")
        elif word == "-4":
            continue
        elif word.startswith("-"):
            raise Misuse(f"Invalid option: {word}")
        elif (wish.name and _is_kind(word)) or (not wish.name and _is_kind(word) and rest):
            wish.kind = word.upper()
        elif word.upper() != "IN":
            wish.name = word
    if not _is_kind(wish.kind):
        raise Misuse(f";; Warning, ignoring invalid type {wish.kind}")
    if not wish.name:
        wish.name, wish.kind = ".", "NS"
    return wish


def _switch(wish: Wish, name: str) -> None:
    match name.partition("=")[0]:
        case "short":
            wish.is_short = True
        case "noshort":
            wish.is_short = False
        case "tcp" | "vc":
            wish.is_tcp = True
        case "notcp" | "novc":
            wish.is_tcp = False
        case "noall":
            wish.shows_all = wish.shows_answer = False
        case "answer":
            wish.shows_answer = True
        case "noanswer":
            wish.shows_answer = False
        case "all":
            wish.shows_all = wish.shows_answer = True
        case "time" | "tries" | "retry" | "rec" | "recurse" | "nocmd" | "nocomments" | "noedns" | "search":
            return  # what they change cannot be told apart here
        case other:
            raise Misuse(f"Invalid option: +{other}")


def _is_kind(word: str) -> bool:
    try:
        dns.rdatatype.from_text(word.upper())
    except dns.exception.DNSException:
        return False
    return True


async def _ask(process: Process, wish: Wish, servers: tuple[str, ...]) -> dns.message.Message | None:
    if not wish.is_tcp:
        return await query(process, wish.name, wish.kind, servers)
    return await over_tcp(process, wish.name, wish.kind, servers[0])


async def over_tcp(process: Process, name: str, kind: str, server: str) -> dns.message.Message | None:
    """A question over TCP, with its length before it (RFC 1035 section 4.2.2); None if nobody answers."""
    try:
        wire = dns.message.make_query(name, kind, id=process.chance.randrange(65_536)).to_wire()
        async with asyncio.timeout(TCP_WAIT_S):
            stream = await process.sandbox.connect_tcp(server, DNS_PORT)
            try:
                await stream.write(len(wire).to_bytes(2, "big") + wire)
                data = b""
                while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
                    part = await stream.read(MESSAGE_BYTES_MAX)
                    if not part:
                        return None
                    data += part
            finally:
                stream.close()
        return dns.message.from_wire(data[2 : 2 + int.from_bytes(data[:2], "big")])
    except (OSError, dns.exception.DNSException):  # TimeoutError is an OSError
        return None


def _shown(wish: Wish, answer: dns.message.Message, words: list[str]) -> str:
    text = ""
    if wish.shows_all:
        status, flags = dns.rcode.to_text(answer.rcode()), dns.flags.to_text(answer.flags).lower()
        sections = (answer.question, answer.answer, answer.authority, answer.additional)
        question, answers, authority, additional = (
            sum(max(len(rrset), 1) for rrset in section) for section in sections
        )
        text += (
            f"\n; <<>> DiG {VERSION} <<>> {' '.join(words)}\n;; global options: +cmd\n;; Got answer:\n"
            f";; ->>HEADER<<- opcode: QUERY, status: {status}, id: {answer.id}\n"
            f";; flags: {flags}; QUERY: {question}, ANSWER: {answers}, AUTHORITY: {authority}, "
            f"ADDITIONAL: {additional}\n\n;; QUESTION SECTION:\n"
        )
        for rrset in answer.question:
            text += f"{_column(';' + rrset.name.to_text(), 32)}IN\t{dns.rdatatype.to_text(rrset.rdtype)}\n"
        text += "\n"
    if wish.shows_answer and answer.answer:
        text += ";; ANSWER SECTION:\n" if wish.shows_all else ""
        for rrset in answer.answer:
            for record in rrset:
                kind = dns.rdatatype.to_text(rrset.rdtype)
                text += f"{_column(rrset.name.to_text(), 24)}{rrset.ttl}\tIN\t{kind}\t{record.to_text()}\n"
        text += "\n" if wish.shows_all else ""
    return text


def _column(text: str, width: int) -> str:
    """Tabs up to a column, one at least."""
    tabs = max((width - len(text) + 7) // 8, 1)
    return text + "\t" * tabs


async def host(process: Process) -> int:
    """host NAME [SERVER]"""
    words = [word for word in process.arguments[1:] if not word.startswith("-")]
    kinds: tuple[str, ...] = ("A", "AAAA", "MX")
    if "-t" in process.arguments and words:
        kinds = (words.pop(0).upper(),)
    if not words or not all(_is_kind(kind) for kind in kinds):
        return process.fail(HOST_USAGE)
    known = settings(process)
    servers = known.servers
    if len(words) > 1:
        try:
            servers = (await address_of(process, words[1]),)
        except NoAddress:
            return process.fail(f"host: couldn't get address for '{words[1]}': not found")
        process.stdout.write(
            f"Using domain server:\nName: {words[1]}\nAddress: {servers[0]}#{DNS_PORT}\nAliases: \n\n"
        )
    name = words[0]
    if is_address(name):
        name, kinds = reverse_name(name), ("PTR",)
    for index, kind in enumerate(kinds):
        answer = await query(process, name, kind, servers)
        if answer is None:
            process.stdout.write(";; connection timed out; no servers could be reached\n")
            return 1
        if answer.rcode() != dns.rcode.NOERROR:
            if index:
                continue
            status = dns.rcode.to_text(answer.rcode())
            process.stdout.write(f"Host {name} not found: {int(answer.rcode())}({status})\n")
            return 1
        _tell(process, name, kind, answer, is_only=len(kinds) == 1)
    return 0


def _tell(process: Process, name: str, kind: str, answer: dns.message.Message, *, is_only: bool) -> None:
    phrases = {"A": "has address", "AAAA": "has IPv6 address", "PTR": "domain name pointer"}
    records = [
        (rrset.name.to_text(omit_final_dot=True), record) for rrset in answer.answer for record in rrset
    ]
    for owner, record in records:
        own = dns.rdatatype.to_text(record.rdtype)
        process.stdout.write(f"{owner} {phrases.get(own, f'has {own} record')} {record.to_text()}\n")
    if not records and is_only:
        process.stdout.write(f"{name} has no {kind} record\n")

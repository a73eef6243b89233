"""What the name server at 127.0.0.11 inside one sandbox answers to a query.

    query --> door -----> names of the sandbox's networks --+--> found:     answer, cut to fit
              |                                             |
              +--> a response: silence                      +--> not found: Forward, or "no such name"
              +--> not understood: FORMERR, NOTIMP

Pure: bytes in, bytes out. The rules are the engine's (moby 28.2: libnetwork/resolver.go serveDNS,
libnetwork/sandbox.go ResolveName); what is refused at the door is what its DNS library refuses
(github.com/miekg/dns, acceptfunc.go).
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.PTR
import dns.rrset

from node.dns.zone import Zone

TIME_TO_LIVE_S = 600
ANSWER_MIN_BYTES = 512
"""What every client can take over UDP (RFC 1035 section 4.2.1)."""
ANSWER_MAX_BYTES = 65_507
"""What one UDP datagram over IPv4 can hold, whatever the client says that it takes."""
STREAM_MAX_BYTES = 65_535
"""Over TCP (RFC 1035 section 4.2.2)."""
UPSTREAM_MAX = 3
QUERY_MAX_BYTES = 512
"""The engine's server reads no more of a datagram, and then cannot understand it."""

_HEADER_BYTES = 12
_QUESTION_TAIL_BYTES = 4
_ADDRESS_RECORD_BYTES = 16
"""An A record whose name points back to the question (RFC 1035 section 4.1.4)."""
_RECORDS_REMEMBERED_MAX = 4096
_QUERIES_REMEMBERED_MAX = 1024
_REVERSE_SUFFIX = ".in-addr.arpa"
_RESPONSE_BIT = 0x8000
_OPERATION_AND_RECURSION_BITS = 0x7900
_IN = dns.rdataclass.IN
_A = dns.rdatatype.A
_PTR = dns.rdatatype.PTR
_NAME_KINDS = (_A, dns.rdatatype.AAAA, dns.rdatatype.MX)
"""The engine also looks for SRV, in a table that nothing fills on Linux."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One network that the sandbox stands in, and the links (alias to container name) it was given."""

    zone: Zone
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """No name of the sandbox's networks: others have to be asked, in their order."""

    query: bytes
    servers: tuple[str, ...]


class Resolver:
    """The name server of one sandbox."""

    def __init__(
        self, chance: random.Random, attachments: Sequence[Attachment] = (), *, ndots_given: bool = False
    ) -> None:
        """``attachments`` are asked in their order; replace them when the sandbox joins or leaves.

        ``ndots_given``: the user set ``ndots`` with --dns-option, so a single label that is unknown
        gets an empty answer, and the client tries again with its search domain.
        """
        self.attachments = tuple(attachments)
        self.upstream: tuple[str, ...] = ()
        """Addresses of servers that know other names, at most UPSTREAM_MAX."""
        self.ndots_given = ndots_given
        self._chance = chance

    def answer(self, query: bytes, *, stream: bool = False) -> bytes | Forward | None:
        """The response to a query that came over UDP, or ``stream``, TCP; None: it must not be answered."""
        if len(query) < _HEADER_BYTES:
            return None
        flags = int.from_bytes(query[2:4], "big")
        if flags & _RESPONSE_BIT:
            return None
        if dns.opcode.from_flags(flags) != dns.opcode.QUERY:
            return _refusal(query, dns.rcode.NOTIMP)
        if query[4:6] != b"\x00\x01" or (len(query) > QUERY_MAX_BYTES and not stream):
            return _refusal(query, dns.rcode.FORMERR)
        try:
            message = _parsed(query[2:])
        except (dns.exception.DNSException, ValueError):
            return _refusal(query, dns.rcode.FORMERR)
        if stream:
            return self._respond(query, message, STREAM_MAX_BYTES)
        return self._respond(query, message, min(max(ANSWER_MIN_BYTES, message.payload), ANSWER_MAX_BYTES))

    def _respond(self, raw: bytes, query: dns.message.Message, bytes_max: int) -> bytes | Forward:
        question = query.question[0]
        response = dns.message.QueryMessage(id=int.from_bytes(raw[:2], "big"))
        response.flags = dns.flags.QR | dns.flags.RA | (query.flags & (dns.flags.RD | dns.flags.CD))
        response.question = [question]
        try:
            records = self._find(question) if question.rdclass == _IN else None
        except dns.exception.DNSException:
            # A name that a user gave cannot be said in DNS, such as a container's of 64 letters.
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        if records:
            _fill(response, records, bytes_max)
        elif records is None and not self._left_to_search_domain(question):
            if self.upstream:
                return Forward(raw, self.upstream[:UPSTREAM_MAX])
            # Without --dns it is as if the one server around the simulation knew no names at all.
            response.set_rcode(dns.rcode.NXDOMAIN)
        # dnspython would shuffle once more, with a chance of its own.
        return response.to_wire(want_shuffle=False)

    def _find(self, question: dns.rrset.RRset) -> Sequence[dns.rdata.Rdata] | None:
        """The records that answer a question; empty if the name has none of that kind; None if unknown."""
        name = question.name.to_text(omit_final_dot=True)
        if question.rdtype == _PTR:
            full_name = self._name_of(name)
            return None if full_name is None else [_pointer_record(full_name)]
        addresses = self._addresses(name) if question.rdtype in _NAME_KINDS else ()
        if not addresses:
            return None
        if question.rdtype != _A:
            # No error. For mail that means "deliver to the address itself" (RFC 5321 section 5.1).
            return ()
        records = [_address_record(address) for address in addresses]
        self._chance.shuffle(records)
        return records

    def _name_of(self, reverse_name: str) -> str | None:
        """The name behind ``3.1.0.10.in-addr.arpa``."""
        address_backwards, suffix, rest = reverse_name.lower().partition(_REVERSE_SUFFIX)
        if not suffix or rest:
            return None
        address = ".".join(reversed(address_backwards.split(".")))
        for attachment in self.attachments:
            if (full_name := attachment.zone.name_of(address)) is not None:
                return full_name
        return None

    def _addresses(self, name: str) -> tuple[str, ...]:
        for first, network in _readings(name):
            for by_alias in (True, False):
                for attachment in self.attachments:
                    # As in the engine, names of networks and aliases match exactly, others in any case.
                    if network and attachment.zone.network != network:
                        continue
                    if by_alias != (first in attachment.aliases):
                        continue
                    target = attachment.aliases[first] if by_alias else first
                    if addresses := attachment.zone.addresses(target):
                        return addresses
        return ()

    def _left_to_search_domain(self, question: dns.rrset.RRset) -> bool:
        one_label = len(question.name) <= 2  # the label and the root
        return self.ndots_given and one_label and question.rdtype in (_A, dns.rdatatype.AAAA)


def is_final(query: bytes, response: bytes) -> bool:
    """Whether a server's response settles the question; else the next server is asked."""
    if len(response) < _HEADER_BYTES or response[:2] != query[:2] or not response[2] & 0x80:
        return False
    return response[3] & 0x0F not in (dns.rcode.SERVFAIL, dns.rcode.REFUSED)


def failure(query: bytes) -> bytes:
    """What is answered when nobody else knew: SERVFAIL, with the question."""
    return _code_only(query, dns.rcode.SERVFAIL)


def refusal(query: bytes) -> bytes:
    """What is answered by a server that will not say: REFUSED, with the question."""
    return _code_only(query, dns.rcode.REFUSED)


def _code_only(query: bytes, code: dns.rcode.Rcode) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    response.set_rcode(code)
    return response.to_wire()


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """``a.b.c`` read as: a.b.c in any network, a.b in network c, a in network b.c."""
    yield name, ""
    dot = name.rfind(".")
    while dot != -1:
        yield name[:dot], name[dot + 1 :]
        dot = name.rfind(".", 0, dot)


@functools.lru_cache(_QUERIES_REMEMBERED_MAX)
def _parsed(body: bytes) -> dns.message.Message:
    """A query without its identification: programs ask the same again and again. Not to be changed."""
    return dns.message.from_wire(b"\0\0" + body)


@functools.lru_cache(_RECORDS_REMEMBERED_MAX)
def _address_record(address: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(_IN, _A, address)


@functools.lru_cache(_RECORDS_REMEMBERED_MAX)
def _pointer_record(full_name: str) -> dns.rdata.Rdata:
    # Not from_text: a user's name may hold what a zone file gives a meaning to.
    target = dns.name.from_text(full_name)
    return dns.rdtypes.ANY.PTR.PTR(_IN, _PTR, target)  # type: ignore[no-untyped-call]


def _fill(response: dns.message.Message, records: Sequence[dns.rdata.Rdata], bytes_max: int) -> None:
    """Put in as many records as fit; if some do not, say so with the TC bit (RFC 2181 section 9)."""
    question = response.question[0]
    if question.rdtype == _A:
        name_bytes = sum(1 + len(label) for label in question.name.labels)
        head_bytes = _HEADER_BYTES + name_bytes + _QUESTION_TAIL_BYTES
        fitting = (bytes_max - head_bytes) // _ADDRESS_RECORD_BYTES
        if len(records) > fitting:
            records = records[:fitting]
            response.flags |= dns.flags.TC
    response.answer = [dns.rrset.from_rdata_list(question.name, TIME_TO_LIVE_S, records)]


def _refusal(query: bytes, code: dns.rcode.Rcode) -> bytes:
    """A bare header: the query's identification, operation and RD bit, and what was wrong."""
    kept = int.from_bytes(query[2:4], "big") & _OPERATION_AND_RECURSION_BITS
    return query[:2] + (_RESPONSE_BIT | kept | code).to_bytes(2, "big") + bytes(8)

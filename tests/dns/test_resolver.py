"""Queries to 127.0.0.11, asked and read with an independent codec."""

from __future__ import annotations

import random

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR

from node.dns.resolver import Attachment, Resolver
from node.dns.zone import Zone


@pytest.fixture
def app() -> Zone:
    zone = Zone("app")
    zone.add("e1", ["web", "www", "0123456789ab"], "10.0.1.3")
    zone.add("e2", ["db", "0123456789cd"], "10.0.1.4")
    return zone


@pytest.fixture
def resolver(app: Zone) -> Resolver:
    return Resolver(random.Random(1), [Attachment(app)])


def ask(resolver: Resolver, name: str, kind: str = "A", *, payload: int = 0) -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=0 if payload else None, payload=payload or None)
    response = resolver.answer(query.to_wire())
    assert response is not None
    message = dns.message.from_wire(response)
    assert query.is_response(message)
    assert message.flags & dns.flags.RA
    assert message.flags & dns.flags.RD
    return message


def records(message: dns.message.Message) -> list[str]:
    return [record.to_text() for record_set in message.answer for record in record_set]


def test_a_name_has_its_address_for_600_seconds(resolver: Resolver) -> None:
    message = ask(resolver, "web")

    assert message.rcode() == dns.rcode.NOERROR
    assert records(message) == ["10.0.1.3"]
    assert message.answer[0].ttl == 600


def test_scapy_reads_the_same_answer(resolver: Resolver) -> None:
    query = bytes(DNS(id=77, rd=1, qd=DNSQR(qname="wEb")))
    response = DNS(resolver.answer(query) or b"")

    assert (response.id, response.qr, response.ra, response.rcode) == (77, 1, 1, 0)
    assert response.an[0].rrname == b"wEb."  # as it was asked: some clients check the case
    assert response.an[0].rdata == "10.0.1.3"


@pytest.mark.parametrize("name", ["www", "WEB", "web.app", "Web.app.", "0123456789ab", "0123456789ab.app"])
def test_all_forms_of_a_name_lead_to_the_endpoint(resolver: Resolver, name: str) -> None:
    assert records(ask(resolver, name)) == ["10.0.1.3"]


@pytest.mark.parametrize("name", ["nosuch", "web.other", "web.app.app", "app", ".", "web.App"])
def test_what_no_network_knows_does_not_exist(resolver: Resolver, name: str) -> None:
    message = ask(resolver, name)

    assert message.rcode() == dns.rcode.NXDOMAIN
    assert records(message) == []


@pytest.mark.parametrize("kind", ["AAAA", "MX"])
def test_a_known_name_without_such_a_record_is_no_error(resolver: Resolver, kind: str) -> None:
    message = ask(resolver, "web", kind)

    assert message.rcode() == dns.rcode.NOERROR
    assert records(message) == []
    assert ask(resolver, "nosuch", kind).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("kind", ["TXT", "SRV", "NS", "ANY"])
def test_other_questions_are_not_for_this_server(resolver: Resolver, kind: str) -> None:
    assert ask(resolver, "web", kind).rcode() == dns.rcode.NXDOMAIN


def test_an_address_has_the_first_name_and_the_network(resolver: Resolver) -> None:
    message = ask(resolver, "3.1.0.10.in-addr.arpa", "PTR")

    assert records(message) == ["web.app."]
    assert message.answer[0].ttl == 600


@pytest.mark.parametrize("name", ["9.1.0.10.in-addr.arpa", "web", "1.in-addr.arpa.app", "1.0.0.0.ip6.arpa"])
def test_other_reverse_questions_find_nothing(resolver: Resolver, name: str) -> None:
    assert ask(resolver, name, "PTR").rcode() == dns.rcode.NXDOMAIN


def test_names_and_networks_may_contain_dots() -> None:
    zone = Zone("team.example")
    zone.add("e1", ["a.b"], "10.0.1.3")
    resolver = Resolver(random.Random(1), [Attachment(zone)])

    assert records(ask(resolver, "a.b")) == ["10.0.1.3"]
    assert records(ask(resolver, "a.b.team.example")) == ["10.0.1.3"]


def test_the_first_network_that_knows_a_name_answers(app: Zone) -> None:
    other = Zone("back")
    other.add("e9", ["web", "cache"], "10.0.2.9")
    resolver = Resolver(random.Random(1), [Attachment(app), Attachment(other)])

    assert records(ask(resolver, "web")) == ["10.0.1.3"]
    assert records(ask(resolver, "web.back")) == ["10.0.2.9"]
    assert records(ask(resolver, "cache")) == ["10.0.2.9"]


def test_a_network_that_was_left_is_asked_no_more(resolver: Resolver) -> None:
    resolver.attachments = ()

    assert ask(resolver, "web").rcode() == dns.rcode.NXDOMAIN


def test_a_link_is_known_to_its_own_sandbox_alone(app: Zone, resolver: Resolver) -> None:
    linked = Resolver(random.Random(1), [Attachment(app, {"store": "db", "web": "db"})])

    assert records(ask(linked, "store")) == records(ask(linked, "store.app")) == ["10.0.1.4"]
    assert records(ask(linked, "web")) == ["10.0.1.4"]  # its own alias hides the others' name
    assert ask(resolver, "store").rcode() == dns.rcode.NXDOMAIN
    dangling = Resolver(random.Random(1), [Attachment(app, {"web": "gone"})])
    assert ask(dangling, "web").rcode() == dns.rcode.NXDOMAIN  # and it keeps hiding it


def test_several_addresses_come_in_an_order_of_chance(app: Zone) -> None:
    for number in range(10):
        app.add(f"task{number}", ["tasks.web"], f"10.0.1.{20 + number}")

    def orders(seed: int) -> list[list[str]]:
        resolver = Resolver(random.Random(seed), [Attachment(app)])
        return [records(ask(resolver, "tasks.web")) for _ in range(5)]

    assert orders(1) == orders(1)  # the same chance, the same order
    assert len({tuple(order) for order in orders(1)}) > 1
    assert all(sorted(order) == [f"10.0.1.{20 + n}" for n in range(10)] for order in orders(1))


def test_an_answer_is_cut_to_what_the_client_takes_and_says_so(app: Zone, resolver: Resolver) -> None:
    for number in range(200):
        app.add(f"task{number}", ["many"], f"10.0.2.{number}")

    query = dns.message.make_query("many", "A").to_wire()
    response = resolver.answer(query)
    assert response is not None
    assert len(response) <= 512
    message = dns.message.from_wire(response)
    assert message.flags & dns.flags.TC
    assert len(records(message)) == 30  # (512 - 12 - 10) // 16

    large = ask(resolver, "many", payload=4096)
    assert len(records(large)) == 200
    assert not large.flags & dns.flags.TC
    assert large.edns == -1  # as in the engine, which does not take part in EDNS itself


def test_a_single_label_is_left_to_the_search_domain_when_ndots_was_chosen(app: Zone) -> None:
    resolver = Resolver(random.Random(1), [Attachment(app)], ndots_given=True)

    assert ask(resolver, "nosuch").rcode() == dns.rcode.NOERROR
    assert ask(resolver, "nosuch", "MX").rcode() == dns.rcode.NXDOMAIN
    assert ask(resolver, "nosuch.example").rcode() == dns.rcode.NXDOMAIN


def test_a_name_that_dns_cannot_say_is_a_failure_of_the_server(app: Zone, resolver: Resolver) -> None:
    app.add("e3", ["x" * 64], "10.0.1.5")

    assert ask(resolver, "5.1.0.10.in-addr.arpa", "PTR").rcode() == dns.rcode.SERVFAIL


def test_responses_and_scraps_get_silence(resolver: Resolver) -> None:
    query = dns.message.make_query("web", "A")
    assert resolver.answer(dns.message.make_response(query).to_wire()) is None
    assert resolver.answer(query.to_wire()[:11]) is None
    assert resolver.answer(b"") is None


def refusal(resolver: Resolver, query: bytes) -> tuple[int, dns.rcode.Rcode]:
    response = resolver.answer(query)
    assert response is not None
    message = dns.message.from_wire(response)
    assert message.flags & dns.flags.QR
    return message.id, message.rcode()


def test_what_cannot_be_understood_is_refused_by_name(resolver: Resolver) -> None:
    good = dns.message.make_query("web", "A", id=7).to_wire()

    assert refusal(resolver, good[:-1]) == (7, dns.rcode.FORMERR)
    assert refusal(resolver, good + b"junk") == (7, dns.rcode.FORMERR)
    assert refusal(resolver, good + bytes(600)) == (7, dns.rcode.FORMERR)
    padded = dns.message.make_query("web", "A", id=7, use_edns=0, pad=600).to_wire()
    assert len(padded) == 600
    assert refusal(resolver, padded) == (7, dns.rcode.FORMERR)
    assert refusal(resolver, good[:4] + b"\x00\x02" + good[6:]) == (7, dns.rcode.FORMERR)
    assert refusal(resolver, good[:4] + b"\x00\x00" + good[6:]) == (7, dns.rcode.FORMERR)
    update = bytes([good[0], good[1], good[2] | (dns.opcode.UPDATE << 3)]) + good[3:]
    assert refusal(resolver, update) == (7, dns.rcode.NOTIMP)


def test_another_class_than_the_internet_is_unknown(resolver: Resolver) -> None:
    query = dns.message.make_query("web", "A", rdclass=dns.rdataclass.CH).to_wire()
    assert refusal(resolver, query)[1] == dns.rcode.NXDOMAIN


@given(st.binary(max_size=600))
def test_junk_is_answered_or_ignored_but_never_an_exception(junk: bytes) -> None:
    zone = Zone("app")
    zone.add("e1", ["web"], "10.0.1.3")
    answer = Resolver(random.Random(1), [Attachment(zone)]).answer(junk)
    assert answer is None or DNS(answer).qr == 1


@given(st.binary(max_size=64), st.integers(0, 63), st.integers(0, 255))
def test_a_query_with_changed_bytes_never_raises(tail: bytes, position: int, value: int) -> None:
    zone = Zone("app")
    zone.add("e1", ["web"], "10.0.1.3")
    query = bytearray(dns.message.make_query("web.app", "A", id=7, use_edns=0).to_wire() + tail)
    query[position % len(query)] = value
    answer = Resolver(random.Random(1), [Attachment(zone)]).answer(bytes(query))
    assert answer is None or answer[:2] == query[:2]

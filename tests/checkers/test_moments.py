"""Each checker is content with a healthy swarm, and says what is wrong with a sick one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.checkers.catalogue import KINDS, checkers
from lab.checkers.checker import Violation
from lab.checkers.seen import FaultSeen, Seen
from node.control import keys
from tests.checkers.moments import FIRST, KEYS, MACS, SECOND, WEB, moment, tables, with_node

LONG_S = 20.0
"""Longer than anything may be wrong."""

Make = Callable[[float], Seen]


def told(name: str, make: Make, moments: tuple[float, ...] = (0.0, LONG_S)) -> list[str]:
    """What one checker says of the same state at these moments."""
    (checker,) = checkers((name,))
    return [violation.what for at in moments for violation in checker.check(make(at))]


SICK: dict[str, tuple[str, Make, str]] = {
    "an address twice": (
        "given-once",
        lambda at: moment(at, endpoints=(FIRST, replace(SECOND, address="10.0.1.2"))),
        "10.0.1.2 in network web belongs to web on node-1 and to app on node-2",
    ),
    "a hardware address twice": (
        "given-once",
        lambda at: moment(at, endpoints=(FIRST, replace(SECOND, mac=MACS["e1"]))),
        "02:42:0a:00:01:02 in network web belongs to web on node-1 and to app on node-2",
    ),
    "an address that is recorded as another's": (
        "given-once",
        lambda at: moment(at, addresses={("n1", "10.0.1.2"): "e1", ("n1", "10.0.1.3"): "e1"}),
        "app on node-2 stands at 10.0.1.3 in network web, which is recorded as given to e1",
    ),
    "a VNI twice": (
        "given-once",
        lambda at: moment(at, networks=(WEB, replace(WEB, id="n2", name="other"))),
        "VNI 4097 belongs to networks web and other",
    ),
    "two networks on one LAN": (
        "given-once",
        lambda at: moment(
            at,
            networks=(replace(WEB, lan="eth0"), replace(WEB, id="n2", vnis=(), lan="eth0")),
            endpoints=(FIRST, replace(SECOND, network="n2", address="10.0.1.2")),
        ),
        "10.0.1.2 in network web belongs to web on node-1 and to app on node-2",
    ),
    "a row too few": (
        "tables",
        lambda at: with_node(at, tables=(tables(FIRST, SECOND, remote={}),)),
        "node-1, network web: no forwarding row for 02:42:0a:00:01:03 (10.0.1.3 on node-2)",
    ),
    "a row to the wrong node": (
        "tables",
        lambda at: with_node(at, tables=(tables(FIRST, SECOND, remote={SECOND.mac: "10.99.0.9"}),)),
        "02:42:0a:00:01:03 is written to be behind 10.99.0.9; it is on node-2, 10.99.0.3",
    ),
    "a row of the dead": (
        "tables",
        lambda at: moment(at, members=("node-1",)),
        "a forwarding row for 02:42:0a:00:01:03 behind 10.99.0.3, where no endpoint of a living node is",
    ),
    "an ARP answer too few": (
        "tables",
        lambda at: with_node(at, tables=(tables(FIRST, SECOND, neighbors={}),)),
        "ARP for 10.0.1.3 on node-2 is answered with nothing, not 02:42:0a:00:01:03",
    ),
    "a port that is recorded nowhere": (
        "tables",
        lambda at: with_node(at, tables=(tables(FIRST, SECOND, local=(FIRST.mac, "02:42:00:00:00:09")),)),
        "a port for 02:42:00:00:00:09, of which the store knows nothing",
    ),
    "a dead name": (
        "names",
        lambda at: with_node(
            at, names={"n1": {"web": ("10.0.1.2",), "app": ("10.0.1.3",), "old": ("10.0.1.9",)}}
        ),
        "old is said to be at 10.0.1.9, and is at no address",
    ),
    "a name with an old address": (
        "names",
        lambda at: with_node(at, names={"n1": {"web": ("10.0.1.2",), "app": ("10.0.1.3", "10.0.1.9")}}),
        "app is said to be at 10.0.1.3, 10.0.1.9, and is at 10.0.1.3",
    ),
    "no names at all for a network": (
        "names",
        lambda at: with_node(at, names={"n0": {}}),
        "node-1 has no names for network web",
    ),
    "a missed change": (
        "views",
        lambda at: with_node(at, keys=KEYS | {keys.endpoint("n1", "e2"): 1}),
        "node-1 sees /shoal/v1/endpoints/n1/e2 as of revision 1; the store has it as of revision 4",
    ),
    "a forgotten deletion": (
        "views",
        lambda at: with_node(at, keys=KEYS | {"/shoal/v1/nodes/gone": 1}),
        "node-1 sees /shoal/v1/nodes/gone as of revision 1; the store has it absent",
    ),
    "a view that stays behind": (
        "views",
        lambda at: with_node(at, keys=None, revision=3),
        "node-1 has stayed at revision 3 of 4",
    ),
    "a dead member": (
        "members",
        lambda at: moment(at, members=("node-1", "node-2", "node-3")),
        "node-3 is dead, and still a member",
    ),
    "a living node that is no member": (
        "members",
        lambda at: moment(at, members=("node-1",)),
        "node-2 lives and hears the store, but is no member",
    ),
    "a lease too many": ("members", lambda at: moment(at, leases=3), "3 leases for 2 members"),
    "an endpoint that is recorded no more": (
        "held",
        lambda at: moment(at, endpoints=(SECOND,)),
        "web on node-1 stands at 10.0.1.2, and the store has no record of that",
    ),
    "an endpoint that is left over": (
        "held",
        lambda at: with_node(at, endpoints=()),
        "the store has an endpoint of web on node-1, 10.0.1.2, in which nobody stands",
    ),
    "an address that is left over": (
        "leaks",
        lambda at: moment(at, endpoints=(FIRST,)),
        "10.0.1.3 in network web is held by e2, which is no endpoint",
    ),
    "a key that is left over": (
        "leaks",
        lambda at: moment(at, keys=KEYS | {keys.last_address("n0"): 1}),
        "the store still has /shoal/v1/last_address/n0, whose network is gone",
    ),
    "a published port that is left over": (
        "leaks",
        lambda at: with_node(at, published=()),
        "port 8080/tcp of node-1 is taken by nobody that runs",
    ),
    "a task that is left over": (
        "leaks",
        lambda at: with_node(at, stray=("container old",)),
        "task container old goes on on node-1, where nothing needs it",
    ),
    "a node that hears nothing": (
        "views",
        lambda at: with_node(at, connected=False),
        "node-1 does not hear the store",
    ),
    "an address that is set aside": (
        "given-once",
        lambda at: moment(at, endpoints=(FIRST, replace(SECOND, address="10.0.1.1"))),
        "app on node-2 stands at 10.0.1.1, which network web has set aside",
    ),
    "a frame too few": (
        "frames",
        lambda at: with_node(at, unaccounted=2),
        "node-1 does not know what became of 2 frames",
    ),
    "a datagram too few": ("frames", lambda at: moment(at, lost_between=1), "1 datagrams vanished between"),
}


@pytest.mark.parametrize("case", SICK)
def test_a_checker_says_what_is_wrong_once_and_says_it_again_when_it_comes_back(case: str) -> None:
    name, make, sentence = SICK[case]
    (checker,) = checkers((name,))

    def said(*moments: Seen) -> list[Violation]:
        return [violation for seen in moments for violation in checker.check(seen)]

    first = said(make(0.0), make(LONG_S), make(LONG_S + 1))
    assert [violation.what for violation in first if sentence in violation.what], first
    assert len({violation.what for violation in first}) == len(first), "the same was told twice"
    assert said(moment(LONG_S + 2)) == []
    again = said(make(LONG_S + 3), make(2 * LONG_S + 4))
    assert [violation.what for violation in again if sentence in violation.what]


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_a_checker_is_content_with_a_healthy_swarm(name: str) -> None:
    assert told(name, moment) == []
    assert KINDS[[kind.name for kind in KINDS].index(name)].sentence.endswith(".")


@pytest.mark.parametrize(
    "case", [case for case, (name, _, _) in SICK.items() if name not in ("given-once", "frames")]
)
def test_what_follows_from_a_change_may_take_its_time(case: str) -> None:
    name, make, _ = SICK[case]
    assert told(name, make, (0.0, 4.9)) == []


@pytest.mark.parametrize(
    "case", [case for case, (name, _, _) in SICK.items() if name in ("tables", "names", "views")]
)
def test_nothing_is_asked_of_a_node_with_faults_until_they_are_over(case: str) -> None:
    name, make, sentence = SICK[case]
    faults = (FaultSeen("node-1", "f1", "Loss"), FaultSeen("node-2", "f2", "Loss"))
    (checker,) = checkers((name,))
    for at in (0.0, 10.0, LONG_S):
        assert not list(checker.check(replace(make(at), faults=faults)))
    assert not list(checker.check(make(LONG_S + 1)))
    assert [v for v in checker.check(make(2 * LONG_S)) if sentence in v.what]

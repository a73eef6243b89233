"""Faults on whole seams: a fabric between nodes, on virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.sim.clock import VirtualClock
from lab.sim.fabric import Fabric
from lab.sim.loop import run
from node.chaos.control import FaultyControl, Unanswered
from node.chaos.faults import Direction, Injection, Scope
from node.chaos.kinds import Corrupt, Delay, Duplicate, Flows, Mode, Partition, Plane, default_planes
from node.chaos.table import FaultTable
from node.chaos.underlay import FaultyUnderlay
from node.seams import Channel, Unreachable

ADDRESSES = {"node-1": "10.99.0.1", "node-2": "10.99.0.2", "node-3": "10.99.0.3"}
NAMES = {address: name for name, address in ADDRESSES.items()}
TIMEOUT_S = 0.5


@dataclass
class Node:
    """One end of everything, with its faults around it."""

    name: str
    clock: VirtualClock
    fabric: Fabric
    table: FaultTable = field(default_factory=lambda: FaultTable(random.Random(1)))
    lost: int = 0
    inbox: list[tuple[Channel, str, bytes]] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)
    announced_by: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        address = ADDRESSES[self.name]
        self.underlay = FaultyUnderlay(
            self.fabric.underlay(address),
            self.table,
            self.clock,
            Names(),
            self.lose,
        )
        self.control = FaultyControl(self.fabric.control(address), self.table, self.clock, name_of)
        self.underlay.listen(lambda channel, source, datagram: self.inbox.append((channel, source, datagram)))
        self.control.serve(self)

    def lose(self) -> None:
        self.lost += 1

    def probed(self, sender: str) -> None:
        self.probes.append(sender)

    def announced(self, sender: str, revision: int) -> int:
        self.announced_by.append(sender)
        return revision + 1

    def send(self, to: str, channel: Channel = Channel.DATA) -> bool:
        return self.underlay.send(channel, ADDRESSES[to], 0, b"datagram")

    async def probe(self, to: str) -> float:
        return await self.control.probe(f"{ADDRESSES[to]}:2377", sender=self.name, timeout_s=TIMEOUT_S)

    def cut(self, *peers: str, mode: Mode = Mode.DROP, duration_s: float = 60.0, **scope: Any) -> None:
        injection = Injection(Partition(mode), Scope(peers, **scope), duration_s)
        self.table.inject(injection, self.clock.now())


class Names:
    """What the nodes know of each other."""

    def node_at(self, underlay_address: str) -> str:
        return NAMES.get(underlay_address, "")

    def network_of(self, channel: Channel, vni: int) -> str:
        return f"net-{vni}"


def name_of(address: str) -> str:
    """By underlay address, or by control address."""
    return NAMES.get(address.removesuffix(":2377"), "")


def nodes_on_virtual_time(test: Callable[[dict[str, Node]], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in a loop of its own, with three nodes."""

    async def with_nodes() -> None:
        clock = VirtualClock(asyncio.get_running_loop())
        fabric = Fabric(clock, random.Random(1))
        await test({name: Node(name, clock, fabric) for name in ADDRESSES})

    def synchronous() -> None:
        run(with_nodes())

    synchronous.__name__ = test.__name__
    return synchronous


# -- datagrams ------------------------------------------------------------------------------------


@nodes_on_virtual_time
async def test_a_datagram_to_a_node_that_is_cut_off_looks_sent_and_is_counted(nodes: dict[str, Node]) -> None:
    here = nodes["node-1"]
    here.cut("node-2")
    assert here.send("node-2")
    assert here.send("node-3")
    await here.clock.sleep(1)
    assert nodes["node-2"].inbox == []
    assert nodes["node-3"].inbox == [(Channel.DATA, ADDRESSES["node-1"], b"datagram")]
    assert here.lost == 1


@nodes_on_virtual_time
async def test_a_rejected_datagram_is_refused_and_left_to_the_sender_to_count(nodes: dict[str, Node]) -> None:
    here = nodes["node-1"]
    here.cut("node-2", mode=Mode.REJECT)
    assert not here.send("node-2")
    await here.clock.sleep(1)
    assert nodes["node-2"].inbox == []
    assert here.lost == 0


@nodes_on_virtual_time
async def test_what_one_node_alone_refuses_to_hear_is_dropped_and_counted_there(
    nodes: dict[str, Node],
) -> None:
    here, there = nodes["node-1"], nodes["node-2"]
    there.cut("node-1", direction=Direction.INCOMING)
    here.send("node-2")
    there.send("node-1")
    await here.clock.sleep(1)
    assert there.inbox == []
    assert there.lost == 1
    assert len(here.inbox) == 1


@nodes_on_virtual_time
async def test_each_channel_is_a_plane_of_its_own(nodes: dict[str, Node]) -> None:
    here = nodes["node-1"]
    here.cut("node-2", planes=(Plane.CABLE,))
    here.send("node-2", Channel.DATA)
    here.send("node-2", Channel.CABLE)
    await here.clock.sleep(1)
    assert [channel for channel, _, _ in nodes["node-2"].inbox] == [Channel.DATA]


@nodes_on_virtual_time
async def test_a_partition_heals_at_its_end_without_a_message(nodes: dict[str, Node]) -> None:
    here = nodes["node-1"]
    here.cut("node-2", duration_s=5.0)
    for _ in range(10):
        here.send("node-2")
        await here.clock.sleep(1)
    assert len(nodes["node-2"].inbox) == 5
    assert here.lost == 5


# -- calls ----------------------------------------------------------------------------------------


@nodes_on_virtual_time
async def test_a_dropped_call_takes_its_time_and_a_rejected_one_none(nodes: dict[str, Node]) -> None:
    here = nodes["node-1"]
    for mode, expected_s in ((Mode.DROP, TIMEOUT_S), (Mode.REJECT, 0.0)):
        here.cut("node-2", mode=mode, duration_s=1.0)
        began = here.clock.now()
        with pytest.raises(Unreachable, match="node-2 cannot be reached"):
            await here.probe("node-2")
        assert here.clock.now() - began == pytest.approx(expected_s)
        await here.clock.sleep(1)
    assert nodes["node-2"].probes == []
    assert await here.probe("node-2") > 0


@nodes_on_virtual_time
async def test_a_call_whose_answer_is_lost_has_had_its_effect(nodes: dict[str, Node]) -> None:
    here, there = nodes["node-1"], nodes["node-2"]
    here.cut("node-2", direction=Direction.INCOMING)
    with pytest.raises(Unreachable):
        await here.control.announce("10.99.0.2:2377", sender="node-1", revision=7, timeout_s=TIMEOUT_S)
    assert there.announced_by == ["node-1"]


@nodes_on_virtual_time
async def test_a_node_judges_the_calls_of_others_too(nodes: dict[str, Node]) -> None:
    here, there = nodes["node-1"], nodes["node-2"]
    there.cut("node-1", direction=Direction.INCOMING)
    with pytest.raises(Unanswered):
        await here.probe("node-2")
    assert there.probes == []
    there.table.heal([seen.fault.id for seen in there.table.list(0.0)], there.clock.now())
    there.cut("node-1", direction=Direction.OUTGOING, mode=Mode.REJECT)
    with pytest.raises(Unreachable):
        await here.control.announce("10.99.0.2:2377", sender="node-1", revision=7, timeout_s=TIMEOUT_S)
    assert there.announced_by == ["node-1"]
    assert await nodes["node-3"].probe("node-2") > 0


@nodes_on_virtual_time
async def test_announcements_get_through_when_nothing_stops_them(nodes: dict[str, Node]) -> None:
    answer = await nodes["node-1"].control.announce(
        "10.99.0.2:2377", sender="node-1", revision=7, timeout_s=TIMEOUT_S
    )
    assert answer == 8


# -- late, twice, spoilt --------------------------------------------------------------------------


def afflict(node: Node, kind: Any, *peers: str, **scope: Any) -> None:
    node.table.inject(
        Injection(kind, Scope(peers, **{"planes": default_planes(kind), **scope}), 60.0), node.clock.now()
    )


@nodes_on_virtual_time
async def test_a_delayed_datagram_arrives_so_much_later_at_either_end(
    nodes: dict[str, Node],
) -> None:
    for end in ("node-1", "node-2"):
        here = nodes[end]
        afflict(here, Delay(0.5), direction=Direction.OUTGOING if end == "node-1" else Direction.INCOMING)
        before = len(nodes["node-2"].inbox)
        assert nodes["node-1"].send("node-2")
        await here.clock.sleep(0.499)
        assert len(nodes["node-2"].inbox) == before
        await here.clock.sleep(0.1)
        assert len(nodes["node-2"].inbox) == before + 1
        here.table.heal([seen.fault.id for seen in here.table.list(here.clock.now())], here.clock.now())


@nodes_on_virtual_time
async def test_a_doubled_datagram_arrives_twice(nodes: dict[str, Node]) -> None:
    afflict(nodes["node-1"], Duplicate(1.0))
    nodes["node-1"].send("node-2")
    await nodes["node-1"].clock.sleep(1)
    assert len(nodes["node-2"].inbox) == 2


@nodes_on_virtual_time
async def test_a_spoilt_datagram_differs_in_one_bit_behind_its_header(nodes: dict[str, Node]) -> None:
    afflict(nodes["node-1"], Corrupt(1.0))
    sent = bytes(range(40))
    nodes["node-1"].underlay.send(Channel.DATA, ADDRESSES["node-2"], 0, sent)
    await nodes["node-1"].clock.sleep(1)
    ((_, _, heard),) = nodes["node-2"].inbox
    assert heard[:8] == sent[:8]
    assert sum((a ^ b).bit_count() for a, b in zip(heard, sent, strict=True)) == 1


@nodes_on_virtual_time
async def test_only_conversations_that_stood_before_are_cut(nodes: dict[str, Node]) -> None:
    here, other = nodes["node-1"], ADDRESSES["node-2"]
    here.underlay.send(Channel.DATA, other, 111, b"old flow")
    afflict(here, Partition(flows=Flows.ESTABLISHED), "node-2")
    here.underlay.send(Channel.DATA, other, 111, b"old flow")
    here.underlay.send(Channel.DATA, other, 222, b"new flow")
    await here.clock.sleep(1)
    assert [datagram for _, _, datagram in nodes["node-2"].inbox] == [b"old flow", b"new flow"]
    assert here.lost == 1


@nodes_on_virtual_time
async def test_a_call_that_is_late_takes_longer_or_too_long(nodes: dict[str, Node]) -> None:
    here = nodes["node-1"]
    afflict(here, Delay(0.1))
    before = here.clock.now()
    await here.probe("node-2")
    assert here.clock.now() - before == pytest.approx(0.2, abs=0.01)
    afflict(here, Delay(0.6))
    before = here.clock.now()
    with pytest.raises(Unreachable):
        await here.probe("node-2")
    assert here.clock.now() - before == pytest.approx(TIMEOUT_S)

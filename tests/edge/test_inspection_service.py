"""What a node tells about itself over gRPC: state, tables, drops, and hops as they happen."""

from __future__ import annotations

import asyncio
import socket

import pytest

from kvstore.errors import StoreUnavailable
from node.edge import inspection_messages
from node.edge.client import NodeClient
from node.edge.inspection import HOPS_WAITING_MAX, OBSERVERS_MAX
from node.errors import InvalidParameter, NotFound, Unavailable
from node.model.inspection import (
    DropCount,
    ForwardingRow,
    Hop,
    MemberSeen,
    NeighborRow,
    NodeStatus,
    ObserveFilter,
    Outer,
    PortRow,
    SegmentTables,
)
from node.model.moment import Moment
from node.seams import Unreachable
from tests.edge_places import free_port, some_address
from tests.patience import PATIENCE_S, until
from tests.rpc_nodes import STATUS, Bench

TABLES = SegmentTables(
    segment="web",
    vni=4097,
    forwarding=(
        ForwardingRow(mac="02:42:0a:00:01:03", port="tunnel", vtep="127.0.0.3"),
        ForwardingRow(mac="02:42:0a:00:01:02", port="c1", age_s=1.5),
    ),
    neighbors=(NeighborRow(address="10.0.1.3", mac="02:42:0a:00:01:03", vtep="127.0.0.3"),),
    ports=(PortRow(name="c1", mac="02:42:0a:00:01:02", mtu=1450),),
)


async def test_a_node_tells_how_it_stands_with_the_memory_of_its_process(bench: Bench) -> None:
    member = MemberSeen(
        name="node-2",
        lan_address="192.168.65.3",
        underlay_address="127.0.0.3",
        control_address="127.0.0.3:2377",
        round_trip_s=0.0,
        failures=3,
    )
    bench.shown.node_status = NodeStatus(
        name="node-1",
        id="y" * 25,
        role="worker",
        started="t",
        revision=2**40,
        store_connected=True,
        members=(member,),
    )
    status = await bench.client.status()
    assert status.members == (member,), "a round trip of 0 is not the same as none"
    assert (status.id, status.role, status.revision, status.store_connected) == (
        "y" * 25,
        "worker",
        2**40,
        True,
    )
    assert 1_000_000 < status.memory_bytes < 10**10


async def test_tables_are_told_whole_or_by_segment(bench: Bench) -> None:
    plain = SegmentTables(segment="lan")
    bench.shown.segments = (TABLES, plain)
    assert await bench.client.tables() == (TABLES, plain)
    assert await bench.client.tables("lan") == (plain,)
    with pytest.raises(NotFound, match="segment nowhere not found"):
        await bench.client.tables("nowhere")


async def test_tables_of_many_thousand_rows_arrive(bench: Bench) -> None:
    rows = tuple(
        ForwardingRow(mac="02:42:0a:00:01:03", port="tunnel", vtep="127.0.0.3") for _ in range(150_000)
    )
    bench.shown.segments = (SegmentTables(segment="web", forwarding=rows),)
    (tables,) = await bench.client.tables()
    assert len(tables.forwarding) == len(rows)


async def test_drops_are_told(bench: Bench) -> None:
    bench.shown.counted = (
        DropCount(name="underlay_fault", count=2**40),
        DropCount(name="no_port", segment="web", count=1),
    )
    assert await bench.client.drops() == bench.shown.counted
    bench.shown.overrun = 7
    assert (await bench.client.drops())[-1] == DropCount(name="underlay_overrun", count=7)


WHOLE_HOP = Hop(
    monotonic_ns=2**60,
    wall_ns=2**60 + 1,
    stage="encapsulate",
    segment="web",
    port="tunnel",
    frame=bytes(range(256)),
    outer=Outer(source="127.0.0.2", destination="127.0.0.3", vni=4097, udp_port=4789, vlan=10),
    verdict="sent",
)
BARE_HOP = Hop(monotonic_ns=1, wall_ns=2, stage="deliver", segment="lan")


async def test_hops_are_told_in_order_and_numbered_and_the_filter_arrives(bench: Bench) -> None:
    wanted = ObserveFilter(segment="web", port="c1", address="10.0.1.3", frame_bytes_max=100)
    async with asyncio.timeout(PATIENCE_S), bench.client.observe(wanted) as hops:
        ((heard, hear),) = bench.shown.observers
        assert heard == wanted
        for hop in (WHOLE_HOP, BARE_HOP):
            hear(hop)
        assert [numbered(await anext(hops)) for _ in range(2)] == [(1, WHOLE_HOP), (2, BARE_HOP)]


def numbered(hop: Hop) -> tuple[int, Hop]:
    """A hop's number, and the hop as it was before it got one."""
    bare = inspection_messages.hop(inspection_messages.hop_message(hop))
    fields = {name: getattr(bare, name) for name in Hop.__struct_fields__ if name != "sequence"}
    return hop.sequence, Hop(**fields)


async def test_an_observer_that_leaves_is_forgotten(bench: Bench) -> None:
    async with bench.client.observe(ObserveFilter()):
        assert len(bench.shown.observers) == 1
    await until(lambda: not bench.shown.observers)


async def test_a_slow_observer_misses_hops_and_sees_how_many(bench: Bench) -> None:
    async with asyncio.timeout(PATIENCE_S), bench.client.observe(ObserveFilter()) as hops:
        ((_, hear),) = bench.shown.observers
        for _ in range(HOPS_WAITING_MAX + 500):
            hear(BARE_HOP)
        for number in range(1, HOPS_WAITING_MAX + 1):
            assert (await anext(hops)).sequence == number
        hear(BARE_HOP)
        assert (await anext(hops)).sequence == HOPS_WAITING_MAX + 501


async def test_observers_are_bounded(bench: Bench) -> None:
    async with asyncio.timeout(PATIENCE_S):
        observing = [bench.client.observe(ObserveFilter()) for _ in range(OBSERVERS_MAX)]
        for each in observing:
            await each.__aenter__()
        with pytest.raises(Unavailable, match="end one first"):
            async with bench.client.observe(ObserveFilter()):
                pass
        for each in observing:
            await each.__aexit__(None, None, None)


@pytest.mark.parametrize("wanted", [ObserveFilter(address="10.0.1"), ObserveFilter(frame_bytes_max=65_536)])
async def test_a_filter_that_makes_no_sense_is_refused(bench: Bench, wanted: ObserveFilter) -> None:
    with pytest.raises(InvalidParameter):
        async with bench.client.observe(wanted):
            pass
    assert bench.shown.observers == []


async def test_an_observer_hears_when_the_node_goes(bench: Bench) -> None:
    async with asyncio.timeout(PATIENCE_S), bench.client.observe(ObserveFilter()) as hops:
        await bench.server.stop(0)
        with pytest.raises(Unreachable):
            await anext(hops)


async def test_a_node_that_is_not_there_is_unreachable() -> None:
    address = some_address()
    async with NodeClient(f"{address}:{free_port(address, socket.SOCK_STREAM)}", timeout_s=0.5) as client:
        with pytest.raises(Unreachable, match=f"no node answers at {address}"):
            await client.status()
        with pytest.raises(Unreachable):
            async with client.observe(ObserveFilter()):
                pass


def test_status_of_a_test_is_what_it_says() -> None:
    assert inspection_messages.status(inspection_messages.status_message(STATUS)) == STATUS


async def test_a_moment_is_told_and_an_unreadable_store_is_a_sentence(bench: Bench) -> None:
    bench.shown.shown_moment = Moment(revision=7, zones={"n": {"web": ("10.0.1.2",)}}, taken=(("tcp", 80),))
    assert await bench.client.moment() == bench.shown.shown_moment
    bench.shown.unreadable = StoreUnavailable("state.db is locked")
    with pytest.raises(Unreachable, match=r"state\.db is locked"):
        await bench.client.moment()

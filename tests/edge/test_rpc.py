"""Chaos and inspection over gRPC, as the bench uses them; and what a stranger may do to the port."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from node.chaos.control import Unanswered
from node.chaos.faults import Direction, Injection, Mode, Partition, Plane, Scope
from node.chaos.table import FaultTable
from node.edge import inspection_messages
from node.edge.channels import CHANNELS_MAX, Channels
from node.edge.chaos_messages import injection
from node.edge.client import NodeClient
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl
from node.edge.inspection import HOPS_WAITING_MAX, OBSERVERS_MAX
from node.edge.rpc_server import RpcServer
from node.errors import Conflict, InvalidParameter, NotFound, Unavailable
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
from node.rpc.v1 import chaos_pb2, chaos_pb2_grpc
from node.seams import Unreachable
from tests.contract.test_control import Answers
from tests.edge_places import free_port, some_address
from tests.patience import PATIENCE_S, until
from tests.rpc_nodes import STATUS, Shown, serving


@dataclass
class Bench:
    """A served node, and a client of it."""

    address: str
    server: RpcServer
    control: GrpcControl
    faults: FaultTable
    shown: Shown
    client: NodeClient


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    host = some_address()
    port = free_port(host, socket.SOCK_STREAM)
    control, faults, shown = GrpcControl(SystemClock()), FaultTable(random.Random(1)), Shown()
    address = f"{host}:{port}"
    async with (
        serving(host, port, control, faults, shown) as server,
        NodeClient(address, timeout_s=5.0) as client,
    ):
        yield Bench(address, server, control, faults, shown, client)
    await control.close()


# -- chaos ----------------------------------------------------------------------------------------

EVERYTHING = Injection(
    Partition(Mode.REJECT),
    Scope(("node-2", "node-3"), Direction.INCOMING, (Plane.STORE, Plane.DATA)),
    30.0,
    "cut-1",
)


async def test_a_fault_is_injected_listed_and_healed(bench: Bench) -> None:
    assert await bench.client.inject(EVERYTHING) == "cut-1"
    (seen,) = await bench.client.faults()
    assert (seen.fault.kind, seen.fault.scope, seen.hits) == (EVERYTHING.kind, EVERYTHING.scope, 0)
    assert 29.0 < seen.remaining_s <= 30.0
    assert await bench.client.heal(["cut-1", "cut-2"]) == ("cut-1",)
    assert await bench.client.faults() == ()


async def test_a_node_names_a_fault_that_has_no_name(bench: Bench) -> None:
    first = await bench.client.inject(Injection(Partition(), Scope(), 30.0))
    second = await bench.client.inject(Injection(Partition(), Scope(), 30.0))
    assert len({first, second, ""}) == 3
    assert set(await bench.client.heal_all()) == {first, second}


async def test_groups_become_the_peers_that_this_node_loses(bench: Bench) -> None:
    await bench.client.inject(
        Injection(Partition(), Scope(), 30.0), [["node-3", "node-2"], ["node-1", "node-4"]]
    )
    (seen,) = await bench.client.faults()
    assert seen.fault.scope == Scope(("node-2", "node-3"))


async def test_what_makes_no_sense_is_refused_in_the_nodes_own_words(bench: Bench) -> None:
    await bench.client.inject(EVERYTHING)
    with pytest.raises(Conflict, match="fault cut-1 is in force already"):
        await bench.client.inject(EVERYTHING)
    with pytest.raises(InvalidParameter, match="none of the groups"):
        await bench.client.inject(Injection(Partition(), Scope(), 30.0), [["node-8"], ["node-9"]])


@pytest.mark.parametrize(
    ("request_message", "reason"),
    [
        (chaos_pb2.InjectRequest(duration_s=5), "kind"),
        (chaos_pb2.InjectRequest(duration_s=5, partition={"mode": 9}), "kind"),
        (chaos_pb2.InjectRequest(partition={}), "lasts"),
        (chaos_pb2.InjectRequest(duration_s=float("nan"), partition={}), "lasts"),
        (chaos_pb2.InjectRequest(duration_s=5, partition={}, scope={"direction": 9}), "value 9"),
        (chaos_pb2.InjectRequest(duration_s=5, partition={}, scope={"planes": [0]}), "value 0"),
        (chaos_pb2.InjectRequest(duration_s=5, partition={}, scope={"groups": {}}), "none of the groups"),
        (chaos_pb2.InjectRequest(duration_s=5, partition={}, fault_id="x" * 17), "fault id"),
    ],
)
async def test_messages_that_no_client_of_ours_would_send_are_refused(
    bench: Bench, request_message: chaos_pb2.InjectRequest, reason: str
) -> None:
    async with grpc.aio.insecure_channel(bench.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await chaos_pb2_grpc.ChaosServiceStub(channel).Inject(request_message, timeout=5)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason in refusal.value.details()


async def test_what_is_left_out_of_a_message_has_the_meaning_that_the_contract_says(bench: Bench) -> None:
    async with grpc.aio.insecure_channel(bench.address) as channel:
        await chaos_pb2_grpc.ChaosServiceStub(channel).Inject(
            chaos_pb2.InjectRequest(duration_s=5, partition={}), timeout=5
        )
    (seen,) = await bench.client.faults()
    assert seen.fault.kind == Partition(Mode.DROP)
    assert seen.fault.scope == Scope((), Direction.BOTH, (Plane.DATA, Plane.CABLE, Plane.CONTROL))


async def test_a_node_that_is_cut_off_from_everything_still_hears_the_bench(bench: Bench) -> None:
    await bench.client.inject(Injection(Partition(), Scope(planes=tuple(Plane)), 30.0))
    assert (await bench.client.status()).name == "node-1"
    assert len(await bench.client.heal_all()) == 1


# -- inspection -----------------------------------------------------------------------------------

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
    outer=Outer(source="127.0.0.2", destination="127.0.0.3", vni=4097),
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


# -- strangers on the port ------------------------------------------------------------------------


async def still_answers(bench: Bench) -> None:
    bench.control.serve(Answers())
    assert await bench.control.probe(bench.address, sender="node-2", timeout_s=5.0) > 0


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x00" * 100_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 70_000,
        random.Random(1).randbytes(200_000),
    ],
    ids=["nothing", "zeros", "http1", "broken-http2", "noise"],
)
async def test_junk_on_the_port_hurts_nobody(bench: Bench, junk: bytes) -> None:
    host, _, port = bench.address.partition(":")
    async with asyncio.timeout(PATIENCE_S):
        _, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(junk)
            await still_answers(bench)
            if len(junk) > 100:
                await writer.drain()
        except ConnectionError:
            pass  # the server would hear no more of it
        finally:
            writer.close()
    await still_answers(bench)


async def test_an_oversized_request_is_refused(bench: Bench) -> None:
    async with grpc.aio.insecure_channel(bench.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await chaos_pb2_grpc.ChaosServiceStub(channel).Heal(
                chaos_pb2.HealRequest(fault_ids=["x" * 100_000]), timeout=5
            )
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await still_answers(bench)


@given(st.binary(max_size=200))
def test_no_bytes_of_a_request_make_an_unknown_error(noise: bytes) -> None:
    """Whatever parses as a request is answered or refused by name; the rest never reaches us."""
    with contextlib.suppress(DecodeError, InvalidParameter):
        injection(chaos_pb2.InjectRequest.FromString(noise), "node-1")


@pytest.mark.parametrize("sender", ["", "x" * 64])
async def test_a_sender_without_a_proper_name_is_refused(bench: Bench, sender: str) -> None:
    answers = Answers()
    bench.control.serve(answers)
    with pytest.raises(Unreachable, match="invalid argument"):
        await bench.control.probe(bench.address, sender=sender, timeout_s=5.0)
    assert answers.probes == []


async def test_a_taken_port_is_named(bench: Bench) -> None:
    host, _, port = bench.address.partition(":")
    with pytest.raises(Unavailable, match=f"TCP port {port} of {host} is in use: stop what uses it"):
        async with serving(host, int(port), GrpcControl(SystemClock())):
            pass


@pytest.mark.parametrize(
    ("refusal", "waits"), [(Unanswered("swallowed"), True), (Unreachable("refused"), False)]
)
async def test_a_swallowed_call_takes_all_its_callers_time_and_a_refused_one_none(
    bench: Bench, refusal: Unreachable, waits: bool
) -> None:
    await still_answers(bench)  # connected already
    bench.control.serve(Answers(refusal=refusal))
    began = bench.control.clock.now()
    with pytest.raises(Unreachable):
        await bench.control.probe(bench.address, sender="node-2", timeout_s=0.4)
    assert (bench.control.clock.now() - began >= 0.39) is waits


# -- connections ----------------------------------------------------------------------------------


async def test_a_node_that_comes_back_is_found_again(bench: Bench) -> None:
    bench.control.serve(Answers())
    await still_answers(bench)
    await bench.server.stop(0)
    with pytest.raises(Unreachable):
        await bench.control.probe(bench.address, sender="node-2", timeout_s=0.2)
    await bench.server.start()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await bench.control.probe(bench.address, sender="node-2", timeout_s=0.5)
                return
            except Unreachable:
                await asyncio.sleep(0.05)


async def test_connections_are_bounded_and_idle_ones_closed() -> None:
    now = 0.0

    class Clock(SystemClock):
        def now(self) -> float:
            return now

    channels = Channels(Clock())
    for number in range(CHANNELS_MAX + 20):
        async with channels.use(f"127.0.0.1:{number + 1}"):
            pass
    assert len(channels) == CHANNELS_MAX
    now = 61.0
    async with channels.use("127.0.0.1:1"):
        pass
    assert len(channels) == 1
    await channels.close()


def test_status_of_a_test_is_what_it_says() -> None:
    assert inspection_messages.status(inspection_messages.status_message(STATUS)) == STATUS

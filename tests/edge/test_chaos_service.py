"""Faults put into force, listed and healed over gRPC, as the bench does it."""

from __future__ import annotations

import grpc
import pytest

from node.chaos.faults import Direction, Injection, Scope
from node.chaos.kinds import Mode, Partition, Plane
from node.errors import Conflict, InvalidParameter
from node.rpc.v1 import chaos_pb2, chaos_pb2_grpc
from tests.rpc_nodes import Bench

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
        (chaos_pb2.InjectRequest(duration_s=5, partition={"mode": 9}), "mode 9"),
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
    await bench.client.inject(Injection(Partition(), Scope(planes=Partition.planes), 30.0))
    assert (await bench.client.status()).name == "node-1"
    assert len(await bench.client.heal_all()) == 1

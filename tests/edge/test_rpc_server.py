"""The gRPC port under strangers, junk and its limits; and the connections to others."""

from __future__ import annotations

import asyncio
import contextlib
import random

import grpc
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from node.chaos.control import Unanswered
from node.edge.channels import CHANNELS_MAX, Channels
from node.edge.chaos_messages import injection
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl
from node.errors import InvalidParameter, Unavailable
from node.rpc.v1 import chaos_pb2, chaos_pb2_grpc
from node.seams import Unreachable
from tests.contract.test_control import Answers
from tests.patience import PATIENCE_S
from tests.rpc_nodes import Bench, serving

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

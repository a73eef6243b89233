"""The real iperf3, in a kernel's namespace, measures with ours, over TAP."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from node.edge.clock import SystemClock
from node.programs.iperf3.command import iperf3
from node.programs.process import Files, Process, Userland
from node.programs.signals import Handlers
from node.programs.streams import Pipe, Writer
from node.stack.sandbox import Sandbox
from tests.stack.kernel_peer import KERNEL, OURS, KernelPeer, kernel_peer

SHORT_S = 20.0


@pytest.fixture
def kernel(needs_root: None) -> Iterator[KernelPeer]:
    if shutil.which("iperf3") is None:
        pytest.skip("this test measures with the real iperf3: install the package iperf3")
    with kernel_peer() as peer:
        yield peer


@pytest.fixture
async def ours(kernel: KernelPeer) -> AsyncIterator[Sandbox]:
    sandbox, _ = kernel.join()
    yield sandbox
    kernel.leave(sandbox)


def program(sandbox: Sandbox, out: list[bytes], *arguments: str) -> Process:
    """Ours, in the sandbox at the other end of the cable."""
    userland = Userland(
        sandbox=sandbox,
        clock=SystemClock(),
        chance=random.Random(1),
        hostname="ours",
        family="gnu",
        files=Files({}),
    )
    writer = Writer(out.append)
    return Process(
        userland=userland,
        arguments=("iperf3", *arguments),
        environment={},
        working_directory="/",
        stdin=Pipe(),
        stdout=writer,
        stderr=writer,
        tty=False,
        pid=1,
        signals=Handlers(),
    )


TESTS = {
    "tcp": ("-n", "2M"),
    "tcp, several, back": ("-n", "2M", "-P", "3", "-R"),
    "udp": ("-u", "-b", "4M", "-t", "1"),
    "udp, back": ("-u", "-b", "4M", "-t", "1", "-R", "-P", "2"),
}


@pytest.mark.parametrize("name", TESTS)
async def test_the_real_client_and_our_server(kernel: KernelPeer, ours: Sandbox, name: str) -> None:
    out: list[bytes] = []
    async with asyncio.timeout(SHORT_S):
        server = asyncio.create_task(iperf3(program(ours, out, "-s", "-1", "-i", "0")))
        await asyncio.sleep(0)
        told = json.loads(await asyncio.to_thread(kernel.run, "iperf3", "-J", "-c", OURS, *TESTS[name]))
        assert await server == 0
    check(told, name)
    assert b"Accepted connection from 10.99.0.1" in b"".join(out)


@pytest.mark.parametrize("name", TESTS)
async def test_our_client_and_the_real_server(kernel: KernelPeer, ours: Sandbox, name: str) -> None:
    out: list[bytes] = []
    async with asyncio.timeout(SHORT_S):
        server = asyncio.create_task(asyncio.to_thread(kernel.run, "iperf3", "-s", "-1", "-J"))
        while ":5201" not in await asyncio.to_thread(kernel.run, "ss", "-tln"):
            await asyncio.sleep(0)
        code = await iperf3(program(ours, out, "-J", "-c", KERNEL, *TESTS[name]))
        assert code == 0, b"".join(out)
        check(json.loads(await server), name)
    check(json.loads(b"".join(out)), name)


def check(told: dict, name: str) -> None:  # type: ignore[type-arg]
    """What either side says of a test: all that was asked for, and next to nothing lost."""
    assert "error" not in told, told
    sums = told["end"]
    if name.startswith("tcp"):
        assert max(sums[key]["bytes"] for key in ("sum_sent", "sum_received") if key in sums) >= 2 << 20
    else:
        whole = sums.get("sum") or sums.get("sum_received") or sums["sum_sent"]
        assert whole["packets"] > 100
        assert whole["lost_percent"] < 5

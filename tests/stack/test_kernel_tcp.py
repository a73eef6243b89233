"""TCP with the Linux kernel as the other end, through a TAP device."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest

from node.datapath.drops import Counters, Drop
from node.stack.sandbox import Sandbox
from node.stack.streams import TcpStream
from tests.stack.kernel_peer import KERNEL, OURS, KernelPeer, Trouble, kernel_peer

BULK_BYTES = 3_000_000
SHORT_S = 5.0
LONG_S = 30.0


@pytest.fixture
def kernel(needs_root: None) -> Iterator[KernelPeer]:
    with kernel_peer() as peer:
        yield peer


@pytest.fixture
async def ours(kernel: KernelPeer) -> AsyncIterator[tuple[Sandbox, Counters]]:
    sandbox, counters = kernel.join()
    yield sandbox, counters
    kernel.leave(sandbox)


async def read_all(stream: TcpStream) -> bytes:
    parts = []
    while part := await stream.read():
        parts.append(part)
    return b"".join(parts)


async def receive_all(theirs: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    parts = []
    while part := await loop.sock_recv(theirs, 65_536):
        parts.append(part)
    return b"".join(parts)


async def called(sandbox: Sandbox, kernel: KernelPeer) -> tuple[TcpStream, socket.socket]:
    """We have connected to the kernel."""
    with kernel.open(socket.SOCK_STREAM) as listener:
        listener.bind((KERNEL, 8000))
        listener.listen()
        stream = await sandbox.connect_tcp(KERNEL, 8000)
        theirs, address = await asyncio.get_running_loop().sock_accept(listener)
    assert address == stream.local
    return stream, theirs


async def answered(sandbox: Sandbox, kernel: KernelPeer) -> tuple[TcpStream, socket.socket]:
    """The kernel has connected to us."""
    listener = sandbox.listen_tcp(OURS, 80)
    theirs = kernel.open(socket.SOCK_STREAM)
    await asyncio.get_running_loop().sock_connect(theirs, (OURS, 80))
    stream = await listener.accept()
    listener.close()
    assert stream.remote == theirs.getsockname()
    return stream, theirs


async def write_and_finish(stream: TcpStream, data: bytes) -> None:
    await stream.write(data)
    stream.finish()


async def send_and_finish(theirs: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(theirs, data)
    theirs.shutdown(socket.SHUT_WR)


async def exchange(
    stream: TcpStream, theirs: socket.socket, there: bytes, back: bytes
) -> tuple[bytes, bytes]:
    """Send both ways at once, then end both ways; what arrived there, and what arrived here."""
    heard, received, *_ = await asyncio.gather(
        receive_all(theirs), read_all(stream), write_and_finish(stream, there), send_and_finish(theirs, back)
    )
    return heard, received


BOTH = pytest.mark.parametrize("begin", [called, answered])


@BOTH
async def test_bulk_goes_both_ways_at_once(kernel: KernelPeer, ours, begin) -> None:  # type: ignore[no-untyped-def]
    sandbox, counters = ours
    there, back = Random(1).randbytes(BULK_BYTES), Random(2).randbytes(BULK_BYTES)
    async with asyncio.timeout(LONG_S):
        stream, theirs = await begin(sandbox, kernel)
        with theirs:
            heard, received = await exchange(stream, theirs, there, back)
    assert heard == there
    assert received == back
    assert counters.drops == {}


TROUBLES = {
    "loss": Trouble(loss=0.02),
    "reordering": Trouble(delay_s=0.001, jitter_s=0.003),
    "all": Trouble(loss=0.01, duplicate=0.02, corrupt=0.005, delay_s=0.002, jitter_s=0.002),
}


@BOTH
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_bad_link_loses_nothing(kernel: KernelPeer, begin, trouble: str) -> None:  # type: ignore[no-untyped-def]
    sandbox, counters = kernel.join(trouble=TROUBLES[trouble])
    there, back = Random(3).randbytes(400_000), Random(4).randbytes(400_000)
    async with asyncio.timeout(LONG_S):
        stream, theirs = await begin(sandbox, kernel)
        with theirs:
            heard, received = await exchange(stream, theirs, there, back)
    kernel.leave(sandbox)
    assert heard == there
    assert received == back
    assert {drop for _, drop in counters.drops} <= {
        Drop.MALFORMED_PACKET,
        Drop.NOT_FOR_ME,
        Drop.UNKNOWN_PROTOCOL,
        Drop.MARTIAN,
    }


@BOTH
async def test_one_way_may_end_before_the_other(kernel: KernelPeer, ours, begin) -> None:  # type: ignore[no-untyped-def]
    sandbox, _ = ours
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SHORT_S):
        stream, theirs = await begin(sandbox, kernel)
        with theirs:
            stream.finish()
            assert await loop.sock_recv(theirs, 10) == b""
            await loop.sock_sendall(theirs, b"still here")
            assert await stream.read() == b"still here"
            theirs.shutdown(socket.SHUT_WR)
            assert await stream.read() == b""
            with pytest.raises(BrokenPipeError):
                await stream.write(b"too late")


@BOTH
async def test_the_kernel_resets(kernel: KernelPeer, ours, begin) -> None:  # type: ignore[no-untyped-def]
    sandbox, _ = ours
    async with asyncio.timeout(SHORT_S):
        stream, theirs = await begin(sandbox, kernel)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        with pytest.raises(ConnectionResetError):
            await stream.read()


@BOTH
async def test_we_reset(kernel: KernelPeer, ours, begin) -> None:  # type: ignore[no-untyped-def]
    sandbox, _ = ours
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SHORT_S):
        stream, theirs = await begin(sandbox, kernel)
        with theirs:
            stream.abort()
            with pytest.raises(ConnectionResetError):
                await loop.sock_recv(theirs, 10)


async def test_closing_with_something_unread_resets(kernel: KernelPeer, ours) -> None:  # type: ignore[no-untyped-def]
    sandbox, _ = ours
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SHORT_S):
        stream, theirs = await called(sandbox, kernel)
        with theirs:
            await loop.sock_sendall(theirs, b"x" * 2000)
            assert await stream.read(1) == b"x"
            stream.close()
            with pytest.raises(ConnectionResetError):
                await loop.sock_recv(theirs, 10)


async def test_nobody_listens_on_either_side(kernel: KernelPeer, ours) -> None:  # type: ignore[no-untyped-def]
    sandbox, _ = ours
    async with asyncio.timeout(SHORT_S):
        with pytest.raises(ConnectionRefusedError):
            await sandbox.connect_tcp(KERNEL, 9)
        with kernel.open(socket.SOCK_STREAM) as theirs, pytest.raises(ConnectionRefusedError):
            await asyncio.get_running_loop().sock_connect(theirs, (OURS, 9))


async def test_who_does_not_read_is_not_flooded_and_loses_nothing(kernel: KernelPeer, ours) -> None:  # type: ignore[no-untyped-def]
    """Both windows close, are probed while they stand at zero, and open again."""
    sandbox, counters = ours
    there, back = Random(5).randbytes(6_000_000), Random(6).randbytes(6_000_000)
    async with asyncio.timeout(LONG_S):
        stream, theirs = await called(sandbox, kernel)
        with theirs:
            writing = asyncio.create_task(write_and_finish(stream, there))
            sending = asyncio.create_task(send_and_finish(theirs, back))
            block = stream._connection.block
            while block.sending.window or block.round_trip.wait_s < 0.5 or block.receiving.window() > 127:
                await asyncio.sleep(0.01)  # until both windows are shut, and ours was probed twice
            assert not writing.done()
            assert not sending.done()
            heard, received = await asyncio.gather(receive_all(theirs), read_all(stream))
            await asyncio.gather(writing, sending)
    assert heard == there
    assert received == back
    assert counters.drops == {}


async def test_a_full_backlog_takes_no_more(kernel: KernelPeer, ours) -> None:  # type: ignore[no-untyped-def]
    sandbox, counters = ours
    loop = asyncio.get_running_loop()
    listener = sandbox.listen_tcp(OURS, 80, backlog=2)
    callers = [kernel.open(socket.SOCK_STREAM) for _ in range(3)]
    async with asyncio.timeout(SHORT_S):
        for caller in callers[:2]:
            await loop.sock_connect(caller, (OURS, 80))
        third = asyncio.create_task(loop.sock_connect(callers[2], (OURS, 80)))
        while not counters.drops:
            await asyncio.sleep(0.01)
        assert not third.done()
        accepted = [await listener.accept()]
        await third  # the kernel's second SYN comes after a second
        accepted += [await listener.accept(), await listener.accept()]
    assert [stream.remote for stream in accepted] == [caller.getsockname() for caller in callers]
    assert counters.drops == {("", Drop.BACKLOG_FULL): 1}
    for caller in callers:
        caller.close()

"""The name server of one sandbox at 127.0.0.11, over UDP and TCP: answers at once, or asks others first.

    query --> Resolver --> an answer
                  |
                  +------> Forward: server after server, 4 s each, over the protocol that the query came by

Before all that stands a gate, which may hold questions up. Others are asked from the sandbox's own
network, as the engine does for servers that a user named with --dns
(moby: libnetwork/resolver.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from node.dns.resolver import Forward, Resolver, failure, is_final, refusal
from node.model.passage import Gate, Passage
from node.stack.sandbox import Sandbox
from node.stack.sockets import TextAddress
from node.stack.streams import TcpStream

ADDRESS = "127.0.0.11"
PORT = 53
FORWARD_S = 4.0
"""For each server."""
FORWARDS_MAX = 1024
"""Under way at once; more are answered with SERVFAIL."""
STREAMS_MAX = 64
STREAM_IDLE_S = 8.0


class NameServer:
    """Serves from the moment it is made until its sandbox is closed."""

    def __init__(self, sandbox: Sandbox, resolver: Resolver, gate: Gate) -> None:
        self._sandbox = sandbox
        self._resolver = resolver
        self._gate = gate
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._streams = 0
        # The engine's stands at other ports, and packets to 53 are redirected to it.
        self._datagrams, self._listener = sandbox.serve_behind(ADDRESS, PORT, self._answer)
        self._start(self._accept())

    def close(self) -> None:
        """End what is under way; the sockets are the sandbox's to close."""
        for task in list(self._tasks):
            task.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    # -- UDP --------------------------------------------------------------------------------------

    def _answer(self, query: bytes, client: TextAddress) -> bytes | None:
        answer = self._resolver.answer(query)
        passage = self._gate()
        if passage.lost or answer is None:
            return None
        if passage.refused:
            return refusal(query)
        if not isinstance(answer, Forward) and passage.delay_s <= 0:
            return answer
        if len(self._tasks) >= FORWARDS_MAX:
            return failure(query)
        self._start(self._answer_late(answer, passage, client))
        return None

    async def _answer_late(self, answer: bytes | Forward, passage: Passage, client: TextAddress) -> None:
        if passage.delay_s > 0:
            await self._sandbox.clock.sleep(passage.delay_s)
        if isinstance(answer, Forward):
            await self._forward_datagram(answer, client)
        else:
            self._datagrams.send(answer, client)

    async def _forward_datagram(self, forward: Forward, client: TextAddress) -> None:
        response = failure(forward.query)
        for server in forward.servers:
            try:
                async with asyncio.timeout(FORWARD_S):
                    heard = await self._ask_by_datagram(server, forward.query)
            except OSError:
                continue  # it cannot be reached, or did not answer in time: TimeoutError is one too
            if is_final(forward.query, heard):
                response = heard
                break
        self._datagrams.send(response, client)

    async def _ask_by_datagram(self, server: str, query: bytes) -> bytes:
        socket = self._sandbox.udp_socket()
        try:
            socket.connect(server, PORT)
            socket.send(query)
            while True:
                data, _ = await socket.receive()
                if data[:2] == query[:2]:
                    return data
        finally:
            socket.close()

    # -- TCP --------------------------------------------------------------------------------------

    async def _accept(self) -> None:
        while True:
            try:
                stream = await self._listener.accept()
            except OSError:
                return  # the sandbox has gone
            if self._streams >= STREAMS_MAX:
                stream.abort()
            else:
                self._start(self._serve(stream))

    async def _serve(self, stream: TcpStream) -> None:
        """Query after query, each with its length before it (RFC 1035 section 4.2.2)."""
        self._streams += 1
        try:
            while True:
                async with asyncio.timeout(STREAM_IDLE_S):
                    query = await _read_message(stream)
                answer = await self._answer_on_stream(query)
                if answer is None:
                    return
                await stream.write(len(answer).to_bytes(2, "big") + answer)
        except OSError:
            return  # it has ended, or takes too long
        finally:
            self._streams -= 1
            stream.close()

    async def _answer_on_stream(self, query: bytes) -> bytes | None:
        answer = self._resolver.answer(query, stream=True)
        passage = self._gate()
        if passage.lost or answer is None:
            return None
        if passage.refused:
            return refusal(query)
        if passage.delay_s > 0:
            await self._sandbox.clock.sleep(passage.delay_s)
        return await self._forward_stream(answer) if isinstance(answer, Forward) else answer

    async def _forward_stream(self, forward: Forward) -> bytes:
        for server in forward.servers:
            try:
                async with asyncio.timeout(FORWARD_S):
                    heard = await self._ask_by_stream(server, forward.query)
            except OSError:
                continue
            if is_final(forward.query, heard):
                return heard
        return failure(forward.query)

    async def _ask_by_stream(self, server: str, query: bytes) -> bytes:
        stream = await self._sandbox.connect_tcp(server, PORT)
        try:
            await stream.write(len(query).to_bytes(2, "big") + query)
            return await _read_message(stream)
        finally:
            stream.close()


async def _read_message(stream: TcpStream) -> bytes:
    """A message with its length before it. Raises OSError, also at the end."""
    length = int.from_bytes(await _read_exactly(stream, 2), "big")
    return await _read_exactly(stream, length)


async def _read_exactly(stream: TcpStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = await stream.read(count - len(data))
        if not part:
            raise ConnectionResetError("the stream ended within a message")
        data += part
    return data

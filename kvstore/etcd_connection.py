"""One gRPC channel to etcd, and what it means when a call on it fails.

    ask      a read: waits for the connection; whatever fails, nothing was changed
    change   is the connection there? --no--> StoreUnavailable: nothing was sent
                 `--yes--> sent once; no answer: OutcomeUnknown

Every call has a deadline, and none is ever repeated here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc.aio
from aetcd import rpc

from kvstore.errors import OutcomeUnknown, StoreError, StoreUnavailable
from kvstore.etcd_messages import MATCHES_ALL

LISTING_BYTES_MAX = 64 * 1024 * 1024
"""The biggest answer that is read (gRPC's own default is 4 MiB)."""

CHANNEL_OPTIONS = (
    # What was sent once is never sent again behind the caller's back.
    ("grpc.enable_retries", 0),
    # Back quickly after etcd was away: pause before the second attempt, one attempt's time, last pause.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    # Give up a connection whose other end is frozen or gone without a word. etcd allows pings this
    # often as long as it sends something in between, which every watch sees to (etcd_watch.py).
    ("grpc.keepalive_time_ms", 3000),
    ("grpc.keepalive_timeout_ms", 2000),
    ("grpc.max_receive_message_length", LISTING_BYTES_MAX),
    # Each store is a client of its own, with its own connection, straight to etcd.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)

REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
)
"""etcd has answered, and the answer is no (etcd: api/v3rpc/rpctypes/error.go)."""

BROKEN = (grpc.aio.AioRpcError, asyncio.InvalidStateError)
"""What a stream raises that broke: the second from a write to one that is over already."""


class Refused(StoreError):
    """etcd has answered that it will not do this; nothing was changed."""

    def __init__(self, code: grpc.StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class EtcdConnection:
    """An open channel and etcd's services on it. ``name`` is what people are told."""

    def __init__(self, target: str, name: str, timeout_s: float) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
        self._name = name
        self._timeout_s = timeout_s
        self._closed = False
        self.kv = rpc.KVStub(self._channel)
        self.lease = rpc.LeaseStub(self._channel)
        self.watch = rpc.WatchStub(self._channel)

    async def ask(self, method: Callable[..., Any], request: object) -> Any:
        """The answer of a call that changes nothing, or that may be made twice without harm."""
        return await self._call(method, request, StoreUnavailable, wait_for_ready=True)

    async def change(self, method: Callable[..., Any], request: object) -> Any:
        """The answer of a call that changes something. Raises OutcomeUnknown if none came."""
        if self._channel.get_state() is not grpc.ChannelConnectivity.READY:
            # A small read waits for the connection, so that the change itself need not: a call
            # that waits in gRPC's queue until its deadline would not tell whether it was sent.
            await self.ask(self.kv.Range, rpc.RangeRequest(key=MATCHES_ALL, serializable=True))
        return await self._call(method, request, OutcomeUnknown, wait_for_ready=False)

    async def exchange(self, method: Callable[..., Any], request: object) -> Any:
        """The first answer on a stream opened for one message, which may be sent twice without harm."""
        stream = method(timeout=self._timeout_s, wait_for_ready=True)
        try:
            await stream.write(request)
            answer = await stream.read()
        except BROKEN as error:
            raise self._failure(error, StoreUnavailable) from error
        finally:
            stream.cancel()
        if answer is grpc.aio.EOF:
            raise StoreUnavailable(f"{self._name} gave no answer")
        return answer

    async def close(self) -> None:
        """Give up the connection; calls under way fail."""
        self._closed = True
        await self._channel.close()

    async def _call(
        self, method: Callable[..., Any], request: object, lost: type[StoreError], *, wait_for_ready: bool
    ) -> Any:
        try:
            return await method(request, timeout=self._timeout_s, wait_for_ready=wait_for_ready)
        except grpc.aio.AioRpcError as error:
            raise self._failure(error, lost) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                # gRPC cancels what runs on a channel that is closed: the call ended, not its caller.
                raise lost(f"the connection to {self._name} was closed") from None
            raise

    def _failure(self, error: Exception, lost: type[StoreError]) -> StoreError:
        code = error.code() if isinstance(error, grpc.aio.AioRpcError) else None
        if code in REFUSALS:
            return Refused(code, f"{self._name} refused: {told(error)}")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            # etcd takes nothing more (its quota, its queue), and has not taken this.
            return StoreUnavailable(f"{self._name} is full: {told(error)}")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return lost(f"{self._name} did not answer within {self._timeout_s:g} s")
        return lost(f"{self._name} cannot be reached: {told(error)}")


def told(error: Exception) -> str:
    """What gRPC says of a failure."""
    return str(error.details() if isinstance(error, grpc.aio.AioRpcError) else error)

"""Our errors as gRPC status codes, and back: the one table for both ends of chaos and inspection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc

from node.errors import Conflict, Failed, InvalidParameter, NodeError, NotFound, Unavailable
from node.seams import Unreachable

# UNAVAILABLE is not here: gRPC itself says so of a node that it does not reach.
CODES: dict[type[NodeError], grpc.StatusCode] = {
    InvalidParameter: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    Conflict: grpc.StatusCode.ALREADY_EXISTS,
    Unavailable: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Failed: grpc.StatusCode.INTERNAL,
}
_KINDS = {code: kind for kind, code in CODES.items()}
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@asynccontextmanager
async def errors_told(context: Any) -> AsyncIterator[None]:
    """Where a call is answered: a NodeError ends it with its code and sentence."""
    try:
        yield
    except NodeError as error:
        await context.abort(CODES[type(error)], str(error))


@contextmanager
def errors_raised(address: str) -> Iterator[None]:
    """Where a call is made: its status becomes Unreachable or a NodeError again."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        if error.code() in _UNREACHABLE:
            raise Unreachable(f"no node answers at {address}: {error.details()}") from error
        raise _KINDS.get(error.code(), Failed)(error.details() or error.code().name) from error

"""HTTP as the routes see it: a request comes in as a value, and one of three values goes out.

    Response   status, headers, the whole body
    Stream     the head at once, then the body piece by piece
    Hijack     the connection becomes a two-way stream of bytes (attach, exec)

Sockets are the edge's business (node/edge/http.py).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import msgspec

from node.api.fields import Fields
from node.errors import InvalidParameter
from node.model.engine import API_VERSION

JSON_TYPE = "application/json"
"""Exactly this, without a charset: the CLI shows the body of anything else as it is."""
RAW_STREAM = "application/vnd.docker.raw-stream"
MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"

OBJECT_BYTES_MAX = 256 * 1024
"""Of a request's JSON: a record is up to three times as long, and a store keeps a mebibyte at once."""

_FALSE = ("", "0", "no", "false", "none")
_NUMBER_MAX = 2**63


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` has no version prefix any more when it reaches a route; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    version: tuple[int, int] = API_VERSION
    """Of the API that the client speaks."""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """From the target of a request line, "/v1.50/networks?filters=..."."""
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        first = dict(reversed(pairs))  # of several values with one name, Go takes the first
        return cls(method, unquote(path), first, {k.lower(): v for k, v in headers.items()}, body)

    def text(self, name: str) -> str:
        """A parameter of the query; empty where there is none."""
        return self.query.get(name, "")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes or no: everything is yes but a few words (moby: httputils.BoolValue)."""
        value = self.query.get(name)
        return default if value is None else value.strip().lower() not in _FALSE

    def number(self, name: str) -> int | None:
        """A whole number, if one was given. Raises InvalidParameter."""
        text = self.text(name)
        if not text:
            return None
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > 19 or int(digits) >= _NUMBER_MAX:
            raise InvalidParameter(f'invalid value for {name}: "{text}" is not a number')
        return int(text)

    def fields(self) -> Fields:
        """The JSON object in the body; empty where there is no body. Raises InvalidParameter."""
        if not self.body:
            return Fields({})
        if len(self.body) > OBJECT_BYTES_MAX:
            raise InvalidParameter(f"the body has more than {OBJECT_BYTES_MAX} bytes: send less")
        kind = self.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != JSON_TYPE:
            raise InvalidParameter(f"unsupported Content-Type header ({kind}): must be '{JSON_TYPE}'")
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidParameter(f"invalid JSON: {error}") from None
        if value is not None and not isinstance(value, dict):
            raise InvalidParameter("invalid JSON: the body must be an object")
        return Fields(value or {})

    @property
    def upgrades(self) -> bool:
        """The client asks for the connection to become a stream of bytes."""
        return "upgrade" in self.headers


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose head goes out before its first piece is asked for.

    Whoever has it calls ``close`` in the end, whether or not it was read.
    """

    pieces: AsyncGenerator[bytes, None]
    headers: Mapping[str, str]
    close: Callable[[], object] = _nothing


class Connection(Protocol):
    """A hijacked connection."""

    async def read(self) -> bytes:
        """What the client sent next; b"" once it has sent its last. Raises ConnectionError."""

    async def write(self, data: bytes) -> None:
        """Send, waiting while the client is slow. Raises ConnectionError when it has gone."""

    async def gone(self) -> None:
        """Return when the client neither sends nor receives any more."""


@dataclass(frozen=True, slots=True)
class Hijack:
    """The connection is handed to ``talk``, and ended when that returns.

    Whoever has it calls ``close`` in the end, whether or not there was a talk.
    """

    content_type: str
    talk: Callable[[Connection], Awaitable[None]]
    close: Callable[[], object]
    upgrades: bool = True
    """The client asked for it (101); otherwise it gets a plain 200 and the same stream."""


Answer = Response | Stream | Hijack


def json_bytes(value: Any) -> bytes:
    """A value as the engine writes it: with a newline behind it."""
    return msgspec.json.encode(value) + b"\n"


def json_response(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(status, json_bytes(value), {"Content-Type": JSON_TYPE})

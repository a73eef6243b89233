"""Records to the bytes that stores hold, and back: JSON that etcdctl shows readably."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import msgspec

Record = TypeVar("Record")

REMEMBERED_MAX = 65_536
"""Values whose records are kept: a watch brings what a listing has brought, and a simulated world the same
bytes to every node."""

_encoder = msgspec.json.Encoder()
_decoders: dict[type, msgspec.json.Decoder[object]] = {}


class Undecodable(ValueError):
    """A stored value is not the record that its key promises."""


def encode(record: object) -> bytes:
    """A record as compact JSON."""
    return _encoder.encode(record)


def decode(value: bytes, kind: type[Record]) -> Record:
    """A stored value as a record of the given kind. Raises Undecodable."""
    record = _decoded(value, kind)  # type: ignore[arg-type] # mypy does not see that classes are hashable
    assert isinstance(record, kind)
    return record


@lru_cache(REMEMBERED_MAX)
def _decoded(value: bytes, kind: type) -> object:
    """Records are frozen, and whoever has one changes nothing in it: all may have the same."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Undecodable(f"not a {kind.__name__}: {error}") from None

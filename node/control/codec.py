"""Records to the bytes that stores hold, and back: JSON that etcdctl shows readably."""

from __future__ import annotations

from typing import TypeVar

import msgspec

Record = TypeVar("Record")

_encoder = msgspec.json.Encoder()
_decoders: dict[type, msgspec.json.Decoder[object]] = {}


class Undecodable(ValueError):
    """A stored value is not the record that its key promises."""


def encode(record: object) -> bytes:
    """A record as compact JSON."""
    return _encoder.encode(record)


def decode(value: bytes, kind: type[Record]) -> Record:
    """A stored value as a record of the given kind. Raises Undecodable."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        record = decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"not a {kind.__name__}: {error}") from None
    assert isinstance(record, kind)
    return record

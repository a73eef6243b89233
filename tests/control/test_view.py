"""What a view makes of values that nobody here has written, or that another version has."""

from __future__ import annotations

import pytest

from kvstore.store import Batch, Event, KeyValue
from node.control import keys
from node.control.codec import encode
from node.control.view import View
from node.model.network import NetworkRecord

NETWORK = NetworkRecord(id="n1", name="shop", driver="bridge", scope="local", created="")
PLACES = (
    keys.node("a"),
    keys.member("a"),
    keys.network("n1"),
    keys.endpoint("n1", "e1"),
    keys.address("n1", "10.0.0.2"),
    keys.last_address("n1"),
    keys.container("c1"),
    keys.debt(1),
)


def put(view: View, key: str, value: bytes) -> None:
    revision = view.revision + 1
    view.fold(Batch(revision, [Event(key, KeyValue(key, value, revision, revision))]))


@pytest.mark.parametrize("value", [b"", b"\xff", b'{"id": "\xff"}', b"{}", b"[]", b"null"])
def test_a_value_that_is_no_record_is_set_aside_until_a_good_one_comes(value: bytes) -> None:
    view = View()
    for key in PLACES:
        put(view, key, value)
    assert set(view.undecodable) == {key for key in PLACES if "address" not in key}
    assert not view.networks
    put(view, keys.network("n1"), encode(NETWORK))
    assert view.networks == {"n1": NETWORK}
    assert keys.network("n1") not in view.undecodable

"""Between the Store's value types and etcd's protobuf messages (etcd: api/etcdserverpb/rpc.proto)."""

from __future__ import annotations

from aetcd import rpc

from kvstore.store import Compare, Delete, Event, KeyValue, Put, Transaction

MATCHES_ALL = b"\0"
"""As the first key and as the end: every key there is."""


def key_bytes(key: str) -> bytes:
    """The key as etcd keeps it. Keys of others that are no UTF-8 come through unharmed."""
    return key.encode(errors="surrogateescape")


def key_text(key: bytes) -> str:
    """The other way round."""
    return key.decode(errors="surrogateescape")


def prefix_range(prefix: str) -> tuple[bytes, bytes]:
    """The first key below a prefix, and the first one beyond it."""
    if not prefix:
        return MATCHES_ALL, MATCHES_ALL
    first = key_bytes(prefix)
    # No byte of UTF-8 is 0xff, so the last one can always be counted up.
    return first, first[:-1] + bytes([first[-1] + 1])


def key_value(message: rpc.KeyValue) -> KeyValue:
    """A key as it stands, or as a put has made it."""
    return KeyValue(
        key_text(message.key), message.value, message.create_revision, message.mod_revision, message.lease
    )


def event(message: rpc.Event) -> Event:
    """One change of one key."""
    deleted = message.type == rpc.Event.DELETE
    return Event(key_text(message.kv.key), None if deleted else key_value(message.kv))


def txn_request(transaction: Transaction) -> rpc.TxnRequest:
    """The transaction; where its compares fail, it reads what it compared, at the same instant."""
    compared = dict.fromkeys(compare.key for compare in transaction.compares)
    return rpc.TxnRequest(
        compare=[comparison(compare) for compare in transaction.compares],
        success=[request_op(operation) for operation in transaction.operations],
        failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=key_bytes(key))) for key in compared],
    )


def comparison(compare: Compare) -> rpc.Compare:
    """etcd takes the modification of an absent key as 0, as we do (server/etcdserver/apply.go)."""
    return rpc.Compare(
        result=rpc.Compare.EQUAL,
        target=rpc.Compare.MOD,
        key=key_bytes(compare.key),
        mod_revision=compare.modified,
    )


def request_op(operation: Put | Delete) -> rpc.RequestOp:
    """One operation of a transaction."""
    key = key_bytes(operation.key)
    if isinstance(operation, Put):
        put = rpc.PutRequest(key=key, value=operation.value, lease=operation.lease)
        return rpc.RequestOp(request_put=put)
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key))


def compared_items(transaction: Transaction, response: rpc.TxnResponse) -> dict[str, KeyValue | None]:
    """What the failed transaction's compared keys stood at."""
    items: dict[str, KeyValue | None] = {compare.key: None for compare in transaction.compares}
    for answer in response.responses:
        for message in answer.response_range.kvs:
            item = key_value(message)
            items[item.key] = item
    return items

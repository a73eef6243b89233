"""The Store that many nodes share: etcd v3, through aetcd's generated messages and stubs.

aetcd's own client and watcher are not used: they know no unknown outcome, and their watch loses
events when a connection breaks.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import AddressValueError, IPv4Address

import grpc
from aetcd import rpc

from kvstore.errors import LeaseExpired, StoreError, StoreUnavailable
from kvstore.etcd_connection import EtcdConnection, Refused
from kvstore.etcd_messages import MATCHES_ALL, compared_items, key_bytes, key_value, prefix_range, txn_request
from kvstore.etcd_watch import EtcdWatch
from kvstore.store import Batch, CommitResult, KeyValue, Listing, Put, Transaction

CALL_TIMEOUT_S = 2.0


class EtcdStore:
    """A Store (kvstore/store.py). Nothing of gRPC runs before the first call, so forking is safe.

    A read takes at most ``call_timeout_s``; a change twice that, half of it to get connected.
    """

    def __init__(self, endpoints: Sequence[str], call_timeout_s: float = CALL_TIMEOUT_S) -> None:
        """``endpoints`` are "host:port"; several must be IPv4 addresses. Raises ValueError."""
        self._target = target(endpoints)
        self._name = f"etcd at {', '.join(endpoints)}"
        self._timeout_s = call_timeout_s
        self._connection: EtcdConnection | None = None
        self._closed = False
        self._watches: dict[EtcdWatch, None] = {}

    async def get(self, key: str) -> KeyValue | None:
        """See Store.get."""
        etcd = self._connected()
        answer = await etcd.ask(etcd.kv.Range, rpc.RangeRequest(key=key_bytes(key)))
        return key_value(answer.kvs[0]) if answer.kvs else None

    async def list(self, prefix: str) -> Listing:
        """See Store.list."""
        etcd = self._connected()
        first, end = prefix_range(prefix)
        answer = await etcd.ask(etcd.kv.Range, rpc.RangeRequest(key=first, range_end=end))
        return Listing(answer.header.revision, tuple(key_value(item) for item in answer.kvs))

    async def commit(self, transaction: Transaction) -> CommitResult:
        """See Store.commit."""
        etcd = self._connected()
        # Without operations there is nothing whose outcome could be unknown.
        call = etcd.change if transaction.operations else etcd.ask
        try:
            answer = await call(etcd.kv.Txn, txn_request(transaction))
        except Refused as refused:
            leases = [put.lease for put in transaction.operations if isinstance(put, Put) and put.lease]
            if refused.code is grpc.StatusCode.NOT_FOUND and leases:
                raise LeaseExpired(leases[0]) from refused
            raise
        current = {} if answer.succeeded else compared_items(transaction, answer)
        return CommitResult(answer.succeeded, answer.header.revision, current)

    @asynccontextmanager
    async def watch(self, prefix: str, revision: int) -> AsyncIterator[AsyncIterator[Batch]]:
        """See Store.watch."""
        watch = EtcdWatch(self._connected().watch, prefix, revision)
        self._watches[watch] = None
        try:
            await watch.open(self._newest_revision)
            yield watch
        finally:
            del self._watches[watch]
            await watch.close()

    async def grant(self, ttl_s: float) -> int:
        """See Store.grant. etcd rounds up to whole seconds, and to one and a half elections."""
        if not ttl_s > 0:
            raise ValueError(f"a lease must live longer than {ttl_s} s")
        etcd = self._connected()
        answer = await etcd.change(etcd.lease.LeaseGrant, rpc.LeaseGrantRequest(TTL=math.ceil(ttl_s)))
        return int(answer.ID)

    async def renew(self, lease: int) -> None:
        """See Store.renew."""
        etcd = self._connected()
        answer = await etcd.exchange(etcd.lease.LeaseKeepAlive, rpc.LeaseKeepAliveRequest(ID=lease))
        if answer.TTL <= 0:
            raise LeaseExpired(lease)

    async def revoke(self, lease: int) -> None:
        """See Store.revoke."""
        etcd = self._connected()
        try:
            await etcd.change(etcd.lease.LeaseRevoke, rpc.LeaseRevokeRequest(ID=lease))
        except Refused as refused:
            if refused.code is not grpc.StatusCode.NOT_FOUND:
                raise

    async def compact(self, revision: int) -> None:
        """See Store.compact."""
        etcd = self._connected()
        try:
            await etcd.ask(etcd.kv.Compact, rpc.CompactionRequest(revision=revision))
        except Refused as refused:
            stands = await self._newest_revision()
            if refused.code is not grpc.StatusCode.OUT_OF_RANGE:
                raise
            if revision > stands:
                raise StoreError(
                    f"cannot compact up to revision {revision}: the store stands at {stands}"
                ) from refused

    async def close(self) -> None:
        """See Store.close."""
        self._closed = True
        for watch in self._watches:
            watch.end(StoreUnavailable(f"the connection to {self._name} is closed"))
        if self._connection is not None:
            await self._connection.close()

    def _connected(self) -> EtcdConnection:
        if self._closed:
            raise StoreUnavailable(f"the connection to {self._name} is closed")
        if self._connection is None:
            self._connection = EtcdConnection(self._target, self._name, self._timeout_s)
        return self._connection

    async def _newest_revision(self) -> int:
        """The revision at which the whole of etcd stands, not just one lagging member."""
        etcd = self._connected()
        answer = await etcd.ask(etcd.kv.Range, rpc.RangeRequest(key=MATCHES_ALL, count_only=True))
        return int(answer.header.revision)


def target(endpoints: Sequence[str]) -> str:
    """How gRPC is told where etcd is: it resolves one name itself, or takes many addresses."""
    if not endpoints:
        raise ValueError("etcd needs at least one endpoint, as host:port")
    for endpoint in endpoints:
        host, colon, port = endpoint.rpartition(":")
        if not (host and colon and port.isdecimal()):
            raise ValueError(f"{endpoint!r} is no endpoint of etcd: write host:port")
        if len(endpoints) > 1:
            try:
                IPv4Address(host)
            except AddressValueError:
                raise ValueError(
                    f"{endpoint!r}: of several endpoints, each must be an IPv4 address"
                ) from None
    return endpoints[0] if len(endpoints) == 1 else f"ipv4:{','.join(endpoints)}"

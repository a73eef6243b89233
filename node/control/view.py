"""A node's folded copy of one store: typed, indexed, and as of one revision.

    Snapshot | Batch  --->  View.fold  --->  Change, Change, ...

Everything that a node decides, it decides from here; nothing but the store's watch changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from copy import copy
from dataclasses import dataclass

from kvstore.follow import Snapshot
from kvstore.store import Batch, KeyValue
from node.control import keys
from node.control.codec import Undecodable, decode
from node.control.network_index import NetworkIndex, blocks_of
from node.model.container import ContainerRecord
from node.model.debt import DebtRecord
from node.model.member import Member, NodeRecord
from node.model.network import EndpointRecord, NetworkRecord

Record = NetworkRecord | EndpointRecord | Member | NodeRecord | ContainerRecord | DebtRecord

_KINDS: tuple[tuple[str, type[Record]], ...] = (
    (keys.NETWORKS, NetworkRecord),
    (keys.ENDPOINTS, EndpointRecord),
    (keys.MEMBERS, Member),
    (keys.NODES, NodeRecord),
    (keys.CONTAINERS, ContainerRecord),
    (keys.DEBTS, DebtRecord),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One record came (``before`` None), went (``after`` None) or changed."""

    before: Record | None
    after: Record | None


class View:
    """Records by kind, and the revisions that transactions compare."""

    def __init__(self) -> None:
        self.revision = 0
        self.networks: dict[str, NetworkRecord] = {}
        self.index = NetworkIndex()
        self.members: dict[str, Member] = {}
        self.member_changes = 0
        """How often a member has come, gone or changed."""
        self.nodes: dict[str, NodeRecord] = {}
        self.containers: dict[str, ContainerRecord] = {}
        self.debts: dict[int, DebtRecord] = {}
        self.undecodable: dict[str, str] = {}
        """Keys whose value is no record, with the reason; not acted upon."""
        self._endpoints: dict[str, dict[str, EndpointRecord]] = {}
        self._on_nodes: dict[str, dict[str, EndpointRecord]] = {}
        self._addresses: dict[str, dict[str, str]] = {}
        self._modified: dict[str, int] = {}
        self._records: dict[str, Record] = {}
        self._texts: dict[str, str] = {}

    def fork(self) -> View:
        """The same view, and from here on apart: what is folded into one changes nothing in the other."""
        fork = copy(self)
        fork.index = self.index.fork()
        fork.networks, fork.members, fork.nodes = self.networks.copy(), self.members.copy(), self.nodes.copy()
        fork.containers, fork.debts = self.containers.copy(), self.debts.copy()
        fork.undecodable = self.undecodable.copy()
        fork._endpoints = {key: inner.copy() for key, inner in self._endpoints.items()}
        fork._on_nodes = {key: inner.copy() for key, inner in self._on_nodes.items()}
        fork._addresses = {key: inner.copy() for key, inner in self._addresses.items()}
        fork._modified, fork._records = self._modified.copy(), self._records.copy()
        fork._texts = self._texts.copy()
        return fork

    @property
    def revisions(self) -> Mapping[str, int]:
        """Every key and the revision of its last change as seen here."""
        return self._modified

    def modified(self, key: str) -> int:
        """The revision of the key's last change as seen here; 0 when it does not exist."""
        return self._modified.get(key, 0)

    def endpoints(self, network_id: str) -> Mapping[str, EndpointRecord]:
        """Endpoints of a network, by id, in the order in which they came."""
        return self._endpoints.get(network_id, {})

    def all_endpoints(self) -> Iterator[EndpointRecord]:
        """Endpoints of all networks."""
        for endpoints in self._endpoints.values():
            yield from endpoints.values()

    def endpoints_on(self, node: str) -> Mapping[str, EndpointRecord]:
        """Endpoints of a node, by id, in the order in which they came."""
        return self._on_nodes.get(node, {})

    def owners(self) -> KeysView[str]:
        """Names of nodes that have endpoints."""
        return self._on_nodes.keys()

    def addresses(self, network_id: str) -> Mapping[str, str]:
        """Addresses of a network that are given out, and to whom."""
        return self._addresses.get(network_id, {})

    def last_address(self, network_id: str) -> str:
        """The address given out last in each subnet, with spaces between; empty when none was."""
        return self._texts.get(keys.last_address(network_id), "")

    def last_vni(self) -> int:
        """The VXLAN network identifier given out last; 0 when none was."""
        return int(self._texts.get(keys.NETWORKS_GUARD) or 0)

    def network_named(self, name: str) -> NetworkRecord | None:
        """The network of that name."""
        return self.index.named.get(name)

    def fold(self, news: Snapshot | Batch) -> tuple[Change, ...]:
        """Take in what the store says now. A snapshot replaces all: what it lacks has gone."""
        changes: list[Change] = []
        if isinstance(news, Snapshot):
            present = {item.key for item in news.items}
            for key in [key for key in self._modified if key not in present]:
                self._forget(key, changes)
            for item in news.items:
                if self._modified.get(item.key) != item.modified:
                    self._take(item, changes)
        else:
            for event in news.events:
                if event.item is None:
                    self._forget(event.key, changes)
                else:
                    self._take(event.item, changes)
        self.revision = max(self.revision, news.revision)
        return tuple(changes)

    def _take(self, item: KeyValue, changes: list[Change]) -> None:
        key = item.key
        self._modified[key] = item.modified
        if key.startswith(keys.ADDRESSES):
            network_id, _, address = key.removeprefix(keys.ADDRESSES).partition("/")
            self._addresses.setdefault(network_id, {})[address] = item.value.decode(errors="replace")
            return
        for prefix, kind in _KINDS:
            if key.startswith(prefix):
                try:
                    record = decode(item.value, kind)
                    if isinstance(record, NetworkRecord):
                        blocks_of(record)
                except (Undecodable, ValueError) as error:
                    self.undecodable[key] = str(error)
                    return
                self.undecodable.pop(key, None)
                before = self._records.get(key)
                if isinstance(before, NetworkRecord):
                    self.index.remove(before)
                self._records[key] = record
                self._index(key, record)
                changes.append(Change(before, record))
                return
        self._texts[key] = item.value.decode(errors="replace")

    def _forget(self, key: str, changes: list[Change]) -> None:
        self._modified.pop(key, None)
        self._texts.pop(key, None)
        self.undecodable.pop(key, None)
        if key.startswith(keys.ADDRESSES):
            network_id, _, address = key.removeprefix(keys.ADDRESSES).partition("/")
            held = self._addresses.get(network_id, {})
            held.pop(address, None)
            if not held:
                self._addresses.pop(network_id, None)
        elif (record := self._records.pop(key, None)) is not None:
            self._unindex(record)
            changes.append(Change(record, None))

    def _index(self, key: str, record: Record) -> None:
        match record:
            case NetworkRecord():
                self.networks[record.id] = record
                self.index.add(record)
            case EndpointRecord():
                self._endpoints.setdefault(record.network, {})[record.id] = record
                self._on_nodes.setdefault(record.node, {})[record.id] = record
            case Member():
                self.members[record.name] = record
                self.member_changes += 1
            case NodeRecord():
                self.nodes[record.name] = record
            case ContainerRecord():
                self.containers[record.id] = record
            case DebtRecord():
                self.debts[record.number] = record

    def _unindex(self, record: Record) -> None:
        match record:
            case NetworkRecord():
                del self.networks[record.id]
                self.index.remove(record)
            case EndpointRecord():
                for index, key in ((self._endpoints, record.network), (self._on_nodes, record.node)):
                    held = index.get(key, {})
                    held.pop(record.id, None)
                    if not held:
                        index.pop(key, None)
            case Member():
                self.members.pop(record.name, None)
                self.member_changes += 1
            case NodeRecord():
                self.nodes.pop(record.name, None)
            case ContainerRecord():
                self.containers.pop(record.id, None)
            case DebtRecord():
                self.debts.pop(record.number, None)

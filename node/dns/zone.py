"""The names of one network's endpoints, shared by every sandbox that stands in it.

    names      "web" -> {endpoint: address, ...}     several endpoints may answer to one name
    reverse    "10.0.1.3" -> {endpoint: first name}
    endpoints  endpoint -> what it brought, so that it can be taken back

Names are kept in lower case, because they match without regard to case (RFC 4343).
The rules are the engine's (moby: libnetwork/network.go, addSvcRecords and ResolveName).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.errors import Unavailable

ENDPOINTS_MAX = 65_536
"""As many as the largest default address pool, a /16, has addresses."""
NAMES_PER_ENDPOINT_MAX = 256


@dataclass(frozen=True, slots=True)
class _Entry:
    names: tuple[str, ...]
    address: str


class Zone:
    """The names of the network called ``network``. It changes as endpoints come and go."""

    def __init__(self, network: str) -> None:
        self.network = network
        self.changes = 0
        """How often it has changed: who keeps what it said need not ask again until this differs."""
        self._names: dict[str, dict[str, str]] = {}
        self._reverse: dict[str, dict[str, str]] = {}
        self._entries: dict[str, _Entry] = {}

    def add(self, endpoint: str, names: Sequence[str], address: str) -> None:
        """Make an endpoint (by its id) known under its names; what it had before is forgotten.

        ``address`` is dotted quad without prefix length. The first name is the one that a reverse
        lookup answers. Raises Unavailable when the zone is full.
        """
        self.remove(endpoint)
        if len(self._entries) >= ENDPOINTS_MAX or len(names) > NAMES_PER_ENDPOINT_MAX:
            raise Unavailable(
                f"the names of network {self.network} are full: it takes {ENDPOINTS_MAX} endpoints "
                f"of at most {NAMES_PER_ENDPOINT_MAX} names each"
            )
        if not names:
            return
        self.changes += 1
        self._entries[endpoint] = _Entry(tuple(name.lower() for name in names), address)
        for name in self._entries[endpoint].names:
            self._names.setdefault(name, {})[endpoint] = address
        self._reverse.setdefault(address, {})[endpoint] = names[0]

    def remove(self, endpoint: str) -> None:
        """Forget an endpoint; without effect if it is not known."""
        entry = self._entries.pop(endpoint, None)
        if entry is None:
            return
        self.changes += 1
        for name in dict.fromkeys(entry.names):
            _take_back(self._names, name, endpoint)
        _take_back(self._reverse, entry.address, endpoint)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Every address behind a name, in the order they came, none twice; empty if it is unknown."""
        owners = self._names.get(name.lower())
        return tuple(dict.fromkeys(owners.values())) if owners else ()

    def table(self) -> dict[str, tuple[str, ...]]:
        """Every name and the addresses behind it, these in order of their text."""
        return {
            name: tuple(owners.values()) if len(owners) == 1 else tuple(sorted({*owners.values()}))
            for name, owners in self._names.items()
        }

    def name_of(self, address: str) -> str | None:
        """The full name, ``<first name>.<network>``, of whoever has had an address the longest."""
        owners = self._reverse.get(address)
        return f"{next(iter(owners.values()))}.{self.network}" if owners else None


def _take_back(table: dict[str, dict[str, str]], key: str, endpoint: str) -> None:
    owners = table[key]
    del owners[endpoint]
    if not owners:
        del table[key]

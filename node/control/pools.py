"""The address blocks that networks of one scope have, and the lowest one that is free.

CIDR blocks lie within each other or apart, so two questions find every overlap: does a taken block begin
within this one, and does one that is as large or larger hold it? Neither looks at all blocks, so
ten thousand networks are made as quickly as ten.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from ipaddress import IPv4Network

Pools = tuple[tuple[str, int], ...]
"""Where networks without a subnet of their own come from: a base, and the prefix length it is cut into."""

ADDRESS_BITS = 32
_Block = tuple[int, int]
"""First address and prefix length."""


class TakenPools:
    """See the module. A block may be taken more than once (moby#46756)."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        """Of each taken block, in order."""
        self._users: dict[_Block, int] = {}
        self._floors: dict[tuple[str, int], int] = {}
        """Of each pool: below this address all of it is taken."""

    def fork(self) -> TakenPools:
        """The same, and from here on apart."""
        fork = TakenPools()
        fork._firsts, fork._users, fork._floors = self._firsts.copy(), self._users.copy(), self._floors.copy()
        return fork

    def add(self, block: IPv4Network) -> None:
        """A network has it."""
        key = _key(block)
        self._users[key] = self._users.get(key, 0) + 1
        insort(self._firsts, key[0])

    def remove(self, block: IPv4Network) -> None:
        """A network has it no more."""
        key = _key(block)
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key]
        del self._firsts[bisect_left(self._firsts, key[0])]
        for pool, floor in self._floors.items():
            size = 1 << (ADDRESS_BITS - pool[1])
            self._floors[pool] = min(floor, key[0] // size * size)

    def overlaps(self, block: IPv4Network) -> bool:
        """Some taken block has an address in common with this one."""
        return self._holder(*_key(block)) is not None or self._begins_within(*_key(block))

    def _holder(self, first: int, length: int) -> _Block | None:
        """A taken block that holds this one whole."""
        for shorter in range(length + 1):
            bits = ADDRESS_BITS - shorter
            if (key := (first >> bits << bits, shorter)) in self._users:
                return key
        return None

    def _begins_within(self, first: int, length: int) -> bool:
        place = bisect_left(self._firsts, first)
        return place < len(self._firsts) and self._firsts[place] < first + (1 << (ADDRESS_BITS - length))

    def lowest_free(self, pools: Pools, reserved: Iterable[IPv4Network] = ()) -> IPv4Network | None:
        """The first block of the first pool that overlaps nothing taken or reserved; None if none does."""
        away = [(int(block.network_address), int(block.broadcast_address)) for block in reserved]
        for pool in pools:
            base, length = IPv4Network(pool[0]), pool[1]
            first = max(self._floors.get(pool, 0), int(base.network_address))
            first = self._skip_taken(first, int(base.broadcast_address), length)
            self._floors[pool] = first
            size = 1 << (ADDRESS_BITS - length)
            while first <= int(base.broadcast_address):
                if not any(low < first + size and first <= high for low, high in away):
                    return IPv4Network((first, length))
                first = self._skip_taken(first + size, int(base.broadcast_address), length)
        return None

    def _skip_taken(self, first: int, last: int, length: int) -> int:
        """The next block from ``first`` on that nothing overlaps; beyond ``last`` if there is none."""
        size = 1 << (ADDRESS_BITS - length)
        while first <= last:
            if (holder := self._holder(first, length)) is not None:
                first = holder[0] + (1 << (ADDRESS_BITS - holder[1]))
            elif self._begins_within(first, length):
                first += size
            else:
                return first
        return first


def _key(block: IPv4Network) -> _Block:
    return int(block.network_address), block.prefixlen

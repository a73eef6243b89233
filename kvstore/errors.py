"""What can go wrong with a store.

    StoreError
    ├── StoreUnavailable   not reached: nothing was changed
    ├── OutcomeUnknown     sent, not answered: it may have happened or not
    ├── Compacted          the history asked for is gone: list again
    │   └── Rewound        the store stands before the revision asked for: list again
    └── LeaseExpired       the lease named is gone, and its keys with it

A call that makes no sense at all (an empty key, a negative time) is a bug and raises ValueError.
"""

from __future__ import annotations


class StoreError(Exception):
    """Anything a Store may raise on purpose."""


class StoreUnavailable(StoreError):
    """The store could not be reached; nothing was changed."""


class OutcomeUnknown(StoreError):
    """The request was sent and no answer came: it may have been applied or not."""


class Compacted(StoreError):
    """A watch asked for history that the store has forgotten."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"history up to revision {revision} has been compacted")
        self.revision = revision


class Rewound(Compacted):
    """A watch asked for what this store has not reached: it has lost its data, or is another store."""

    def __init__(self, revision: int, asked: int) -> None:
        super().__init__(revision)
        self.args = (f"the store stands at revision {revision}, before {asked}: it has lost its data",)


class LeaseExpired(StoreError):
    """The lease does not exist any more."""

    def __init__(self, lease: int) -> None:
        super().__init__(f"lease {lease:x} has expired")
        self.lease = lease

"""Who is counted as alive is alive, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import Seen


class Members(Checker):
    """A member's key hangs on a lease, and the lease on the node."""

    name = "members"
    sentence = (
        f"A node that lives is a member within {SETTLE_S:g} s, and one that is dead is none "
        f"{SETTLE_S:g} s after its lease is over; no lease outlives its node."
    )

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        self.within_s = seen.lease_s + SETTLE_S
        problems: dict[str, str] = {}
        members = set(seen.members)
        for node in undisturbed(seen):
            if node.name not in members:
                problems[f"not {node.name}"] = f"{node.name} lives and hears the store, but is no member"
        for name in seen.members:
            if name not in seen.nodes:
                problems[name] = f"{name} is dead, and still a member"
        if seen.leases is not None and seen.leases > len(members):
            problems["leases"] = f"{seen.leases} leases for {len(members)} members"
        return self.standing(seen.at, problems)

"""Every node's view of the swarm is the store's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import NodeSeen, Seen


class Views(Checker):
    """Compared key by key where a world shows the keys, by revision where it shows only that."""

    name = "views"
    sentence = f"Every node that hears the store sees its state within {SETTLE_S:g} s: all views are equal."
    within_s = SETTLE_S

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        problems = _deaf(seen)
        agreed: Mapping[str, int] | None = None
        """In a simulated world many nodes have the very same view."""
        for node in undisturbed(seen):
            if node.keys is None or seen.keys is None:
                problems.update(self._behind(seen, node))
            elif node.keys is agreed:
                continue
            elif node.keys == seen.keys:
                agreed = node.keys
            else:
                problems.update(_missed(seen.keys, node.keys, node.name))
        return self.standing(seen.at, problems)

    def _behind(self, seen: Seen, node: NodeSeen) -> dict[str, str]:
        """The first revision that a node lacks is the same at every look until it catches up."""
        if node.revision >= seen.revision:
            return {}
        subject = f"{node.name} {node.revision}"
        return {subject: f"{node.name} has stayed at revision {node.revision} of {seen.revision}"}


def _deaf(seen: Seen) -> dict[str, str]:
    """Nodes that do not hear the store, though others do and no fault is in their way."""
    troubled = {fault.node for fault in seen.faults}
    if not any(node.connected for node in seen.nodes.values()):
        return {}  # it may be the store's fault
    return {
        f"{node.name} deaf": f"{node.name} does not hear the store"
        for node in seen.nodes.values()
        if not node.connected and node.name not in troubled
    }


def _missed(store: Mapping[str, int], view: Mapping[str, int], node: str) -> dict[str, str]:
    problems = {}
    for key in dict.fromkeys((*store, *view)):
        there, here = store.get(key, 0), view.get(key, 0)
        if there != here:
            problems[f"{node} {key} {there}"] = (
                f"{node} sees {key} {_as_of(here)}; the store has it {_as_of(there)}"
            )
    return problems


def _as_of(revision: int) -> str:
    return f"as of revision {revision}" if revision else "absent"

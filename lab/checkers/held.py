"""Every endpoint that a container stands in is recorded, and every recorded one has its container."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import EndpointSeen, Seen


class Held(Checker):
    """An endpoint is released by its container's end, and by nothing else while its node lives."""

    name = "held"
    sentence = (
        "Every endpoint of a running container stands in the store, and every endpoint in the store of a "
        f"living node has its running container, or is the node's own, within {SETTLE_S:g} s."
    )
    within_s = SETTLE_S

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        recorded: dict[str, dict[str, EndpointSeen]] = {}
        for endpoint in seen.endpoints:
            recorded.setdefault(endpoint.node, {})[endpoint.id] = endpoint
        problems: dict[str, str] = {}
        for node in undisturbed(seen):
            here = recorded.get(node.name, {})
            held = {endpoint.id: endpoint for endpoint in node.endpoints}
            for endpoint in held.values():
                record = here.get(endpoint.id)
                if record != endpoint:
                    problems[f"held {endpoint.id}"] = (
                        f"{endpoint.name} on {node.name} stands at {endpoint.address or 'no address'}, "
                        f"and the store has {f'{record.address} for it' if record else 'no record of that'}"
                    )
            for endpoint in here.values():
                if endpoint.id not in held:
                    problems[f"recorded {endpoint.id}"] = (
                        f"the store has an endpoint of {endpoint.name} on {node.name}, "
                        f"{endpoint.address or 'without address'}, in which nobody stands"
                    )
        return self.standing(seen.at, problems)

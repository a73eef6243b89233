"""What name servers say is where living endpoints are."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import NetworkSeen, Seen

SWARM = "swarm"

Zones = dict[str, dict[str, dict[str, None]]]
"""Network id -> name -> addresses."""


class Names(Checker):
    """A zone is written from the store, as the tables are."""

    name = "names"
    sentence = (
        "Name servers know every endpoint of a living node in its own network, and nobody else, "
        f"within {SETTLE_S:g} s."
    )
    within_s = SETTLE_S

    def __init__(self) -> None:
        super().__init__()
        self._made_of: tuple[object, object, object] = (None, None, None)
        self._truth: Zones = {}

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        networks = {network.id: network for network in seen.networks}
        truth = self._expected(seen)
        problems: dict[str, str] = {}
        for node in undisturbed(seen):
            if not node.names:
                continue  # this world does not show them
            for identity, names in node.names.items():
                network = networks.get(identity)
                expected = truth.get(identity, {})
                where = f"{node.name}, network {network.name if network else identity[:12]}"
                for name in dict.fromkeys((*names, *expected)):
                    said = sorted(names.get(name, ()))
                    meant = sorted(expected.get(name, ()))
                    if said != meant:
                        problems[f"{node.name} {identity} {name} {said} {meant}"] = (
                            f"{where}: {name} is said to be at {', '.join(said) or 'no address'}, "
                            f"and is at {', '.join(meant) or 'no address'}"
                        )
            problems.update(
                (f"{node.name} {network.id}", f"{node.name} has no names for network {network.name}")
                for network in seen.networks
                if _has_names(network) and network.id not in node.names
            )
        return self.standing(seen.at, problems)

    def _expected(self, seen: Seen) -> Zones:
        made_of = seen.networks, seen.endpoints, (seen.members, tuple(seen.nodes))
        if made_of[:2] != self._made_of[:2] or made_of[2] != self._made_of[2]:
            self._made_of, self._truth = made_of, _truth(seen)
        return self._truth


def _truth(seen: Seen) -> Zones:
    """Names of endpoints on living nodes."""
    truth: Zones = {}
    living = {*seen.members, *seen.nodes}
    members = set(seen.members)
    swarm = {network.id for network in seen.networks if network.scope == SWARM}
    for endpoint in seen.endpoints:
        if not endpoint.address or endpoint.node not in (members if endpoint.network in swarm else living):
            continue
        names = truth.setdefault(endpoint.network, {})
        for name in endpoint.names:
            names.setdefault(name, {})[endpoint.address] = None
    return truth


def _has_names(network: NetworkSeen) -> bool:
    return network.scope == SWARM and bool(network.subnets)

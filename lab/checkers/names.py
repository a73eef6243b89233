"""What name servers say is where living endpoints are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import NetworkSeen, Seen

SWARM = "swarm"

Zones = dict[str, dict[str, tuple[str, ...]]]
"""Network id -> name -> addresses, in order of their text."""


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
        networks = {network.id: network.name for network in seen.networks}
        needed = [network for network in seen.networks if _has_names(network)]
        truth = self._expected(seen)
        problems: dict[str, str] = {}
        for node in undisturbed(seen):
            if not node.names:
                continue  # this world does not show them
            for identity, names in node.names.items():
                expected = truth.get(identity, {})
                if names != expected:
                    where = f"{node.name}, network {networks.get(identity, identity[:12])}"
                    problems.update(_differences(where, names, expected))
            problems.update(
                (f"{node.name} {network.id}", f"{node.name} has no names for network {network.name}")
                for network in needed
                if network.id not in node.names and any(e.network == network.id for e in node.endpoints)
            )
        return self.standing(seen.at, problems)

    def _expected(self, seen: Seen) -> Zones:
        made_of = seen.networks, seen.endpoints, (seen.members, tuple(seen.nodes))
        if made_of[:2] != self._made_of[:2] or made_of[2] != self._made_of[2]:
            self._made_of, self._truth = made_of, _truth(seen)
        return self._truth


def _differences(
    where: str, names: Mapping[str, tuple[str, ...]], expected: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys((*names, *expected)):
        said, meant = sorted(names.get(name, ())), sorted(expected.get(name, ()))
        if said != meant:
            yield (
                f"{where} {name} {said} {meant}",
                f"{where}: {name} is said to be at {', '.join(said) or 'no address'}, "
                f"and is at {', '.join(meant) or 'no address'}",
            )


def _truth(seen: Seen) -> Zones:
    """Names of endpoints on living nodes."""
    truth: dict[str, dict[str, set[str]]] = {}
    members = set(seen.members)
    living = members | set(seen.nodes)
    swarm = {network.id for network in seen.networks if network.scope == SWARM}
    for endpoint in seen.endpoints:
        if not endpoint.address or endpoint.node not in (members if endpoint.network in swarm else living):
            continue
        names = truth.setdefault(endpoint.network, {})
        for name in endpoint.names:
            names.setdefault(name, set()).add(endpoint.address)
    return {
        identity: {name: tuple(sorted(addresses)) for name, addresses in names.items()}
        for identity, names in truth.items()
    }


def _has_names(network: NetworkSeen) -> bool:
    return network.scope == SWARM and bool(network.subnets)

"""Nothing that must be unique is given out twice: addresses, hardware addresses, VNIs."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import Checker, Violation
from lab.checkers.seen import EndpointSeen, NetworkSeen, Seen


class GivenOnce(Checker):
    """The store's records are whole at every revision, so this holds without any delay."""

    name = "given-once"
    sentence = "No address, hardware address or VNI is given to two at the same time."

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        networks = {network.id: network for network in seen.networks}
        problems: dict[str, str] = {}
        holders: dict[tuple[str, str], EndpointSeen] = {}
        for endpoint in seen.endpoints:
            network = networks.get(endpoint.network)
            if network is None or not endpoint.address:
                continue
            for value in (endpoint.address, endpoint.mac):
                other = holders.setdefault((_domain(network), value), endpoint)
                if other is not endpoint:
                    problems[f"{network.name} {value}"] = (
                        f"{value} in network {network.name} belongs to {_who(other)} and to {_who(endpoint)}"
                    )
            if endpoint.address in network.reserved:
                problems[f"{network.name} {endpoint.address} reserved"] = (
                    f"{_who(endpoint)} stands at {endpoint.address}, "
                    f"which network {network.name} has set aside"
                )
            holder = seen.addresses.get((endpoint.network, endpoint.address))
            if holder != endpoint.id:
                problems[f"{network.name} {endpoint.address} {endpoint.id}"] = (
                    f"{_who(endpoint)} stands at {endpoint.address} in network {network.name}, which is "
                    f"recorded as {'given to ' + holder[:12] if holder else 'free'}"
                )
        problems.update(_shared_vnis(seen.networks))
        return self.standing(seen.at, problems)


def _domain(network: NetworkSeen) -> str:
    """Where an address must be unique: within a network, or on the LAN that networks of all hosts share."""
    return f"LAN {network.lan}" if network.lan else network.id


def _shared_vnis(networks: Iterable[NetworkSeen]) -> dict[str, str]:
    owners: dict[int, NetworkSeen] = {}
    problems = {}
    for network in networks:
        for vni in network.vnis:
            other = owners.setdefault(vni, network)
            if other is not network:
                problems[f"VNI {vni}"] = f"VNI {vni} belongs to networks {other.name} and {network.name}"
    return problems


def _who(endpoint: EndpointSeen) -> str:
    return f"{endpoint.name} on {endpoint.node}"

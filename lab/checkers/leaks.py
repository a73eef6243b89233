"""What nobody needs any more is given back: addresses, keys, ports, tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import Seen
from node.control import keys
from node.control.plans import AUXILIARY_HOLDER, GATEWAY_HOLDER

PER_NETWORK = (keys.ENDPOINTS, keys.ADDRESSES, keys.LAST_ADDRESS)


class Leaks(Checker):
    """Each is compared with what there is to need it."""

    name = "leaks"
    sentence = (
        f"No address, key, published port or task outlives what it was for by more than {SETTLE_S:g} s."
    )
    within_s = SETTLE_S

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        problems = dict(_addresses(seen))
        problems.update(_keys(seen))
        problems.update(_ports(seen))
        problems.update(_tasks(seen))
        return self.standing(seen.at, problems)


def _addresses(seen: Seen) -> Iterator[tuple[str, str]]:
    holders = {(endpoint.network, endpoint.id) for endpoint in seen.endpoints}
    names = {network.id: network.name for network in seen.networks}
    for (network, address), holder in seen.addresses.items():
        if network not in names:
            yield f"address {network} {address}", f"{address} of a network that is gone is still given out"
        elif not is_reserved(holder) and (network, holder) not in holders:
            yield (
                f"address {network} {address}",
                f"{address} in network {names[network]} is held by {holder[:12]}, which is no endpoint",
            )


def is_reserved(holder: str) -> bool:
    """An address that no endpoint has, because the network itself or its user keeps it."""
    return holder == GATEWAY_HOLDER or holder.startswith(AUXILIARY_HOLDER)


def _keys(seen: Seen) -> Iterator[tuple[str, str]]:
    if seen.keys is None:
        return
    for key in seen.keys:
        for prefix in PER_NETWORK:
            network = key.removeprefix(prefix).partition("/")[0]
            if key.startswith(prefix) and keys.network(network) not in seen.keys:
                yield f"key {key}", f"the store still has {key}, whose network is gone"


def _ports(seen: Seen) -> Iterator[tuple[str, str]]:
    for node in undisturbed(seen):
        for protocol, port in sorted({*node.ports} - {*node.published}):
            yield (
                f"port {node.name} {port}",
                f"port {port}/{protocol} of {node.name} is taken by nobody that runs",
            )


def _tasks(seen: Seen) -> Iterator[tuple[str, str]]:
    for node in seen.nodes.values():
        for name in node.stray:
            yield f"task {node.name} {name}", f"task {name} goes on on {node.name}, where nothing needs it"

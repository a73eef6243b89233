"""How a container stands in its networks: EndpointSettings (moby: api/types/network/endpoint.go).

While a container does not run, all that is operational is blank; its wishes stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node.model.container import ContainerRecord
from node.model.network import EndpointRecord, EndpointSpec
from node.model.times import NEVER

Endpoints = Mapping[str, EndpointRecord]
"""By network name; empty for a container that does not run."""
NetworkId = Callable[[str], str]
"""From a network's name to its id; empty if there is no such network any more."""


def networks(container: ContainerRecord, endpoints: Endpoints, network_id: NetworkId) -> dict[str, Any]:
    """NetworkSettings.Networks, in order of name."""
    has_run = container.state.started != NEVER
    return {
        name: _settings(wish, endpoints.get(name), network_id(name) if has_run else "")
        for name, wish in sorted(container.networks.items())
    }


def networks_in_list(
    container: ContainerRecord, endpoints: Endpoints, network_id: NetworkId
) -> dict[str, Any]:
    """The same in GET /containers/json, which leaves out names and options."""
    shown = networks(container, endpoints, network_id)
    for settings in shown.values():
        settings |= {"Links": None, "Aliases": None, "DriverOpts": None, "DNSNames": None}
    return shown


def _settings(wish: EndpointSpec, endpoint: EndpointRecord | None, network: str) -> dict[str, Any]:
    address, _, prefix = endpoint.address.partition("/") if endpoint else ("", "", "")
    return {
        "IPAMConfig": {"IPv4Address": wish.address} if wish.address else None,
        "Links": list(wish.links) or None,
        "Aliases": list(wish.aliases) or None,
        "MacAddress": endpoint.mac if endpoint else "",
        "DriverOpts": wish.driver_options or None,
        "GwPriority": wish.gateway_priority,
        "NetworkID": endpoint.network if endpoint else network,
        "EndpointID": endpoint.id if endpoint else "",
        "Gateway": endpoint.gateway if endpoint else "",
        "IPAddress": address,
        "IPPrefixLen": int(prefix or 0),
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": list(endpoint.dns_names) or None if endpoint else None,
    }


def of_default_bridge(endpoints: Endpoints) -> dict[str, Any]:
    """What NetworkSettings repeats of the default bridge, and of no other network."""
    settings = _settings(EndpointSpec(), endpoints.get("bridge"), "")
    keys = (
        "EndpointID",
        "Gateway",
        "GlobalIPv6Address",
        "GlobalIPv6PrefixLen",
        "IPAddress",
        "IPPrefixLen",
        "IPv6Gateway",
        "MacAddress",
    )
    return {key: settings[key] for key in keys}

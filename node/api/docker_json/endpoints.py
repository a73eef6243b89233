"""How a container stands in its networks: EndpointSettings (moby: api/types/network/endpoint.go).

While a container does not run, all that is operational is blank; its wishes stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node.model import times
from node.model.container import ContainerRecord, dns_names
from node.model.network import EndpointRecord, EndpointSpec
from node.model.times import NEVER

Endpoints = Mapping[str, EndpointRecord]
"""By network name; empty for a container that does not run."""
PREDEFINED = ("bridge", "host", "none")
"""Networks without names."""
NetworkId = Callable[[str], str]
"""From a network's name to its id; empty if there is no such network any more."""


def networks(container: ContainerRecord, endpoints: Endpoints, network_id: NetworkId) -> dict[str, Any]:
    """NetworkSettings.Networks, in order of name."""
    started = container.state.started
    shown = {}
    for name, wish in sorted(container.networks.items()):
        endpoint = endpoints.get(name)
        settings = _settings(wish, endpoint)
        if (
            endpoint is None
            and started != NEVER
            and times.seconds(started) >= times.seconds(wish.connected or NEVER)
        ):
            settings["NetworkID"] = network_id(name)
        if started == NEVER:
            settings["MacAddress"] = wish.mac
        if name not in PREDEFINED and (started != NEVER or wish.connected):
            settings["DNSNames"] = list(dns_names(container, wish))
        shown[name] = settings
    return shown


def networks_in_list(
    container: ContainerRecord, endpoints: Endpoints, network_id: NetworkId
) -> dict[str, Any]:
    """The same in GET /containers/json, which leaves out names and options."""
    shown = networks(container, endpoints, network_id)
    for settings in shown.values():
        settings |= {"Links": None, "Aliases": None, "DriverOpts": None, "DNSNames": None}
    return shown


def _settings(wish: EndpointSpec, endpoint: EndpointRecord | None) -> dict[str, Any]:
    """Without names, which the engine keeps while a container is stopped."""
    address, _, prefix = endpoint.address.partition("/") if endpoint else ("", "", "")
    return {
        "IPAMConfig": {"IPv4Address": wish.address} if wish.address else _blank(wish, "IPAMConfig", {}),
        "Links": list(wish.links) or None,
        "Aliases": list(wish.aliases) or _blank(wish, "Aliases", []),
        "MacAddress": endpoint.mac if endpoint else "",
        "DriverOpts": wish.driver_options or _blank(wish, "DriverOpts", {}),
        "GwPriority": wish.gateway_priority,
        "NetworkID": endpoint.network if endpoint else "",
        "EndpointID": endpoint.id if endpoint else "",
        "Gateway": endpoint.gateway if endpoint else "",
        "IPAddress": address,
        "IPPrefixLen": int(prefix or 0),
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": None,
    }


def _blank(wish: EndpointSpec, key: str, empty: Any) -> Any:
    return empty if key in wish.blank else None


def of_default_bridge(endpoints: Endpoints) -> dict[str, Any]:
    """What NetworkSettings repeats of the default bridge, and of no other network."""
    settings = _settings(EndpointSpec(), endpoints.get("bridge"))
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

"""A network as `docker network ls` and `inspect` receive it (moby: api/types/network/network.go).

A network of the swarm has two forms. Where the node has an endpoint in it, it looks like a local one,
with its endpoints and peers. Elsewhere a manager tells what the swarm knows: no endpoints, and
EnableIPv4 never set (moby: daemon/cluster/convert/network.go forgets it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.model.network import EndpointRecord, NetworkRecord, Subnet

VNI_OPTION = "com.docker.network.driver.overlay.vxlanid_list"


def listed(network: NetworkRecord) -> dict[str, Any]:
    """One element of GET /networks: no endpoints are told there."""
    return _of_swarm(network) if network.scope == "swarm" else _of_node(network)


def inspected(
    network: NetworkRecord, attached: Sequence[EndpointRecord], peers: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """GET /networks/{id}: ``attached`` on this node, ``peers`` by name and address."""
    if network.scope == "swarm" and not attached:
        return _of_swarm(network)
    shape = _of_node(network)
    shape["Containers"] = {
        endpoint.container or f"ep-{endpoint.id}": _endpoint(endpoint) for endpoint in attached
    }
    if peers:
        shape["Peers"] = [{"Name": name, "IP": address} for name, address in peers]
    return shape


def _of_node(network: NetworkRecord) -> dict[str, Any]:
    options = network.ipam_options or {}
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": network.created,
        "Scope": network.scope,
        "Driver": network.driver,
        "EnableIPv4": network.enable_ipv4,
        "EnableIPv6": network.enable_ipv6,
        "IPAM": {
            "Driver": network.ipam_driver,
            "Options": None if network.predefined or network.scope == "swarm" else options,
            "Config": [_subnet(network, subnet) for subnet in network.subnets] or None,
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": network.ingress,
        "ConfigFrom": {"Network": network.config_from},
        "ConfigOnly": network.config_only,
        "Containers": {},
        "Options": _options(network),
        "Labels": network.labels,
    }


def _of_swarm(network: NetworkRecord) -> dict[str, Any]:
    return {
        **_of_node(network),
        "EnableIPv4": False,
        "Containers": None,
        "Labels": network.labels or None,
    }


def _options(network: NetworkRecord) -> dict[str, str]:
    if network.driver != "overlay" or not network.vnis:
        return network.options
    return {**network.options, VNI_OPTION: ",".join(str(vni) for vni in network.vnis)}


def _subnet(network: NetworkRecord, subnet: Subnet) -> dict[str, Any]:
    """A gateway that nobody named is not shown beside a subnet that somebody did."""
    shape: dict[str, Any] = {"Subnet": subnet.subnet}
    if subnet.range:
        shape["IPRange"] = subnet.range
    is_shown = subnet.gateway_given or not subnet.given or network.scope == "swarm"
    if subnet.gateway and is_shown:
        shape["Gateway"] = subnet.gateway
    if subnet.auxiliary:
        shape["AuxiliaryAddresses"] = subnet.auxiliary
    return shape


def _endpoint(endpoint: EndpointRecord) -> dict[str, str]:
    return {
        "Name": endpoint.name,
        "EndpointID": endpoint.id,
        "MacAddress": endpoint.mac,
        "IPv4Address": endpoint.address,
        "IPv6Address": "",
    }

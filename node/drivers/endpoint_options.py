"""What a network plugin is told of an endpoint and of its container: the engine's options and their names.

CreateEndpoint has what was said of the endpoint, Join what was said of the container, and
ProgramExternalConnectivity what is published by then (moby: daemon/network.go
buildCreateEndpointOptions, daemon/container_operations.go buildSandboxOptions, libnetwork/netlabel).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from node.drivers.base import Wishes
from node.model.address import parse_mac
from node.model.network import NetworkRecord
from node.model.published import PublishedPort

LABEL = "com.docker.network."
PORT_MAP = LABEL + "portmap"
EXPOSED_PORTS = LABEL + "endpoint.exposedports"
MAC_ADDRESS = LABEL + "endpoint.macaddress"
DNS_SERVERS = LABEL + "endpoint.dnsservers"
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
"""The engine sends numbers (IANA: protocol numbers)."""


def of_endpoint(network: NetworkRecord, wishes: Wishes) -> dict[str, Any]:
    """To CreateEndpoint. Ports are not mentioned where they cannot be published, or are already."""
    options: dict[str, Any] = dict(wishes.driver_options)
    if not network.internal and not wishes.published_elsewhere:
        options |= of_container(wishes)
    if not network.internal and wishes.dns_servers:
        options[DNS_SERVERS] = list(wishes.dns_servers)
    if wishes.mac:
        options[MAC_ADDRESS] = base64.b64encode(parse_mac(wishes.mac)).decode()  # as Go writes bytes
    return options


def of_container(wishes: Wishes) -> dict[str, Any]:
    """To Join: what is asked for, whatever comes of it."""
    return {
        PORT_MAP: [
            _binding(wish.protocol, wish.container_port, wish.host_address, wish.first, wish.last)
            for wish in wishes.ports
        ],
        EXPOSED_PORTS: [_port(protocol, number) for number, protocol in wishes.exposed_ports],
    }


def of_published(ports: Iterable[PublishedPort]) -> dict[str, Any]:
    """To ProgramExternalConnectivity: what the host leads into the container now."""
    ports = list(ports)
    return {
        PORT_MAP: [
            _binding(port.protocol, port.container_port, port.host_address, port.host_port, port.host_port)
            for port in ports
        ],
        EXPOSED_PORTS: [_port(port.protocol, port.container_port) for port in ports],
    }


def _port(protocol: str, number: int) -> dict[str, Any]:
    return {"Proto": PROTOCOLS[protocol], "Port": number}


def _binding(protocol: str, number: int, address: str, first: int, last: int) -> dict[str, Any]:
    host = {"HostIP": address, "HostPort": first, "HostPortEnd": last}
    return {**_port(protocol, number), "IP": "", **host}

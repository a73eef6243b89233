"""Which ports of a container are exposed, and which of them its user wants published."""

from __future__ import annotations

from node.errors import Failed
from node.model.container import ContainerSpec
from node.model.published import PortWish
from node.programs import catalogue

PORTS_MAX = 4096
"""Published by one container."""


def exposed(spec: ContainerSpec) -> tuple[tuple[int, str], ...]:
    """Number and protocol of every port that the container or its image names, in order."""
    image = catalogue.find(spec.image)
    ports = {*spec.exposed_ports, *spec.port_bindings, *(image.exposed_ports if image is not None else ())}
    return tuple(sorted(_parsed(port) for port in ports))


def wanted(spec: ContainerSpec, default_address: str = "") -> tuple[PortWish, ...]:
    """What a container asks for: exact ports first, so that no range takes them away. Raises Failed.

    ``default_address``: the host's, for those that name none.
    """
    wishes: list[PortWish] = []
    bound = {_parsed(port): bindings for port, bindings in spec.port_bindings.items()}
    for (number, protocol), bindings in sorted(bound.items()):
        for address, host_port in bindings:
            if ":" in address:
                continue  # IPv6 is shown, and carried by nothing here
            first, _, last = host_port.partition("-")
            wishes.append(
                PortWish(
                    number, protocol, address or default_address, int(first or 0), int(last or first or 0)
                )
            )
    if spec.publish_all:
        wishes += [
            PortWish(number, protocol, default_address)
            for number, protocol in exposed(spec)
            if (number, protocol) not in bound
        ]
    if len(wishes) > PORTS_MAX:
        raise Failed(f"a container publishes at most {PORTS_MAX} ports here")
    return tuple(sorted(wishes, key=lambda wish: not (wish.first and wish.first == wish.last)))


def _parsed(port: str) -> tuple[int, str]:
    """ "80/tcp", or "80"."""
    number, _, protocol = port.partition("/")
    return int(number), protocol or "tcp"

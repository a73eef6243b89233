"""`--link` on the default bridge: lines in /etc/hosts and variables in the environment (moby: daemon/links).

On a network of the user's own, a link is an alias of the name server instead (control/standing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.control.port_wishes import exposed
from node.control.standing import Standing
from node.dns import files
from node.errors import Failed, NotFound
from node.model.container import ContainerRecord
from node.model.ids import short
from node.model.network import EndpointRecord
from node.programs import catalogue

DEFAULT_BRIDGE = "bridge"
_NOT_PASSED_ON = ("HOME", "PATH")

FindStanding = Callable[[str], tuple[ContainerRecord, Standing | None]]


@dataclass(frozen=True, slots=True)
class Link:
    """A running container that another one knows by an alias."""

    alias: str
    source: str
    """The name of the one that knows."""
    target: ContainerRecord
    endpoint: EndpointRecord | None
    """None if it does not run."""

    @property
    def address(self) -> str:
        """Empty if it does not run."""
        return self.endpoint.address.partition("/")[0] if self.endpoint is not None else ""

    @property
    def ports(self) -> tuple[tuple[int, str], ...]:
        """What the other one exposes: numbers and protocols, in order."""
        return exposed(self.target.spec)

    @property
    def host(self) -> tuple[str, str]:
        """Names and address, for /etc/hosts."""
        hostname = self.target.spec.hostname or short(self.target.id)
        return files.linked_names(self.alias, hostname, self.target.name), self.address

    @property
    def environment(self) -> tuple[str, ...]:
        """What the engine tells of the other one, by port and by variable."""
        prefix = self.alias.upper().replace("-", "_")
        image = catalogue.find(self.target.spec.image)
        lines: list[str] = []
        for number, protocol in self.ports:
            url = f"{protocol}://{self.address}:{number}"
            if not lines:
                lines.append(f"{prefix}_PORT={url}")
            name = f"{prefix}_PORT_{number}_{protocol.upper()}"
            lines += [f"{name}={url}", f"{name}_ADDR={self.address}", f"{name}_PORT={number}"]
            lines.append(f"{name}_PROTO={protocol}")
        lines.append(f"{prefix}_NAME=/{self.source}/{self.alias}")
        known = (*(image.environment if image is not None else ()), *self.target.spec.environment)
        lines += [
            f"{prefix}_ENV_{variable}"
            for variable in known
            if variable.partition("=")[0] not in _NOT_PASSED_ON
        ]
        return tuple(lines)


def links_of(container: ContainerRecord, find: FindStanding) -> tuple[Link, ...]:
    """The links that a container on the default bridge was given. Raises Failed in the engine's words."""
    if DEFAULT_BRIDGE not in container.networks:
        return ()
    links = []
    for text in container.spec.links:
        name, _, alias = text.partition(":")
        alias = alias or name
        try:
            target, standing = find(name)
        except NotFound as error:
            raise Failed(f"could not get container for {name}: {error}") from None
        if DEFAULT_BRIDGE not in target.networks:
            raise Failed(f"container {target.id} not attached to default bridge network")
        foothold = standing.footholds.get(DEFAULT_BRIDGE) if standing is not None else None
        endpoint = foothold.endpoint if foothold is not None else None
        links.append(Link(alias, container.name, target, endpoint))
    return tuple(links)


def check_running(links: tuple[Link, ...]) -> None:
    """Raises Failed: what is linked must run already."""
    for link in links:
        if not link.address:
            raise Failed(
                f"Cannot link to a non running container: /{link.target.name} AS /{link.source}/{link.alias}"
            )

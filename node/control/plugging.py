"""`docker network connect` and `disconnect`: networks of a container that exists already.

A running one is joined or taken out at once; in any case its record says where it stands when it
starts next. The refusals are the engine's (moby: daemon/container_operations.go).
"""

from __future__ import annotations

import msgspec

from node.control.bodies import Body
from node.control.lives import Lives
from node.control.registry import Registry
from node.control.sandboxes import Sandboxes
from node.errors import Failed, Forbidden, InvalidParameter, NotFound
from node.model.container import ContainerRecord
from node.model.network import EndpointSpec, NetworkRecord
from node.model.times import rfc3339
from node.seams import Clock

SHARED_MODES = ("host", "container:")


class Plugging:
    """See the module."""

    def __init__(self, registry: Registry, lives: Lives, sandboxes: Sandboxes, clock: Clock) -> None:
        self._registry = registry
        self._lives = lives
        self._sandboxes = sandboxes
        self._clock = clock

    async def connect(self, network: NetworkRecord, term: str, wish: EndpointSpec) -> None:
        """Put a container into a network."""
        container = self._registry.find(term)
        body = self._lives.body(container)
        _check_stays(container, body)
        async with body.lock:
            container = self._registry.find(container.id)
            if network.name in container.networks:
                raise Forbidden(
                    f"endpoint with name {container.name} already exists in network {network.name}"
                )
            _check_fits(container, network)
            if body.standing is not None:
                await self._sandboxes.connect(container, body.standing, network, wish)
            else:
                wish = msgspec.structs.replace(wish, connected=rfc3339(self._clock.wall()))
            await self._registry.change(
                container.id,
                lambda c: self._with(c, {**c.networks, network.name: wish}),
            )

    async def disconnect(self, network: NetworkRecord, term: str, *, force: bool) -> None:
        """Take a container out of a network; by force also one that does not exist any more."""
        try:
            container = self._registry.find(term)
        except NotFound:
            if force:  # whatever it left behind in the records is swept up by the reconciler
                raise NotFound(f"endpoint {term} not found") from None
            raise
        body = self._lives.body(container)
        _check_stays(container, body)
        async with body.lock:
            container = self._registry.find(container.id)
            if container.spec.network_mode == "host" and network.name == "host":
                raise InvalidParameter(
                    "cannot disconnect container from host network - "
                    "container was created in host network mode"
                )
            standing = body.standing
            if network.name not in container.networks:
                where = "network" if standing is not None else "the network"
                raise Failed(f"container {container.id} is not connected to {where} {network.name}")
            left = {name: wish for name, wish in container.networks.items() if name != network.name}
            try:
                if standing is not None and network.name in standing.footholds:
                    await self._sandboxes.disconnect(container, standing, network)
            finally:
                await self._registry.change(container.id, lambda c: self._with(c, left))

    def _with(self, container: ContainerRecord, networks: dict[str, EndpointSpec]) -> ContainerRecord:
        """The record with these networks, and the ports that are published now."""
        state = msgspec.structs.replace(container.state, ports=self._sandboxes.ports(container))
        return msgspec.structs.replace(container, networks=networks, state=state)


def _check_stays(container: ContainerRecord, body: Body) -> None:
    """Refuse a container that somebody is removing."""
    if body.removing:
        raise Failed(
            f"Container {container.id} is marked for removal and cannot be connected or disconnected "
            "to the network"
        )


def _check_fits(container: ContainerRecord, network: NetworkRecord) -> None:
    """Refuse networks that do not go together."""
    if container.spec.network_mode.startswith(SHARED_MODES):
        raise InvalidParameter(
            "container sharing network namespace with another container or host cannot be connected "
            "to any other network"
        )
    if network.name == "host":
        raise InvalidParameter(
            "cannot connect container to host network - container must be created in host network mode"
        )
    if container.networks and ("none" in container.networks or network.name == "none"):
        raise InvalidParameter(
            "container cannot be connected to multiple networks with one of the networks in private "
            "(none) mode"
        )

"""Gathers what the JSON of a container shows from the parts that know it."""

from __future__ import annotations

from typing import Any

from node.api.backend import Backend
from node.api.docker_json import containers as container_json
from node.api.docker_json.containers import Shown
from node.errors import InvalidParameter, NotFound
from node.model.container import ContainerRecord
from node.model.image import ImageRecord
from node.model.network import NetworkRecord
from node.seams import Clock


class Showing:
    """See the module."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock

    def of(self, container: ContainerRecord) -> Shown:
        """A container with everything around it."""
        endpoints = self._backend.containers.endpoints(container)
        networks = [self._network(name) for name in endpoints]
        return Shown(
            container=container,
            endpoints=endpoints,
            network_id=self._network_id,
            image=self._image(container.spec.image),
            node=self._backend.system.facts().name,
            now=self._clock.wall(),
            exposes_nothing=all(
                network is not None and (network.internal or network.driver == "macvlan")
                for network in networks
            ),
        )

    def listed(self, container: ContainerRecord) -> dict[str, Any]:
        """As an element of a list."""
        return container_json.listed(self.of(container))

    def _network_id(self, name: str) -> str:
        network = self._network(name)
        return network.id if network is not None else ""

    def _network(self, name: str) -> NetworkRecord | None:
        try:
            return self._backend.networks.find(name)
        except (NotFound, InvalidParameter):
            return None

    def _image(self, name: str) -> ImageRecord | None:
        try:
            return self._backend.images.find(name)
        except NotFound:
            return None

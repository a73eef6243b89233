"""What `docker create` fills in where its user said nothing: a name, networks, what to run."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from node.control.registry import Registry
from node.control.validate_container import check_endpoints, validate_modes
from node.errors import InvalidParameter, NotFound
from node.model.container import ContainerSpec
from node.model.names import container_name
from node.model.network import EndpointSpec, NetworkRecord
from node.programs.catalogue import Image


def free_name(registry: Registry, chance: random.Random) -> str:
    """A name that no container of the node has."""
    taken = {container.name for container in registry.all()}
    attempt = 0
    while (name := container_name(chance, attempt)) in taken:
        attempt += 1
    return name


def check_wishes(spec: ContainerSpec, find: Callable[[str], NetworkRecord]) -> None:
    """Refuse what contradicts itself, or the networks that it names. Raises InvalidParameter."""
    validate_modes(spec)
    names = {_real(name): wish for name, wish in spec.endpoints.items()}
    check_endpoints((_known(name, find), name, wish) for name, wish in names.items())


def check_links(spec: ContainerSpec, registry: Registry) -> None:
    """Refuse links to containers that do not exist. Raises InvalidParameter.

    To the client, NotFound would mean the image (moby#39823).
    """
    for link in spec.links:
        name = link.partition(":")[0]
        try:
            registry.find(name)
        except NotFound as error:
            raise InvalidParameter(f"could not get container for {name}: {error}") from None


def with_joined_by_id(spec: ContainerSpec, registry: Registry) -> ContainerSpec:
    """`--network container:x` means the container that has this name now, whatever it is called later."""
    mode, _, term = spec.network_mode.partition(":")
    if mode != "container":
        return spec
    try:
        other = registry.find(term)
    except NotFound:
        return spec  # the engine finds out when the container starts
    return msgspec.structs.replace(spec, network_mode=f"container:{other.id}")


def networks_of(spec: ContainerSpec, find: Callable[[str], NetworkRecord]) -> dict[str, EndpointSpec]:
    """The networks it is to stand in, by name where the name is known; the mode's own comes first."""
    mode = spec.network_mode
    if mode.startswith("container:"):
        return {}
    main = _real(mode)
    wishes = {_real(name): wish for name, wish in spec.endpoints.items()}
    if main not in wishes:
        wishes = {main: EndpointSpec(), **wishes}
    return {_name_of(term, find): wish for term, wish in wishes.items()}


def _real(name: str) -> str:
    return "bridge" if name == "default" else name


def _name_of(term: str, find: Callable[[str], NetworkRecord]) -> str:
    network = _known(term, find)
    return network.name if network is not None else term


def _known(term: str, find: Callable[[str], NetworkRecord]) -> NetworkRecord | None:
    try:
        return find(term)
    except NotFound:
        return None  # the engine finds out when the container starts


def arguments_of(spec: ContainerSpec, image: Image) -> tuple[str, ...]:
    """Entrypoint and command, the user's before the image's (Dockerfile reference, CMD and ENTRYPOINT)."""
    entrypoint = image.entrypoint if spec.entrypoint is None else spec.entrypoint
    command = spec.command
    if not command and spec.entrypoint is None:
        command = image.command
    arguments = (*entrypoint, *command)
    if not arguments:
        raise InvalidParameter("no command specified")
    return arguments

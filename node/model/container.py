"""Containers: what the user asked for, and what one node keeps of each."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from node.model.ids import short
from node.model.network import EndpointSpec
from node.model.published import PublishedPort

Status = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
WaitCondition = Literal["not-running", "next-exit", "removed"]


class RestartPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """ "no", "always", "unless-stopped" or "on-failure" with at most ``retries`` (0: no limit)."""

    name: str = "no"
    retries: int = 0


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `docker create` asks for, parsed once at the API."""

    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    environment: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    hostname: str = ""
    domainname: str = ""
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    labels: dict[str, str] = {}
    stop_signal: str = ""
    stop_timeout_s: int | None = None
    network_mode: str = "default"
    """"default", "bridge", "host", "none", "container:NAME" or a network's name or id."""
    endpoints: dict[str, EndpointSpec] = {}
    """By network name or id, in the order given."""
    restart: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    exposed_ports: tuple[str, ...] = ()
    """"80/tcp"."""
    port_bindings: dict[str, tuple[tuple[str, str], ...]] = {}
    """"80/tcp" to (host address, host port or range), as given."""
    publish_all: bool = False
    dns: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    uts_mode: str = ""
    config: dict[str, Any] = {}
    """The request's Config as sent: inspect shows it again; nothing else reads it."""
    host_config: dict[str, Any] = {}
    """Likewise its HostConfig."""


class ContainerState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a container stands. Times are RFC 3339; the zero time until they happened."""

    status: Status = "created"
    exit_code: int = 0
    error: str = ""
    pid: int = 0
    started: str = "0001-01-01T00:00:00Z"
    finished: str = "0001-01-01T00:00:00Z"
    restarts: int = 0
    ports: tuple[PublishedPort, ...] = ()
    """What it publishes while it runs."""
    stopped_by_user: bool = False
    """`docker stop` or `kill` ended it: unless-stopped keeps it so across a restart of the node."""


class ContainerRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A container as its node keeps it, across its own restarts."""

    id: str
    name: str
    """Without the slash."""
    created: str
    spec: ContainerSpec
    image_id: str
    arguments: tuple[str, ...]
    """What is run: entrypoint and command."""
    networks: dict[str, EndpointSpec] = {}
    """By network name; what `connect` and `disconnect` change."""
    state: ContainerState = ContainerState()


def dns_names(container: ContainerRecord, wish: EndpointSpec) -> tuple[str, ...]:
    """Name, aliases, short id, hostname, once each (moby: buildEndpointDNSNames)."""
    hostname = container.spec.hostname or short(container.id)
    return tuple(dict.fromkeys((container.name, *wish.aliases, short(container.id), hostname)))


class Ended(msgspec.Struct, frozen=True):
    """How a container ended, for those who waited for it."""

    exit_code: int
    error: str = ""
    """The engine's reason, where the program never ran."""


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a container, as `docker top` lists it."""

    user: str
    pid: int
    parent: int
    started_s: float
    """Seconds since 1970."""
    command: str
    terminal: str = "?"

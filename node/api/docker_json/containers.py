"""A container as `docker ps` and `docker inspect` receive it (moby: api/types/container)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from node.api.docker_json import endpoints as endpoint_json
from node.api.docker_json.endpoints import Endpoints, NetworkId
from node.api.docker_json.host_config import config, exposed_ports, host_config, main_network
from node.api.durations import human
from node.model import times
from node.model.container import ContainerRecord
from node.model.image import ImageRecord

STORAGE_DRIVER = "simulated"
UNNETWORKED = ("host", "none")


@dataclass(frozen=True, slots=True)
class Shown:
    """A container with everything around it that its JSON shows."""

    container: ContainerRecord
    endpoints: Endpoints
    network_id: NetworkId
    image: ImageRecord | None
    """None if it has left the catalogue."""
    node: str
    """Its host's name."""
    now: float
    """Seconds since 1970."""
    exposes_nothing: bool = False
    """None of its networks leads outside through its host: ports mean nothing there."""

    @property
    def running(self) -> bool:
        """As the engine counts: also while paused, or waiting to be started again."""
        return self.container.state.status in ("running", "paused", "restarting")


def status_text(container: ContainerRecord, now: float) -> str:
    """ "Up 2 minutes", "Exited (0) 3 seconds ago" and so on."""
    state = container.state
    up = human(now - times.seconds(state.started))
    ago = f"({state.exit_code}) {human(now - times.seconds(state.finished))} ago"
    texts = {
        "created": "Created",
        "running": f"Up {up}",
        "paused": f"Up {up} (Paused)",
        "restarting": f"Restarting {ago}",
        "removing": "Removal In Progress",
        "exited": f"Exited {ago}",
        "dead": "Dead",
    }
    return texts[state.status]


def listed(shown: Shown, *, with_size: bool = False) -> dict[str, Any]:
    """One element of GET /containers/json. What a container itself has written takes no room."""
    container = shown.container
    size = {"SizeRootFs": shown.image.size} if with_size and shown.image else {}
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.spec.image,
        "ImageID": container.image_id,
        "Command": _command_line(container.arguments),
        "Created": int(times.seconds(container.created)),
        "Ports": ports_in_list(shown),
        **size,
        "Labels": container.spec.labels,
        "State": container.state.status,
        "Status": status_text(container, shown.now),
        "HostConfig": {"NetworkMode": main_network(container)},
        "NetworkSettings": {
            "Networks": endpoint_json.networks_in_list(container, shown.endpoints, shown.network_id)
        },
        "Mounts": [],
    }


def _command_line(arguments: Sequence[str]) -> str:
    return " ".join(
        f"'{argument}'" if position and " " in argument else argument
        for position, argument in enumerate(arguments)
    )


def ports_in_list(shown: Shown) -> list[dict[str, Any]]:
    """Ports of a running container: those that it publishes, and those that it only exposes."""
    published = shown.container.state.ports if shown.running else ()
    listed = [
        {
            "IP": port.host_address,
            "PrivatePort": port.container_port,
            "PublicPort": port.host_port,
            "Type": port.protocol,
        }
        for port in published
    ]
    names = {f"{port.container_port}/{port.protocol}" for port in published}
    return listed + [
        {"PrivatePort": int(port.partition("/")[0].partition("-")[0]), "Type": port.partition("/")[2]}
        for port in _open_ports(shown)
        if port not in names
    ]


def _port_map(shown: Shown) -> dict[str, list[dict[str, str]] | None]:
    """Every open port, with where on the host it is published."""
    ports: dict[str, list[dict[str, str]] | None] = dict.fromkeys(_open_ports(shown))
    for port in shown.container.state.ports if shown.running else ():
        name = f"{port.container_port}/{port.protocol}"
        holders = ports.get(name) or []
        ports[name] = [*holders, {"HostIp": port.host_address, "HostPort": str(port.host_port or "")}]
    return ports


def _open_ports(shown: Shown) -> list[str]:
    is_networked = shown.endpoints and main_network(shown.container) not in UNNETWORKED
    if not is_networked or shown.exposes_nothing:
        return []
    return exposed_ports(shown.container, shown.image)


def inspected(shown: Shown, execs: Sequence[str] = ()) -> dict[str, Any]:
    """GET /containers/{name}/json. ``execs``: ids of the execs that run in it."""
    container = shown.container
    return {
        "Id": container.id,
        "Created": container.created,
        "Path": container.arguments[0] if container.arguments else "",
        "Args": list(container.arguments[1:]),
        "State": _state(shown),
        "Image": container.image_id,
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": "",
        "Name": f"/{container.name}",
        "RestartCount": container.state.restarts,
        "Driver": STORAGE_DRIVER,
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(execs) or None,
        "HostConfig": host_config(container),
        "GraphDriver": {"Data": None, "Name": STORAGE_DRIVER},
        "Mounts": [],
        "Config": config(container, shown.image, shown.node),
        "NetworkSettings": _network_settings(shown),
    }


def _state(shown: Shown) -> dict[str, Any]:
    state = shown.container.state
    return {
        "Status": state.status,
        "Running": shown.running,
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": False,
        "Dead": state.status == "dead",
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started,
        "FinishedAt": state.finished,
    }


def _network_settings(shown: Shown) -> dict[str, Any]:
    own = not main_network(shown.container).startswith("container:")
    sandbox = _sandbox_id(shown.container) if shown.running and own else ""
    in_host = main_network(shown.container) == "host"
    key = f"/var/run/docker/netns/{'default' if in_host else sandbox[:12]}"
    return {
        "Bridge": "",
        "SandboxID": sandbox,
        "SandboxKey": key if sandbox else "",
        "Ports": _port_map(shown),
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **endpoint_json.of_default_bridge(shown.endpoints),
        "Networks": endpoint_json.networks(shown.container, shown.endpoints, shown.network_id),
    }


def _sandbox_id(container: ContainerRecord) -> str:
    """64 hexadecimal digits that differ from run to run of a container, as the engine's do."""
    return hashlib.sha256(f"{container.id} {container.state.started}".encode()).hexdigest()

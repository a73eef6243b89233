"""A container's Config and HostConfig: what inspect repeats of the request, and what stands in its place.

Source: moby api/types/container/hostconfig.go, config.go; the defaults are those of a Linux host with
cgroup version 2.
"""

from __future__ import annotations

from typing import Any

from node.model.container import ContainerRecord
from node.model.ids import short
from node.model.image import ImageRecord

SHARED_MEMORY_BYTES = 64 * 1024 * 1024

CONFIG_KEPT: dict[str, Any] = {
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Volumes": None,
    "Healthcheck": None,
    "Shell": None,
}
"""What of Config is kept as it was sent, because nothing here acts on it."""

MASKED_PATHS = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
]
"""moby: oci/defaults.go."""

CONFIG_OPTIONAL = ("ExposedPorts", "Healthcheck", "MacAddress", "StopSignal", "StopTimeout", "Shell")
"""Keys of Config that are left out when they say nothing."""

HOST_CONFIG_DEFAULTS: dict[str, Any] = {
    "Binds": None,
    "ContainerIDFile": "",
    "LogConfig": {"Type": "json-file", "Config": {}},
    "NetworkMode": "bridge",
    "PortBindings": {},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "AutoRemove": False,
    "VolumeDriver": "",
    "VolumesFrom": None,
    "ConsoleSize": [0, 0],
    "CapAdd": None,
    "CapDrop": None,
    "CgroupnsMode": "private",
    "Dns": [],
    "DnsOptions": [],
    "DnsSearch": [],
    "ExtraHosts": None,
    "GroupAdd": None,
    "IpcMode": "private",
    "Cgroup": "",
    "Links": None,
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": None,
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": SHARED_MEMORY_BYTES,
    "Runtime": "shoal",
    "Isolation": "",
    "CpuShares": 0,
    "Memory": 0,
    "NanoCpus": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioWeightDevice": [],
    "BlkioDeviceReadBps": [],
    "BlkioDeviceWriteBps": [],
    "BlkioDeviceReadIOps": [],
    "BlkioDeviceWriteIOps": [],
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpuRealtimePeriod": 0,
    "CpuRealtimeRuntime": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": [],
    "DeviceCgroupRules": None,
    "DeviceRequests": None,
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "MemorySwappiness": None,
    "OomKillDisable": None,
    "PidsLimit": None,
    "Ulimits": [],
    "CpuCount": 0,
    "CpuPercent": 0,
    "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
    "MaskedPaths": MASKED_PATHS,
    "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
}

HOST_CONFIG_OPTIONAL: tuple[str, ...] = (
    "Annotations",
    "Init",
    "Mounts",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
)
"""Shown only if they were sent."""

UNSET: tuple[Any, ...] = (None, "", 0, -1, [], {}, [0, 0], {"Type": "", "Config": {}})
"""How clients write that they do not care (the CLI: MemorySwappiness -1)."""


def host_config(container: ContainerRecord) -> dict[str, Any]:
    """HostConfig."""
    spec = container.spec
    return {
        **HOST_CONFIG_DEFAULTS,
        **spec.host_config,
        "NetworkMode": main_network(container),
        "Links": _links(container),
        "RestartPolicy": {"Name": spec.restart.name, "MaximumRetryCount": spec.restart.retries},
    }


def _links(container: ContainerRecord) -> list[str] | None:
    """Links of the default bridge, "/target:/source/alias"; other networks show theirs as they were given."""
    if main_network(container) != "bridge":
        return None
    pairs = [link.partition(":") for link in container.spec.links]
    return [f"/{target}:/{container.name}/{alias or target}" for target, _, alias in pairs] or None


def main_network(container: ContainerRecord) -> str:
    """The network mode, with the default network under its name."""
    mode = container.spec.network_mode
    return "bridge" if mode == "default" else mode


def config(container: ContainerRecord, image: ImageRecord | None, node: str) -> dict[str, Any]:
    """Config, with what the image adds; ``node`` is the host's name, which host mode shares."""
    spec = container.spec
    ports = exposed_ports(container, image)
    kept = {**CONFIG_KEPT, **spec.config}
    main_wish = container.networks.get(main_network(container))
    shape: dict[str, Any] = {
        "Hostname": _hostname(container, node),
        "Domainname": spec.domainname,
        "User": spec.user or (image.user if image else ""),
        **{key: kept[key] for key in ("AttachStdin", "AttachStdout", "AttachStderr")},
        "ExposedPorts": {port: {} for port in ports},
        "Tty": spec.tty,
        "OpenStdin": spec.open_stdin,
        "StdinOnce": spec.stdin_once,
        "Env": _environment(spec.environment, image.environment if image else ()),
        "Cmd": _command(container, image),
        "Healthcheck": kept["Healthcheck"],
        "Image": spec.image,
        "Volumes": kept["Volumes"],
        "WorkingDir": spec.working_directory or (image.working_directory if image else ""),
        "Entrypoint": _entrypoint(container, image),
        "MacAddress": main_wish.mac if main_wish else "",
        "OnBuild": None,
        "Labels": {**(image.labels if image else {}), **spec.labels},
        "StopSignal": spec.stop_signal or (image.stop_signal if image else ""),
        "StopTimeout": spec.stop_timeout_s,
        "Shell": kept["Shell"],
    }
    return {key: value for key, value in shape.items() if key not in CONFIG_OPTIONAL or _is_set(value)}


def _is_set(value: Any) -> bool:
    return value is not None and value not in ("", {}, [])


def exposed_ports(container: ContainerRecord, image: ImageRecord | None) -> list[str]:
    """Ports that the user, a binding or the image names, "80/tcp", sorted."""
    spec = container.spec
    return sorted({*spec.exposed_ports, *spec.port_bindings, *(image.exposed_ports if image else ())})


def _hostname(container: ContainerRecord, node: str) -> str:
    mode = container.spec.network_mode
    return container.spec.hostname or (node if mode == "host" else short(container.id))


def _environment(given: tuple[str, ...], of_image: tuple[str, ...]) -> list[str]:
    """The user's variables, then those of the image that the user left alone (moby: daemon/commit.go)."""
    named = {variable.partition("=")[0] for variable in given}
    return [*given, *(variable for variable in of_image if variable.partition("=")[0] not in named)]


def _command(container: ContainerRecord, image: ImageRecord | None) -> list[str] | None:
    spec = container.spec
    if spec.command:
        return list(spec.command)
    return list(image.command) or None if image and spec.entrypoint is None else None


def _entrypoint(container: ContainerRecord, image: ImageRecord | None) -> list[str] | None:
    given = container.spec.entrypoint
    if given is None:
        given = image.entrypoint if image else ()
    return list(given) or None

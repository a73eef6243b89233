"""What an engine says of itself: `docker version`, `docker info`, `docker events`, `docker system df`.

Sources: moby api/types/types.go (Version), api/types/system/info.go, api/types/events/events.go.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from node.api.docker_json.containers import STORAGE_DRIVER
from node.model.container import ContainerRecord
from node.model.engine import API_VERSION, API_VERSION_MIN, ENGINE_VERSION
from node.model.event import EngineEvent
from node.model.facts import NodeFacts

PLATFORM = "Shoal (simulated Docker host)"
RUNTIME = "shoal"
NANOSECONDS = 1_000_000_000
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""The kernel's word for a processor, and Go's."""


def dotted(version: tuple[int, int]) -> str:
    """An API version, "1.50"."""
    return f"{version[0]}.{version[1]}"


def version(facts: NodeFacts) -> dict[str, Any]:
    """GET /version."""
    common = {
        "ApiVersion": dotted(API_VERSION),
        "Arch": ARCHITECTURES.get(facts.architecture, facts.architecture),
        "BuildTime": "",
        "GitCommit": "simulated",
        "GoVersion": f"none (Python {sys.version_info.major}.{sys.version_info.minor})",
        "KernelVersion": facts.kernel,
        "MinAPIVersion": dotted(API_VERSION_MIN),
        "Os": "linux",
    }
    details = {**common, "Experimental": "false"}
    return {
        "Platform": {"Name": PLATFORM},
        "Components": [{"Name": "Engine", "Version": ENGINE_VERSION, "Details": details}],
        "Version": ENGINE_VERSION,
        **common,
    }


def info(facts: NodeFacts, containers: Sequence[ContainerRecord], changing: dict[str, Any]) -> dict[str, Any]:
    """GET /info. ``changing``: Images, NEventsListener, SystemTime and Swarm as they are now."""
    states = [container.state.status for container in containers]
    running, paused = states.count("running") + states.count("restarting"), states.count("paused")
    return {
        "ID": facts.id,
        "Containers": len(states),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(states) - running - paused,
        **_CAPABILITIES,
        **changing,
        "Plugins": {
            "Volume": [],
            "Network": sorted(facts.network_drivers),
            "Authorization": None,
            "Log": ["json-file"],
        },
        "KernelVersion": facts.kernel,
        "OperatingSystem": facts.operating_system,
        "OSVersion": "",
        "OSType": "linux",
        "Architecture": facts.architecture,
        "NCPU": facts.cpus,
        "MemTotal": facts.memory_bytes,
        "DockerRootDir": facts.directory,
        "Name": facts.name,
        "Labels": list(facts.labels),
        **_address_pools(facts),
        "ServerVersion": ENGINE_VERSION,
    }


def _address_pools(facts: NodeFacts) -> dict[str, Any]:
    """Told only where the settings name them, as the engine does."""
    pools = [{"Base": base, "Size": size} for base, size in facts.address_pools]
    return {"DefaultAddressPools": pools} if pools else {}


_CAPABILITIES: dict[str, Any] = {
    "Driver": STORAGE_DRIVER,
    "DriverStatus": [["Images", "names for programs of the simulator"]],
    "MemoryLimit": True,
    "SwapLimit": True,
    "CpuCfsPeriod": True,
    "CpuCfsQuota": True,
    "CPUShares": True,
    "CPUSet": True,
    "PidsLimit": True,
    "IPv4Forwarding": True,
    "Debug": False,
    "NFd": 0,
    "OomKillDisable": False,
    "NGoroutines": 0,
    "LoggingDriver": "json-file",
    "CgroupDriver": "none",
    "CgroupVersion": "2",
    "IndexServerAddress": "https://index.docker.io/v1/",
    "RegistryConfig": {"InsecureRegistryCIDRs": [], "IndexConfigs": {}, "Mirrors": []},
    "GenericResources": None,
    "HttpProxy": "",
    "HttpsProxy": "",
    "NoProxy": "",
    "ExperimentalBuild": False,
    "Runtimes": {RUNTIME: {"path": RUNTIME}},
    "DefaultRuntime": RUNTIME,
    "LiveRestoreEnabled": False,
    "Isolation": "",
    "InitBinary": "",
    "ContainerdCommit": {"ID": ""},
    "RuncCommit": {"ID": ""},
    "InitCommit": {"ID": ""},
    "SecurityOptions": [],
    "CDISpecDirs": [],
    "Warnings": None,
}
"""The same on every node: a simulated host has no kernel that could lack any of it."""


def event(happened: EngineEvent) -> dict[str, Any]:
    """One line of GET /events; events of containers repeat a part under their old names."""
    old_names = {
        "status": happened.action,
        "id": happened.actor,
        "from": happened.attributes.get("image", ""),
    }
    return {
        **(old_names if happened.kind == "container" else {}),
        "Type": happened.kind,
        "Action": happened.action,
        "Actor": {"ID": happened.actor, "Attributes": happened.attributes},
        "scope": happened.scope,
        "time": happened.time_ns // NANOSECONDS,
        "timeNano": happened.time_ns,
    }

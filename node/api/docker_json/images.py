"""An image of the catalogue as `docker images` and `inspect` receive it (moby: api/types/image)."""

from __future__ import annotations

import hashlib
from typing import Any

from node.api.docker_json.containers import STORAGE_DRIVER
from node.model import times
from node.model.image import ImageRecord


def listed(image: ImageRecord, containers: int = -1) -> dict[str, Any]:
    """One element of GET /images/json; -1 containers: not counted."""
    return {
        "Containers": containers,
        "Created": int(times.seconds(image.created)),
        "Id": image.id,
        "Labels": image.labels or None,
        "ParentId": "",
        "RepoDigests": digests(image),
        "RepoTags": list(image.tags),
        "SharedSize": -1 if containers < 0 else 0,
        "Size": image.size,
    }


def digests(image: ImageRecord) -> list[str]:
    """Names by digest, "nginx@sha256:...", once for every repository."""
    repositories = dict.fromkeys(tag.rpartition(":")[0] for tag in image.tags)
    return [f"{repository}@{image.id}" for repository in repositories]


def inspected(image: ImageRecord) -> dict[str, Any]:
    """GET /images/{name}/json."""
    return {
        "Id": image.id,
        "RepoTags": list(image.tags),
        "RepoDigests": digests(image),
        "Parent": "",
        "Comment": "simulated: this image is a name for a program of the simulator",
        "Created": image.created,
        "DockerVersion": "",
        "Author": "",
        "Config": _config(image),
        "Architecture": "amd64",
        "Os": "linux",
        "Size": image.size,
        "GraphDriver": {"Data": None, "Name": STORAGE_DRIVER},
        "RootFS": {
            "Type": "layers",
            "Layers": [f"sha256:{hashlib.sha256(image.id.encode()).hexdigest()}"],
        },
        "Metadata": {"LastTagTime": times.NEVER},
    }


def _config(image: ImageRecord) -> dict[str, Any]:
    """Only what is set, as in an OCI image."""
    shape: dict[str, Any] = {
        "User": image.user,
        "ExposedPorts": {port: {} for port in image.exposed_ports},
        "Env": list(image.environment),
        "Entrypoint": list(image.entrypoint),
        "Cmd": list(image.command),
        "WorkingDir": image.working_directory,
        "Labels": image.labels,
        "StopSignal": image.stop_signal,
    }
    return {key: value for key, value in shape.items() if value}

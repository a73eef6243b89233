"""The shapes of answers, compared with what a real engine answered (20.10.24, API 1.41).

Keys and types must agree. What differs stands in the lists below, with its reason: mostly that this API
is newer (1.50; moby docs/api/version-history.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from node.api.app import App
from tests.api.asking import answer, ask, created, running
from tests.api.memory import Node
from tests.api.test_networks import overlay

RECORDINGS = Path(__file__).parents[1] / "data" / "engine-recordings"

NEWER = {
    "EnableIPv4": "1.48",
    "GwPriority": "1.48",
    "DNSNames": "1.44",
    "CDISpecDirs": "1.46",
    "Metadata": "an image's, not recorded",
}
"""Keys that engines of API 1.41 did not have, with the version that brought them."""
GONE = {
    "KernelMemory": "1.42: cgroup version 2 has none",
    "KernelMemoryTCP": "1.42: cgroup version 2 has none",
    "BridgeNfIptables": "1.50",
    "BridgeNfIp6tables": "1.50",
    "AllowNondistributableArtifactsCIDRs": "1.47",
    "AllowNondistributableArtifactsHostnames": "1.47",
    "Expected": "1.49: of commits in info",
    "VirtualSize": "1.44",
    "BuilderSize": "1.42",
}
"""Keys that newer engines do not have, with the version that dropped them."""
OTHER_HERE = {
    "Ports/IP": "ports are exposed here, not published",
    "Ports/PublicPort": "ports are exposed here, not published",
    "Ports/*/HostIp": "ports are exposed here, not published",
    "Ports/*/HostPort": "ports are exposed here, not published",
    "HostConfig/PortBindings/*/HostIp": "none was asked for here",
    "HostConfig/PortBindings/*/HostPort": "none was asked for here",
    "HostConfig/Devices": "none was asked for here",
    "HostConfig/Binds": "none was asked for here",
    "GraphDriver/Data": "there are no layers on a disk",
    "Mounts": "there are no mounts",
    "TLSInfo": "the lab's swarm has no certificates",
    "DriverStatus": "of another storage driver",
    "Runtimes": "of another runtime",
    "BuildCache": "nothing is built here",
    "Plugins/Volume": "volumes are not simulated",
    "SizeRootFs": "a container takes no room",
}
"""Ends of paths below which the shapes may differ."""

MAPS = (
    "Labels",
    "Options",
    "Containers",
    "Networks",
    "Ports",
    "ExposedPorts",
    "PortBindings",
    "Attributes",
    "Runtimes",
    "IndexConfigs",
    "Details",
    "Config/Volumes",
)
"""Objects whose keys are names that somebody gave: all their values have one shape."""


def recorded(name: str, path: str) -> Any:
    """The body of the recorded answer to the request whose path ends so."""
    exchanges = json.loads((RECORDINGS / f"{name}.json").read_text())["exchanges"]
    return next(e["response"]["body"] for e in exchanges if e["path"].endswith(path))


def shape(value: Any, path: str = "") -> dict[str, set[str]]:
    """Every path through a JSON value, with the types found there."""
    found: dict[str, set[str]] = {path: {kind(value)}}
    if isinstance(value, dict):
        named = path.endswith(MAPS)
        inner = [(f"{path}/{'*' if named else key}", item) for key, item in value.items()]
    else:
        inner = [(f"{path}[]", item) for item in value] if isinstance(value, list) else []
    for place, item in inner:
        for below, kinds in shape(item, place).items():
            found.setdefault(below, set()).update(kinds)
    return found


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def differences(theirs: Any, ours: Any) -> list[str]:
    """Paths that only one of them has, or whose types differ; null agrees with everything."""
    left, right = shape(theirs), shape(ours)
    found = [f"missing: {path}" for path in left if path not in right and not excused(path, GONE, right)]
    found += [f"new: {path}" for path in right if path not in left and not excused(path, NEWER, left)]
    for path in left.keys() & right.keys():
        kinds = (left[path] - {"NoneType"}, right[path] - {"NoneType"})
        if all(kinds) and kinds[0] != kinds[1]:
            found.append(f"other type: {path} {kinds}")
    return sorted(found)


def excused(path: str, by_version: dict[str, str], other: dict[str, set[str]]) -> bool:
    """It has another version's key, lies below something that differs, or within what is empty there."""
    parts = path.replace("[]", "").strip("/").split("/")
    if any(part in by_version for part in parts):
        return True
    if any("/".join(parts[:end]).endswith(tuple(OTHER_HERE)) for end in range(1, len(parts) + 1)):
        return True
    while path not in other:
        path = path.removesuffix("[]") if path.endswith("[]") else path.rpartition("/")[0]
    return path.endswith(MAPS) or other[path] <= {"list", "NoneType"}


async def test_networks(app: App, node: Node) -> None:
    node.networks["y" * 25] = overlay()
    assert differences(recorded("netls", "/networks"), (await ask(app, "GET", "/networks"))[1]) == []


async def test_a_network(app: App) -> None:
    sent = recorded_request("netcreate", "/networks/create")
    status, made = await ask(app, "POST", "/networks/create", sent)
    assert (status, differences(recorded("netcreate", "/networks/create"), made)) == (201, [])
    _, network = await ask(app, "GET", "/networks/recnet")
    assert differences(recorded("netinsp", "/networks/recnet"), network) == []
    assert network["IPAM"] == recorded("netinsp", "/networks/recnet")["IPAM"]


def recorded_request(name: str, part: str) -> Any:
    """The body of a recorded request."""
    exchanges = json.loads((RECORDINGS / f"{name}.json").read_text())["exchanges"]
    return next(e["body"] for e in exchanges if part in e["path"])


async def test_an_overlay_with_endpoints(app: App, node: Node) -> None:
    node.networks["y" * 25] = overlay()
    node.peers = [("node-1", "192.168.65.2")]
    await running(app, HostConfig={"NetworkMode": "ov"})
    _, network = await ask(app, "GET", "/networks/ov")
    assert differences(recorded("netovins", "/networks/ov1"), network) == []


async def test_a_list_of_containers(app: App) -> None:
    await running(app, ExposedPorts={"80/tcp": {}})
    theirs, (_, ours) = recorded("ps", "json?all=1"), await ask(app, "GET", "/containers/json?all=1")
    assert differences(theirs, ours) == []


async def test_a_container(app: App) -> None:
    await running(app, "t1", ExposedPorts={"80/tcp": {}})
    _, ours = await ask(app, "GET", "/containers/t1/json")
    assert differences(recorded("inspect", "/t1/json"), ours) == []


@pytest.mark.parametrize("name", ["run_d", "run_fg", "run_i", "run_it", "missing"])
async def test_what_the_cli_sends_for_a_container_is_understood(app: App, name: str) -> None:
    sent = recorded_request(name, "/containers/create") | {"Image": "alpine"}
    sent["HostConfig"]["NetworkMode"] = "default"
    sent["NetworkingConfig"]["EndpointsConfig"] = {"default": {}}
    status, made = await ask(app, "POST", "/containers/create?name=x", sent)
    assert (status, set(made)) == (201, {"Id", "Warnings"})
    _, ours = await ask(app, "GET", "/containers/x/json")
    config = ours["Config"]
    asked = ("AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce", "Cmd")
    assert {key: config[key] for key in asked} == {key: sent[key] for key in asked}


@pytest.mark.usefixtures("swarm")
async def test_info_and_version(app: App) -> None:
    assert differences(recorded("info", "/info"), (await ask(app, "GET", "/info"))[1]) == []
    theirs, (_, ours) = recorded("version", "/version"), await ask(app, "GET", "/version")
    assert differences(theirs, ours) == []


@pytest.mark.usefixtures("swarm")
async def test_nodes_and_the_swarm(app: App) -> None:
    _, nodes = await ask(app, "GET", "/nodes")
    for node in nodes:
        node.get("Status").pop("Message", None)  # of a node that is down: there was none in the recording
    assert differences(recorded("nodels", "/nodes"), nodes) == []
    _, ours = await ask(app, "GET", "/swarm")
    assert differences(recorded("jointok", "/swarm"), ours) == []


async def test_a_worker_is_refused_as_recorded(app: App) -> None:
    status, ours = await ask(app, "GET", "/nodes")
    assert (status, set(ours)) == (503, set(recorded("swnodels_worker", "/nodes")))


async def test_an_exec(app: App) -> None:
    await running(app, "t1")
    sent = recorded_request("exec_i", "/t1/exec")
    status, made = await ask(app, "POST", "/containers/t1/exec", sent)
    assert (status, set(made)) == (201, set(recorded("exec_i", "/t1/exec")))
    _, ours = await ask(app, "GET", f"/exec/{made['Id']}/json")
    theirs = next(
        e["response"]["body"]
        for e in json.loads((RECORDINGS / "exec_i.json").read_text())["exchanges"]
        if "/exec/" in e["path"] and e["path"].endswith("/json")
    )
    assert differences(theirs, ours) == []


async def test_events(app: App) -> None:
    identity = await created(app, "c1")
    got = await answer(app, "GET", "/events?since=1")
    ours = json.loads(await anext(got.pieces))  # type: ignore[union-attr]
    got.close()  # type: ignore[union-attr]
    lines = json.loads((RECORDINGS / "events.json").read_text())["exchanges"][1]["response"]
    body = lines.get("stream") or lines.get("body")
    theirs = [json.loads(line) for line in body.splitlines()]
    assert ours["id"] == identity
    assert differences([event for event in theirs if event["Action"] == "create"], [ours]) == []


async def test_small_answers(app: App) -> None:
    await running(app, "t1")
    for name, path in (("top", "/containers/t1/top"), ("volls", "/volumes"), ("ctx", "/system/df")):
        assert differences(recorded(name, path), (await ask(app, "GET", path))[1]) == []
    assert differences(recorded("images", "/images/json"), (await ask(app, "GET", "/images/json"))[1]) == []


async def test_an_unknown_image_is_refused_as_recorded(app: App) -> None:
    status, ours = await ask(app, "POST", "/containers/create", {"Image": "nosuch:1"})
    assert (status, ours) == (404, recorded("missing", "/containers/create"))


def test_the_comparison_bites() -> None:
    theirs = {"Id": "x", "Size": 1, "Labels": {"a": "b"}}
    assert differences(theirs, {"Id": "x", "Labels": None}) == ["missing: /Size"]
    assert differences(theirs, {**theirs, "More": 1}) == ["new: /More"]
    assert len(differences(theirs, {**theirs, "Size": "1"})) == 1

"""The swarm over HTTP: looked at, and its nodes changed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from node.api.app import App
from node.api.http import Response
from tests.api.asking import answer, ask, refused

NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
    "this node to swarm and try again."
)


async def test_without_a_swarm(app: App) -> None:
    for path in ("/nodes", "/swarm", "/services", "/tasks", "/secrets", "/configs", "/nodes/self"):
        assert await refused(app, "GET", path) == (503, NO_SWARM)
    _, info = await ask(app, "GET", "/info")
    assert info["Swarm"] == {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    }
    assert await refused(app, "POST", "/swarm/leave") == (503, "This node is not part of a swarm")
    status, sentence = await refused(app, "POST", "/swarm/init", {})
    assert (status, "the lab forms the swarm" in sentence) == (501, True)


@pytest.mark.usefixtures("swarm")
async def test_nodes(app: App) -> None:
    _, nodes = await ask(app, "GET", "/nodes")
    assert [node["Description"]["Hostname"] for node in nodes] == ["node-1", "node-2", "node-3"]
    assert [node["Status"]["State"] for node in nodes] == ["ready", "down", "ready"]
    assert nodes[0]["ManagerStatus"] == {
        "Leader": True,
        "Reachability": "reachable",
        "Addr": "192.168.65.2:2377",
    }
    assert nodes[1]["ManagerStatus"]["Reachability"] == "unreachable"
    assert nodes[1]["Status"]["Message"] == "heartbeat failure"
    assert "ManagerStatus" not in nodes[2]
    for term in ("node-3", "3" * 25, "333"):
        assert (await ask(app, "GET", f"/nodes/{term}"))[1] == nodes[2]
    assert await refused(app, "GET", "/nodes/x") == (404, "node x not found")


@pytest.mark.usefixtures("swarm")
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"role": ["worker"]}, ["node-3"]),
        ({"role": ["Manager"]}, ["node-1", "node-2"]),
        ({"name": ["node"]}, ["node-1", "node-2", "node-3"]),
        ({"name": ["ode"]}, []),
        ({"id": ["22"]}, ["node-2"]),
        ({"membership": ["accepted"]}, ["node-1", "node-2", "node-3"]),
        ({"membership": ["pending"]}, []),
        ({"node.label": ["x"]}, []),
        ({"label": ["x"]}, []),
    ],
)
async def test_node_filters(app: App, filters: dict[str, Any], found: list[str]) -> None:
    _, nodes = await ask(app, "GET", f"/nodes?filters={quote(json.dumps(filters))}")
    assert [node["Description"]["Hostname"] for node in nodes] == found


@pytest.mark.usefixtures("swarm")
async def test_invalid_node_filters(app: App) -> None:
    query = quote(json.dumps({"state": ["ready"]}))
    assert await refused(app, "GET", f"/nodes?filters={query}") == (400, "invalid filter 'state'")
    query = quote(json.dumps({"role": ["boss"]}))
    assert await refused(app, "GET", f"/nodes?filters={query}") == (500, "Invalid role filter: 'boss'")


@pytest.mark.usefixtures("swarm")
async def test_the_swarm_itself(app: App) -> None:
    _, swarm = await ask(app, "GET", "/swarm")
    _, info = await ask(app, "GET", "/info")
    assert swarm["ID"] == "c" * 25
    assert set(swarm["JoinTokens"]) == {"Worker", "Manager"}
    assert info["Swarm"]["Cluster"] == {key: swarm[key] for key in swarm if key != "JoinTokens"}
    assert (info["Swarm"]["Nodes"], info["Swarm"]["Managers"], info["Swarm"]["NodeID"]) == (3, 2, "1" * 25)
    assert info["Swarm"]["RemoteManagers"][0] == {"NodeID": "1" * 25, "Addr": "192.168.65.2:2377"}
    got = await answer(app, "HEAD", "/_ping")
    assert isinstance(got, Response)
    assert (got.headers["Swarm"], got.body) == ("active/manager", b"")


@pytest.mark.usefixtures("swarm")
async def test_the_lab_forms_the_swarm(app: App) -> None:
    status, sentence = await refused(app, "POST", "/swarm/init", {})
    assert (status, sentence.startswith("This node is already part of a swarm.")) == (503, True)
    for path in ("/swarm/leave?force=1", "/swarm/update?version=1"):
        assert (await refused(app, "POST", path))[0] == 501


@pytest.mark.usefixtures("swarm")
async def test_services_are_to_come(app: App) -> None:
    for kind in ("services", "tasks", "secrets", "configs"):
        assert await ask(app, "GET", f"/{kind}") == (200, [])
        status, _ = await refused(app, "POST", f"/{kind}/create", {})
        assert status == 501
        assert await refused(app, "GET", f"/{kind}/x") == (404, f"{kind[:-1]} x not found")
    query = quote(json.dumps({"_up-to-date": {"true": True}, "service": {"x": True}}))
    assert await ask(app, "GET", f"/tasks?filters={query}") == (200, [])
    assert (await refused(app, "GET", f"/services?filters={quote(json.dumps({'x': ['y']}))}"))[0] == 400


PRECONDITION = "rpc error: code = FailedPrecondition desc = "


@pytest.mark.usefixtures("swarm")
async def test_a_node_is_removed_when_it_is_down_or_by_force(app: App) -> None:
    manager, worker = "2" * 25, "3" * 25
    assert await refused(app, "DELETE", "/nodes/node-2?force=1") == (
        400,
        f"{PRECONDITION}node {manager} is a cluster manager and is a member of the raft cluster. "
        "It must be demoted to worker before removal",
    )
    assert await refused(app, "DELETE", "/nodes/node-3") == (
        400,
        f"{PRECONDITION}node {worker} is not down and can't be removed",
    )
    assert await refused(app, "DELETE", "/nodes/x") == (404, "node x not found")
    got = await answer(app, "DELETE", "/nodes/node-3?force=1")
    assert isinstance(got, Response)
    assert (got.status, got.body) == (200, b"")
    assert await refused(app, "GET", "/nodes/node-3") == (404, "node node-3 not found")


def node_spec(**changes: Any) -> dict[str, Any]:
    return {"Role": "worker", "Availability": "active", "Labels": {}, **changes}


@pytest.mark.usefixtures("swarm")
async def test_a_node_is_promoted_demoted_and_labelled(app: App) -> None:
    async def update(name: str, version: int, spec: dict[str, Any]) -> int:
        return (await ask(app, "POST", f"/nodes/{name}/update?version={version}", spec))[0]

    assert await update("node-3", 7, node_spec(Labels={"zone": "a"}, Availability="drain")) == 200
    _, node = await ask(app, "GET", "/nodes/node-3")
    assert node["Spec"] == {"Labels": {"zone": "a"}, "Role": "worker", "Availability": "drain"}
    assert await refused(app, "POST", "/nodes/node-3/update?version=7", node_spec()) == (
        500,
        "rpc error: code = Unknown desc = update out of sequence",
    )
    assert await refused(app, "POST", "/nodes/node-1/update?version=7", node_spec()) == (
        400,
        f"{PRECONDITION}can't remove member from the raft: this would result in a loss of quorum",
    )
    assert await update("node-2", 7, node_spec()) == 200, "who is down can be demoted"
    assert await refused(app, "POST", "/nodes/node-1/update?version=7", node_spec()) == (
        400,
        f"{PRECONDITION}attempting to demote the last manager of the swarm",
    )
    assert (await answer(app, "DELETE", "/nodes/node-2")).status == 200


@pytest.mark.usefixtures("swarm")
@pytest.mark.parametrize(
    ("version", "changes", "said"),
    [
        ("7", {"Role": "boss"}, 'invalid Role: "boss"'),
        ("7", {"Availability": "away"}, 'invalid Availability: "away"'),
        ("x", {}, "invalid node version 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
    ],
)
async def test_node_updates_that_make_no_sense(
    app: App, version: str, changes: dict[str, Any], said: str
) -> None:
    path = f"/nodes/node-3/update?version={version}"
    assert await refused(app, "POST", path, node_spec(**changes)) == (400, said)

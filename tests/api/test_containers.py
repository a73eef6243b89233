"""Containers over HTTP: made, shown, started, ended and taken away."""

from __future__ import annotations

import json
from urllib.parse import quote

import msgspec
import pytest

from node.api.app import App
from tests.api.asking import answer, ask, created, refused, running
from tests.api.memory import Node

RUN = {
    "Hostname": "h1",
    "Cmd": ["sleep", "1000"],
    "Image": "alpine",
    "Env": ["A=B"],
    "Labels": {"a": "b"},
    "ExposedPorts": {"80/tcp": {}},
    "HostConfig": {
        "NetworkMode": "default",
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "", "Config": {}},
        "MemorySwappiness": -1,
        "Memory": 1024,
        "ConsoleSize": [0, 0],
        "Binds": None,
    },
    "NetworkingConfig": {"EndpointsConfig": {"default": {"IPAMConfig": None, "Aliases": None}}},
}


async def test_creating_answers_with_the_id(app: App) -> None:
    status, shape = await ask(app, "POST", "/containers/create?name=c1", RUN)
    assert (status, shape["Warnings"], len(shape["Id"])) == (201, [], 64)


async def test_inspect_repeats_what_was_asked_for(app: App) -> None:
    await ask(app, "POST", "/containers/create?name=c1", RUN)
    _, shape = await ask(app, "GET", "/containers/c1/json")
    assert (shape["Name"], shape["Path"], shape["Args"], shape["Platform"]) == (
        "/c1",
        "sleep",
        ["1000"],
        "linux",
    )
    config, host = shape["Config"], shape["HostConfig"]
    assert (config["Hostname"], config["Labels"]) == ("h1", {"a": "b"})
    assert config["Env"] == ["A=B", "PATH=/usr/bin:/bin"]
    assert host["LogConfig"]["Type"] == "json-file", "docker-py's containers.run() reads it"
    assert (host["NetworkMode"], host["Memory"], host["MemorySwappiness"]) == ("bridge", 1024, None)
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}


async def test_a_created_container_has_no_operational_settings(app: App) -> None:
    await created(app, "c1")
    _, shape = await ask(app, "GET", "/containers/c1/json")
    settings = shape["NetworkSettings"]
    assert shape["State"]["Status"] == "created"
    assert shape["State"]["StartedAt"] == "0001-01-01T00:00:00Z"
    assert (settings["SandboxID"], settings["SandboxKey"], settings["Ports"]) == ("", "", {})
    bridge = settings["Networks"]["bridge"]
    blank = ("NetworkID", "EndpointID", "Gateway", "IPAddress", "MacAddress")
    assert [bridge[key] for key in blank] == [""] * 5
    assert bridge["IPPrefixLen"] == 0


async def test_a_running_container_shows_where_it_stands(app: App) -> None:
    identity = await running(app, "c1", ExposedPorts={"80/tcp": {}})
    _, shape = await ask(app, "GET", f"/containers/{identity[:12]}/json")
    settings = shape["NetworkSettings"]
    bridge = settings["Networks"]["bridge"]
    assert (shape["State"]["Running"], shape["State"]["Pid"]) == (True, 4242)
    assert (bridge["IPAddress"], bridge["IPPrefixLen"], bridge["Gateway"]) == ("172.17.0.2", 16, "172.17.0.1")
    assert bridge["DNSNames"] is None, "the default bridge has no names"
    repeated = ("EndpointID", "Gateway", "IPAddress", "IPPrefixLen", "MacAddress")
    assert [settings[key] for key in repeated] == [bridge[key] for key in repeated]
    assert len(settings["SandboxID"]) == 64
    assert settings["SandboxKey"] == f"/var/run/docker/netns/{settings['SandboxID'][:12]}"
    assert settings["Ports"] == {"80/tcp": None}


async def test_what_was_operational_is_blank_again_when_it_has_stopped(app: App) -> None:
    await running(app, "c1")
    _, before = await ask(app, "GET", "/containers/c1/json")
    assert await ask(app, "POST", "/containers/c1/stop?t=1") == (204, None)
    _, shape = await ask(app, "GET", "/containers/c1/json")
    bridge = shape["NetworkSettings"]["Networks"]["bridge"]
    assert (bridge["IPAddress"], bridge["EndpointID"], shape["NetworkSettings"]["Ports"]) == ("", "", {})
    assert bridge["NetworkID"] == before["NetworkSettings"]["Networks"]["bridge"]["NetworkID"]
    assert (shape["State"]["Status"], shape["State"]["ExitCode"]) == ("exited", 143)


async def test_the_sandbox_is_another_one_after_a_restart(app: App) -> None:
    await running(app, "c1")
    sandboxes = []
    for _ in range(2):
        _, shape = await ask(app, "GET", "/containers/c1/json")
        sandboxes.append(shape["NetworkSettings"]["SandboxID"])
        assert await ask(app, "POST", "/containers/c1/restart?t=0&signal=KILL") == (204, None)
    assert len(set(sandboxes)) == 2


async def test_started_twice_and_stopped_twice_is_not_modified(app: App) -> None:
    await running(app, "c1")
    assert await ask(app, "POST", "/containers/c1/start") == (304, None)
    await ask(app, "POST", "/containers/c1/stop")
    assert await ask(app, "POST", "/containers/c1/stop") == (304, None)


async def test_starting_takes_no_body(app: App) -> None:
    await created(app, "c1")
    status, _ = await refused(app, "POST", "/containers/c1/start", {"HostConfig": {}})
    assert status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/containers/x/json"),
        ("POST", "/containers/x/start"),
        ("POST", "/containers/x/stop"),
        ("POST", "/containers/x/kill"),
        ("POST", "/containers/x/restart"),
        ("POST", "/containers/x/pause"),
        ("POST", "/containers/x/wait"),
        ("POST", "/containers/x/attach"),
        ("GET", "/containers/x/logs?stdout=1"),
        ("GET", "/containers/x/top"),
        ("GET", "/containers/x/stats"),
        ("POST", "/containers/x/update"),
        ("DELETE", "/containers/x"),
    ],
)
async def test_there_is_no_such_container(app: App, method: str, path: str) -> None:
    assert await refused(app, method, path) == (404, "No such container: x")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"Image": "nosuch:1"}, 404, "No such image: nosuch:1"),
        ({"Image": "nosuch"}, 404, "No such image: nosuch:latest"),
        (
            {"Image": "alpine", "HostConfig": {"NetworkMode": "container:x"}, "Hostname": "h"},
            400,
            "conflicting options: hostname and the network mode",
        ),
        (
            {"Image": "alpine", "HostConfig": {"RestartPolicy": {"Name": "sometimes"}}},
            400,
            "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', "
            "or 'unless-stopped'",
        ),
        (
            {"Image": "alpine", "HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 3}}},
            400,
            "invalid restart policy: maximum retry count can only be used with 'on-failure'",
        ),
        (
            {"Image": "alpine", "HostConfig": {"AutoRemove": True, "RestartPolicy": {"Name": "always"}}},
            400,
            "can't create 'AutoRemove' container with restart policy",
        ),
        (
            {"Image": "alpine", "HostConfig": {"PortBindings": {"x/tcp": []}}},
            400,
            'invalid port specification: "x"',
        ),
        (
            {"Image": "alpine", "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "99999"}]}}},
            400,
            'invalid port specification: "99999"',
        ),
        (
            {"Image": "alpine", "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "90-80"}]}}},
            400,
            'invalid port specification: "90-80"',
        ),
        (
            {"Image": "alpine", "ExposedPorts": {"80-90/tcp": {}}},
            400,
            'invalid port specification: "80-90"',
        ),
        ({"Image": "alpine", "ExposedPorts": {"80/x": {}}}, 400, "invalid proto: x"),
        (
            {"Image": "alpine", "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "here"}]}}},
            400,
            "invalid IP address: here",
        ),
        ({"Image": "alpine", "Env": ["=x"]}, 400, "invalid environment variable: =x"),
        (
            {"Image": "alpine", "WorkingDir": "there"},
            400,
            "the working directory 'there' is invalid, it needs to be an absolute path",
        ),
        ({"Image": "alpine", "StopSignal": "SIGNO"}, 400, "invalid signal: SIGNO"),
        (
            {"Image": "alpine", "NetworkingConfig": {"EndpointsConfig": {"net": {"MacAddress": "zz"}}}},
            400,
            "invalid config for network net: invalid endpoint settings:\ninvalid MAC address zz",
        ),
        (
            {
                "Image": "alpine",
                "MacAddress": "02:42:00:00:00:01",
                "NetworkingConfig": {"EndpointsConfig": {"default": {"MacAddress": "02:42:00:00:00:02"}}},
            },
            400,
            "the container-wide MAC address must match the endpoint-specific MAC address for the main "
            "network, or be left empty",
        ),
    ],
)
async def test_creating_is_refused(app: App, body: object, status: int, message: str) -> None:
    assert await refused(app, "POST", "/containers/create", body) == (status, message)


async def test_a_name_is_taken_once(app: App) -> None:
    identity = await created(app, "c1")
    assert await refused(app, "POST", "/containers/create?name=c1", {"Image": "alpine"}) == (
        409,
        f'Conflict. The container name "/c1" is already in use by container "{identity}". '
        "You have to remove (or rename) that container to be able to reuse that name.",
    )


async def test_what_has_no_effect_is_told(app: App) -> None:
    host = {"NetworkMode": "host", "PortBindings": {"80/tcp": [{"HostPort": "80"}]}}
    for body, warning in (
        ({"HostConfig": host}, "Published ports are discarded when using host network mode"),
        ({"HostConfig": {"Binds": ["/a:/b"]}}, "Volumes and mounts are not simulated"),
        ({"Volumes": {"/data": {}}}, "Volumes and mounts are not simulated"),
        ({"Healthcheck": {"Test": ["CMD", "true"]}}, "Health checks are not simulated"),
    ):
        _, shape = await ask(app, "POST", "/containers/create", {"Image": "alpine", **body})
        assert [text.partition(":")[0] for text in shape["Warnings"]] == [warning]


async def test_the_hardware_address_of_old_clients_belongs_to_the_main_network(app: App) -> None:
    await running(app, "c1", MacAddress="02:42:00:00:00:01")
    _, shape = await ask(app, "GET", "/containers/c1/json")
    assert shape["NetworkSettings"]["Networks"]["bridge"]["MacAddress"] == "02:42:00:00:00:01"


async def test_an_entrypoint_of_one_empty_string_takes_the_images_away(app: App, node: Node) -> None:
    identity = await created(app, "c1", Entrypoint=[""])
    assert node.containers[identity].spec.entrypoint == ()
    identity = await created(app, "c2", Entrypoint="sh")
    assert node.containers[identity].spec.entrypoint == ("sh",), "a single string is a list of one"


async def test_removing(app: App) -> None:
    await running(app, "c1")
    assert await refused(app, "DELETE", "/containers/c1") == (
        409,
        'cannot remove container "c1": container is running: '
        "stop the container before removing or force remove",
    )
    assert await ask(app, "DELETE", "/containers/c1?force=1&v=1") == (204, None)
    assert (await refused(app, "DELETE", "/containers/c1?force=1"))[0] == 404


async def test_a_signal_goes_by_name_or_number(app: App) -> None:
    for signal, code in (("KILL", 137), ("SIGINT", 130), ("15", 143), ("", 137)):
        await running(app, f"c{signal}")
        waiting = await answer(app, "POST", f"/containers/c{signal}/wait?condition=next-exit")
        assert await ask(app, "POST", f"/containers/c{signal}/kill?signal={signal}") == (204, None)
        told = [piece async for piece in waiting.pieces]  # type: ignore[union-attr]
        assert json.loads(told[0]) == {"StatusCode": code}
    assert (await refused(app, "POST", "/containers/c/kill?signal=NO"))[0] == 400


async def test_rename_pause_and_update(app: App, node: Node) -> None:
    identity = await running(app, "c1")
    assert await ask(app, "POST", "/containers/c1/rename?name=c2") == (204, None)
    assert await ask(app, "POST", "/containers/c2/pause") == (204, None)
    _, (listed,) = await ask(app, "GET", "/containers/json")
    assert (listed["Names"], listed["State"], listed["Status"][-8:]) == (["/c2"], "paused", "(Paused)")
    assert await refused(app, "POST", "/containers/c2/start") == (
        409,
        "cannot start a paused container, try unpause instead",
    )
    assert await ask(app, "POST", "/containers/c2/unpause") == (204, None)
    body = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}, "Memory": 5}
    assert await ask(app, "POST", "/containers/c2/update", body) == (200, {"Warnings": None})
    assert node.containers[identity].spec.restart.retries == 2


async def names(app: App, query: str = "", **filters: list[str]) -> list[str]:
    status, found = await ask(app, "GET", f"/containers/json?{query}&filters={quote(json.dumps(filters))}")
    assert status == 200, found
    return [container["Names"][0][1:] for container in found]


async def test_a_list_has_the_running_ones_and_the_newest_first(app: App) -> None:
    await running(app, "c1")
    await created(app, "c2")
    await running(app, "c3")
    assert await names(app) == ["c3", "c1"]
    assert await names(app, "all=1") == ["c3", "c2", "c1"]
    assert await names(app, "limit=2") == ["c3", "c2"]
    assert await names(app, "limit=-1") == ["c3", "c1"]
    assert (await refused(app, "GET", "/containers/json?limit=x"))[0] == 400


async def test_one_element_of_the_list(app: App, node: Node) -> None:
    identity = await running(
        app, "c1", Cmd=["sh", "-c", "sleep 1000; echo x"], Image="nginx", Labels={"a": "b"}
    )
    current = node.containers[identity]
    started = msgspec.structs.replace(current.state, started="2026-01-01T00:00:00Z")
    node.containers[identity] = msgspec.structs.replace(current, state=started)
    _, (shape,) = await ask(app, "GET", "/containers/json")
    assert shape["Command"] == "sh -c 'sleep 1000; echo x'"
    assert (shape["Image"], shape["ImageID"], shape["Labels"]) == ("nginx", "sha256:" + "b" * 64, {"a": "b"})
    assert shape["Status"].startswith("Up ")
    assert shape["Ports"] == [{"PrivatePort": 80, "Type": "tcp"}], "the image exposes it"
    assert isinstance(shape["Created"], int)
    assert shape["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == "172.17.0.2"


async def test_filters(app: App) -> None:
    await running(app, "web1", Labels={"tier": "front"})
    await running(app, "web2", Image="nginx")
    await ask(app, "POST", "/networks/create", {"Name": "net"})
    await created(app, "db", HostConfig={"NetworkMode": "net"})
    await running(app, "gone", Cmd=["sh", "-c", "sleep 0; exit 3"])
    waiting = await answer(app, "POST", "/containers/gone/wait")
    assert [piece async for piece in waiting.pieces]  # type: ignore[union-attr]
    assert await names(app, name=["web"]) == ["web2", "web1"]
    assert await names(app, name=["^/web1$"]) == ["web1"]
    assert await names(app, "all=1", label=["tier=front"]) == ["web1"]
    assert await names(app, status=["created", "exited"]) == ["gone", "db"]
    assert await names(app, "all=1", exited=["3"]) == ["gone"]
    assert await names(app, "all=1", exited=["0"]) == []
    assert await names(app, "all=1", ancestor=["nginx"]) == ["web2"]
    assert await names(app, "all=1", ancestor=["nosuch"]) == []
    assert await names(app, "all=1", network=["net"]) == ["db"]
    assert await names(app, "all=1", before=["web2"]) == ["web1"]
    assert await names(app, "all=1", since=["web2"]) == ["gone", "db"]
    assert await names(app, expose=["80"]) == ["web2"]
    assert await names(app, expose=["70-90/tcp"]) == ["web2"]
    assert await names(app, publish=["80"]) == []
    assert await names(app, health=["healthy"]) == []
    assert await names(app, **{"is-task": ["true"]}) == []
    assert await names(app, **{"is-task": ["false"]}) == ["web2", "web1"]
    assert await names(app, volume=["v"]) == []
    _, (web1,) = await ask(app, "GET", f"/containers/json?filters={quote(json.dumps({'name': ['web1']}))}")
    assert await names(app, id=[web1["Id"][:12]]) == ["web1"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"x": ["1"]}, "invalid filter 'x'"),
        (
            {"status": ["gone"]},
            "invalid filter 'status=gone': invalid value for state (gone): must be one of "
            "created, running, paused, restarting, removing, exited, dead",
        ),
        (
            {"health": ["fine"]},
            "invalid filter 'health=fine': invalid value for health (fine): must be one of "
            "none, starting, healthy, unhealthy",
        ),
        ({"exited": ["x"]}, "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax"),
        ({"is-task": ["maybe"]}, "invalid filter 'is-task=[maybe]'"),
    ],
)
async def test_invalid_filters(app: App, filters: object, message: str) -> None:
    assert await refused(app, "GET", f"/containers/json?filters={quote(json.dumps(filters))}") == (
        400,
        message,
    )


async def test_before_and_since_must_name_a_container(app: App) -> None:
    await created(app, "c1")
    query = quote(json.dumps({"since": ["x"]}))
    assert await refused(app, "GET", f"/containers/json?filters={query}") == (404, "No such container: x")


async def test_prune_takes_what_does_not_run(app: App) -> None:
    await running(app, "c1")
    await created(app, "c2", Labels={"keep": ""})
    identity = await created(app, "c3")
    query = quote(json.dumps({"label!": ["keep"]}))
    assert await ask(app, "POST", f"/containers/prune?filters={query}") == (
        200,
        {"ContainersDeleted": [identity], "SpaceReclaimed": 0},
    )
    _, shape = await ask(app, "POST", "/containers/prune")
    assert len(shape["ContainersDeleted"]) == 1
    _, shape = await ask(app, "POST", "/containers/prune")
    assert shape["ContainersDeleted"] is None

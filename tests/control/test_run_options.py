"""What `docker run` and `network connect` are told, from the Engine API to what is there; filters of `ps`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from lab.sim.world import World
from node.model.output import LogSpec
from tests.sim.play import play, run


async def ask(world: World, method: str, path: str, body: object = None) -> Any:
    """The JSON that node-1 answers; None where it has nothing to say."""
    answer = await world.request("node-1", method, path, body)
    assert answer.status < 400, answer.body
    return json.loads(answer.body) if answer.body else None


async def created(world: World, name: str, image: str = "alpine", **fields: Any) -> None:
    body = {"Image": image, **({"Cmd": ["sleep", "1000"]} if image == "alpine" else {}), **fields}
    await ask(world, "POST", f"/containers/create?name={name}", body)


async def running(world: World, name: str, image: str = "alpine", **fields: Any) -> Any:
    """A running container, as inspect shows it."""
    await created(world, name, image, **fields)
    await ask(world, "POST", f"/containers/{name}/start")
    return await ask(world, "GET", f"/containers/{name}/json")


async def names(world: World, **filters: list[str]) -> list[str]:
    rows = await ask(world, "GET", f"/containers/json?all=1&filters={quote(json.dumps(filters))}")
    return sorted(row["Names"][0].removeprefix("/") for row in rows)


def host_ports(shown: Any) -> dict[str, str | None]:
    ports = shown["NetworkSettings"]["Ports"]
    return {port: places[0]["HostPort"] if places else None for port, places in ports.items()}


def test_publish_all_opens_what_image_and_user_expose_and_filters_find_it() -> None:
    async def scenario(world: World) -> None:
        exposed = {"53/udp": {}, "8000/tcp": {}}
        shown = await running(
            world, "all", "nginx", ExposedPorts=exposed, HostConfig={"PublishAllPorts": True}
        )
        given = host_ports(shown)
        assert sorted(given) == ["53/udp", "80/tcp", "8000/tcp"]
        assert all(number and 32768 <= int(number) <= 60999 for number in given.values())
        shown = await running(world, "quiet", ExposedPorts={"9000/tcp": {}})
        assert host_ports(shown) == {"9000/tcp": None}, "exposed is not published"
        await running(world, "fixed", HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}})
        assert await names(world, expose=["9000"]) == ["quiet"]
        assert await names(world, expose=["8000-9000/tcp"]) == ["all", "quiet"]
        assert await names(world, publish=["8080/tcp"]) == ["fixed"], "the host's port counts"
        assert await names(world, publish=["32768-60999/udp"]) == ["all"]
        assert await names(world, publish=["80"]) == []
        assert await names(world, publish=["9000"]) == []
        await ask(world, "POST", "/networks/create", {"Name": "app"})
        await created(world, "late", HostConfig={"NetworkMode": "app"})
        network = await ask(world, "GET", "/networks/app")
        for term in ("app", network["Id"]):
            assert await names(world, network=[term]) == ["late"]
        assert await names(world, network=["app", "bridge"]) == ["all", "fixed", "late", "quiet"]

    play(scenario, nodes=1)


def test_domain_names_and_hosts_that_a_user_adds() -> None:
    async def scenario(world: World) -> None:
        command = ["sh", "-c", "hostname; cat /etc/hostname /etc/hosts"]
        fields = {"Hostname": "db", "Domainname": "example.org", "Cmd": command}
        extra = {"ExtraHosts": ["outside:host-gateway", "far:10.9.8.7"]}
        await created(world, "db", **fields, HostConfig=extra)
        outcome = await read(world, "db")
        assert outcome[:2] == ["db", "db"]
        assert {"172.17.0.1\toutside", "10.9.8.7\tfar", "172.17.0.2\tdb.example.org db"} <= set(outcome)
        shown = await ask(world, "GET", "/containers/db/json")
        assert (shown["Config"]["Hostname"], shown["Config"]["Domainname"]) == ("db", "example.org")
        assert shown["HostConfig"]["ExtraHosts"] == extra["ExtraHosts"]

    play(scenario, nodes=1)


async def read(world: World, name: str) -> list[str]:
    """Start a container, and read what it says until it ends."""
    agent = world.agent("node-1")
    ended = agent.programs.wait(name, "next-exit")
    await agent.containers.start(name)
    await ended
    said = b"".join([o.data async for o in agent.programs.logs(name, LogSpec())])
    return said.decode().splitlines()


@pytest.mark.parametrize("is_running", [True, False])
def test_a_container_is_connected_with_aliases_an_address_and_options(is_running: bool) -> None:
    async def scenario(world: World) -> None:
        for name, subnet in (("app", "10.77.0.0/24"), ("more", "10.78.0.0/24")):
            pool = {"Config": [{"Subnet": subnet}]}
            await ask(world, "POST", "/networks/create", {"Name": name, "IPAM": pool})
        await created(world, "web", HostConfig={"NetworkMode": "more"})
        if is_running:
            await ask(world, "POST", "/containers/web/start")
        settings = {
            "Aliases": ["shop", "till"],
            "IPAMConfig": {"IPv4Address": "10.77.0.77"},
            "DriverOpts": {"com.docker.network.endpoint.ifname": "shop0"},
        }
        body = {"Container": "web", "EndpointConfig": settings}
        await ask(world, "POST", "/networks/app/connect", body)
        if not is_running:
            before = (await ask(world, "GET", "/containers/web/json"))["NetworkSettings"]["Networks"]["app"]
            assert before["IPAddress"] == "", "it stands there once it runs"
            assert before["IPAMConfig"] == settings["IPAMConfig"]
            await ask(world, "POST", "/containers/web/start")
        shown = (await ask(world, "GET", "/containers/web/json"))["NetworkSettings"]["Networks"]["app"]
        assert shown["IPAddress"] == "10.77.0.77"
        assert shown["DriverOpts"] == settings["DriverOpts"]
        assert set(shown["DNSNames"]) >= {"web", "shop", "till"}
        for name in ("shop", "till", "web"):
            assert "10.77.0.77" in (await run(world, "node-1", "app", "nslookup", name)).text
        assert "can't find shop" in (await run(world, "node-1", "more", "nslookup", "shop")).text
        interfaces = world.agent("node-1").lives.find("web")[1].standing.interfaces  # type: ignore[union-attr]
        assert "shop0" in interfaces
        taken = {"Container": "web2", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.77.0.77"}}}
        await running(world, "web2")
        answer = await world.request("node-1", "POST", "/networks/app/connect", taken)
        assert (answer.status, b"Address already in use" in answer.body) == (403, True)

    play(scenario, nodes=1)


def test_a_verbose_network_has_no_services() -> None:
    async def scenario(world: World) -> None:
        body = {"Name": "app", "Driver": "overlay", "Attachable": True}
        await ask(world, "POST", "/networks/create", body)
        await running(world, "web", HostConfig={"NetworkMode": "app"})
        plain, verbose = [
            await ask(world, "GET", f"/networks/app?verbose={flag}") for flag in ("false", "true")
        ]
        assert verbose == plain
        assert "Services" not in verbose

    play(scenario, nodes=1)

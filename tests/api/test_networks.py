"""Networks over HTTP: made, shown, selected, joined and taken away."""

from __future__ import annotations

import json
from urllib.parse import quote

import msgspec
import pytest

from node.api.app import App
from node.model.network import NetworkRecord, Subnet
from tests.api.asking import ask, created, refused, running
from tests.api.memory import BRIDGE_OPTIONS, Node


async def names(app: App, filters: object) -> list[str]:
    status, found = await ask(app, "GET", f"/networks?filters={quote(json.dumps(filters))}")
    assert status == 200
    return [network["Name"] for network in found]


def overlay(**fields: object) -> NetworkRecord:
    record = NetworkRecord(
        id="y" * 25,
        name="ov",
        driver="overlay",
        scope="swarm",
        created="2026-01-01T00:00:00Z",
        subnets=(Subnet(subnet="10.0.1.0/24", gateway="10.0.1.1", given=True),),
        vnis=(4097,),
        attachable=True,
    )
    return msgspec.structs.replace(record, **fields)


async def test_a_fresh_node_has_three(app: App) -> None:
    assert await names(app, {}) == ["bridge", "host", "none"]


async def test_the_default_bridge_shows_its_options_and_no_gateway_is_hidden(app: App) -> None:
    _, bridge = await ask(app, "GET", "/networks/bridge")
    assert bridge["Options"] == BRIDGE_OPTIONS
    assert bridge["IPAM"] == {
        "Driver": "default",
        "Options": None,
        "Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}],
    }
    assert (bridge["EnableIPv4"], bridge["EnableIPv6"], bridge["Containers"]) == (True, False, {})
    _, host = await ask(app, "GET", "/networks/host")
    assert host["IPAM"]["Config"] is None


async def test_a_subnet_without_a_named_gateway_is_shown_alone(app: App) -> None:
    for name, config in (
        ("a", {"Subnet": "10.9.0.0/24"}),
        ("b", {"Subnet": "10.8.0.0/24", "Gateway": "10.8.0.9"}),
    ):
        await ask(app, "POST", "/networks/create", {"Name": name, "IPAM": {"Config": [config]}})
        _, network = await ask(app, "GET", f"/networks/{name}")
        assert network["IPAM"]["Config"] == [config]


async def test_an_automatic_subnet_is_shown_with_its_gateway(app: App) -> None:
    await ask(app, "POST", "/networks/create", {"Name": "auto"})
    _, network = await ask(app, "GET", "/networks/auto")
    assert network["IPAM"]["Config"] == [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]
    assert network["IPAM"]["Options"] == {}


async def test_creating_answers_with_the_id(app: App) -> None:
    status, shape = await ask(app, "POST", "/networks/create", {"Name": "net", "Labels": {"a": "b"}})
    assert (status, shape["Warning"]) == (201, "")
    for term in ("net", shape["Id"], shape["Id"][:12]):
        assert (await ask(app, "GET", f"/networks/{term}"))[1]["Labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"Name": "bridge"}, 409, "network with name bridge already exists"),
        ({"Name": "x", "Driver": "foo"}, 404, 'plugin "foo" not found'),
        (
            {"Name": "x", "IPAM": {"Config": [{"Subnet": "10.0.0.1/24"}]}},
            400,
            "invalid network config:\ninvalid subnet 10.0.0.1/24: it should be 10.0.0.0/24",
        ),
        ({"Name": "x", "EnableIPv4": False}, 400, "IPv4 or IPv6 must be enabled"),
        ({}, 400, "invalid name: name is empty"),
    ],
)
async def test_creating_is_refused(app: App, body: object, status: int, message: str) -> None:
    assert await refused(app, "POST", "/networks/create", body) == (status, message)


async def test_an_ipv6_subnet_is_ignored_while_ipv6_is_off(app: App) -> None:
    config = [{"Subnet": "2001:db8::/64"}, {"Subnet": "10.9.0.0/24"}]
    assert (await ask(app, "POST", "/networks/create", {"Name": "x", "IPAM": {"Config": config}}))[0] == 201
    _, network = await ask(app, "GET", "/networks/x")
    assert network["IPAM"]["Config"] == [{"Subnet": "10.9.0.0/24"}]


async def test_removing(app: App) -> None:
    await ask(app, "POST", "/networks/create", {"Name": "net"})
    assert await ask(app, "DELETE", "/networks/net") == (204, None)
    assert await refused(app, "DELETE", "/networks/net") == (404, "network net not found")
    expected = (403, "bridge is a pre-defined network and cannot be removed")
    assert await refused(app, "DELETE", "/networks/bridge") == expected


async def test_containers_stand_in_the_inspected_network_and_not_in_the_list(app: App) -> None:
    identity = await running(app, "c1")
    _, bridge = await ask(app, "GET", "/networks/bridge")
    shown = bridge["Containers"][identity]
    assert (shown["Name"], shown["IPv4Address"], shown["IPv6Address"]) == ("c1", "172.17.0.2/16", "")
    assert len(shown["EndpointID"]) == 64
    _, listed = await ask(app, "GET", "/networks")
    assert [network["Containers"] for network in listed] == [{}, {}, {}]
    _, message = await refused(app, "DELETE", "/networks/bridge")
    assert message == "bridge is a pre-defined network and cannot be removed"


async def test_connecting_and_disconnecting_answer_200_without_a_body(app: App) -> None:
    await ask(
        app, "POST", "/networks/create", {"Name": "net", "IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}}
    )
    await running(app, "c1")
    wish = {"IPAMConfig": {"IPv4Address": "10.9.0.9"}, "Aliases": ["db"], "GwPriority": 5}
    body = {"Container": "c1", "EndpointConfig": wish}
    assert await ask(app, "POST", "/networks/net/connect", body) == (200, None)
    _, container = await ask(app, "GET", "/containers/c1/json")
    settings = container["NetworkSettings"]["Networks"]["net"]
    assert settings["IPAMConfig"] == {"IPv4Address": "10.9.0.9"}
    assert (settings["IPAddress"], settings["IPPrefixLen"], settings["Gateway"]) == (
        "10.9.0.9",
        24,
        "10.9.0.1",
    )
    assert (settings["Aliases"], settings["GwPriority"]) == (["db"], 5)
    assert settings["DNSNames"] == ["c1", "db", container["Id"][:12]]
    expected = (403, "endpoint with name c1 already exists in network net")
    assert await refused(app, "POST", "/networks/net/connect", body) == expected
    body = {"Container": "c1", "Force": True}
    assert await ask(app, "POST", "/networks/net/disconnect", body) == (200, None)
    _, container = await ask(app, "GET", "/containers/c1/json")
    assert list(container["NetworkSettings"]["Networks"]) == ["bridge"]


async def test_an_address_without_a_given_subnet_is_refused(app: App) -> None:
    await ask(app, "POST", "/networks/create", {"Name": "auto"})
    await created(app, "c1")
    body = {"Container": "c1", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "172.18.0.9"}}}
    assert await refused(app, "POST", "/networks/auto/connect", body) == (
        400,
        "invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks "
        "with user configured subnets",
    )


async def test_filters(app: App) -> None:
    await ask(app, "POST", "/networks/create", {"Name": "web", "Labels": {"tier": "front", "x": ""}})
    await ask(app, "POST", "/networks/create", {"Name": "webdb"})
    await running(app, "c1", HostConfig={"NetworkMode": "web"})
    assert await names(app, {"name": {"web": True}}) == ["web", "webdb"]
    assert await names(app, {"name": ["web"]}) == ["web", "webdb"], "docker-py sends lists"
    assert await names(app, {"name": ["^web$"]}) == ["web"]
    assert await names(app, {"driver": ["null", "host"]}) == ["host", "none"]
    assert await names(app, {"scope": ["swarm"]}) == []
    assert await names(app, {"type": ["custom"]}) == ["web", "webdb"]
    assert await names(app, {"type": ["builtin"]}) == ["bridge", "host", "none"]
    assert await names(app, {"label": ["tier"]}) == ["web"]
    assert await names(app, {"label": ["tier=front", "x"]}) == ["web"]
    assert await names(app, {"label": ["tier=back"]}) == []
    assert await names(app, {"dangling": ["true"]}) == ["webdb"]
    assert await names(app, {"dangling": ["0"]}) == ["bridge", "host", "none", "web"]
    _, web = await ask(app, "GET", "/networks/web")
    assert await names(app, {"id": [web["Id"][:8]]}) == ["web"]


@pytest.mark.parametrize(
    ("filters", "status", "message"),
    [
        ({"x": ["y"]}, 400, "invalid filter 'x'"),
        ({"dangling": ["maybe"]}, 400, None),
        ({"dangling": ["true", "false"]}, 400, 'got more than one value for filter key "dangling"'),
        ({"type": ["x"]}, 500, "invalid filter: 'type'='x'"),
        ([1], 400, "invalid filter"),
        ({"name": "web"}, 400, "invalid filter"),
    ],
)
async def test_invalid_filters(app: App, filters: object, status: int, message: str | None) -> None:
    got = await refused(app, "GET", f"/networks?filters={quote(json.dumps(filters))}")
    assert got == (status, message or got[1])


async def test_prune_takes_what_nobody_uses(app: App) -> None:
    await ask(app, "POST", "/networks/create", {"Name": "keep", "Labels": {"keep": "1"}})
    await ask(app, "POST", "/networks/create", {"Name": "used"})
    await ask(app, "POST", "/networks/create", {"Name": "old"})
    await running(app, "c1", HostConfig={"NetworkMode": "used"})
    query = quote(json.dumps({"label!": {"keep": True}}))
    assert await ask(app, "POST", f"/networks/prune?filters={query}") == (200, {"NetworksDeleted": ["old"]})
    query = quote(json.dumps({"until": ["24h"]}))
    assert await ask(app, "POST", f"/networks/prune?filters={query}") == (200, {"NetworksDeleted": None})
    assert (await refused(app, "POST", f"/networks/prune?filters={quote(json.dumps({'name': ['x']}))}"))[
        0
    ] == 400


async def test_a_swarm_network_is_told_in_two_forms(app: App, node: Node) -> None:
    network = overlay()
    node.networks[network.id] = network
    _, elsewhere = await ask(app, "GET", "/networks/ov")
    assert (elsewhere["EnableIPv4"], elsewhere["Containers"], elsewhere["Labels"]) == (False, None, None)
    assert "Peers" not in elsewhere
    assert elsewhere["Options"] == {"com.docker.network.driver.overlay.vxlanid_list": "4097"}
    assert elsewhere["IPAM"]["Config"] == [{"Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1"}]
    node.peers = [("node-1-0123456789ab", "192.168.65.2")]
    await running(app, "c1", HostConfig={"NetworkMode": "ov"})
    _, here = await ask(app, "GET", "/networks/ov?verbose=true")
    assert (here["EnableIPv4"], here["Labels"], len(here["Containers"])) == (True, {}, 1)
    assert here["Peers"] == [{"Name": "node-1-0123456789ab", "IP": "192.168.65.2"}]
    _, listed = await ask(app, "GET", "/networks")
    assert listed[-1]["EnableIPv4"] is False


async def test_scope_narrows_the_search(app: App, node: Node) -> None:
    node.networks["y" * 25] = overlay(name="bridge")
    _, network = await ask(app, "GET", "/networks/bridge?scope=swarm")
    assert network["Driver"] == "overlay"
    assert (await refused(app, "GET", "/networks/host?scope=swarm"))[0] == 404
    assert (await refused(app, "GET", "/networks/host?verbose=perhaps"))[0] == 400

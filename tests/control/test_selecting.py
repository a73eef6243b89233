"""Filters, prune and events of networks on a whole node, in the engine's shapes and order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from lab.sim.world import World
from node.model.network import EndpointSpec, NetworkSpec
from tests.sim.play import overlay, play, settle, start

PREDEFINED = {"bridge", "host", "none"}


async def asked(world: World, method: str, path: str, filters: Mapping[str, list[str]]) -> Any:
    query = quote(json.dumps(filters))
    answer = await world.request("node-1", method, f"{path}?filters={query}")
    return json.loads(answer.body)


async def stage(world: World) -> None:
    """web (in use), web-2 and db (labelled), app (an overlay)."""
    controller = world.agent("node-1").controller
    await controller.create(NetworkSpec(name="web", labels={"tier": "front"}))
    await controller.create(NetworkSpec(name="web-2", labels={"tier": "front", "old": ""}))
    await controller.create(NetworkSpec(name="db", labels={"tier": "back"}))
    await overlay(world, "app")
    await start(world, "node-1", "in-web", "web")
    await settle(world)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": ["web"]}, {"web", "web-2"}),
        ({"name": ["^web$"]}, {"web"}),
        ({"name": ["web-2", "db"]}, {"web-2", "db"}),
        ({"driver": ["overlay"]}, {"app", "ingress"}),
        ({"driver": ["null", "host"]}, {"host", "none"}),
        ({"scope": ["swarm"]}, {"app", "ingress"}),
        ({"label": ["tier"]}, {"web", "web-2", "db"}),
        ({"label": ["tier=front", "old"]}, {"web-2"}),
        ({"type": ["builtin"]}, PREDEFINED),
        ({"type": ["custom"], "scope": ["local"]}, {"web", "web-2", "db", "docker_gwbridge"}),
        ({"dangling": ["true"], "scope": ["local"]}, {"web-2", "db"}),
        ({"dangling": ["false"], "scope": ["local"]}, {"web", "docker_gwbridge", *PREDEFINED}),
    ],
    ids=str,
)
def test_networks_by_filters(filters: dict[str, list[str]], found: set[str]) -> None:
    async def scenario(world: World) -> None:
        await stage(world)
        assert {network["Name"] for network in await asked(world, "GET", "/networks", filters)} == found
        by_id = world.agent("node-1").controller.find("db").id
        assert [n["Name"] for n in await asked(world, "GET", "/networks", {"id": [by_id[3:20]]})] == ["db"]

    play(scenario, nodes=1)


@pytest.mark.parametrize(
    ("filters", "pruned"),
    [
        ({}, ["app", "web-2", "db"]),
        ({"label": ["tier=front"]}, ["web-2"]),
        ({"label!": ["tier=front"]}, ["app", "db"]),
        ({"label": ["tier"], "label!": ["old"]}, ["db"]),
        ({"until": ["1h"]}, None),
        ({"until": ["1s"]}, ["app", "web-2", "db"]),
    ],
    ids=str,
)
def test_prune_takes_what_the_filters_select_and_nobody_uses(
    filters: dict[str, list[str]], pruned: list[str] | None
) -> None:
    async def scenario(world: World) -> None:
        await stage(world)
        await settle(world, 5.0)
        answer = await asked(world, "POST", "/networks/prune", filters)
        assert answer == {"NetworksDeleted": pruned}
        left = {network.name for network in world.agent("node-1").controller.list()}
        assert {"web", "docker_gwbridge", "ingress", *PREDEFINED} <= left

    play(scenario, nodes=1)


def test_events_of_a_network_and_its_container_in_the_engines_order() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        begun = round(world.clock.wall() * 1e9)
        await agent.controller.create(NetworkSpec(name="web"))
        await start(world, "node-1", "in-web", "web")
        await agent.containers.stop("in-web", timeout_s=0, signal=None)
        await agent.containers.start("in-web")
        await agent.controller.disconnect("web", "in-web", force=False)
        await agent.controller.connect("web", "in-web", EndpointSpec())
        await agent.containers.remove("in-web", force=True)
        await agent.controller.remove("web")
        happened = [event for event in agent.events.since(begun) if event.action != "kill"]
        assert [(event.kind, event.action) for event in happened] == [
            ("network", "create"),
            ("container", "create"),
            ("network", "connect"),
            ("container", "start"),
            ("network", "disconnect"),
            ("container", "die"),
            ("container", "stop"),
            ("network", "connect"),
            ("container", "start"),
            ("network", "disconnect"),
            ("network", "connect"),
            ("network", "disconnect"),
            ("container", "die"),
            ("container", "destroy"),
            ("network", "destroy"),
        ]
        network = {"name": "web", "type": "bridge"}
        told = [event.attributes for event in happened if event.kind == "network"]
        assert told[0] == told[-1] == network
        assert {frozenset(attributes) for attributes in told[1:-1]} == {frozenset({*network, "container"})}

    play(scenario, nodes=1, swarm=False)

"""Nothing that a client sends breaks a node: all routes, with bodies and parameters that make no sense.

The answer is a status with a message; never an exception, and nothing stays behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lab.sim.world import World
from node.api.http import Request, Response
from node.api.status import STATUSES
from tests.sim.play import overlay, play, settle, start
from tests.sim.tables import tables

JSON_TYPE = {"content-type": "application/json"}
PLACES = ("nosuch", "standing", "mine", "x/y", "%00", "é", "a" * 4000)
DEEP = 100_000
BYTES_MAX = 256 * 1024

BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"12",
    b"NaN",
    b"\xff\xfe\x00",
    b'{"Name": "\xff"}',
    b'{"Name": "\\ud800"}',
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b'{"Name": "' + b"x" * 3_000_000 + b'"}',
    b'{"Name": "x", "Name": 1}',
    json.dumps({f"key{number}": number for number in range(20_000)}).encode(),
)
VALUES = (None, True, -1, 2**70, 1.5, "", "x", "\x00", [], [None], [[]], {}, {"x": None}, {"": {"": {}}})
FIELDS = {
    "/networks/create": (
        "Name Driver Scope IPAM Internal Attachable Ingress ConfigOnly ConfigFrom EnableIPv4 EnableIPv6 "
        "Options Labels IPAM.Driver IPAM.Options IPAM.Config IPAM.Config.0.Subnet IPAM.Config.0.IPRange "
        "IPAM.Config.0.Gateway IPAM.Config.0.AuxiliaryAddresses ConfigFrom.Network"
    ),
    "/networks/mine/connect": (
        "Container EndpointConfig EndpointConfig.IPAMConfig EndpointConfig.IPAMConfig.IPv4Address "
        "EndpointConfig.Aliases EndpointConfig.Links EndpointConfig.MacAddress EndpointConfig.DriverOpts "
        "EndpointConfig.GwPriority"
    ),
    "/networks/mine/disconnect": "Container Force",
    "/containers/create": (
        "Image Cmd Entrypoint Env WorkingDir User Hostname Domainname Tty OpenStdin StdinOnce Labels "
        "StopSignal StopTimeout MacAddress ExposedPorts HostConfig HostConfig.NetworkMode "
        "HostConfig.RestartPolicy HostConfig.RestartPolicy.Name HostConfig.RestartPolicy.MaximumRetryCount "
        "HostConfig.AutoRemove HostConfig.PortBindings HostConfig.PortBindings.80 "
        "HostConfig.PortBindings.80/tcp.0.HostPort HostConfig.PortBindings.80/tcp.0.HostIp "
        "ExposedPorts.80-90/tcp ExposedPorts.80/x HostConfig.PortBindings.80-90/tcp "
        "HostConfig.PortBindings.80/sctp HostConfig.PortBindings.80/x HostConfig.PortBindings.0/tcp "
        "HostConfig.PublishAllPorts HostConfig.Dns HostConfig.DnsOptions HostConfig.DnsSearch "
        "HostConfig.ExtraHosts HostConfig.Links HostConfig.UTSMode NetworkingConfig "
        "NetworkingConfig.EndpointsConfig NetworkingConfig.EndpointsConfig.mine "
        "NetworkingConfig.EndpointsConfig.mine.IPAMConfig.IPv4Address"
    ),
    "/containers/standing/exec": "Cmd Env WorkingDir User Privileged Tty AttachStdin DetachKeys ConsoleSize",
    "/exec/nosuch/start": "Detach Tty ConsoleSize",
    "/containers/standing/update": "RestartPolicy RestartPolicy.Name RestartPolicy.MaximumRetryCount",
}
PARAMETER_NAMES = (
    "filters t signal h w limit all condition tail since until stdout stdin stream logs follow timestamps "
    "version force v link name detachKeys verbose scope fromImage tag ps_args"
)
PARAMETERS = PARAMETER_NAMES.split()
WORDS = (
    "",
    "x",
    "-1",
    "1.5",
    "[]",
    "{",
    '{"x":1}',
    '{"name":[1]}',
    "99999999999999999999",
    "\x00",
    "²",
    "%ff",
)


def body_with(field: str, value: object) -> bytes:
    """A body that is sound but for one field, "HostConfig.PortBindings.80/tcp.0.HostPort"."""
    nested: object = value
    for part in reversed(field.split(".")):
        nested = [nested] if part == "0" else {part: nested}
    assert isinstance(nested, dict)
    sound = {"Image": "alpine", "Name": "made", "Container": "standing", "Cmd": ["true"]}
    return json.dumps({**sound, **nested}).encode()


async def answered(world: World, method: str, target: str, body: bytes = b"") -> None:
    """It is answered as it should be; what it made can be started, or is refused then, and goes again."""
    agent = world.agent("node-1")
    answer = await agent.app.handle(Request.of(method, target, JSON_TYPE if body else {}, body))
    if not isinstance(answer, Response):
        answer.close()
        return
    asked = f"{method} {target[:200]} {body[:200]!r} -> {answer.status} {answer.body[:300]!r}"
    if answer.status >= 400:
        assert json.loads(answer.body)["message"], asked
        assert answer.status in STATUSES.values(), asked
    elif answer.status == 201:
        identity = json.loads(answer.body)["Id"]
        if target.startswith("/containers/create"):
            await answered(world, "POST", f"/containers/{identity}/start")
            await agent.containers.remove(identity, force=True)
        elif target == "/networks/create":
            await agent.controller.remove(identity)
    elif target.endswith("/connect"):
        await agent.controller.disconnect("mine", "standing", force=True)


def targets(world: World) -> Iterator[tuple[str, str]]:
    """Every route, with something in its places."""
    for route in world.agent("node-1").app.routes:
        pattern = route.pattern.pattern
        for place in PLACES if "(.+)" in pattern else ("",):
            yield route.method, pattern.replace("(.+)", place)


def harmless(method: str, target: str) -> bool:
    """It would not change what stands, if it made sense."""
    return method == "GET" or ("standing" not in target and "mine" not in target and "prune" not in target)


async def prepared(world: World) -> None:
    await overlay(world, "app")
    await world.request("node-1", "POST", "/networks/create", {"Name": "mine"})
    await start(world, "node-1", "standing", "bridge")
    await settle(world)


def test_bodies_that_are_none_on_every_route() -> None:
    async def scenario(world: World) -> None:
        await prepared(world)
        before = tables(world.agent("node-1"))
        for method, target in targets(world):
            if harmless(method, target):
                for body in BODIES:
                    await answered(world, method, target, body)
        assert tables(world.agent("node-1")) == before

    play(scenario, nodes=1)


def test_parameters_that_make_no_sense_on_every_route() -> None:
    async def scenario(world: World) -> None:
        await prepared(world)
        before = tables(world.agent("node-1"))
        for method, target in targets(world):
            if not harmless(method, target) or len(target) > 1000:
                continue
            for word in WORDS:
                await answered(
                    world, method, f"{target}?" + "&".join(f"{name}={word}" for name in PARAMETERS)
                )
            for name in PARAMETERS:
                await answered(world, method, f"{target}?{name}=%5B%7B%22")
        assert tables(world.agent("node-1")) == before

    play(scenario, nodes=1)


@pytest.mark.parametrize("path", FIELDS)
def test_fields_of_the_wrong_kind(path: str) -> None:
    async def scenario(world: World) -> None:
        await prepared(world)
        before = tables(world.agent("node-1"))
        for field in FIELDS[path].split():
            for value in VALUES:
                await answered(world, "POST", path, body_with(field, value))
        assert tables(world.agent("node-1")) == before

    play(scenario, nodes=1)


def test_what_is_too_large_to_be_kept_is_refused() -> None:
    async def scenario(world: World) -> None:
        for path in ("/networks/create", "/containers/create"):
            answer = await world.request(
                "node-1", "POST", path, {"Name": "x", "Labels": {"a": "b" * BYTES_MAX}}
            )
            assert answer.status == 400
            assert b"has more than 262144 bytes" in answer.body
        large: dict[str, object] = {"Name": "large", "Image": "alpine"}
        large["Labels"] = {"a": "b" * (BYTES_MAX - 1000)}
        for path in ("/networks/create", "/containers/create?name=large"):
            assert (await world.request("node-1", "POST", path, large)).status == 201

    play(scenario, nodes=1)


def test_methods_that_no_route_has() -> None:
    async def scenario(world: World) -> None:
        for method in ("PATCH", "TRACE", "X" * 100):
            for path in ("/", "/networks", "//", "/v1.50", "/v1.50/", "/v0.0/info", "/v9999.9999/info"):
                await answered(world, method, path)

    play(scenario, nodes=1)

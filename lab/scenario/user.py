"""What the user of a scenario asks the Engine API for, on any stage.

It remembers where which container runs, and which are to run at this moment.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from lab.scenario.commands import Commands, Placed, last_line
from lab.scenario.model import ContainerWish, NetworkWish, Scenario
from lab.scenario.stage import Outcome, Stage

FOREVER = ("sleep", "infinity")
"""What a container of an image with a shell does, if the scenario does not say."""
SHELLS = ("alpine", "busybox", "debian", "ubuntu", "nicolaka/netshoot")


class User(Commands):
    """See the module."""

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        super().__init__(stage)
        self._scenario = scenario

    # -- networks ---------------------------------------------------------------------------------

    async def create_network(self, node: str, name: str, wish: NetworkWish) -> Outcome:
        """`docker network create`."""
        block = {"Subnet": wish.subnet, "IPRange": wish.range, "Gateway": wish.gateway}
        block = {key: value for key, value in block.items() if value}
        body: dict[str, Any] = {
            "Name": name,
            "Driver": wish.driver,
            "Attachable": wish.driver == "overlay",
            "Internal": wish.internal,
            "Options": wish.options,
            "IPAM": {"Config": [block] if block else []},
        }
        return await self._stage.request(node, "POST", "/networks/create", body)

    async def knows_network(self, node: str, name: str) -> bool:
        """`docker network inspect` finds it there."""
        return (await self._stage.request(node, "GET", f"/networks/{quote(name)}")).code == 200

    async def remove_network(self, node: str, name: str) -> Outcome:
        """`docker network rm`."""
        return await self._stage.request(node, "DELETE", f"/networks/{quote(name)}")

    # -- containers -------------------------------------------------------------------------------

    async def run(self, name: str, wish: ContainerWish) -> Outcome:
        """`docker run -d --name`."""
        outcome = await self._stage.request(
            wish.on, "POST", f"/containers/create?name={quote(name)}", container_body(wish)
        )
        if outcome.code == 201:
            outcome = await self._stage.request(wish.on, "POST", f"/containers/{quote(name)}/start")
        if ok(outcome):
            self.containers[name] = Placed(wish.on, wish, list(wish.networks or (wish.network or "bridge",)))
        return outcome

    async def stop(self, name: str) -> Outcome:
        """`docker stop -t 0`."""
        self.containers[name].expected = False
        return await self._ask(name, "POST", "/stop?t=0")

    async def remove(self, name: str) -> Outcome:
        """`docker rm -f`."""
        node = self.containers.pop(name).node
        return await self._stage.request(node, "DELETE", f"/containers/{quote(name)}?force=1")

    async def connect(self, name: str, network: str) -> Outcome:
        """`docker network connect`."""
        return await self._plug(name, network, "connect")

    async def disconnect(self, name: str, network: str) -> Outcome:
        """`docker network disconnect`."""
        return await self._plug(name, network, "disconnect")

    async def _plug(self, name: str, network: str, verb: str) -> Outcome:
        path = f"/networks/{quote(network)}/{verb}"
        return await self._stage.request(self.containers[name].node, "POST", path, {"Container": name})

    async def addresses(self, name: str) -> tuple[str, ...]:
        """A container's addresses in its networks; none if it is not known or its node does not answer."""
        if name not in self.containers:
            return ()
        outcome = await self._ask(name, "GET", "/json")
        if outcome.code != 200:
            return ()
        networks = json.loads(outcome.text)["NetworkSettings"]["Networks"]
        return tuple(network["IPAddress"] for network in networks.values() if network["IPAddress"])

    async def _ask(self, name: str, method: str, rest: str) -> Outcome:
        node = self.containers[name].node
        return await self._stage.request(node, method, f"/containers/{quote(name)}{rest}")

    def node_ended(self, node: str) -> None:
        """A node was killed or restarted: only what has a policy for it comes back."""
        for placed in self.containers.values():
            if placed.node == node and placed.wish.restart not in ("always", "unless-stopped"):
                placed.expected = False


def container_body(wish: ContainerWish) -> dict[str, Any]:
    """The body of POST /containers/create."""
    networks = wish.networks or (wish.network or "bridge",)
    endpoint: dict[str, Any] = {"Aliases": list(wish.aliases)} if wish.aliases else {}
    first = {**endpoint, "IPAMConfig": {"IPv4Address": wish.address}} if wish.address else endpoint
    command = wish.command or (FOREVER if wish.image.partition(":")[0] in SHELLS else ())
    bindings: dict[str, list[dict[str, str]]] = {}
    for text in wish.publish:
        rest, _, protocol = text.partition("/")
        host_port, _, port = rest.rpartition(":")
        bindings.setdefault(f"{port}/{protocol or 'tcp'}", []).append({"HostPort": host_port})
    return {
        "Image": wish.image,
        "Cmd": list(command),
        "ExposedPorts": {port: {} for port in bindings},
        "HostConfig": {
            "NetworkMode": networks[0],
            "RestartPolicy": {"Name": wish.restart},
            "PortBindings": bindings,
        },
        "NetworkingConfig": {
            "EndpointsConfig": {name: first if name == networks[0] else endpoint for name in networks}
            if endpoint or first or len(networks) > 1
            else {}
        },
    }


def ok(outcome: Outcome) -> bool:
    """A request that was done."""
    return 200 <= outcome.code < 300


def complaint(outcome: Outcome) -> str:
    """What a refusal says."""
    if outcome.code < 0:
        return outcome.text
    try:
        return str(json.loads(outcome.text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {outcome.code}: {last_line(outcome.text)}"

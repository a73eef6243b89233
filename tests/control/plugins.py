"""What the tests of plugins share: the example plugin in memory, honest or not, and all that could leak."""

from __future__ import annotations

import json
from typing import Any

from deploy.plugins.example import ExamplePlugin
from lab.sim.plugins import Simulated
from lab.sim.world import World
from node.model.network import INGRESS_SANDBOX, NetworkSpec
from tests.sim.play import settle


def spec(name: str = "shop", **more: Any) -> NetworkSpec:
    """`docker network create -d example --ipam-driver example`."""
    settings = {"driver": "example", "ipam_driver": "example", "attachable": True, **more}
    return NetworkSpec(name=name, **settings)


def install(world: World, scope: str = "local", plugin: ExamplePlugin | None = None) -> ExamplePlugin:
    """Let the example plugin run."""
    plugin = plugin or ExamplePlugin(scope)
    world.plugins.add("example", plugin.handle)
    return plugin


def simulated(world: World) -> Simulated:
    """What surrounds the plugin."""
    return world.plugins._plugins["example"]


def methods(world: World) -> list[str]:
    """What the plugin was asked, in order."""
    return [method for method, _ in simulated(world).calls]


def bodies(world: World, method: str) -> list[dict[str, Any]]:
    """What it was asked with."""
    return [json.loads(body) for name, body in simulated(world).calls if name == method]


NOTHING = {"networks": {}, "endpoints": {}, "pools": {}}


def tables(world: World) -> dict[str, Any]:
    """All that could leak: records and debts, segments, and interfaces and ports of the host."""
    agent = world.agent("node-1")
    kept = {}
    its_own: set[str] = set()  # the node's place in the ingress network, new in each of its lives
    for scope, ledger in agent.ledgers.items():
        view = ledger.view
        its_own |= {e.id for e in view.all_endpoints() if e.container == INGRESS_SANDBOX}
        kept[scope] = (
            {network.name for network in view.networks.values()},
            {
                network: {text: "" if by in its_own else by for text, by in view.addresses(network).items()}
                for network in view.networks
            },
            [e.id for e in view.all_endpoints() if e.id not in its_own],
            list(view.debts.values()),
        )
    return {
        **kept,
        "held": {key: owner for key, owner in agent.debts.held.items() if key not in its_own},
        "interfaces": sorted(agent.host.stack.interfaces),
        "bridges": sorted(agent.machine.firewall.bridges),
        "segments": sorted(agent.switchboard.segments),
    }


async def calm(world: World) -> None:
    """The plugin is well again, and has been told what was owed to it."""
    world.plugins.revive("example")
    await settle(world, 90.0)


class Liar(ExamplePlugin):
    """The example, with other answers to some methods."""

    def __init__(self, **lies: Any) -> None:
        super().__init__()
        self.lies = lies

    def handle(self, method: str, body: bytes) -> tuple[int, bytes]:
        status, answer = super().handle(method, body)
        lie = self.lies.get(method.partition(".")[2])
        if lie is None or b'"Err' in answer:
            return status, answer
        return status, json.dumps({**json.loads(answer), **lie}).encode()

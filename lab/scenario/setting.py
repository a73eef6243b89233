"""What stands before the clock starts: networks that every node knows, and containers that run."""

from __future__ import annotations

from lab.scenario.model import Scenario
from lab.scenario.stage import Stage
from lab.scenario.user import User, complaint, ok

KNOWN_S = 10.0
"""How long a new network may take to be known everywhere."""
LOOK_S = 0.02


async def set_up(scenario: Scenario, stage: Stage, user: User) -> str:
    """Make all of it; what went wrong, in a sentence, or ""."""
    for name, network in scenario.networks.items():
        everywhere = stage.nodes() if network.driver != "overlay" else stage.nodes()[:1]
        for node in network.on or everywhere:
            outcome = await user.create_network(node, name, network)
            if not ok(outcome):
                return f"network {name} cannot be made on {node}: {complaint(outcome)}"
        if network.driver == "overlay" and (node := await _ignorant(stage, user, name)):
            return f"{node} does not hear of network {name} within {KNOWN_S:g} s"
    for name, container in scenario.containers.items():
        outcome = await user.run(name, container)
        if not ok(outcome):
            return f"container {name} cannot be run on {container.on}: {complaint(outcome)}"
    return ""


async def _ignorant(stage: Stage, user: User, network: str) -> str:
    """A node that does not know a network of the swarm in time."""
    deadline = stage.now() + KNOWN_S
    for node in stage.nodes():
        while not await user.knows_network(node, network):
            if stage.now() > deadline:
                return node
            await stage.sleep_until(stage.now() + LOOK_S)
    return ""

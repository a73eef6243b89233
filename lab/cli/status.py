"""shoal status"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from lab.cli.show import facts, json_option, name_option, next_step, table
from lab.launch.cluster import NodeEntry, existing
from lab.launch.engine import Engine, EngineError
from lab.launch.processes import alive, is_paused

if TYPE_CHECKING:
    from rich.table import Table

PATIENCE_S = 1.0
COLUMNS = (
    "NODE",
    "STATE",
    "ROLE",
    "STORE",
    "SEEN BY",
    "LAN ADDRESS",
    "UNDERLAY",
    "CONTAINERS",
    "DOCKER_HOST",
)


def gather(name: str) -> dict[str, object]:
    """The facts of `shoal status --json`."""
    cluster = existing(name)
    with ThreadPoolExecutor(max_workers=16) as pool:
        nodes = list(pool.map(_node, cluster.nodes))
    if cluster.swarm:
        from lab.cli.views import views

        for node, view in zip(nodes, views(cluster.nodes).values(), strict=True):
            node.update(view)
    return {"name": cluster.name, "nodes": nodes}


def _node(entry: NodeEntry) -> dict[str, object]:
    config = entry.config
    state: str = entry.state
    containers = None
    if entry.process is None or not alive(entry.process):
        state = "dead"
    elif is_paused(entry.process):
        state = "paused"
    elif state == "ready":
        try:
            containers = Engine(config.socket_path, PATIENCE_S).call("GET", "/info")["ContainersRunning"]
        except EngineError:
            state = "silent"
    return {
        "name": config.name,
        "state": state,
        "role": config.role if config.store else "alone",
        "lan_address": config.lan_address.partition("/")[0],
        "underlay_address": config.underlay_address,
        "docker_host": f"unix://{config.socket_path}",
        "containers": containers,
    }


def _rows(gathered: dict[str, object]) -> list[tuple[object, ...]]:
    nodes = gathered["nodes"]
    assert isinstance(nodes, list)
    return [
        (
            node["name"],
            node["state"],
            node["role"],
            _store(node),
            f"{len(node['seen_by'])} of {len(nodes) - 1}" if "seen_by" in node else "-",
            node["lan_address"],
            node["underlay_address"],
            "-" if node["containers"] is None else node["containers"],
            node["docker_host"],
        )
        for node in nodes
    ]


def _store(node: dict[str, Any]) -> str:
    """Which revision it knows, or for how long it has had no connection."""
    if node.get("store") is None:
        return "-"
    return f"r{node['revision']}" if node["store"] == "connected" else f"away {node['store_since_s']:.0f} s"


def rendered(gathered: dict[str, object]) -> Table:
    """The table for a live display."""
    from rich.table import Table

    shown = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for row in _rows(gathered):
        shown.add_row(*(str(cell) for cell in row))
    return shown


@click.command()
@name_option
@json_option
def command(name: str, as_json: bool) -> None:
    """Show the nodes: STORE is the revision that each knows of it, SEEN BY how many count it as alive.

    \b
    shoal status
    shoal status --json | jq '.nodes[].state'
    """
    gathered = gather(name)
    if as_json:
        facts(gathered)
        return
    table(COLUMNS, _rows(gathered))
    next_step('eval "$(shoal env node-1)" points the docker CLI at a node')

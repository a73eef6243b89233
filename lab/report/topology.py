"""Who stands where, as SVG: nodes with their containers, and the networks that join them."""

from __future__ import annotations

from collections.abc import Iterator

from lab.report.markup import Markup, tag
from lab.scenario.check import node_names
from lab.scenario.model import ContainerWish, RunStep, Scenario

NODES_MAX = 12
"""Nodes that are drawn; of a larger swarm the first ones."""
ROWS_MAX = 8
"""Containers that are drawn in one node."""
BOX, SPACE, ROW, HEAD = 170.0, 22.0, 26.0, 34.0
NET_GAP = 24.0


def topology(scenario: Scenario) -> Markup:
    """The picture. Containers that come later are there too."""
    nodes = node_names(scenario)[:NODES_MAX]
    left_out = scenario.nodes - len(nodes)
    placed = containers(scenario)
    standing = {node: [name for name, wish in placed.items() if wish.on == node] for node in nodes}
    rows = max([1, *(min(len(names), ROWS_MAX) for names in standing.values())])
    networks = list(dict.fromkeys(net for wish in placed.values() for net in joined(wish)))
    box = HEAD + rows * ROW + 10
    width = len(nodes) * (BOX + SPACE) + SPACE + 120
    height = box + NET_GAP * (len(networks) + 1) + 6
    boxes = [
        tag("g", _node(node, standing[node], box), transform=f"translate({SPACE + n * (BOX + SPACE):g} 4)")
        for n, node in enumerate(nodes)
    ]
    lines = [_network(scenario, net, n, box, nodes) for n, net in enumerate(networks)]
    return tag(
        "svg",
        lines,
        boxes,
        tag("text", f"and {left_out} more nodes", x=width - 110, y=26, cls="soft") if left_out else None,
        viewBox=f"0 0 {width:g} {height:g}",
        style=f"max-width: {width:g}px",
        role="img",
        aria_label="Topology",
    )


def containers(scenario: Scenario) -> dict[str, ContainerWish]:
    """All that ever run, by name."""
    later = {step.name: step.container for step in scenario.timeline if isinstance(step, RunStep)}
    return {
        **scenario.containers,
        **{name: wish for name, wish in later.items() if name not in scenario.containers},
    }


def joined(wish: ContainerWish) -> tuple[str, ...]:
    """The networks that a container is started in."""
    return wish.networks or (wish.network or "bridge",)


def _node(node: str, names: list[str], height: float) -> Iterator[Markup]:
    yield tag("rect", width=BOX, height=height, rx=8, cls="box")
    yield tag("text", node, x=12, y=22, cls="strong")
    shown = (
        names if len(names) <= ROWS_MAX else [*names[: ROWS_MAX - 1], f"and {len(names) - ROWS_MAX + 1} more"]
    )
    for number, name in enumerate(shown):
        y = HEAD + number * ROW
        yield tag("rect", x=10, y=y, width=BOX - 20, height=ROW - 6, rx=5, cls="chip")
        yield tag("text", name if len(name) <= 22 else f"{name[:21]}…", x=18, y=y + 14.5)


def _network(scenario: Scenario, net: str, number: int, box: float, nodes: tuple[str, ...]) -> Markup:
    """A line below the nodes, with a plug to each that has a container in it; local ones are short."""
    y = box + NET_GAP * (number + 1)
    wish = scenario.networks.get(net)
    there = [
        n
        for n, node in enumerate(nodes)
        if any(one.on == node and net in joined(one) for one in containers(scenario).values())
    ]
    middles = [SPACE + n * (BOX + SPACE) + 16 + 12 * number % 120 for n in there]
    plugs = [tag("line", x1=x, x2=x, y1=box + 4, y2=y, cls="plug") for x in middles]
    driver = wish.driver if wish is not None else "bridge"
    if driver in ("overlay", "macvlan") and middles:
        wires = [tag("line", x1=middles[0] - 6, x2=max(middles) + 6, y1=y, y2=y, cls="network")]
    else:
        wires = [tag("line", x1=x - 10, x2=x + 10, y1=y, y2=y, cls="network") for x in middles]
    label = tag("text", f"{net} ({driver})", x=max(middles, default=0) + 14, y=y + 4, cls="soft")
    return tag("g", plugs, wires, label)

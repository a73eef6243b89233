"""A small healthy swarm as checkers see it, made by hand: two nodes, one overlay, two containers."""

from __future__ import annotations

from lab.checkers.seen import EndpointSeen, NetworkSeen, NodeSeen, Seen, TablesSeen
from node.control import keys

WEB = NetworkSeen(
    id="n1",
    name="web",
    driver="overlay",
    scope="swarm",
    vnis=(4097,),
    subnets=("10.0.1.0/24",),
    reserved=("10.0.1.1",),
)
MACS = {"e1": "02:42:0a:00:01:02", "e2": "02:42:0a:00:01:03"}
UNDERLAY = {"node-1": "10.99.0.2", "node-2": "10.99.0.3"}
FIRST = EndpointSeen(
    id="e1", network="n1", node="node-1", name="web", address="10.0.1.2", mac=MACS["e1"], names=("web",),
    container="c1",
)  # fmt: skip
SECOND = EndpointSeen(
    id="e2", network="n1", node="node-2", name="app", address="10.0.1.3", mac=MACS["e2"], names=("app",),
    container="c2",
)  # fmt: skip
KEYS = {
    keys.network("n1"): 2,
    keys.endpoint("n1", "e1"): 3,
    keys.address("n1", "10.0.1.2"): 3,
    keys.endpoint("n1", "e2"): 4,
    keys.address("n1", "10.0.1.3"): 4,
    keys.last_address("n1"): 4,
}


def node(mine: EndpointSeen, other: EndpointSeen, **changes: object) -> NodeSeen:
    """A node on which one endpoint stands, and which knows the other."""
    fields: dict[str, object] = {
        "name": mine.node,
        "underlay_address": UNDERLAY[mine.node],
        "revision": 4,
        "connected": True,
        "tables": (tables(mine, other),),
        "names": {"n1": {"web": ("10.0.1.2",), "app": ("10.0.1.3",)}},
        "running": (mine.container,),
        "endpoints": (mine,),
        "ports": (("tcp", 8080),),
        "published": (("tcp", 8080),),
        "keys": dict(KEYS),
    }
    return NodeSeen(**(fields | changes))  # type: ignore[arg-type]


def tables(mine: EndpointSeen, other: EndpointSeen, **changes: object) -> TablesSeen:
    """What the node of ``mine`` forwards by in the network."""
    fields: dict[str, object] = {
        "network": "web",
        "vni": 4097,
        "local": (mine.mac,),
        "remote": {other.mac: UNDERLAY[other.node]},
        "neighbors": {other.address: other.mac},
    }
    return TablesSeen(**(fields | changes))  # type: ignore[arg-type]


def moment(at: float = 0.0, **changes: object) -> Seen:
    """The whole swarm; node-1 first."""
    fields: dict[str, object] = {
        "at": at,
        "revision": 4,
        "members": ("node-1", "node-2"),
        "networks": (WEB,),
        "endpoints": (FIRST, SECOND),
        "addresses": {("n1", "10.0.1.1"): "gateway", ("n1", "10.0.1.2"): "e1", ("n1", "10.0.1.3"): "e2"},
        "nodes": {"node-1": node(FIRST, SECOND), "node-2": node(SECOND, FIRST)},
        "keys": dict(KEYS),
        "leases": 2,
    }
    return Seen(**(fields | changes))  # type: ignore[arg-type]


def with_node(at: float = 0.0, **changes: object) -> Seen:
    """The same, but node-1 is different."""
    return moment(at, nodes={"node-1": node(FIRST, SECOND, **changes), "node-2": node(SECOND, FIRST)})

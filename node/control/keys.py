"""Where each record lies in a store: one function a kind, nothing else spells a key.

    /shoal/v1/nodes/NODE                    a node of the swarm, alive or not
    /shoal/v1/members/NODE                  the same while it is alive (under its lease)
    /shoal/v1/networks/NETWORK              a network
    /shoal/v1/networks_guard                the VNI given out last; rewritten whenever a network
                                            comes or goes, so that two such changes cannot cross
    /shoal/v1/endpoints/NETWORK/ENDPOINT    a container's place in a network
    /shoal/v1/addresses/NETWORK/ADDRESS     who holds an address; created only if absent
    /shoal/v1/last_address/NETWORK          the last one given out in each subnet; rewritten by every
                                            allocation
    /shoal/v1/containers/CONTAINER          a container (in a node's own store only)
    /shoal/v1/debts/NUMBER                  a call that is owed to a plugin (own store only)
    /shoal/v1/identity                      what a node draws once in its life (own store only)

The swarm's store and a node's own have the same layout, so that one code serves both scopes.
"""

from __future__ import annotations

ROOT = "/shoal/v1/"
NODES = ROOT + "nodes/"
MEMBERS = ROOT + "members/"
NETWORKS = ROOT + "networks/"
NETWORKS_GUARD = ROOT + "networks_guard"
ENDPOINTS = ROOT + "endpoints/"
ADDRESSES = ROOT + "addresses/"
LAST_ADDRESS = ROOT + "last_address/"
CONTAINERS = ROOT + "containers/"
DEBTS = ROOT + "debts/"
IDENTITY = ROOT + "identity"


def node(name: str) -> str:
    """A node's lasting record."""
    return NODES + name


def member(name: str) -> str:
    """A living node's leased record."""
    return MEMBERS + name


def network(identity: str) -> str:
    """A network's record."""
    return NETWORKS + identity


def endpoint(network_id: str, identity: str) -> str:
    """An endpoint's record."""
    return f"{ENDPOINTS}{network_id}/{identity}"


def address(network_id: str, text: str) -> str:
    """The holder of one address of a network, "10.0.1.3"."""
    return f"{ADDRESSES}{network_id}/{text}"


def last_address(network_id: str) -> str:
    """A network's allocation cursors, one a subnet."""
    return LAST_ADDRESS + network_id


def container(identity: str) -> str:
    """A container's record."""
    return CONTAINERS + identity


def debt(number: int) -> str:
    """A debt's record."""
    return f"{DEBTS}{number}"

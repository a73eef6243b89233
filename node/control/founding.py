"""What stands on a node before any user comes: its identity, its predefined networks, the ingress."""

from __future__ import annotations

import random

import msgspec

from kvstore.store import Put, Transaction, absent
from node.control import keys, plans
from node.control.codec import decode, encode
from node.control.controller import Controller
from node.control.ledger import Ledger
from node.control.standing import GATEWAY_BRIDGE
from node.errors import Conflict, Unavailable
from node.model.ids import local_id, swarm_id
from node.model.network import NetworkSpec, Subnet
from node.model.times import rfc3339
from node.seams import Clock

INGRESS = "ingress"
RETRY_S = 1.0
INGRESS_SUBNET = Subnet(subnet="10.0.0.0/24", gateway="10.0.0.1", given=True, gateway_given=True)

_BRIDGE = "com.docker.network.bridge."
_DEFAULT_BRIDGE_OPTIONS = {
    _BRIDGE + "default_bridge": "true",
    _BRIDGE + "enable_icc": "true",
    _BRIDGE + "enable_ip_masquerade": "true",
    _BRIDGE + "host_binding_ipv4": "0.0.0.0",  # noqa: S104 - the engine's text, bound by nobody
    _BRIDGE + "name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}
_GATEWAY_BRIDGE_OPTIONS = {
    _BRIDGE + "enable_icc": "false",
    _BRIDGE + "enable_ip_masquerade": "true",
    _BRIDGE + "name": GATEWAY_BRIDGE,
}


class Identity(msgspec.Struct, frozen=True):
    """Drawn once in a node's life."""

    engine_id: str
    node_id: str


async def identity(own: Ledger, chance: random.Random) -> Identity:
    """The node's own, drawn and kept when it starts for the first time."""
    standing = await own.store.get(keys.IDENTITY)
    if standing is None:
        text = local_id(chance)
        drawn = Identity(
            f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}", swarm_id(chance)
        )
        put = Put(keys.IDENTITY, encode(drawn))
        await own.store.commit(Transaction((absent(keys.IDENTITY),), (put,)))
        return drawn
    return decode(standing.value, Identity)


async def predefined_networks(
    controller: Controller,
    own: Ledger,
    clock: Clock,
    chance: random.Random,
    *,
    in_swarm: bool,
    icc: bool = True,
) -> None:
    """bridge, host and none; in a swarm also the bridge that leads overlays outside.

    ``icc``: containers on the default bridge may talk with each other; it counts when that bridge is made.
    """
    options = {**_DEFAULT_BRIDGE_OPTIONS, _BRIDGE + "enable_icc": "true" if icc else "false"}
    wanted = [
        NetworkSpec(name="bridge", driver="bridge", options=options),
        NetworkSpec(name="host", driver="host"),
        NetworkSpec(name="none", driver="null"),
    ]
    if in_swarm:
        wanted.append(NetworkSpec(name=GATEWAY_BRIDGE, driver="bridge", options=_GATEWAY_BRIDGE_OPTIONS))
    for spec in wanted:
        if own.view.network_named(spec.name) is None:
            predefined = spec.name != GATEWAY_BRIDGE
            draft = plans.Draft(local_id(chance), rfc3339(clock.wall()), "local", predefined)
            await controller.making.make(spec, draft)


async def ingress(controller: Controller, swarm: Ledger, clock: Clock, chance: random.Random) -> None:
    """The swarm's first network; whichever node is first makes it. Raises Unavailable."""
    if swarm.view.network_named(INGRESS) is not None:
        return
    spec = NetworkSpec(name=INGRESS, driver="overlay", subnets=(INGRESS_SUBNET,), ingress=True)
    try:
        await controller.making.make(spec, plans.Draft(swarm_id(chance), rfc3339(clock.wall()), "swarm"))
    except Conflict:
        return  # another node was first


async def found(controller: Controller, swarm: Ledger, clock: Clock, chance: random.Random) -> None:
    """Make the ingress network as soon as the store can be asked, if no other manager has."""
    await swarm.until(lambda view: view.revision > 0)
    while True:
        try:
            await ingress(controller, swarm, clock, chance)
        except Unavailable:
            await clock.sleep(RETRY_S)
        else:
            return

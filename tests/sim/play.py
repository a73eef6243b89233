"""What tests of simulated worlds do again and again: run a scenario, run containers, look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from lab.sim import loop
from lab.sim.world import World
from node.model.container import ContainerSpec, RestartPolicy
from node.model.network import EndpointSpec, NetworkSpec, Subnet
from node.model.output import AttachSpec

LAN_SUBNET = "192.168.70.0/24"


def play(
    scenario: Callable[[World], Awaitable[None]],
    *,
    nodes: int = 3,
    seed: int = 1,
    swarm: bool = True,
    lan_hairpin: bool = False,
) -> World:
    """Run a scenario in a world of its own, on virtual time; the world, for looking at its story."""

    async def main() -> World:
        world = World(seed, nodes, swarm=swarm)
        for host in world.hosts.values():
            host.config = msgspec.structs.replace(host.config, lan_hairpin=lan_hairpin)
        async with world:
            await settle(world)
            await scenario(world)
        return world

    return loop.run(main())


async def settle(world: World, seconds: float = 1.0) -> None:
    """Let a world come to rest."""
    await world.clock.sleep(seconds)


@dataclass(frozen=True)
class Outcome:
    """What came of a container."""

    code: int
    text: str


async def overlay(world: World, name: str, node: str = "node-1") -> None:
    """`docker network create -d overlay --attachable`."""
    await world.agent(node).controller.create(NetworkSpec(name=name, driver="overlay", attachable=True))


async def macvlan(
    world: World, node: str, name: str, parent: str = "eth0", mode: str = "", **wish: Any
) -> str:
    """`docker network create -d macvlan`; its id. ``wish``: subnet, block, gateway, auxiliary, internal."""
    gateway = wish.get("gateway", "")
    subnet = Subnet(
        subnet=wish.get("subnet", LAN_SUBNET),
        range=wish.get("block", ""),
        gateway=gateway,
        gateway_given=bool(gateway),
        auxiliary=wish.get("auxiliary", {}),
        given=True,
    )
    spec = NetworkSpec(
        name=name,
        driver="macvlan",
        subnets=(subnet,),
        options={key: value for key, value in (("parent", parent), ("macvlan_mode", mode)) if value},
        internal=wish.get("internal", False),
    )
    identity, _ = await world.agent(node).controller.create(spec)
    return identity


async def start(
    world: World,
    node: str,
    name: str,
    network: str,
    *command: str,
    address: str = "",
    restart: str = "no",
) -> str:
    """`docker run -d`; its address there ("" where it has none)."""
    spec = ContainerSpec(
        image="alpine",
        command=command or ("sleep", "100000"),
        network_mode=network,
        endpoints={network: EndpointSpec(address=address)} if address else {},
        restart=RestartPolicy(restart),
    )
    agent = world.agent(node)
    identity, _ = await agent.containers.create(name, spec)
    await agent.containers.start(identity)
    return address_of(world, node, name)


def address_of(world: World, node: str, name: str) -> str:
    """A running container's first address, without prefix."""
    agent = world.agent(node)
    endpoints = agent.containers.endpoints(agent.containers.find(name))
    return next((endpoint.address.partition("/")[0] for endpoint in endpoints.values()), "")


async def run(world: World, node: str, network: str, *command: str, image: str = "alpine") -> Outcome:
    """`docker run --rm`."""
    agent = world.agent(node)
    spec = ContainerSpec(image=image, command=command, network_mode=network)
    identity, _ = await agent.containers.create("", spec)
    terminal = agent.programs.attach(identity, AttachSpec(stream=True, stdout=True, stderr=True))
    ended = agent.programs.wait(identity, "next-exit")
    await agent.containers.start(identity)
    text = "".join([output.data.decode() async for output in terminal])
    code = (await ended).exit_code
    await agent.containers.remove(identity, force=True)
    return Outcome(code, text)


async def reaches(world: World, node: str, name: str, target: str) -> bool:
    """Whether a running container's sandbox gets an answer to a ping within a second."""
    import asyncio

    agent = world.agent(node)
    standing = agent.lives.body(agent.registry.find(name)).standing
    assert standing is not None, f"{name} does not run"
    socket = standing.sandbox.echo_socket()
    try:
        socket.send(target, 1, b"probe")
        async with asyncio.timeout(1.0):
            return hasattr(await socket.receive(), "ttl")
    except (TimeoutError, OSError):
        return False
    finally:
        socket.close()


async def swarm_keys(world: World) -> list[str]:
    """Every key of the swarm's store."""
    session = world.store.session("test")
    return [item.key for item in (await session.list("/")).items]

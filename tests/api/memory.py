"""The whole backend of the Engine API in memory: small, honest, and without any network.

It keeps real records (node/model), and refuses what a node refuses, with the same kinds of errors; what
concerns only addresses, routes or other nodes it does not know.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from node.control.validate_container import check_endpoint
from node.control.validate_network import validate_network
from node.errors import Conflict, Failed, Forbidden, InvalidParameter, NotFound
from node.model.container import ContainerRecord, Ended, WaitCondition
from node.model.event import EngineEvent
from node.model.exec import ExecRecord
from node.model.facts import NodeSeen, SwarmFacts
from node.model.ids import local_id, short
from node.model.image import ImageRecord
from node.model.network import EndpointRecord, EndpointSpec, NetworkRecord, NetworkSpec, Subnet
from node.model.times import rfc3339
from node.seams import Clock
from tests.api.memory_programs import Console, Program

BRIDGE_OPTIONS = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}
IMAGES = (
    ImageRecord(
        id="sha256:" + "a" * 64,
        tags=("alpine:latest",),
        created="2025-05-30T12:00:00Z",
        size=8_310_000,
        command=("/bin/sh",),
        environment=("PATH=/usr/bin:/bin",),
    ),
    ImageRecord(
        id="sha256:" + "b" * 64,
        tags=("nginx:latest",),
        created="2025-05-30T12:00:00Z",
        size=192_000_000,
        command=("sleep", "1000"),
        exposed_ports=("80/tcp",),
        stop_signal="SIGQUIT",
    ),
)


class MemoryEvents:
    """See node/api/backend.py: Events."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.remembered: list[EngineEvent] = []
        self._flows: list[EventFlow] = []

    def tell(self, kind: str, action: str, actor: str, attributes: dict[str, str]) -> None:
        now = round(self._clock.wall() * 1e9)
        event = EngineEvent(kind=kind, action=action, actor=actor, attributes=attributes, time_ns=now)
        self.remembered.append(event)
        for flow in self._flows:
            flow.queue.put_nowait(event)

    @property
    def listeners(self) -> int:
        return len(self._flows)

    def since(self, time_ns: int) -> Sequence[EngineEvent]:
        return [event for event in self.remembered if event.time_ns >= time_ns]

    def listen(self) -> EventFlow:
        flow = EventFlow(self._flows)
        self._flows.append(flow)
        return flow


class EventFlow:
    """Events from now on."""

    def __init__(self, siblings: list[EventFlow]) -> None:
        self.queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        self._siblings = siblings

    def close(self) -> None:
        if self in self._siblings:
            self._siblings.remove(self)
            self.queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[EngineEvent]:
        while (event := await self.queue.get()) is not None:
            yield event


@dataclass(eq=False)
class Life:
    """What lives of a container."""

    console: Console
    program: Program | None = None
    endpoints: dict[str, EndpointRecord] = field(default_factory=dict)
    waiting: dict[asyncio.Future[Ended], WaitCondition] = field(default_factory=dict)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, ended: Ended, *conditions: WaitCondition) -> None:
        for future in [future for future, wanted in self.waiting.items() if wanted in conditions]:
            del self.waiting[future]
            if not future.done():
                future.set_result(ended)


class Node:
    """The state that all parts share."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.chance = random.Random(7)
        self.events = MemoryEvents(clock)
        self.networks: dict[str, NetworkRecord] = {}
        self.containers: dict[str, ContainerRecord] = {}
        self.lives: dict[str, Life] = {}
        self.execs: dict[str, ExecRecord] = {}
        self.exec_programs: dict[str, Program] = {}
        self.swarm = SwarmFacts()
        self.nodes: list[NodeSeen] = []
        self.peers: list[tuple[str, str]] = []
        self.tasks: dict[asyncio.Task[None], None] = {}
        for name, driver in (("bridge", "bridge"), ("host", "host"), ("none", "null")):
            subnets = (Subnet(subnet="172.17.0.0/16", gateway="172.17.0.1"),) if name == "bridge" else ()
            options = BRIDGE_OPTIONS if name == "bridge" else {}
            spec = NetworkSpec(name=name, driver=driver, subnets=subnets, options=options)
            self.keep(spec, predefined=True)

    def keep(self, spec: NetworkSpec, *, predefined: bool = False) -> NetworkRecord:
        asked = spec.subnets
        if not asked and spec.driver == "bridge":
            number = 17 + sum(bool(network.subnets) for network in self.networks.values())
            asked = (Subnet(subnet=f"172.{number}.0.0/16"),)
        subnets = [
            msgspec.structs.replace(s, gateway=s.gateway or s.subnet.replace(".0/", ".1/").split("/")[0])
            for s in asked
        ]
        record = NetworkRecord(
            id=local_id(self.chance),
            name=spec.name,
            driver=spec.driver,
            scope="local",
            created=rfc3339(self.clock.wall()),
            subnets=tuple(subnets),
            ipam_options=None if predefined else spec.ipam_options,
            internal=spec.internal,
            attachable=spec.attachable,
            options=spec.options,
            labels=spec.labels,
            predefined=predefined,
        )
        self.networks[record.id] = record
        return record

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))

    def life(self, container: ContainerRecord) -> Life:
        if container.id not in self.lives:
            self.lives[container.id] = Life(Console(self.clock, tty=container.spec.tty))
        return self.lives[container.id]

    def change(self, container: ContainerRecord, **state: object) -> ContainerRecord:
        current = self.containers[container.id]
        edited = msgspec.structs.replace(current, state=msgspec.structs.replace(current.state, **state))
        self.containers[container.id] = edited
        return edited

    def tell(self, container: ContainerRecord, action: str, **attributes: str) -> None:
        facts = {**container.spec.labels, **attributes, "image": container.spec.image, "name": container.name}
        self.events.tell("container", action, container.id, facts)

    async def close(self) -> None:
        for life in list(self.lives.values()):
            if life.program is not None:
                life.program.kill(9)
        for program in list(self.exec_programs.values()):
            program.kill(9)
        while self.tasks:
            await asyncio.wait(list(self.tasks))


class MemoryNetworks:
    """See node/api/backend.py: Networks."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def list(self) -> Sequence[NetworkRecord]:
        return list(self._node.networks.values())

    def find(self, term: str, scope: str = "") -> NetworkRecord:
        known = [n for n in self._node.networks.values() if not scope or n.scope == scope]
        for network in known:
            if term in (network.id, network.name):
                return network
        begun = [network for network in known if term and network.id.startswith(term)]
        if len(begun) > 1:
            raise InvalidParameter(
                f"network {term} is ambiguous ({len(begun)} matches found based on ID prefix)"
            )
        if not begun:
            raise NotFound(f"network {term} not found")
        return begun[0]

    def attached(self, network: NetworkRecord) -> Sequence[EndpointRecord]:
        lives = self._node.lives.values()
        return [e for life in lives for e in life.endpoints.values() if e.network == network.id]

    def peers(self, network: NetworkRecord) -> Sequence[tuple[str, str]]:
        return self._node.peers if network.driver == "overlay" else []

    async def create(self, spec: NetworkSpec) -> tuple[str, str]:
        if any(network.name == spec.name for network in self.list()):
            raise Conflict(f"network with name {spec.name} already exists")
        validate_network(spec)
        if spec.driver not in ("bridge",):
            raise NotFound(f'plugin "{spec.driver}" not found')
        network = self._node.keep(spec)
        self._tell("create", network)
        return network.id, ""

    def _tell(self, action: str, network: NetworkRecord, **attributes: str) -> None:
        facts = {**attributes, "name": network.name, "type": network.driver}
        self._node.events.tell("network", action, network.id, facts)

    async def remove(self, term: str) -> None:
        network = self.find(term)
        if network.predefined:
            raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
        if holders := self.attached(network):
            names = ", ".join(f'name:"{holder.name}" id:"{short(holder.id)}"' for holder in holders)
            raise Forbidden(
                f"error while removing network: network {network.name} has active endpoints ({names})"
            )
        del self._node.networks[network.id]
        self._tell("destroy", network)

    async def prune(self, wanted: Callable[[NetworkRecord], bool]) -> Sequence[str]:
        unused = [n for n in self.list() if not n.predefined and not self.attached(n) and wanted(n)]
        for network in unused:
            await self.remove(network.id)
        return [network.name for network in unused]

    async def connect(self, term: str, container: str, spec: EndpointSpec) -> None:
        network, record = self.find(term), find_container(self._node, container)
        check_endpoint(network, network.name, spec)
        if network.name in record.networks:
            raise Forbidden(f"endpoint with name {record.name} already exists in network {network.name}")
        networks = {**record.networks, network.name: spec}
        self._node.containers[record.id] = msgspec.structs.replace(record, networks=networks)
        life = self._node.life(record)
        if life.program is not None:
            life.endpoints[network.name] = self.endpoint(network, record, spec)
        self._tell("connect", network, container=record.id)

    async def disconnect(self, term: str, container: str, *, force: bool) -> None:
        network, record = self.find(term), find_container(self._node, container)
        if network.name not in record.networks:
            raise Failed(f"container {record.id} is not connected to network {network.name}")
        networks = {name: wish for name, wish in record.networks.items() if name != network.name}
        self._node.containers[record.id] = msgspec.structs.replace(record, networks=networks)
        self._node.life(record).endpoints.pop(network.name, None)
        self._tell("disconnect", network, container=record.id)

    def endpoint(self, network: NetworkRecord, record: ContainerRecord, spec: EndpointSpec) -> EndpointRecord:
        address = ""
        if network.subnets:
            base, _, prefix = network.subnets[0].subnet.partition("/")
            last = len(self.attached(network)) + 2
            address = f"{spec.address or base.rpartition('.')[0] + f'.{last}'}/{prefix}"
        return EndpointRecord(
            id=local_id(self._node.chance),
            network=network.id,
            node="memory",
            name=record.name,
            container=record.id,
            address=address,
            mac=(spec.mac or "02:42:ac:11:00:02") if address else "",
            gateway=network.subnets[0].gateway if network.subnets else "",
            dns_names=() if network.predefined else (record.name, *spec.aliases, short(record.id)),
        )


def find_container(node: Node, term: str) -> ContainerRecord:
    """By id, name or beginning of an id."""
    for container in node.containers.values():
        if term == container.id or term.removeprefix("/") == container.name:
            return container
    begun = [c for c in node.containers.values() if term and c.id.startswith(term)]
    if len(begun) != 1:
        raise NotFound(f"No such container: {term}")
    return begun[0]

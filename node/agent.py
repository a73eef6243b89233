"""Agent: the one place where the parts of a node meet.

    seams -> (faults) -> ledgers, machine -> drivers -> controller, containers -> Engine API

It builds, starts and stops; it decides nothing.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from dataclasses import dataclass

from kvstore.errors import StoreError
from node.api.app import App
from node.api.backend import Backend
from node.chaos.clock import FaultyClock
from node.chaos.control import FaultyControl
from node.chaos.gates import NamesGate, PortsGate
from node.chaos.outside import FaultyOutside
from node.chaos.store import FaultyStore
from node.chaos.table import FaultTable
from node.chaos.telemetry import FaultyTelemetry
from node.chaos.underlay import FaultyUnderlay
from node.config import NodeConfig
from node.control import founding
from node.control.connections import Allocation, Connections
from node.control.containers import Containers
from node.control.controller import Controller
from node.control.debts import DebtBook
from node.control.directory import Directory
from node.control.discovery import Discovery
from node.control.events import Events
from node.control.execs import Execs
from node.control.images import Images
from node.control.ingress import Ingress
from node.control.inspection import Inspection
from node.control.ipam import DefaultPools
from node.control.ipams import Ipams
from node.control.ledger import Ledger
from node.control.lives import Lives
from node.control.making import Making
from node.control.membership import Membership
from node.control.moments import Moments
from node.control.plugging import Plugging
from node.control.programs import Programs
from node.control.publishing import Publishing
from node.control.reconciler import Reconciler
from node.control.registry import Registry
from node.control.restarting import restore
from node.control.sandboxes import Find, Materials, Sandboxes
from node.control.standing import Standing
from node.control.swarm import Swarm
from node.control.system import System
from node.datapath.drops import Counters, Drop
from node.datapath.switchboard import Switchboard
from node.drivers.base import Driver
from node.drivers.bridge import BridgeDriver
from node.drivers.host import HostDriver
from node.drivers.machine import Machine
from node.drivers.macvlan import MacvlanDriver
from node.drivers.null import NullDriver
from node.drivers.overlay import OverlayDriver
from node.drivers.plugin import PluginTable
from node.drivers.remote import RemoteDriver
from node.drivers.table import DriverTable
from node.model.container import ContainerRecord
from node.model.member import Member, NodeRecord, Role
from node.model.times import rfc3339
from node.seams import (
    Channel,
    Clock,
    Control,
    NoPlugins,
    Nowhere,
    Outside,
    Plugins,
    Store,
    Telemetry,
    Underlay,
)
from node.stack.sandbox import Sandbox
from node.tasks import TaskScope

SWARM_PATIENCE_S = 1.5
"""How long a starting node waits for the swarm's store before it goes on alone."""


@dataclass(frozen=True, slots=True)
class Seams:
    """A node's whole contact with the world. ``store`` is None for a node without a swarm."""

    clock: Clock
    underlay: Underlay
    control: Control
    store: Store | None
    own: Store
    telemetry: Telemetry
    outside: Outside = Nowhere()  # noqa: RUF009 - it has no state
    plugins: Plugins = NoPlugins()  # noqa: RUF009 - likewise


class Agent:
    """See the module."""

    def __init__(self, config: NodeConfig, seams: Seams, chance: random.Random) -> None:
        self.config = config
        self.seams = seams
        self.chance = chance
        self.tasks = TaskScope(self._failed)
        self.faults = FaultTable(chance)
        self.clock = FaultyClock(seams.clock, self.faults)
        self.telemetry = FaultyTelemetry(seams.telemetry, self.faults, seams.clock)
        self.counters = Counters()
        self.answers = False
        """It has an Engine API by now."""
        self.membership: Membership | None = None
        self._build_ledgers()
        self._build_datapath()
        self._build_drivers()
        self._build_control()

    # -- building ---------------------------------------------------------------------------------

    def _build_ledgers(self) -> None:
        seams, clock = self.seams, self.clock
        self.own = Ledger("node's own", seams.own, clock, self.chance)
        self.swarm_ledger: Ledger | None = None
        if seams.store is not None:
            store = FaultyStore(seams.store, self.faults, seams.clock)
            self.swarm_ledger = Ledger("swarm's", store, clock, self.chance)
        self.directory = Directory(self.swarm_ledger)
        self.ledgers = {"local": self.own}
        if self.swarm_ledger is not None:
            self.ledgers["swarm"] = self.swarm_ledger

    def _build_datapath(self) -> None:
        config, seams = self.config, self.seams
        self.underlay = FaultyUnderlay(
            seams.underlay,
            self.faults,
            seams.clock,
            self.directory,
            lambda: self.counters.drop(Drop.UNDERLAY_FAULT),
        )
        self.switchboard = Switchboard(self.underlay.send, self.counters)
        self.host = self._sandbox(config.name)
        self.machine = Machine(
            self.switchboard,
            self.host,
            config.lan_address,
            config.lan_gateway,
            self.chance,
            lan_hairpin=config.lan_hairpin,
        )
        self.machine.firewall.port_gate = PortsGate(self.faults, seams.clock, self.directory.node_on_lan)

    def _build_drivers(self) -> None:
        config, seams = self.config, self.seams
        self.plugins = plugins = PluginTable(seams.plugins, self.clock, config.plugin_patience_s)
        self.debts = DebtBook(self.ledgers, plugins, self.clock, self.telemetry)
        self.ipams = Ipams(plugins, self.debts, self.ledgers, self.telemetry, self.chance)
        old_macs = config.bridge_macs == "address"
        built_in: list[Driver] = [
            NullDriver(),
            HostDriver(),
            BridgeDriver(self.machine, macs_from_addresses=old_macs),
            MacvlanDriver(self.machine, macs_from_addresses=old_macs),
            OverlayDriver(self.machine, config.static_peers, self._sandbox),
        ]
        self.drivers = DriverTable(
            built_in, lambda name: RemoteDriver(plugins[name], self.debts, self.machine, self.chance)
        )

    def _build_control(self) -> None:
        config, seams, clock, chance = self.config, self.seams, self.clock, self.chance
        self.events = Events(clock)
        allocation = Allocation(self.ipams, self.debts)
        self.connections = Connections(
            config.name, self.drivers, self.ledgers, self.events, allocation, chance
        )
        making = Making(self.ledgers, self.drivers, self.ipams, self.debts)
        making.pools = DefaultPools.of(config)
        self.controller = Controller(config.name, making, self.events, clock, chance)
        self.registry = Registry(self.own)
        outside = FaultyOutside(seams.outside, self.faults, seams.clock)
        self.publishing = Publishing(self.machine, outside, self.drivers, clock, self.tasks)
        questions = NamesGate(self.faults, seams.clock, lambda: self.counters.drop(Drop.QUESTION_LOST))
        sandboxes = Sandboxes(
            self.host,
            self.connections,
            self.publishing,
            Find(self.controller.find, self._standing),
            Materials(self._sandbox, questions),
            chance,
        )
        self.lives = Lives(self.registry, sandboxes, self.events, clock, chance, self.tasks)
        self.containers = Containers(
            self.registry, self.lives, sandboxes, self.controller.find, clock, chance
        )
        self.programs = Programs(self.registry, self.lives)
        self.controller.plugging = Plugging(self.registry, self.lives, sandboxes, clock)
        self.discovery = Discovery(config.name, self.ledgers, self.drivers, self.ipams, self.telemetry)
        self.ingress: Ingress | None = None
        if self.swarm_ledger is not None:
            self.ingress = Ingress(config.name, self.swarm_ledger, self.connections, self._sandbox, chance)
        self.reconciler = Reconciler(
            config.name, self.own, self.swarm_ledger, self.drivers, self.connections, self.machine
        )

    def _sandbox(self, name: str) -> Sandbox:
        return Sandbox(name, self.clock, self.chance, self.counters)

    def _standing(self, term: str) -> tuple[ContainerRecord, Standing | None]:
        container = self.registry.find(term)
        return container, self.lives.body(container).standing

    # -- starting ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Become a working node; without the swarm's store in reach, one that works alone for now."""
        self.tasks.start(self.own.follow(), "own store")
        await self.own.until(lambda view: view.revision > 0)
        me = await founding.identity(self.own, self.chance)
        await self.reconciler.release_left_overs(self.telemetry)
        await founding.predefined_networks(
            self.controller,
            self.own,
            self.clock,
            self.chance,
            in_swarm=self.swarm_ledger is not None,
            icc=self.config.icc,
        )
        self.membership = self._enrol(me)
        self._build_api(me)
        self.underlay.listen(self._receive)
        if self.membership is not None:
            await self._join_swarm(self.membership)
        self.tasks.start(self.reconciler.sweep(self.clock, self.telemetry), "sweep")
        self.tasks.start(self.debts.collect(), "debts")
        self.tasks.start(self.discovery.run(), "plugins")
        await restore(self.registry, self.lives, self.clock.wall())

    def _build_api(self, me: founding.Identity) -> None:
        clock, config = self.clock, self.config
        self.inspection = Inspection(
            config, self.switchboard, self.swarm_ledger, self.membership, self.registry, clock
        )
        self.moments = Moments(
            self.own,
            self.swarm_ledger,
            self.registry,
            self.lives,
            self.connections,
            self.publishing,
            self.counters,
            self.ingress,
        )
        self.inspection.identity = me.node_id if self.swarm_ledger is not None else me.engine_id
        self.inspection.started = rfc3339(clock.wall())
        self.swarm = Swarm(config, self.swarm_ledger, self.membership)
        self.app = App(
            Backend(
                networks=self.controller,
                containers=self.containers,
                programs=self.programs,
                execs=Execs(self.registry, self.lives, clock, self.chance, self.tasks),
                images=Images(),
                system=System(config, me.engine_id, self.drivers),
                swarm=self.swarm,
                events=self.events,
            ),
            clock,
        )
        self.answers = True

    def _receive(self, channel: Channel, source: str, datagram: bytes) -> None:
        self.switchboard.receive(channel, source, datagram, self.clock.now())

    def _enrol(self, me: founding.Identity) -> Membership | None:
        """This node's membership of the swarm, if it is to be a member."""
        if self.swarm_ledger is None:
            return None
        config, now = self.config, rfc3339(self.clock.wall())
        lan_address = config.lan_address.partition("/")[0]
        record = NodeRecord(
            id=me.node_id, name=config.name, role=_role(config), created=now, lan_address=lan_address
        )
        member = Member(
            id=me.node_id,
            name=config.name,
            lan_address=lan_address,
            underlay_address=config.underlay_address,
            control_address=f"{config.underlay_address}:{config.control_port}",
            started=now,
            data_port=config.data_port,
            cable_port=config.cable_port,
        )
        control = FaultyControl(
            self.seams.control, self.faults, self.seams.clock, self.directory.node_called_at
        )
        membership = Membership(self.swarm_ledger, record, member, control)
        control.serve(membership)
        self.controller.manages = lambda: membership.record.role == "manager"
        return membership

    async def _join_swarm(self, membership: Membership) -> None:
        """Follow the swarm's store and become a member; what is away now is done when it is back."""
        ledger, clock, telemetry = self.swarm_ledger, self.clock, self.telemetry
        assert ledger is not None
        assert self.ingress is not None
        self.tasks.start(ledger.follow(), "swarm store")
        if self.config.role == "manager":
            self.tasks.start(founding.found(self.controller, ledger, clock, self.chance), "founding")
        self.tasks.start(self.ingress.run(clock, telemetry), "ingress")
        try:
            async with asyncio.timeout(SWARM_PATIENCE_S):
                await ledger.until(lambda view: view.revision > 0)
                await membership.join(self.config.lease_s)
                name = self.config.name
                await ledger.until(lambda view: name in view.members)
                await self.ingress.stands.wait()  # before any container: it has the first address
        except (TimeoutError, StoreError) as error:
            telemetry.tell("swarm.away", node=self.config.name, reason=str(error))
        self.tasks.start(membership.keep(self.config.lease_s, clock, telemetry), "lease")
        self.tasks.start(membership.meet(clock, self.chance), "probes")

    # -- stopping ---------------------------------------------------------------------------------

    async def stop(self, *, graceful: bool = True) -> None:
        """End everything. Without grace as a crash does: nothing is released, nobody is told."""
        if graceful:
            await self.lives.close()
            if self.membership is not None:
                await self.membership.leave()
        await self.tasks.close()
        if not graceful:
            self.lives.abandon()
        if self.ingress is not None:
            self.ingress.close()
        self.host.close()

    def _failed(self, name: str, error: BaseException) -> None:
        """A task ended with an exception that nothing expects: a bug, told and never hidden."""
        where = "".join(traceback.format_exception(error)[-3:])
        self.seams.telemetry.tell("node.bug", task=name, error=repr(error), where=where)


def _role(config: NodeConfig) -> Role:
    return "manager" if config.role == "manager" else "worker"

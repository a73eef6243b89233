"""What the types of a scenario cannot say: names that exist, times in order, no contradictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from lab.scenario import model
from lab.scenario.faults import injections
from lab.scenario.model import FaultStep, Scenario
from node.errors import NodeError

Key: TypeAlias = tuple[str | int, ...]
Problem: TypeAlias = tuple[Key, str]


def problems(scenario: Scenario) -> Iterator[Problem]:
    """What is wrong, each with the key where it stands; the first is what a user is told."""
    if not 1 <= scenario.nodes <= model.NODES_MAX:
        yield ("nodes",), f"a scenario has 1 to {model.NODES_MAX} nodes, not {scenario.nodes}"
        return
    yield from _Names(scenario).problems()
    yield from _times(scenario)
    yield from _lives(scenario)


class _Names:
    """Everything that is named must exist by then."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._nodes = node_names(scenario)
        self._networks = {*scenario.networks, "bridge", "host", "none"}
        self._containers = set(scenario.containers)
        for step in scenario.timeline:
            if isinstance(step, model.CreateNetworkStep):
                self._networks.add(step.name)
            if isinstance(step, model.RunStep):
                self._containers.add(step.name)

    def problems(self) -> Iterator[Problem]:
        scenario = self._scenario
        for name, network in scenario.networks.items():
            yield from self._each(("networks", name, "on"), network.on, self._nodes, "node")
        for name, container in scenario.containers.items():
            yield from self._container(("containers", name), container)
        for number, traffic in enumerate(scenario.traffic):
            yield from self._one(("traffic", number, "from"), traffic.source, self._containers, "container")
        for number, step in enumerate(scenario.timeline):
            yield from self._step(("timeline", number), step)

    def _container(self, key: Key, container: model.ContainerWish) -> Iterator[Problem]:
        yield from self._one((*key, "on"), container.on, self._nodes, "node")
        if container.network:
            yield from self._one((*key, "network"), container.network, self._networks, "network")
        yield from self._each((*key, "networks"), container.networks, self._networks, "network")
        if container.network and container.networks:
            yield (*key, "networks"), "say either network or networks"

    def _step(self, key: Key, step: model.AnyStep) -> Iterator[Problem]:
        for field, known, what in (
            ("node", self._nodes, "node"),
            ("container", self._containers, "container"),
        ):
            value = getattr(step, field, None)
            if isinstance(value, str):
                yield from self._one((*key, field), value, known, what)
        if isinstance(step, model.RunStep):
            yield from self._container((*key, "container"), step.container)
        if isinstance(step, (model.CreateNetworkStep, model.RemoveNetworkStep)):
            yield from self._one((*key, "on"), step.on, self._nodes, "node")
        if isinstance(step, (model.ConnectStep, model.DisconnectStep)):
            yield from self._one((*key, "network"), step.network, self._networks, "network")
        if isinstance(step, model.ExpectStep):
            yield from self._expectation(key, step)
        if isinstance(step, FaultStep):
            yield from self._fault(key, step)

    def _expectation(self, key: Key, step: model.ExpectStep) -> Iterator[Problem]:
        asks = step.reachable is not None or step.resolves or step.fetches or step.throughput
        if asks and not step.source:
            yield key, "an expectation of this kind says from which container it is looked at: add from"
        if step.source:
            yield from self._one((*key, "from"), step.source, self._containers, "container")
        if (step.reachable is not None or step.throughput) and not step.to:
            yield key, "it says who is to be reached: add to"
        if not (asks or step.converged or step.no_drops or step.drops):
            yield (
                key,
                "it expects nothing: add reachable, resolves, fetches, throughput, converged or no_drops",
            )

    def _fault(self, key: Key, step: FaultStep) -> Iterator[Problem]:
        yield from self._each((*key, "on"), step.on, self._nodes, "node")
        yield from self._each((*key, "peers"), step.peers, self._nodes, "node")
        if isinstance(step, model.PartitionStep):
            for number, group in enumerate(step.groups):
                yield from self._each((*key, "groups", number), group, self._nodes, "node")
            if step.groups and (step.on or step.peers):
                yield key, "a partition has either groups, or on and peers"
            if step.one_way and len(step.groups) < 2:
                yield (*key, "one_way"), "a one-way partition needs two groups"
        if isinstance(step, model.StoreMemberLostStep):
            return  # it happens to the store, not to nodes
        try:
            list(injections(step, self._nodes))
        except NodeError as error:
            yield key, str(error)

    @staticmethod
    def _one(key: Key, name: str, known: object, what: str) -> Iterator[Problem]:
        assert isinstance(known, (set, tuple))
        if name not in known:
            yield key, f'there is no {what} "{name}" in this scenario'

    def _each(self, key: Key, names: tuple[str, ...], known: object, what: str) -> Iterator[Problem]:
        for number, name in enumerate(names):
            yield from self._one((*key, number), name, known, what)


def _times(scenario: Scenario) -> Iterator[Problem]:
    if len(scenario.timeline) > model.STEPS_MAX:
        yield ("timeline",), f"a timeline has at most {model.STEPS_MAX} steps"
    before = 0.0
    for number, step in enumerate(scenario.timeline):
        key = ("timeline", number, "at")
        if step.at < 0:
            yield key, "nothing happens before the start: a time is 0s or later"
        if step.at < before:
            yield key, f"the timeline goes forward: the step before this one is at {before:g} s"
        if step.at > model.DURATION_S_MAX:
            yield key, f"a scenario lasts at most {model.DURATION_S_MAX:g} s"
        before = step.at
        if isinstance(step, FaultStep) and 0 < scenario.lasts < step.at + step.lasts:
            yield (
                ("timeline", number, "for"),
                f"this fault would outlive the scenario, which lasts {scenario.lasts:g} s",
            )
    for number, traffic in enumerate(scenario.traffic):
        if not 0.001 <= traffic.every <= 3600:
            yield ("traffic", number, "every"), "traffic comes every 1ms to 1h"
    if scenario.lasts and before > scenario.lasts:
        yield ("lasts",), f"the scenario ends before its last step, which is at {before:g} s"


def _lives(scenario: Scenario) -> Iterator[Problem]:
    """Nodes are killed when they live, and started when they do not."""
    dead: set[str] = set()
    frozen_until: dict[str, float] = {}
    for number, step in enumerate(scenario.timeline):
        key = ("timeline", number)
        node = getattr(step, "node", None)
        if not isinstance(node, str):
            continue
        if isinstance(step, model.StartStep):
            if node not in dead:
                yield key, f"{node} is not down at that time: nothing is to be started"
            dead.discard(node)
            continue
        if node in dead:
            yield key, f"{node} is down at that time"
        if frozen_until.get(node, 0.0) > step.at:
            yield key, f"{node} is frozen until {frozen_until[node]:g} s"
        if isinstance(step, model.KillStep):
            dead.add(node)
        if isinstance(step, model.PauseStep):
            frozen_until[node] = step.at + step.lasts


def node_names(scenario: Scenario) -> tuple[str, ...]:
    """node-1, node-2, ..."""
    return tuple(f"node-{number}" for number in range(1, scenario.nodes + 1))

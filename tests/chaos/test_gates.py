"""Faults at the two seams that only some worlds have: the outside, and telemetry."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from lab.sim.clock import VirtualClock
from lab.sim.loop import run
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import Delay, Kind, Mode, Partition, Plane
from node.chaos.outside import FaultyOutside
from node.chaos.table import FaultTable
from node.chaos.telemetry import FaultyTelemetry
from node.seams import Conversation, Opened


class Street:
    """An outside whose passers-by are the test."""

    def __init__(self) -> None:
        self.connect: Callable[[], Awaitable[Conversation]] | None = None

    async def open(
        self, protocol: str, host_port: int, connect: Callable[[], Awaitable[Conversation]]
    ) -> Opened | None:
        self.connect = connect
        return None


class Talk:
    """A conversation with a container."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    async def read(self) -> bytes:
        return b"welcome"

    async def write(self, data: bytes) -> None:
        self.said.append(data)

    def finish(self) -> None:
        self.said.append(b"")

    def close(self) -> None:
        self.said.append(b"closed")


def table_with(kind: Kind, plane: Plane, for_s: float = 5.0) -> FaultTable:
    table = FaultTable(random.Random(1))
    table.inject(Injection(kind, Scope(planes=(plane,)), for_s), 0.0)
    return table


async def opened(table: FaultTable, clock: VirtualClock, talk: Talk) -> Callable[[], Awaitable[Conversation]]:
    street = Street()

    async def connect() -> Conversation:
        return talk

    await FaultyOutside(street, table, clock).open("tcp", 8080, connect)
    assert street.connect is not None
    return street.connect


def test_real_programs_wait_at_a_dropped_port_until_it_heals_and_are_refused_at_a_rejecting_one() -> None:
    async def scenario() -> None:
        clock = VirtualClock(asyncio.get_running_loop())
        connect = await opened(table_with(Partition(), Plane.PORTS), clock, Talk())
        assert await (await connect()).read() == b"welcome"
        assert 5.0 <= clock.now() < 5.1
        connect = await opened(table_with(Partition(Mode.REJECT), Plane.PORTS, 60.0), clock, Talk())
        with pytest.raises(ConnectionRefusedError):
            await connect()

    run(scenario())


def test_a_real_conversation_that_stands_hangs_while_its_port_is_closed() -> None:
    async def scenario() -> None:
        clock, talk, table = VirtualClock(asyncio.get_running_loop()), Talk(), FaultTable(random.Random(1))
        inside = await (await opened(table, clock, talk))()
        await inside.write(b"one")
        table.inject(Injection(Partition(), Scope(planes=(Plane.PORTS,)), 3.0), clock.now())
        await inside.write(b"two")
        assert 3.0 <= clock.now() < 3.1
        inside.finish()
        inside.close()
        assert talk.said == [b"one", b"two", b"", b"closed"]

    run(scenario())


class Log:
    """What was told, and when."""

    def __init__(self, clock: VirtualClock) -> None:
        self.lines: list[tuple[float, str]] = []
        self._clock = clock

    def tell(self, event: str, **fields: object) -> None:
        self.lines.append((self._clock.now(), event))


def test_what_a_node_tells_can_be_lost_or_late() -> None:
    async def scenario() -> None:
        clock = VirtualClock(asyncio.get_running_loop())
        log = Log(clock)
        lost = FaultyTelemetry(log, table_with(Partition(), Plane.TELEMETRY), clock)
        late = FaultyTelemetry(log, table_with(Delay(2.0), Plane.TELEMETRY), clock)
        lost.tell("never")
        late.tell("late")
        await clock.sleep(6.0)
        lost.tell("healed")
        late.tell("at once")
        assert log.lines == [(2.0, "late"), (6.0, "healed"), (6.0, "at once")]

    run(scenario())

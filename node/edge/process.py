"""One node as a process: the real seams, an agent between them, and its servers; ended by a signal.

    log, stores, underlay, control  ->  agent  ->  calls, Engine API  ->  ready
                                                                            | SIGTERM, SIGINT
    all of it closed again, last opened first, within four seconds  <-------'

A signal that comes while the node starts ends it in the same way.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from kvstore.errors import StoreError
from kvstore.etcd import EtcdStore
from kvstore.sqlite import SqliteStore
from node.agent import Agent, Seams
from node.config import NodeConfig
from node.edge.chaos import ChaosService
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl, NodeService
from node.edge.http import HttpServer
from node.edge.inspection import InspectionService
from node.edge.outside import RealOutside
from node.edge.plugins import HttpPlugins
from node.edge.rpc_server import RpcServer
from node.edge.telemetry import LogTelemetry
from node.edge.underlay import UdpUnderlay
from node.errors import NodeError
from node.seams import Channel, Telemetry

FILES_MAX = 65_536
"""Open at once, sockets included, if the machine allows it."""
STOP_S = 4.0
"""What may take longer when a node stops is left to the operating system."""
CALLS_GRACE_S = 0.5
"""For calls of other nodes that are under way."""


def run(config: NodeConfig, *, ready: Callable[[], None] = lambda: None) -> int:
    """Be this node until a signal ends it; the exit code: 0, or 1 if it could not start (stderr says why)."""
    os.umask(0o077)  # sockets and files of a node are its user's alone
    try:
        config.directory.mkdir(parents=True, exist_ok=True)
        return asyncio.run(serve(config, ready=ready))
    except (NodeError, StoreError, OSError) as error:
        print(f"node {config.name} cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1


async def serve(config: NodeConfig, *, ready: Callable[[], None]) -> int:
    """Start the node, call ``ready`` once its Engine API answers, and stop at SIGTERM or SIGINT.

    Raises NodeError, StoreError or OSError if it cannot start.
    """
    _allow_files()
    _cancel_at_signals()
    async with AsyncExitStack() as opened:
        clock = SystemClock()
        telemetry = LogTelemetry(config.directory / "node.log", clock)
        opened.callback(telemetry.close)
        asyncio.get_running_loop().set_exception_handler(_bugs_told(telemetry))
        parts = AsyncExitStack()
        opened.push_async_callback(_close_in_time, parts, telemetry)
        try:
            await _start(config, clock, telemetry, parts)
            telemetry.tell("node.ready", node=config.name, pid=os.getpid())
            ready()
            await asyncio.get_running_loop().create_future()  # nothing ends it but a signal
        except asyncio.CancelledError:
            telemetry.tell("node.stopping", node=config.name)
        except (NodeError, StoreError, OSError) as error:
            telemetry.tell("node.failed_to_start", node=config.name, reason=error)
            raise
    return 0


def _allow_files() -> None:
    """Every published connection is a socket; a process may have as many as the machine's limit says."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _start(config: NodeConfig, clock: SystemClock, telemetry: Telemetry, parts: AsyncExitStack) -> None:
    """Open everything; ``parts`` closes it again."""
    own = SqliteStore(config.directory / "state.db", clock.now)
    parts.push_async_callback(own.close)
    store = EtcdStore(config.store) if config.store else None
    if store is not None:
        parts.push_async_callback(store.close)
    ports = {Channel.DATA: config.data_port, Channel.CABLE: config.cable_port}
    underlay = UdpUnderlay(config.underlay_address, ports)
    parts.callback(underlay.close)
    control = GrpcControl(clock)
    parts.push_async_callback(control.close)

    outside = RealOutside(
        config.underlay_address,
        lambda port: telemetry.tell("port.inside_only", port=port, reason="opening it needs root"),
    )
    plugins = HttpPlugins(config.plugin_directories)
    seams = Seams(clock, underlay, control, store, own, telemetry, outside, plugins)
    agent = Agent(config, seams, _chance(config))
    parts.push_async_callback(agent.stop)
    await agent.start()

    calls = RpcServer(
        config.underlay_address,
        config.control_port,
        NodeService(control),
        ChaosService(config.name, agent.faults, clock, telemetry),
        InspectionService(
            agent.inspection, agent.moments.take, agent.faults, clock, lambda: underlay.overrun
        ),
    )
    await calls.start()
    parts.push_async_callback(calls.stop, CALLS_GRACE_S)
    engine = HttpServer(agent.app, config.socket_path)
    await engine.start()
    parts.push_async_callback(engine.stop)


def _chance(config: NodeConfig) -> random.Random:
    """From the seed and the name, so that nodes of one seed differ; without a seed, never the same."""
    return random.Random(f"{config.seed}/{config.name}") if config.seed is not None else random.Random()


def _cancel_at_signals() -> None:
    """Let the first signal end this task where it stands; stopping goes on whatever comes after it."""
    loop = asyncio.get_running_loop()
    serving = asyncio.current_task()
    assert serving is not None

    def end() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: None)
        serving.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)


async def _close_in_time(parts: AsyncExitStack, telemetry: Telemetry) -> None:
    """Close everything; a part that hangs is left behind when the time is over, and the rest closed."""
    try:
        async with asyncio.timeout(STOP_S):
            await parts.aclose()
    except TimeoutError:
        telemetry.tell("node.stopped_late", after_s=STOP_S)


def _bugs_told(telemetry: Telemetry) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """What happens to an exception that nobody waits for: it is told, and goes to stderr as ever."""

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        where = "".join(traceback.format_exception(error)[-3:]) if error is not None else ""
        telemetry.tell("node.bug", message=context.get("message", ""), where=where)
        loop.default_exception_handler(context)

    return tell

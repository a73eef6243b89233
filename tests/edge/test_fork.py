"""Nodes are forked from a process that has imported everything: importing must start nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.edge_places import free_port, some_address

ROOT = Path(__file__).parents[2]

FORKED = """
import asyncio, os, sys

import node.edge.client, node.edge.process, node.edge.telemetry
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl
from node.seams import Unreachable
from tests.contract.test_control import Answers
from tests.rpc_nodes import serving

assert len(os.listdir("/proc/self/task")) == 1, "importing has started a thread"
here, there, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


async def meet(mine, other):
    control, answers = GrpcControl(SystemClock()), Answers()
    control.serve(answers)
    async with asyncio.timeout(10), serving(mine, port, control) as server:
        reached = False
        while not (reached and answers.probes):
            try:
                reached = await control.probe(f"{other}:{port}", sender=mine, timeout_s=1.0) > 0
            except Unreachable:
                await asyncio.sleep(0.01)
        await server.stop(5.0)  # the other one's probe may still be under way
    await control.close()


children = []
for mine, other in ((here, there), (there, here)):
    child = os.fork()
    if not child:
        asyncio.run(meet(mine, other))
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_forked_nodes_serve_and_call_each_other_and_imports_start_nothing() -> None:
    here, there = some_address(), some_address()
    port = free_port(here, socket.SOCK_STREAM)
    command = [sys.executable, "-c", FORKED, here, there, str(port)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr

"""Signals to nodes, for kill, pause and resume."""

from __future__ import annotations

import signal

from lab.launch.cluster import ClusterError, existing
from lab.launch.processes import alive, send, wait_gone

GONE_TIMEOUT_S = 5.0


def signal_node(cluster_name: str, node: str, number: signal.Signals) -> None:
    """Send a signal to a node's agent; after SIGKILL, wait until it has gone. Raises ClusterError."""
    process = existing(cluster_name).node(node).process
    if process is None or not alive(process):
        raise ClusterError(f'{node} is dead already: start it again with "shoal restart {node}"')
    send(process, number)
    if number is signal.SIGKILL:
        wait_gone([process], GONE_TIMEOUT_S)

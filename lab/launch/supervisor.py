"""The process that a cluster hangs on: it starts etcd, forks the agents, and starts them again.

    imports (once) ---+
    etcd -------------+--> fork node-1, node-2, ... --> wait: orders, children that end

Agents are forked after the imports, so that each starts in milliseconds and shares their memory, and
before anything starts threads: this process never opens a gRPC channel or an event loop for long.
When it dies, the agents live on; `shoal down` finds them by their records or by their environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import Any

from lab.launch.cluster import Cluster, ClusterError, NodeEntry, load
from lab.launch.etcd import EtcdFailed
from lab.launch.processes import Known, known, send, wait_gone
from lab.launch.store import StoreMembers

STOP_S = 5.0
ORDER_BYTES_MAX = 4096
ORDER_TIMEOUT_S = 2.0


class Supervisor:
    """See the module."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.store = StoreMembers(cluster) if cluster.swarm else None
        self.selector = selectors.DefaultSelector()
        self.children: dict[int, NodeEntry] = {}
        self.stopping = False

    # -- starting ---------------------------------------------------------------------------------

    def run(self) -> int:
        """Until an order or a signal ends it."""
        self.cluster.supervisor = known(os.getpid())
        self._listen()
        try:
            if self.store is not None:
                self.store.start()
            import node.edge.process  # noqa: F401 - heavy: after etcd was started, before any fork

            if self.store is not None:
                asyncio.run(self.store.wait_ready())
            gc.collect()
            gc.freeze()  # what was imported stays shared: the collector does not touch it any more
            for entry in self.cluster.nodes:
                self._fork(entry)
            self.cluster.save()
            self._watch()
        except EtcdFailed as error:
            print(f"the cluster cannot start: {error}", file=sys.stderr, flush=True)
            return 1
        finally:
            self._stop()
        return 0

    def _listen(self) -> None:
        """Take orders on a unix socket, and hear of signals through a pipe."""
        self.orders = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            self.cluster.order_path.unlink()
        os.umask(0o077)
        self.orders.bind(str(self.cluster.order_path))
        self.orders.listen(16)
        self.orders.setblocking(False)
        self.selector.register(self.orders, selectors.EVENT_READ, self._take_order)
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        self.signals = reader
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self.selector.register(reader, selectors.EVENT_READ, self._take_signals)

    def _fork(self, entry: NodeEntry) -> None:
        """Start an agent as a copy of this process."""
        entry.config.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._be_agent(entry, writer)
        os.close(writer)
        entry.process, entry.state = known(pid), "starting"
        self.children[pid] = entry
        self.selector.register(reader, selectors.EVENT_READ, lambda: self._ready(entry, reader))

    def _be_agent(self, entry: NodeEntry, ready: int) -> None:
        """The child's whole life; it never returns."""
        code = 1
        try:
            from node.edge.process import run

            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            self.selector.close()
            self.orders.close()
            output = os.open(
                entry.config.directory / "output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
            )
            os.dup2(output, 1)
            os.dup2(output, 2)
            code = run(entry.config, ready=lambda: os.close(ready))
        except BaseException:  # noqa: BLE001 - the last line before the process ends
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _ready(self, entry: NodeEntry, reader: int) -> None:
        """The agent closed its end: it is ready, or it has ended."""
        self.selector.unregister(reader)
        os.close(reader)
        self._reap()
        if entry.process is not None:
            entry.state = "ready"
        self.cluster.save()

    # -- waiting ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self.stopping:
            for key, _ in self.selector.select(self.store.wait_s if self.store is not None else None):
                key.data()
            if self.store is not None and self.store.wait_s == 0.0:
                self.store.restore_due()

    def _take_signals(self) -> None:
        for number in os.read(self.signals, 4096):
            if number in (signal.SIGTERM, signal.SIGINT):
                self.stopping = True
        self._reap()

    def _reap(self) -> None:
        """Take note of children that have ended."""
        for pid, entry in list(self.children.items()):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.children[pid]
                if entry.process is not None and entry.process.pid == pid:
                    entry.process, entry.state = None, "dead"
                self.cluster.save()

    def _take_order(self) -> None:
        """One JSON object a connection: {"order": "restart", "node": "node-2"}."""
        connection, _ = self.orders.accept()
        with connection:
            connection.settimeout(ORDER_TIMEOUT_S)
            try:
                order = json.loads(connection.recv(ORDER_BYTES_MAX))
                answer = self._obey(order)
            except (ClusterError, EtcdFailed, OSError, ValueError, KeyError) as error:
                answer = {"error": str(error)}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answer).encode())

    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        match order.get("order"):
            case "stop":
                self.stopping = True
            case "restart":
                self._restart(self.cluster.node(str(order.get("node"))))
            case "lose-store-member":
                self._members().lose(int(order["member"]), float(order["duration_s"]))
            case "restore-store-members":
                self._members().restore()
            case other:
                raise ClusterError(f"the supervisor knows no order {other!r}")
        return {}

    def _members(self) -> StoreMembers:
        if self.store is None:
            raise ClusterError(f'cluster "{self.cluster.name}" has no swarm, and so no store')
        return self.store

    def _restart(self, entry: NodeEntry) -> None:
        """End an agent in order if it runs, and fork it anew."""
        if entry.process is not None:
            process = entry.process
            send(process, signal.SIGCONT)
            send(process, signal.SIGTERM)
            self._end([process])
        self._fork(entry)
        self.cluster.save()

    # -- stopping ---------------------------------------------------------------------------------

    def _end(self, processes: list[Known]) -> None:
        """Wait for agents to end; kill those that do not."""
        for process in wait_gone(processes, STOP_S):
            send(process, signal.SIGKILL)
        wait_gone(processes, STOP_S)
        self._reap()

    def _stop(self) -> None:
        """End all agents, then the store they may still talk to."""
        running = [entry.process for entry in self.cluster.nodes if entry.process is not None]
        for process in running:
            send(process, signal.SIGCONT)
            send(process, signal.SIGTERM)
        self._end(running)
        if self.store is not None:
            self.store.kill()
        with contextlib.suppress(FileNotFoundError):
            self.cluster.order_path.unlink()


def main() -> int:
    """python -m lab.launch.supervisor NAME"""
    cluster = load(sys.argv[1])
    if cluster is None:
        print(f'there is no record of cluster "{sys.argv[1]}"', file=sys.stderr)
        return 1
    os.chdir("/")
    return Supervisor(cluster).run()


if __name__ == "__main__":
    sys.exit(main())

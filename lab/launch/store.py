"""The store of a cluster: one etcd, or several members that one can lose and get back.

lose(2, 10 s) --> SIGKILL --> ... --> restore_due --> started again on its own data
                     |
the others elect a leader within half a second, if they are more than half
"""

from __future__ import annotations

import asyncio
import sys
import time

from lab.launch.cluster import ETCD_CLIENT_PORT, ETCD_PEER_PORT, Cluster, ClusterError
from lab.launch.etcd import EtcdFailed, EtcdMember, EtcdProcess
from lab.launch.plan import etcd_address
from lab.launch.processes import known

LOST_S_MAX = 3600.0
AGAIN_S = 1.0


class StoreMembers:
    """All members, as processes of the supervisor. Members count from 1."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        members = [
            EtcdMember(
                name=f"store-{number}",
                directory=cluster.directory / ("etcd" if number == 1 else f"etcd-{number}"),
                client_port=ETCD_CLIENT_PORT,
                peer_port=ETCD_PEER_PORT,
                address=etcd_address(cluster.block, number),
            )
            for number in range(1, cluster.etcd_members + 1)
        ]
        self._processes = [EtcdProcess(member, members) for member in members]
        self._due: dict[int, float] = {}
        """When a lost member comes back, by time.monotonic()."""

    def start(self) -> None:
        """Start all. Raises EtcdFailed."""
        for process in self._processes:
            process.start()
        self._note()

    async def wait_ready(self) -> None:
        """Return when all answer. Raises EtcdFailed."""
        await asyncio.gather(*(process.wait_ready() for process in self._processes))

    def lose(self, number: int, duration_s: float) -> None:
        """Kill a member, for a while. Raises ClusterError."""
        count = len(self._processes)
        if count < 2:
            raise ClusterError(
                "this cluster's store has one member, and without it there is no store: "
                'try "shoal chaos store away", or start a cluster with "shoal up --etcd-members 3"'
            )
        if not 1 <= number <= count:
            raise ClusterError(f"the store has the members 1 to {count}, and no {number}")
        if not 0 < duration_s <= LOST_S_MAX:
            raise ClusterError(f"a member is lost for at most {LOST_S_MAX:g} s, not {duration_s:g}")
        self._processes[number - 1].kill()
        self._due[number] = time.monotonic() + duration_s
        self._note()

    def restore(self) -> None:
        """Start every member that is lost."""
        for number in list(self._due):
            self._due[number] = 0.0
        self.restore_due()

    def restore_due(self) -> None:
        """Start those whose time has come; one that cannot start is tried again."""
        now = time.monotonic()
        for number in [number for number, at in self._due.items() if at <= now]:
            try:
                self._processes[number - 1].start()
                del self._due[number]
            except EtcdFailed as error:
                print(f"member {number} of the store cannot start: {error}", file=sys.stderr, flush=True)
                self._due[number] = now + AGAIN_S
        self._note()

    @property
    def wait_s(self) -> float | None:
        """How long nothing has to be done; None: for ever."""
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def kill(self) -> None:
        """End all: the data goes with the cluster, so there is nothing to bring to an end."""
        for process in self._processes:
            process.kill()

    def _note(self) -> None:
        """Write down who lives."""
        pids = [process.pid for process in self._processes]
        self._cluster.etcd = [known(pid) if pid is not None else None for pid in pids]
        ahead = time.time() - time.monotonic()
        self._cluster.lost_members = {number: at + ahead for number, at in self._due.items()}
        self._cluster.save()

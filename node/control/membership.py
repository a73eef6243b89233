"""Being a member of the swarm: a leased key that says "alive", and calls that ask after the others.

    join --> renew, renew, renew ...        every third of the lease
               | lease gone (paused too long, store lost)
               v
             join again under a new lease

Ownership is apart from liveness: what a silent node owns stays its own (its addresses are not given
to anyone else), but the others stop forwarding to it as soon as its member key is gone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from kvstore.errors import LeaseExpired, OutcomeUnknown, StoreError, StoreUnavailable
from kvstore.store import Compare, Put, Transaction
from node.control import keys
from node.control.codec import encode
from node.control.ledger import Ledger
from node.control.view import Change
from node.model.member import Member, NodeRecord
from node.seams import Clock, Control, Telemetry, Unreachable

PROBE_INTERVAL_S = 1.0
PROBE_TIMEOUT_S = 0.5
PROBES_AT_ONCE = 3
"""Nodes asked in each interval, drawn at random: the load of a swarm grows with its size, not its square."""
RETRY_S = 0.2


@dataclass(slots=True)
class Health:
    """What this node knows of another from asking it."""

    round_trip_s: float | None = None
    answered_at: float | None = None
    failures: int = 0
    announced: int = 0
    """The newest revision that it said it has committed: a view far behind it has a stalled watch."""
    told: int = 0
    """The newest revision that it was told of from here."""


class Membership:
    """This node's own membership, and its acquaintance with the other members."""

    def __init__(self, ledger: Ledger, record: NodeRecord, me: Member, control: Control) -> None:
        self.record = record
        self.me = me
        self.health: dict[str, Health] = {}
        self.newest_announced = 0
        self.removed = False
        """A manager has removed this node; it is no member again before its next start."""
        self._ledger = ledger
        self._control = control
        self._lease = 0
        ledger.listeners.append(self._on_changes)

    @property
    def joined(self) -> bool:
        """This node's member key hangs on a lease that was renewed last time."""
        return self._lease != 0

    def alive(self, name: str) -> bool:
        """The swarm counts the node as alive."""
        return name in self._ledger.view.members

    async def join(self, lease_s: float) -> None:
        """Say that this node is alive. Raises StoreUnavailable or OutcomeUnknown."""
        view = self._ledger.view
        standing = view.nodes.get(self.me.name)
        if standing is not None:
            self.record = standing
        lease = await self._ledger.store.grant(lease_s)
        key = keys.node(self.me.name)
        operations: list[Put] = [Put(keys.member(self.me.name), encode(self.me), lease)]
        if standing is None:
            operations.append(Put(key, encode(self.record)))
        as_seen = Compare(key, view.modified(key))
        result = await self._ledger.store.commit(Transaction((as_seen,), tuple(operations)))
        if not result.succeeded:
            raise OutcomeUnknown(f"the record of node {self.me.name} was changed at the same instant")
        self._lease = lease

    async def keep(self, lease_s: float, clock: Clock, telemetry: Telemetry) -> None:
        """Renew the lease, joining again whenever it was lost, until a manager removes this node."""
        while not self.removed:
            try:
                if self._lease:
                    await self._ledger.store.renew(self._lease)
                    await clock.sleep(lease_s / 3)
                else:
                    await self.join(lease_s)
                    telemetry.tell("member.joined", node=self.me.name)
            except LeaseExpired:
                telemetry.tell("member.lapsed", node=self.me.name)
                self._lease = 0
            except (StoreUnavailable, OutcomeUnknown) as error:
                telemetry.tell("member.store_away", node=self.me.name, reason=str(error))
                await clock.sleep(RETRY_S)
        telemetry.tell("member.removed", node=self.me.name)
        await self.leave()

    async def leave(self) -> None:
        """Say good-bye: the others need not wait for the lease."""
        if self._lease:
            lease, self._lease = self._lease, 0
            try:
                await self._ledger.store.revoke(lease)
            except StoreError:
                return  # it runs out by itself

    def _on_changes(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            match change.before, change.after:
                case Member() as member, None:
                    self.health.pop(member.name, None)
                case NodeRecord() as before, None if before.name == self.me.name:
                    self.removed = True
                case _, NodeRecord() as after if after.name == self.me.name:
                    self.record = after

    async def meet(self, clock: Clock, chance: random.Random) -> None:
        """Ask some other members whether they answer, and tell them what is new, again and again."""
        while True:
            await clock.sleep(PROBE_INTERVAL_S)
            for other in self._some_others(chance):
                health = self.health.setdefault(other.name, Health())
                try:
                    await self._ask(other, health, clock)
                except Unreachable:
                    health.failures += 1
                    health.round_trip_s = None

    def _some_others(self, chance: random.Random) -> list[Member]:
        members = list(self._ledger.view.members.values())
        drawn = chance.sample(members, min(PROBES_AT_ONCE + 1, len(members)))
        return [member for member in drawn if member.name != self.me.name][:PROBES_AT_ONCE]

    async def _ask(self, other: Member, health: Health, clock: Clock) -> None:
        address = other.control_address
        health.round_trip_s = await self._control.probe(
            address, sender=self.me.name, timeout_s=PROBE_TIMEOUT_S
        )
        health.failures = 0
        health.answered_at = clock.now()
        if (committed := self._ledger.committed) > health.told:
            await self._control.announce(
                address, sender=self.me.name, revision=committed, timeout_s=PROBE_TIMEOUT_S
            )
            health.told = committed

    def probed(self, sender: str) -> None:
        """Another member asked: it can reach this node, whatever the other way is like."""
        if self.alive(sender):
            self.health.setdefault(sender, Health())

    def announced(self, sender: str, revision: int) -> int:
        """Another member has committed a revision; the own view's is the answer."""
        if self.alive(sender):  # a name that is no member's is a stranger's, and strangers are many
            self.health.setdefault(sender, Health()).announced = revision
            self.newest_announced = max(self.newest_announced, revision)
        return self._ledger.view.revision

"""What a scenario file says, as frozen values: who is there, what happens when, and what is expected.

    nodes, networks, containers     stand before the clock starts
    traffic                         goes on in the background all the time
    timeline                        actions, faults and expectations, each at its moment
    invariants                      hold after every step, or the run has failed

The file is YAML (load.py); every key is known, every time has a unit ("10s", "250ms", "2m").
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from node.chaos.faults import Direction
from node.chaos.kinds import Flows, Mode, Plane

NODES_MAX = 1000
STEPS_MAX = 10_000
DURATION_S_MAX = 86_400.0


class Seconds(float):
    """A time, or a span of it; in a file a number with a unit: "250ms", "10s", "2m", "1h"."""


def seconds(default: float) -> Seconds:
    """The default of a field that holds a time."""
    return msgspec.field(default_factory=lambda: Seconds(default))


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of a scenario have in common."""


class NetworkWish(Struct, frozen=True, kw_only=True):
    """`docker network create`; local networks are made on every node, or on those named."""

    driver: str = "overlay"
    subnet: str = ""
    range: str = ""
    gateway: str = ""
    internal: bool = False
    options: dict[str, str] = {}
    on: tuple[str, ...] = ()


class ContainerWish(Struct, frozen=True, kw_only=True):
    """`docker run -d`, on one node."""

    on: str
    network: str = ""
    networks: tuple[str, ...] = ()
    image: str = "alpine"
    command: tuple[str, ...] = ()
    address: str = ""
    aliases: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    """As `-p` has them: "8080:80", "53:53/udp"."""
    restart: str = "no"


class TrafficWish(Struct, frozen=True, kw_only=True):
    """Something that is asked again and again; what comes of it is recorded, and judged by expectations."""

    source: str = msgspec.field(name="from")
    to: str
    """A container or any name or address."""
    every: Seconds = seconds(1.0)
    kind: Literal["ping", "resolve", "fetch"] = "ping"
    timeout: Seconds = seconds(1.0)


# -- the timeline ---------------------------------------------------------------------------------


class Step(Struct, tag_field="do", frozen=True, kw_only=True):
    """Something that happens at a moment after the start."""

    at: Seconds


class FaultStep(Step, frozen=True, kw_only=True):
    """A fault: on which nodes, against whom, of which traffic, for how long."""

    lasts: Seconds = msgspec.field(name="for")
    on: tuple[str, ...] = ()
    """Nodes that have the fault; none means all."""
    peers: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    planes: tuple[Plane, ...] = ()
    networks: tuple[str, ...] = ()
    id: str = ""


class PartitionStep(FaultStep, tag="partition", frozen=True, kw_only=True):
    """Groups of nodes that are apart; or, without groups, `on` from `peers` or from everybody."""

    groups: tuple[tuple[str, ...], ...] = ()
    one_way: bool = False
    """Only what the first group sends to the others is lost."""
    mode: Mode = Mode.DROP
    flows: Flows = Flows.ALL
    flap: Seconds = seconds(0.0)
    """Cut for so long, whole for so long, and so on until it ends; 0: cut all the time."""


class LossStep(FaultStep, tag="loss", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    rate: float
    burst: float = 1.0


class DelayStep(FaultStep, tag="delay", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    delay: Seconds
    jitter: Seconds = seconds(0.0)


class ReorderStep(FaultStep, tag="reorder", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    rate: float
    hold: Seconds = seconds(0.01)


class DuplicateStep(FaultStep, tag="duplicate", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    rate: float


class CorruptStep(FaultStep, tag="corrupt", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    rate: float


class BandwidthStep(FaultStep, tag="bandwidth", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    bits_per_second: float
    queue_bytes: int = 256 << 10


class MtuStep(FaultStep, tag="mtu", frozen=True, kw_only=True):
    """See MtuLimit in node/chaos/kinds.py."""

    mtu: int


class SlowNodeStep(FaultStep, tag="slow-node", frozen=True, kw_only=True):
    """Everything that the nodes say and hear is late, on all planes."""

    delay: Seconds


class ClockSkewStep(FaultStep, tag="clock-skew", frozen=True, kw_only=True):
    """See node/chaos/kinds.py."""

    rate: float = 1.0
    offset: Seconds = seconds(0.0)


class StoreUnavailableStep(FaultStep, tag="store-unavailable", frozen=True, kw_only=True):
    """The nodes cannot reach the store."""


class StoreSlowStep(FaultStep, tag="store-slow", frozen=True, kw_only=True):
    """The store answers late."""

    delay: Seconds


class StoreMemberLostStep(FaultStep, tag="store-member-lost", frozen=True, kw_only=True):
    """One member of a store of several is lost; live clusters only."""

    member: int = 1


class WatchStalledStep(FaultStep, tag="watch-stalled", frozen=True, kw_only=True):
    """The store answers, but brings no news."""


class NameServerSilentStep(FaultStep, tag="name-server-silent", frozen=True, kw_only=True):
    """Containers on the nodes ask their name server in vain."""


class PortDeadStep(FaultStep, tag="port-dead", frozen=True, kw_only=True):
    """The published ports of the nodes lead nowhere."""

    mode: Mode = Mode.DROP


class KillStep(Step, tag="kill", frozen=True, kw_only=True):
    """A node is gone at once, as by a power cut."""

    node: str


class StartStep(Step, tag="start", frozen=True, kw_only=True):
    """A node that was killed comes back."""

    node: str


class PauseStep(Step, tag="pause", frozen=True, kw_only=True):
    """A node is frozen, and goes on after a while."""

    node: str
    lasts: Seconds = msgspec.field(name="for")


class RestartStep(Step, tag="restart", frozen=True, kw_only=True):
    """A node ends in order and starts again."""

    node: str


class HealStep(Step, tag="heal", frozen=True, kw_only=True):
    """Faults end before their time: those named, or all."""

    ids: tuple[str, ...] = ()


class CreateNetworkStep(Step, tag="create-network", frozen=True, kw_only=True):
    """`docker network create` on a node."""

    on: str
    name: str
    network: NetworkWish = NetworkWish()
    fails: str = ""
    """The error is to contain this text; empty: it is to succeed."""


class RemoveNetworkStep(Step, tag="remove-network", frozen=True, kw_only=True):
    """`docker network rm` on a node."""

    on: str
    name: str
    fails: str = ""


class RunStep(Step, tag="run", frozen=True, kw_only=True):
    """`docker run -d`."""

    name: str
    container: ContainerWish
    fails: str = ""


class RemoveStep(Step, tag="remove", frozen=True, kw_only=True):
    """`docker rm -f`."""

    container: str
    fails: str = ""


class StopStep(Step, tag="stop", frozen=True, kw_only=True):
    """`docker stop`."""

    container: str


class ConnectStep(Step, tag="connect", frozen=True, kw_only=True):
    """`docker network connect`."""

    container: str
    network: str
    fails: str = ""


class DisconnectStep(Step, tag="disconnect", frozen=True, kw_only=True):
    """`docker network disconnect`."""

    container: str
    network: str
    fails: str = ""


class ExecStep(Step, tag="exec", frozen=True, kw_only=True):
    """`docker exec`: a command in a container, and what is expected of it."""

    container: str
    command: tuple[str, ...]
    code: int = 0
    prints: str = ""
    """The output is to contain this text."""


class ExpectStep(Step, tag="expect", frozen=True, kw_only=True):
    """What is to be so at this moment, or, with `within`, is to become so within a span from it."""

    source: str = msgspec.field(name="from", default="")
    to: str = ""
    reachable: bool | None = None
    resolves: str = ""
    """`from` asks for this name ..."""
    addresses: tuple[str, ...] | None = None
    """... and hears these addresses (containers' names stand for theirs); none: it does not exist."""
    fetches: str = ""
    """`from` reads the page at this address or URL."""
    throughput: float = 0.0
    """Bits a second that TCP carries from `from` to `to` at least."""
    converged: bool = False
    """All living nodes that reach the store have the same view, and tables that agree with it."""
    no_drops: tuple[str, ...] = ()
    """No frame was dropped for these reasons since the start."""
    drops: tuple[str, ...] = ()
    """Some were."""
    within: Seconds = seconds(0.0)


AnyStep: TypeAlias = (
    PartitionStep
    | LossStep
    | DelayStep
    | ReorderStep
    | DuplicateStep
    | CorruptStep
    | BandwidthStep
    | MtuStep
    | SlowNodeStep
    | ClockSkewStep
    | StoreUnavailableStep
    | StoreSlowStep
    | StoreMemberLostStep
    | WatchStalledStep
    | NameServerSilentStep
    | PortDeadStep
    | KillStep
    | StartStep
    | PauseStep
    | RestartStep
    | HealStep
    | CreateNetworkStep
    | RemoveNetworkStep
    | RunStep
    | RemoveStep
    | StopStep
    | ConnectStep
    | DisconnectStep
    | ExecStep
    | ExpectStep
)


class Scenario(Struct, frozen=True, kw_only=True):
    """One scenario file."""

    title: str
    about: str = ""
    nodes: int = 3
    networks: dict[str, NetworkWish] = {}
    containers: dict[str, ContainerWish] = {}
    traffic: tuple[TrafficWish, ...] = ()
    timeline: tuple[AnyStep, ...] = ()
    invariants: tuple[str, ...] = ()
    """Names of checkers (lab/checkers); none means all of them."""
    lasts: Seconds = seconds(0.0)
    """When the run ends; 0: with the last step and the last fault. The time to recover comes after that."""
    recovery: Seconds = seconds(15.0)
    """When all faults have ended, everything is right again within this time, or the run has failed:
    all views are equal, and all who share an overlay network reach each other."""
    settings: dict[str, str] = {}
    """Settings of every node (node/config.py), such as lease_s, as text."""

from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_BOTH: _ClassVar[Direction]
    DIRECTION_OUTGOING: _ClassVar[Direction]
    DIRECTION_INCOMING: _ClassVar[Direction]

class Plane(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLANE_UNSPECIFIED: _ClassVar[Plane]
    PLANE_DATA: _ClassVar[Plane]
    PLANE_CABLE: _ClassVar[Plane]
    PLANE_CONTROL: _ClassVar[Plane]
    PLANE_STORE: _ClassVar[Plane]
    PLANE_TELEMETRY: _ClassVar[Plane]
    PLANE_NAMES: _ClassVar[Plane]
    PLANE_PORTS: _ClassVar[Plane]
    PLANE_CLOCK: _ClassVar[Plane]
DIRECTION_UNSPECIFIED: Direction
DIRECTION_BOTH: Direction
DIRECTION_OUTGOING: Direction
DIRECTION_INCOMING: Direction
PLANE_UNSPECIFIED: Plane
PLANE_DATA: Plane
PLANE_CABLE: Plane
PLANE_CONTROL: Plane
PLANE_STORE: Plane
PLANE_TELEMETRY: Plane
PLANE_NAMES: Plane
PLANE_PORTS: Plane
PLANE_CLOCK: Plane

class InjectRequest(_message.Message):
    __slots__ = ("fault_id", "duration_s", "scope", "partition", "loss", "delay", "reorder", "duplicate", "corrupt", "bandwidth", "mtu_limit", "stalled_watch", "clock_skew")
    FAULT_ID_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    REORDER_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    CORRUPT_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_FIELD_NUMBER: _ClassVar[int]
    MTU_LIMIT_FIELD_NUMBER: _ClassVar[int]
    STALLED_WATCH_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SKEW_FIELD_NUMBER: _ClassVar[int]
    fault_id: str
    duration_s: float
    scope: Scope
    partition: Partition
    loss: Loss
    delay: Delay
    reorder: Reorder
    duplicate: Duplicate
    corrupt: Corrupt
    bandwidth: Bandwidth
    mtu_limit: MtuLimit
    stalled_watch: StalledWatch
    clock_skew: ClockSkew
    def __init__(self, fault_id: _Optional[str] = ..., duration_s: _Optional[float] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., partition: _Optional[_Union[Partition, _Mapping]] = ..., loss: _Optional[_Union[Loss, _Mapping]] = ..., delay: _Optional[_Union[Delay, _Mapping]] = ..., reorder: _Optional[_Union[Reorder, _Mapping]] = ..., duplicate: _Optional[_Union[Duplicate, _Mapping]] = ..., corrupt: _Optional[_Union[Corrupt, _Mapping]] = ..., bandwidth: _Optional[_Union[Bandwidth, _Mapping]] = ..., mtu_limit: _Optional[_Union[MtuLimit, _Mapping]] = ..., stalled_watch: _Optional[_Union[StalledWatch, _Mapping]] = ..., clock_skew: _Optional[_Union[ClockSkew, _Mapping]] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("peers", "groups", "direction", "planes", "networks")
    PEERS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    PLANES_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    peers: Peers
    groups: Groups
    direction: Direction
    planes: _containers.RepeatedScalarFieldContainer[Plane]
    networks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peers: _Optional[_Union[Peers, _Mapping]] = ..., groups: _Optional[_Union[Groups, _Mapping]] = ..., direction: _Optional[_Union[Direction, str]] = ..., planes: _Optional[_Iterable[_Union[Plane, str]]] = ..., networks: _Optional[_Iterable[str]] = ...) -> None: ...

class Peers(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class Groups(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    def __init__(self, groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class Partition(_message.Message):
    __slots__ = ("mode", "flows", "period_s")
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MODE_UNSPECIFIED: _ClassVar[Partition.Mode]
        MODE_DROP: _ClassVar[Partition.Mode]
        MODE_REJECT: _ClassVar[Partition.Mode]
    MODE_UNSPECIFIED: Partition.Mode
    MODE_DROP: Partition.Mode
    MODE_REJECT: Partition.Mode
    class Flows(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FLOWS_UNSPECIFIED: _ClassVar[Partition.Flows]
        FLOWS_ALL: _ClassVar[Partition.Flows]
        FLOWS_ESTABLISHED: _ClassVar[Partition.Flows]
        FLOWS_NEW: _ClassVar[Partition.Flows]
    FLOWS_UNSPECIFIED: Partition.Flows
    FLOWS_ALL: Partition.Flows
    FLOWS_ESTABLISHED: Partition.Flows
    FLOWS_NEW: Partition.Flows
    MODE_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    mode: Partition.Mode
    flows: Partition.Flows
    period_s: float
    def __init__(self, mode: _Optional[_Union[Partition.Mode, str]] = ..., flows: _Optional[_Union[Partition.Flows, str]] = ..., period_s: _Optional[float] = ...) -> None: ...

class Loss(_message.Message):
    __slots__ = ("rate", "burst")
    RATE_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    rate: float
    burst: float
    def __init__(self, rate: _Optional[float] = ..., burst: _Optional[float] = ...) -> None: ...

class Delay(_message.Message):
    __slots__ = ("delay_s", "jitter_s")
    DELAY_S_FIELD_NUMBER: _ClassVar[int]
    JITTER_S_FIELD_NUMBER: _ClassVar[int]
    delay_s: float
    jitter_s: float
    def __init__(self, delay_s: _Optional[float] = ..., jitter_s: _Optional[float] = ...) -> None: ...

class Reorder(_message.Message):
    __slots__ = ("rate", "hold_s")
    RATE_FIELD_NUMBER: _ClassVar[int]
    HOLD_S_FIELD_NUMBER: _ClassVar[int]
    rate: float
    hold_s: float
    def __init__(self, rate: _Optional[float] = ..., hold_s: _Optional[float] = ...) -> None: ...

class Duplicate(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    def __init__(self, rate: _Optional[float] = ...) -> None: ...

class Corrupt(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    def __init__(self, rate: _Optional[float] = ...) -> None: ...

class Bandwidth(_message.Message):
    __slots__ = ("bits_per_s", "queue_bytes")
    BITS_PER_S_FIELD_NUMBER: _ClassVar[int]
    QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    bits_per_s: float
    queue_bytes: int
    def __init__(self, bits_per_s: _Optional[float] = ..., queue_bytes: _Optional[int] = ...) -> None: ...

class MtuLimit(_message.Message):
    __slots__ = ("mtu",)
    MTU_FIELD_NUMBER: _ClassVar[int]
    mtu: int
    def __init__(self, mtu: _Optional[int] = ...) -> None: ...

class StalledWatch(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ClockSkew(_message.Message):
    __slots__ = ("rate", "offset_s")
    RATE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_S_FIELD_NUMBER: _ClassVar[int]
    rate: float
    offset_s: float
    def __init__(self, rate: _Optional[float] = ..., offset_s: _Optional[float] = ...) -> None: ...

class InjectResponse(_message.Message):
    __slots__ = ("fault_id",)
    FAULT_ID_FIELD_NUMBER: _ClassVar[int]
    fault_id: str
    def __init__(self, fault_id: _Optional[str] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListResponse(_message.Message):
    __slots__ = ("faults",)
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedCompositeFieldContainer[Fault]
    def __init__(self, faults: _Optional[_Iterable[_Union[Fault, _Mapping]]] = ...) -> None: ...

class Fault(_message.Message):
    __slots__ = ("fault_id", "remaining_s", "scope", "hits", "partition", "loss", "delay", "reorder", "duplicate", "corrupt", "bandwidth", "mtu_limit", "stalled_watch", "clock_skew")
    FAULT_ID_FIELD_NUMBER: _ClassVar[int]
    REMAINING_S_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    REORDER_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    CORRUPT_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_FIELD_NUMBER: _ClassVar[int]
    MTU_LIMIT_FIELD_NUMBER: _ClassVar[int]
    STALLED_WATCH_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SKEW_FIELD_NUMBER: _ClassVar[int]
    fault_id: str
    remaining_s: float
    scope: Scope
    hits: int
    partition: Partition
    loss: Loss
    delay: Delay
    reorder: Reorder
    duplicate: Duplicate
    corrupt: Corrupt
    bandwidth: Bandwidth
    mtu_limit: MtuLimit
    stalled_watch: StalledWatch
    clock_skew: ClockSkew
    def __init__(self, fault_id: _Optional[str] = ..., remaining_s: _Optional[float] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., hits: _Optional[int] = ..., partition: _Optional[_Union[Partition, _Mapping]] = ..., loss: _Optional[_Union[Loss, _Mapping]] = ..., delay: _Optional[_Union[Delay, _Mapping]] = ..., reorder: _Optional[_Union[Reorder, _Mapping]] = ..., duplicate: _Optional[_Union[Duplicate, _Mapping]] = ..., corrupt: _Optional[_Union[Corrupt, _Mapping]] = ..., bandwidth: _Optional[_Union[Bandwidth, _Mapping]] = ..., mtu_limit: _Optional[_Union[MtuLimit, _Mapping]] = ..., stalled_watch: _Optional[_Union[StalledWatch, _Mapping]] = ..., clock_skew: _Optional[_Union[ClockSkew, _Mapping]] = ...) -> None: ...

class HealRequest(_message.Message):
    __slots__ = ("fault_ids", "all")
    FAULT_IDS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    fault_ids: _containers.RepeatedScalarFieldContainer[str]
    all: bool
    def __init__(self, fault_ids: _Optional[_Iterable[str]] = ..., all: _Optional[bool] = ...) -> None: ...

class HealResponse(_message.Message):
    __slots__ = ("fault_ids",)
    FAULT_IDS_FIELD_NUMBER: _ClassVar[int]
    fault_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, fault_ids: _Optional[_Iterable[str]] = ...) -> None: ...

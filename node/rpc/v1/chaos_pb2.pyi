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
DIRECTION_UNSPECIFIED: Direction
DIRECTION_BOTH: Direction
DIRECTION_OUTGOING: Direction
DIRECTION_INCOMING: Direction
PLANE_UNSPECIFIED: Plane
PLANE_DATA: Plane
PLANE_CABLE: Plane
PLANE_CONTROL: Plane
PLANE_STORE: Plane

class InjectRequest(_message.Message):
    __slots__ = ("fault_id", "duration_s", "scope", "partition")
    FAULT_ID_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    fault_id: str
    duration_s: float
    scope: Scope
    partition: Partition
    def __init__(self, fault_id: _Optional[str] = ..., duration_s: _Optional[float] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., partition: _Optional[_Union[Partition, _Mapping]] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("peers", "groups", "direction", "planes")
    PEERS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    PLANES_FIELD_NUMBER: _ClassVar[int]
    peers: Peers
    groups: Groups
    direction: Direction
    planes: _containers.RepeatedScalarFieldContainer[Plane]
    def __init__(self, peers: _Optional[_Union[Peers, _Mapping]] = ..., groups: _Optional[_Union[Groups, _Mapping]] = ..., direction: _Optional[_Union[Direction, str]] = ..., planes: _Optional[_Iterable[_Union[Plane, str]]] = ...) -> None: ...

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
    __slots__ = ("mode",)
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MODE_UNSPECIFIED: _ClassVar[Partition.Mode]
        MODE_DROP: _ClassVar[Partition.Mode]
        MODE_REJECT: _ClassVar[Partition.Mode]
    MODE_UNSPECIFIED: Partition.Mode
    MODE_DROP: Partition.Mode
    MODE_REJECT: Partition.Mode
    MODE_FIELD_NUMBER: _ClassVar[int]
    mode: Partition.Mode
    def __init__(self, mode: _Optional[_Union[Partition.Mode, str]] = ...) -> None: ...

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
    __slots__ = ("fault_id", "remaining_s", "scope", "hits", "partition")
    FAULT_ID_FIELD_NUMBER: _ClassVar[int]
    REMAINING_S_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    fault_id: str
    remaining_s: float
    scope: Scope
    hits: int
    partition: Partition
    def __init__(self, fault_id: _Optional[str] = ..., remaining_s: _Optional[float] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., hits: _Optional[int] = ..., partition: _Optional[_Union[Partition, _Mapping]] = ...) -> None: ...

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

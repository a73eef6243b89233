from node.rpc.v1 import chaos_pb2 as _chaos_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("name", "id", "role", "started", "revision", "newest_announced", "store_connected", "store_since_ago_s", "store_reason", "members", "containers", "containers_running", "memory_bytes", "revision_ago_s")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NEWEST_ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    STORE_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    STORE_SINCE_AGO_S_FIELD_NUMBER: _ClassVar[int]
    STORE_REASON_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    REVISION_AGO_S_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    role: str
    started: str
    revision: int
    newest_announced: int
    store_connected: bool
    store_since_ago_s: float
    store_reason: str
    members: _containers.RepeatedCompositeFieldContainer[MemberSeen]
    containers: int
    containers_running: int
    memory_bytes: int
    revision_ago_s: float
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., role: _Optional[str] = ..., started: _Optional[str] = ..., revision: _Optional[int] = ..., newest_announced: _Optional[int] = ..., store_connected: _Optional[bool] = ..., store_since_ago_s: _Optional[float] = ..., store_reason: _Optional[str] = ..., members: _Optional[_Iterable[_Union[MemberSeen, _Mapping]]] = ..., containers: _Optional[int] = ..., containers_running: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., revision_ago_s: _Optional[float] = ...) -> None: ...

class MemberSeen(_message.Message):
    __slots__ = ("name", "lan_address", "underlay_address", "control_address", "round_trip_s", "answered_ago_s", "failures")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LAN_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    UNDERLAY_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONTROL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ROUND_TRIP_S_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AGO_S_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    lan_address: str
    underlay_address: str
    control_address: str
    round_trip_s: float
    answered_ago_s: float
    failures: int
    def __init__(self, name: _Optional[str] = ..., lan_address: _Optional[str] = ..., underlay_address: _Optional[str] = ..., control_address: _Optional[str] = ..., round_trip_s: _Optional[float] = ..., answered_ago_s: _Optional[float] = ..., failures: _Optional[int] = ...) -> None: ...

class TablesRequest(_message.Message):
    __slots__ = ("segment",)
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    segment: str
    def __init__(self, segment: _Optional[str] = ...) -> None: ...

class TablesResponse(_message.Message):
    __slots__ = ("segments",)
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[SegmentTables]
    def __init__(self, segments: _Optional[_Iterable[_Union[SegmentTables, _Mapping]]] = ...) -> None: ...

class SegmentTables(_message.Message):
    __slots__ = ("segment", "vni", "forwarding", "neighbors", "ports")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    VNI_FIELD_NUMBER: _ClassVar[int]
    FORWARDING_FIELD_NUMBER: _ClassVar[int]
    NEIGHBORS_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    segment: str
    vni: int
    forwarding: _containers.RepeatedCompositeFieldContainer[ForwardingRow]
    neighbors: _containers.RepeatedCompositeFieldContainer[NeighborRow]
    ports: _containers.RepeatedCompositeFieldContainer[PortRow]
    def __init__(self, segment: _Optional[str] = ..., vni: _Optional[int] = ..., forwarding: _Optional[_Iterable[_Union[ForwardingRow, _Mapping]]] = ..., neighbors: _Optional[_Iterable[_Union[NeighborRow, _Mapping]]] = ..., ports: _Optional[_Iterable[_Union[PortRow, _Mapping]]] = ...) -> None: ...

class ForwardingRow(_message.Message):
    __slots__ = ("mac", "port", "vtep", "age_s")
    MAC_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    VTEP_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    mac: str
    port: str
    vtep: str
    age_s: float
    def __init__(self, mac: _Optional[str] = ..., port: _Optional[str] = ..., vtep: _Optional[str] = ..., age_s: _Optional[float] = ...) -> None: ...

class NeighborRow(_message.Message):
    __slots__ = ("address", "mac", "vtep")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    VTEP_FIELD_NUMBER: _ClassVar[int]
    address: str
    mac: str
    vtep: str
    def __init__(self, address: _Optional[str] = ..., mac: _Optional[str] = ..., vtep: _Optional[str] = ...) -> None: ...

class PortRow(_message.Message):
    __slots__ = ("name", "mac", "mtu")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    MTU_FIELD_NUMBER: _ClassVar[int]
    name: str
    mac: str
    mtu: int
    def __init__(self, name: _Optional[str] = ..., mac: _Optional[str] = ..., mtu: _Optional[int] = ...) -> None: ...

class DropsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DropsResponse(_message.Message):
    __slots__ = ("drops",)
    DROPS_FIELD_NUMBER: _ClassVar[int]
    drops: _containers.RepeatedCompositeFieldContainer[DropCount]
    def __init__(self, drops: _Optional[_Iterable[_Union[DropCount, _Mapping]]] = ...) -> None: ...

class DropCount(_message.Message):
    __slots__ = ("name", "segment", "count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    segment: str
    count: int
    def __init__(self, name: _Optional[str] = ..., segment: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class ObserveRequest(_message.Message):
    __slots__ = ("segment", "port", "address", "frame_bytes_max")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FRAME_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    segment: str
    port: str
    address: str
    frame_bytes_max: int
    def __init__(self, segment: _Optional[str] = ..., port: _Optional[str] = ..., address: _Optional[str] = ..., frame_bytes_max: _Optional[int] = ...) -> None: ...

class ObserveResponse(_message.Message):
    __slots__ = ("hop",)
    HOP_FIELD_NUMBER: _ClassVar[int]
    hop: Hop
    def __init__(self, hop: _Optional[_Union[Hop, _Mapping]] = ...) -> None: ...

class Hop(_message.Message):
    __slots__ = ("sequence", "monotonic_ns", "wall_ns", "stage", "segment", "port", "frame", "outer", "verdict")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    WALL_NS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    OUTER_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    monotonic_ns: int
    wall_ns: int
    stage: str
    segment: str
    port: str
    frame: bytes
    outer: Outer
    verdict: str
    def __init__(self, sequence: _Optional[int] = ..., monotonic_ns: _Optional[int] = ..., wall_ns: _Optional[int] = ..., stage: _Optional[str] = ..., segment: _Optional[str] = ..., port: _Optional[str] = ..., frame: _Optional[bytes] = ..., outer: _Optional[_Union[Outer, _Mapping]] = ..., verdict: _Optional[str] = ...) -> None: ...

class Outer(_message.Message):
    __slots__ = ("source", "destination", "vni", "udp_port", "vlan")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    VNI_FIELD_NUMBER: _ClassVar[int]
    UDP_PORT_FIELD_NUMBER: _ClassVar[int]
    VLAN_FIELD_NUMBER: _ClassVar[int]
    source: str
    destination: str
    vni: int
    udp_port: int
    vlan: int
    def __init__(self, source: _Optional[str] = ..., destination: _Optional[str] = ..., vni: _Optional[int] = ..., udp_port: _Optional[int] = ..., vlan: _Optional[int] = ...) -> None: ...

class MomentRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MomentResponse(_message.Message):
    __slots__ = ("revision", "store_connected", "zones", "running", "endpoints", "taken", "published", "unaccounted", "records")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STORE_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    ZONES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    UNACCOUNTED_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    store_connected: bool
    zones: _containers.RepeatedCompositeFieldContainer[Zone]
    running: _containers.RepeatedScalarFieldContainer[str]
    endpoints: _containers.RepeatedScalarFieldContainer[bytes]
    taken: _containers.RepeatedCompositeFieldContainer[NodePort]
    published: _containers.RepeatedCompositeFieldContainer[NodePort]
    unaccounted: int
    records: _containers.RepeatedCompositeFieldContainer[StoredItem]
    def __init__(self, revision: _Optional[int] = ..., store_connected: _Optional[bool] = ..., zones: _Optional[_Iterable[_Union[Zone, _Mapping]]] = ..., running: _Optional[_Iterable[str]] = ..., endpoints: _Optional[_Iterable[bytes]] = ..., taken: _Optional[_Iterable[_Union[NodePort, _Mapping]]] = ..., published: _Optional[_Iterable[_Union[NodePort, _Mapping]]] = ..., unaccounted: _Optional[int] = ..., records: _Optional[_Iterable[_Union[StoredItem, _Mapping]]] = ...) -> None: ...

class Zone(_message.Message):
    __slots__ = ("network", "names")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    network: str
    names: _containers.RepeatedCompositeFieldContainer[NameRow]
    def __init__(self, network: _Optional[str] = ..., names: _Optional[_Iterable[_Union[NameRow, _Mapping]]] = ...) -> None: ...

class NameRow(_message.Message):
    __slots__ = ("name", "addresses")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class NodePort(_message.Message):
    __slots__ = ("protocol", "number")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    protocol: str
    number: int
    def __init__(self, protocol: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class StoredItem(_message.Message):
    __slots__ = ("key", "value", "revision")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    revision: int
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ..., revision: _Optional[int] = ...) -> None: ...

class FaultsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FaultsResponse(_message.Message):
    __slots__ = ("faults",)
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedCompositeFieldContainer[_chaos_pb2.Fault]
    def __init__(self, faults: _Optional[_Iterable[_Union[_chaos_pb2.Fault, _Mapping]]] = ...) -> None: ...

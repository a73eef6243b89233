"""The swarm and its nodes as `docker info` and `docker node` receive them (moby: api/types/swarm)."""

from __future__ import annotations

from typing import Any

from node.model.engine import ENGINE_VERSION
from node.model.facts import NodeFacts, NodeSeen, SwarmFacts

JOIN_TOKEN = "SWMTKN-1-simulated-by-the-lab"  # noqa: S105 - opens nothing
"""There is nothing to join by token: the lab forms the swarm."""

_SPEC: dict[str, Any] = {
    "Name": "default",
    "Labels": {},
    "Orchestration": {"TaskHistoryRetentionLimit": 5},
    "Raft": {
        "SnapshotInterval": 10000,
        "KeepOldSnapshots": 0,
        "LogEntriesForSlowFollowers": 500,
        "ElectionTick": 10,
        "HeartbeatTick": 1,
    },
    "Dispatcher": {"HeartbeatPeriod": 5_000_000_000},
    "CAConfig": {"NodeCertExpiry": 7_776_000_000_000_000},
    "TaskDefaults": {},
    "EncryptionConfig": {"AutoLockManagers": False},
}
"""The engine's defaults; nothing here acts on them."""


def swarm_of_info(swarm: SwarmFacts) -> dict[str, Any]:
    """The Swarm part of GET /info."""
    managers = [{"NodeID": identity, "Addr": address} for identity, address in swarm.managers]
    shape: dict[str, Any] = {
        "NodeID": swarm.node_id,
        "NodeAddr": swarm.node_address,
        "LocalNodeState": swarm.state,
        "ControlAvailable": swarm.manager,
        "Error": swarm.error,
        "RemoteManagers": managers or None,
    }
    if swarm.manager:
        shape |= {"Nodes": swarm.nodes, "Managers": len(managers), "Cluster": cluster(swarm)}
    return shape


def cluster(swarm: SwarmFacts) -> dict[str, Any]:
    """The swarm itself."""
    return {
        "ID": swarm.cluster_id,
        "Version": {"Index": swarm.version},
        "CreatedAt": swarm.created,
        "UpdatedAt": swarm.created,
        "Spec": _SPEC,
        "TLSInfo": {},
        "RootRotationInProgress": False,
        "DefaultAddrPool": swarm.address_pools,
        "SubnetSize": swarm.subnet_size,
        "DataPathPort": swarm.data_port,
    }


def inspected(swarm: SwarmFacts) -> dict[str, Any]:
    """GET /swarm."""
    return {**cluster(swarm), "JoinTokens": {"Worker": JOIN_TOKEN, "Manager": JOIN_TOKEN}}


def ping_header(swarm: SwarmFacts) -> str:
    """The Swarm header of /_ping: "inactive", "active/manager", "active/worker", ..."""
    if swarm.state != "active":
        return swarm.state
    return "active/manager" if swarm.manager else "active/worker"


def node(seen: NodeSeen, facts: NodeFacts, swarm: SwarmFacts) -> dict[str, Any]:
    """One node. All nodes share the machine that the simulation runs on, so its resources are theirs."""
    record, alive = seen.record, seen.member is not None
    shape: dict[str, Any] = {
        "ID": record.id,
        "Version": {"Index": seen.version},
        "CreatedAt": record.created,
        "UpdatedAt": record.created,
        "Spec": {"Labels": record.labels, "Role": record.role, "Availability": record.availability},
        "Description": {
            "Hostname": record.name,
            "Platform": {"Architecture": facts.architecture, "OS": "linux"},
            "Resources": {
                "NanoCPUs": facts.cpus * 1_000_000_000,
                "MemoryBytes": facts.memory_bytes,
            },
            "Engine": {
                "EngineVersion": seen.member.engine_version if seen.member else ENGINE_VERSION,
                "Plugins": [{"Type": "Log", "Name": "json-file"}]
                + [{"Type": "Network", "Name": name} for name in sorted(facts.network_drivers)],
            },
            "TLSInfo": {},
        },
        "Status": {
            "State": "ready" if alive else "down",
            **({} if alive else {"Message": "heartbeat failure"}),
            "Addr": record.lan_address,
        },
    }
    if record.role == "manager":
        shape["ManagerStatus"] = {
            **({"Leader": True} if seen.leader else {}),
            "Reachability": "reachable" if alive else "unreachable",
            "Addr": dict(swarm.managers).get(record.id, ""),
        }
    return shape

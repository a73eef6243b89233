"""The node itself, for `docker info` and `docker version`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from node.config import NodeConfig
from node.drivers.base import Driver
from node.model.facts import NodeFacts

OPERATING_SYSTEM = "Shoal (a simulated Docker host)"
KERNEL = "0.0.0-shoal"
MEMORY_BYTES = 1024**3
"""A figure for what has none: simulated containers take no memory worth counting."""


class System:
    """See the module."""

    def __init__(self, config: NodeConfig, engine_id: str, drivers: Mapping[str, Driver]) -> None:
        self._facts = NodeFacts(
            id=engine_id,
            name=config.name,
            cpus=1,
            memory_bytes=MEMORY_BYTES,
            kernel=KERNEL,
            operating_system=OPERATING_SYSTEM,
            architecture="x86_64",
            directory=str(config.directory),
            network_drivers=(),
            address_pools=tuple((pool.base, pool.size) for pool in config.default_address_pools),
        )
        self._drivers = drivers

    def facts(self) -> NodeFacts:
        """What hardly changes while it runs."""
        drivers = tuple(sorted(name for name, driver in self._drivers.items() if driver.active))
        return msgspec.structs.replace(self._facts, network_drivers=drivers)

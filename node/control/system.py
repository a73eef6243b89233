"""The node itself, for `docker info` and `docker version`."""

from __future__ import annotations

from collections.abc import Iterable

from node.config import NodeConfig
from node.model.facts import NodeFacts

OPERATING_SYSTEM = "Shoal (a simulated Docker host)"
KERNEL = "0.0.0-shoal"
MEMORY_BYTES = 1024**3
"""A figure for what has none: simulated containers take no memory worth counting."""


class System:
    """See the module."""

    def __init__(self, config: NodeConfig, engine_id: str, drivers: Iterable[str]) -> None:
        self._facts = NodeFacts(
            id=engine_id,
            name=config.name,
            cpus=1,
            memory_bytes=MEMORY_BYTES,
            kernel=KERNEL,
            operating_system=OPERATING_SYSTEM,
            architecture="x86_64",
            directory=str(config.directory),
            network_drivers=tuple(sorted(drivers)),
            address_pools=tuple((pool.base, pool.size) for pool in config.default_address_pools),
        )

    def facts(self) -> NodeFacts:
        """What does not change while it runs."""
        return self._facts

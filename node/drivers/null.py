"""The driver of the network `none`: a sandbox that has only its loopback."""

from __future__ import annotations

import random

from node.drivers.base import Joined, QuietDriver, Wishes
from node.errors import Forbidden
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.stack.sandbox import Sandbox


class NullDriver(QuietDriver):
    """See node/drivers/base.py; there is exactly one such network (moby: drivers/null)."""

    name = "null"
    data_scope: Scope = "local"

    def check(self, spec: NetworkSpec) -> None:
        """Only the node itself makes its one network."""
        raise Forbidden(f'only one instance of "{self.name}" network is allowed')

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """No interface, no hardware address."""
        return ""

    async def join(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, wishes: Wishes
    ) -> Joined:
        """The loopback that every sandbox has is all."""
        return Joined()

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Nothing to undo."""

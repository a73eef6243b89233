"""Who is behind an address: nodes and networks by what a datagram or a call shows of them."""

from __future__ import annotations

from node.control.ledger import Ledger
from node.seams import Channel

LAN = "lan"
"""What the network between the hosts is called."""


class Directory:
    """Answers "" for what is not known. ``swarm`` is None on a node that belongs to none."""

    def __init__(self, swarm: Ledger | None) -> None:
        self._swarm = swarm
        self._networks: dict[int, str] = {}
        """Names by VNI, as they were at this revision:"""
        self._revision = -1

    def node_at(self, underlay_address: str) -> str:
        """The living member at an underlay address."""
        if self._swarm is None:
            return ""
        members = self._swarm.view.members.values()
        return next((m.name for m in members if m.underlay_address == underlay_address), "")

    def node_on_lan(self, lan_address: str) -> str:
        """The living member with this address on the LAN."""
        if self._swarm is None:
            return ""
        members = self._swarm.view.members.values()
        return next((m.name for m in members if m.lan_address == lan_address), "")

    def node_called_at(self, control_address: str) -> str:
        """The living member that answers calls at an address."""
        if self._swarm is None:
            return ""
        members = self._swarm.view.members.values()
        return next((m.name for m in members if m.control_address == control_address), "")

    def network_of(self, channel: Channel, vni: int) -> str:
        """The network whose frames carry this VNI."""
        if channel is Channel.CABLE or self._swarm is None:
            return LAN
        view = self._swarm.view
        if view.revision != self._revision:
            self._revision = view.revision
            self._networks = {number: n.name for n in view.networks.values() for number in n.vnis}
        return self._networks.get(vni, "")

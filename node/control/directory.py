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
        self._nodes: dict[str, str] = {}
        """Names by underlay, LAN and control address, as they were after so many changes:"""
        self._member_changes = -1

    def node_at(self, underlay_address: str) -> str:
        """The living member at an underlay address."""
        return self._node("underlay " + underlay_address)

    def node_on_lan(self, lan_address: str) -> str:
        """The living member with this address on the LAN."""
        return self._node("lan " + lan_address)

    def node_called_at(self, control_address: str) -> str:
        """The living member that answers calls at an address."""
        return self._node("control " + control_address)

    def _node(self, place: str) -> str:
        if self._swarm is None:
            return ""
        view = self._swarm.view
        if view.member_changes != self._member_changes:
            self._member_changes = view.member_changes
            self._nodes = {}
            for member in view.members.values():
                for place_of_it in (
                    f"underlay {member.underlay_address}",
                    f"lan {member.lan_address}",
                    f"control {member.control_address}",
                ):
                    self._nodes.setdefault(place_of_it, member.name)
        return self._nodes.get(place, "")

    def network_of(self, channel: Channel, vni: int) -> str:
        """The network whose frames carry this VNI."""
        if channel is Channel.CABLE or self._swarm is None:
            return LAN
        view = self._swarm.view
        if view.revision != self._revision:
            self._revision = view.revision
            self._networks = {number: n.name for n in view.networks.values() for number in n.vnis}
        return self._networks.get(vni, "")

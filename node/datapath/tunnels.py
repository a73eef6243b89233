"""Which segment is a datagram for? By its channel and VNI, and on the LAN also by its VLAN tag.

cable, VNI 1 --> lan --+-- no tag, or tag 0 --> lan
                       +-- tag 10 ------------> lan.10
"""

from __future__ import annotations

from node.datapath.drops import Drop
from node.datapath.segment import Segment
from node.datapath.vtep import Vtep
from node.seams import Channel
from node.wire import vlan
from node.wire.malformed import Malformed


class Tunnels:
    """``by_vni`` is for the fast path: what it finds may have VLANs, see untag()."""

    def __init__(self) -> None:
        self.by_vni: dict[Channel, dict[int, Segment]] = {channel: {} for channel in Channel}

    def add(self, segment: Segment) -> None:
        """What comes through the segment's tunnel is for it; nothing to do if it has none."""
        if segment.vtep is not None:
            table, key = self._place(segment, segment.vtep)
            assert key not in table, f"segment {segment.name}: {key} is in use on this node"
            table[key] = segment

    def remove(self, segment: Segment) -> None:
        """Undo add."""
        if segment.vtep is not None:
            table, key = self._place(segment, segment.vtep)
            del table[key]

    def _place(self, segment: Segment, vtep: Vtep) -> tuple[dict[int, Segment], int]:
        by_vni = self.by_vni[segment.channel]
        if not vtep.vlan:
            return by_vni, vtep.vni
        vlans = by_vni[vtep.vni].vlans
        assert vlans is not None, f"the tunnel of segment {segment.name} carries no VLANs"
        return vlans, vtep.vlan


def untag(trunk: Segment, frame: bytes) -> tuple[Segment, bytes] | Drop:
    """The segment that a tagged frame belongs to, and the frame without its tag; or why it is dropped."""
    assert trunk.vlans is not None, "tags mean something only where VLANs share the tunnel"
    try:
        number, untagged = vlan.remove(frame)
    except Malformed:
        return Drop.MALFORMED_FRAME
    segment = trunk.vlans.get(number) if number else trunk
    return (segment, untagged) if segment is not None else Drop.UNKNOWN_VLAN

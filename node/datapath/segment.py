"""One layer-2 domain on one node: a bridge, and for networks that span nodes a vtep beside it."""

from __future__ import annotations

from node.datapath.bridge import Bridge
from node.datapath.neighbors import NeighborTable
from node.datapath.vtep import Vtep
from node.seams import Channel


class Segment:
    """``name`` is what people see; ``id`` is unique on the node. ``channel`` is where its tunnel runs."""

    __slots__ = ("bridge", "channel", "hairpin", "id", "name", "neighbors", "networks", "vlans", "vtep")

    def __init__(
        self, identity: str, name: str, vtep: Vtep | None = None, channel: Channel = Channel.DATA
    ) -> None:
        self.id = identity
        self.name = name
        self.bridge = Bridge()
        self.vtep = vtep
        self.channel = channel
        self.neighbors = NeighborTable()
        self.networks: dict[str, None] = {}
        """Names of networks that people look for here, where its own is not theirs."""
        self.hairpin = False
        """The switch outside sends a frame back to the host that it came from (IEEE 802.1Qbg)."""
        self.vlans: dict[int, Segment] | None = None
        """Segments of the VLANs that share its tunnel, by number; None: tags mean nothing here."""

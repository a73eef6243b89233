"""One layer-2 domain on one node: a bridge, and for networks that span nodes a vtep beside it."""

from __future__ import annotations

from node.datapath.bridge import Bridge
from node.datapath.neighbors import NeighborTable
from node.datapath.vtep import Vtep
from node.seams import Channel


class Segment:
    """``id`` names it to people: a network's name or id. ``channel`` is where its tunnel runs."""

    __slots__ = ("bridge", "channel", "id", "neighbors", "vtep")

    def __init__(self, identity: str, vtep: Vtep | None = None, channel: Channel = Channel.DATA) -> None:
        self.id = identity
        self.bridge = Bridge()
        self.vtep = vtep
        self.channel = channel
        self.neighbors = NeighborTable()

"""Where frames move: every path through a node, in the order in which things happen.

    transmit:  sandbox -> port -> bridge --+--> port -> sandbox
                                           |
                                           +--> ARP answered from the neighbor table
                                           |
                                           `--> vtep -> encapsulate -> underlay

    receive:   underlay -> VXLAN header -> segment by VNI, VLAN tag -> bridge -> port -> sandbox
                                                             (never back into a tunnel)

All of it is plain calls: no queue and no await inside a node. A reply that a sandbox sends while a
frame is delivered to it re-enters through a bounded work list, so that two stacks that answer each
other use neither the call stack nor memory without end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from node.datapath import openings
from node.datapath.drops import Counters, Drop
from node.datapath.macvlan import obstacle
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.tunnels import Tunnels, untag
from node.datapath.vtep import Vtep
from node.seams import Channel
from node.wire import arp, ethernet, vlan
from node.wire.malformed import Malformed

WORK_MAX = 4096
"""Frames that wait in the work list: replies to replies within one call."""
ETHERNET_BYTES = ethernet.HEADER_BYTES
_SHORTEST_DATAGRAM = 8 + ETHERNET_BYTES

Send = Callable[[Channel, str, int, bytes], bool]
"""(channel, destination, flow hash, datagram) -> taken; see Underlay.send."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One station of a frame, told to an observer."""

    at: float
    stage: str
    """transmit, answer, encapsulate, receive, deliver or drop."""
    segment: str
    port: str
    frame: bytes
    peer: str = ""
    """The other node's underlay address, where the frame is in a tunnel."""
    vni: int = 0
    channel: Channel = Channel.DATA
    vlan: int = 0
    """The VLAN that the frame is tagged with in the tunnel; ``frame`` is shown without the tag."""
    drop: Drop | None = None


class Switchboard:
    """See the module. ``observer`` hears of every hop while it is set, for packet walks and captures."""

    def __init__(self, send: Send, counters: Counters) -> None:
        self.counters = counters
        self.segments: dict[str, Segment] = {}
        self.observer: Callable[[Hop], None] | None = None
        self._send = send
        self._tunnels = Tunnels()
        self._work: deque[tuple[Port, bytes]] = deque()
        self._moving = False

    # -- what is plugged in -----------------------------------------------------------------------

    def add_segment(self, segment: Segment) -> None:
        """Frames of this segment can move from now on."""
        assert segment.id not in self.segments, f"segment {segment.id} is there already"
        self.segments[segment.id] = segment
        self._tunnels.add(segment)

    def remove_segment(self, segment: Segment) -> None:
        """Take a segment away with everything plugged into it."""
        for port in list(segment.bridge.ports.values()):
            self.unplug(port)
        self._tunnels.remove(segment)
        del self.segments[segment.id]

    def plug(self, segment: Segment, port: Port) -> None:
        """Connect a port to a segment."""
        segment.bridge.plug(port)
        port.segment = segment

    def unplug(self, port: Port) -> None:
        """Disconnect a port; frames from it are dropped from now on."""
        if port.segment is not None:
            port.segment.bridge.unplug(port)
            port.segment = None

    # -- from a sandbox ---------------------------------------------------------------------------

    def transmit(self, port: Port, frame: bytes, now: float) -> None:
        """A sandbox sends a frame through its port."""
        self.counters.transmitted += 1
        if len(self._work) >= WORK_MAX:
            self._drop(Drop.WORK_LIST_FULL, port.segment, port.name, frame, now)
            return
        self._work.append((port, frame))
        if not self._moving:
            self._moving = True
            self._move(now)

    def _move(self, now: float) -> None:
        """Forward what waits, and what comes of it, until nothing is left."""
        work = self._work
        try:
            while work:
                port, frame = work.popleft()
                self._forward(port, frame, now)
        finally:
            self._moving = False

    def _forward(self, port: Port, frame: bytes, now: float) -> None:
        segment = port.segment
        if segment is None or not port.up:
            self._drop(Drop.PORT_DOWN, segment, port.name, frame, now)
            return
        if len(frame) < ETHERNET_BYTES:
            self._drop(Drop.MALFORMED_FRAME, segment, port.name, frame, now)
            return
        if len(frame) > port.mtu + ETHERNET_BYTES:
            self._drop(Drop.FRAME_TOO_BIG, segment, port.name, frame, now)
            return
        port.frames_in += 1
        if self.observer is not None:
            self.observer(Hop(now, "transmit", segment.name, port.name, frame))
        bridge = segment.bridge
        source = frame[6:12]
        if source not in bridge.static:
            bridge.learn(source, port, now)
        destination = frame[0:6]
        if destination[0] & 1:
            # To a group: ARP is answered here if it can be, the rest goes to everybody.
            if frame[12:14] != ethernet.ARP or not self._answer_arp(segment, port, frame, now):
                self._flood(segment, port, frame, now)
            return
        out = bridge.find(destination, now)
        if out is not None:
            self._cross(segment, port, out, frame, now)
            return
        vtep = segment.vtep
        if vtep is None:
            self._flood(segment, port, frame, now)
            return
        endpoint = vtep.find(destination, now)
        if endpoint is not None:
            self._encapsulate(segment, vtep, endpoint, frame, now)
        elif vtep.flood:
            self._flood(segment, port, frame, now)
        else:
            self._drop(Drop.NO_FORWARDING_ENTRY, segment, port.name, frame, now)

    def _cross(self, segment: Segment, port: Port, out: Port, frame: bytes, now: float) -> None:
        """From one port of a segment to another."""
        refusal = Drop.HAIRPIN if out is port else _refusal(segment, port, out, frame)
        if refusal is not None:
            self._drop(refusal, segment, port.name, frame, now)
        else:
            self._deliver(segment, out, frame, now)

    def _answer_arp(self, segment: Segment, port: Port, frame: bytes, now: float) -> bool:
        """Answer a request for a remote endpoint on its behalf; False if it is for somebody here."""
        if not segment.neighbors.entries:
            return False
        try:
            request = arp.parse(frame[ETHERNET_BYTES:])
        except Malformed:
            self._drop(Drop.MALFORMED_FRAME, segment, port.name, frame, now)
            return True
        mac = segment.neighbors.find(request.target_ip)
        if mac is None or request.operation != arp.REQUEST or request.target_ip == request.sender_ip:
            return False
        answer = ethernet.emit(frame[6:12], mac, ethernet.TYPE_ARP, arp.reply(request, mac).emit())
        self.counters.answered += 1
        self.counters.copies += 1
        if self.observer is not None:
            self.observer(Hop(now, "answer", segment.name, port.name, answer))
        self._deliver(segment, port, answer, now)
        return True

    def _flood(self, segment: Segment, port: Port, frame: bytes, now: float) -> None:
        """To every other port, and to every peer where the segment floods."""
        outs = [out for out in segment.bridge.ports.values() if out is not port]
        vtep = segment.vtep
        peers = list(vtep.peers) if vtep is not None and vtep.flood else []
        copies = len(outs) + len(peers)
        if copies == 0:
            asked = frame[12:14] == ethernet.ARP
            self._drop(Drop.NO_SUCH_NEIGHBOR if asked else Drop.NO_RECEIVER, segment, port.name, frame, now)
            return
        self.counters.copies += copies - 1
        for out in outs:
            self._cross(segment, port, out, frame, now)
        for endpoint in peers:
            assert vtep is not None
            self._encapsulate(segment, vtep, endpoint, frame, now)

    # -- into the tunnel --------------------------------------------------------------------------

    def _encapsulate(self, segment: Segment, vtep: Vtep, endpoint: str, frame: bytes, now: float) -> None:
        if self.observer is not None:
            # Told before it is sent: the other node may see it come at once.
            outer = endpoint, vtep.vni, segment.channel, vtep.vlan
            self.observer(Hop(now, "encapsulate", segment.name, "", frame, *outer))
        inner = vlan.insert(frame, vtep.tag) if vtep.tag else frame
        if self._send(segment.channel, endpoint, vtep.flow_hash(frame), vtep.header + inner):
            self.counters.encapsulated += 1
        else:
            self._drop(Drop.UNDERLAY_REFUSED, segment, "", frame, now)

    # -- out of the tunnel ------------------------------------------------------------------------

    def receive(self, channel: Channel, source: str, datagram: bytes, now: float) -> None:
        """The underlay delivers a datagram from the node at ``source``."""
        self.counters.received += 1
        if len(datagram) < _SHORTEST_DATAGRAM or not datagram[0] & 0x08:
            self._drop(Drop.MALFORMED_VXLAN, None, "", datagram, now, source)
            return
        vni = int.from_bytes(datagram[4:7], "big")
        frame = datagram[8:]
        segment = self._tunnels.by_vni[channel].get(vni)
        if segment is None:
            self._drop(Drop.UNKNOWN_VNI, None, "", frame, now, source)
            return
        if segment.vlans is not None and frame[12:14] == vlan.TYPE:
            found = untag(segment, frame)
            if isinstance(found, Drop):
                self._drop(found, segment, "", frame, now, source)
                return
            segment, frame = found
        vtep = segment.vtep
        assert vtep is not None, "only segments with a tunnel are found by VNI"
        if self.observer is not None:
            self.observer(Hop(now, "receive", segment.name, "", frame, source, vni, channel, vtep.vlan))
        if vtep.peers_only and source not in vtep.peers:
            self._drop(Drop.NOT_A_PEER, segment, "", frame, now, source)
            return
        if vtep.learning:
            vtep.learn(frame[6:12], source, now)
        self._moving = True
        try:
            self._arrive(segment, frame, now)
        finally:
            self._move(now)

    def _arrive(self, segment: Segment, frame: bytes, now: float) -> None:
        """From a tunnel to the ports of this node, never back into a tunnel (split horizon)."""
        destination = frame[0:6]
        bridge = segment.bridge
        if not destination[0] & 1:
            out = bridge.find(destination, now)
            if out is None:
                self._drop(Drop.NO_FORWARDING_ENTRY, segment, "", frame, now)
            else:
                self._deliver(segment, out, frame, now)
            return
        outs = list(bridge.ports.values())
        if not outs:
            self._drop(Drop.NO_RECEIVER, segment, "", frame, now)
            return
        self.counters.copies += len(outs) - 1
        for out in outs:
            self._deliver(segment, out, frame, now)

    # -- to a sandbox -----------------------------------------------------------------------------

    def _deliver(self, segment: Segment, port: Port, frame: bytes, now: float) -> None:
        if not port.up:
            self._drop(Drop.PORT_DOWN, segment, port.name, frame, now)
            return
        if len(frame) > port.mtu + ETHERNET_BYTES:
            self._drop(Drop.FRAME_TOO_BIG, segment, port.name, frame, now)
            return
        self.counters.delivered += 1
        port.frames_out += 1
        if self.observer is not None:
            self.observer(Hop(now, "deliver", segment.name, port.name, frame))
        port.deliver(frame, now)

    # -- nowhere ----------------------------------------------------------------------------------

    def _drop(
        self, name: Drop, segment: Segment | None, port: str, frame: bytes, now: float, peer: str = ""
    ) -> None:
        name_of_segment = segment.name if segment is not None else ""
        self.counters.drop(name, name_of_segment)
        if self.observer is not None:
            self.observer(Hop(now, "drop", name_of_segment, port, frame, peer, drop=name))


def _refusal(segment: Segment, port: Port, out: Port, frame: bytes) -> Drop | None:
    """Why a frame from one port may not go to another of the same segment; None if it may."""
    if port.isolated and out.isolated and not openings.let_through(port, out, frame):
        return Drop.PORT_ISOLATED
    if port.macvlan is None or out.macvlan is None:
        return None
    return obstacle(port.macvlan, out.macvlan, hairpin=segment.hairpin, to_all=bool(frame[0] & 1))

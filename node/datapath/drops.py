"""The names of everything that can happen to a frame instead of being delivered, and the counters.

The law of a node, which tests hold it to:

    transmitted + received + copies  =  delivered + encapsulated + answered + dropped on the way

Whatever is handed in goes on or is counted under exactly one name. What a stack does with a frame
that was delivered to it, and what a fault swallows after it was sent, comes after that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Drop(StrEnum):
    """Why something was not delivered; the value is the name that people and tools see."""

    # on its way into a node
    MALFORMED_VXLAN = "malformed_vxlan"
    UNKNOWN_VNI = "unknown_vni"
    UNKNOWN_VLAN = "unknown_vlan"
    NOT_A_PEER = "not_a_peer"
    # on a segment
    MALFORMED_FRAME = "malformed_frame"
    NO_FORWARDING_ENTRY = "no_forwarding_entry"
    NO_SUCH_NEIGHBOR = "no_such_neighbor"
    NO_RECEIVER = "no_receiver"
    HAIRPIN = "hairpin"
    PORT_DOWN = "port_down"
    PORT_ISOLATED = "port_isolated"
    MACVLAN_PARENT = "macvlan_parent"
    FRAME_TOO_BIG = "frame_too_big"
    WORK_LIST_FULL = "work_list_full"
    # on its way out of a node
    UNDERLAY_REFUSED = "underlay_refused"
    UNDERLAY_FAULT = "underlay_fault"
    # in a sandbox's stack
    MALFORMED_PACKET = "malformed_packet"
    NOT_FOR_ME = "not_for_me"
    NO_ROUTE = "no_route"
    TTL_EXCEEDED = "ttl_exceeded"
    NEIGHBOR_UNREACHABLE = "neighbor_unreachable"
    NEIGHBOR_QUEUE_FULL = "neighbor_queue_full"
    NEEDS_FRAGMENTATION = "needs_fragmentation"
    REASSEMBLY_FAILED = "reassembly_failed"
    NO_LISTENER = "no_listener"
    SOCKET_QUEUE_FULL = "socket_queue_full"
    BACKLOG_FULL = "backlog_full"
    LOOPBACK_FULL = "loopback_full"
    UNKNOWN_PROTOCOL = "unknown_protocol"
    MARTIAN = "martian"
    # by the rules of a host between its networks
    FORWARDING_OFF = "forwarding_off"
    ISOLATED_NETWORKS = "isolated_networks"
    INTERNAL_NETWORK = "internal_network"
    NOT_PUBLISHED = "not_published"
    TRANSLATION_FULL = "translation_full"
    PORT_CLOSED = "port_closed"
    # at the name server of a sandbox
    QUESTION_LOST = "question_lost"


ON_THE_WAY: tuple[Drop, ...] = (
    Drop.MALFORMED_VXLAN,
    Drop.UNKNOWN_VNI,
    Drop.UNKNOWN_VLAN,
    Drop.NOT_A_PEER,
    Drop.MALFORMED_FRAME,
    Drop.NO_FORWARDING_ENTRY,
    Drop.NO_SUCH_NEIGHBOR,
    Drop.NO_RECEIVER,
    Drop.HAIRPIN,
    Drop.PORT_DOWN,
    Drop.PORT_ISOLATED,
    Drop.MACVLAN_PARENT,
    Drop.FRAME_TOO_BIG,
    Drop.WORK_LIST_FULL,
    Drop.UNDERLAY_REFUSED,
)
"""The names that the switchboard uses: those of the law above."""

EXPLANATIONS: dict[Drop, str] = {
    Drop.MALFORMED_VXLAN: "a datagram that is not VXLAN arrived on the data port",
    Drop.UNKNOWN_VNI: "a frame arrived for a network that has no endpoint on this node",
    Drop.UNKNOWN_VLAN: "a frame arrived for a VLAN in which this host has no interface",
    Drop.NOT_A_PEER: "a frame arrived from an address that is no peer of its network",
    Drop.MALFORMED_FRAME: "a frame too short to have an Ethernet header, or a broken ARP packet",
    Drop.NO_FORWARDING_ENTRY: "nobody knows where this hardware address is, and the segment does not flood",
    Drop.NO_SUCH_NEIGHBOR: "ARP asked for an address that nobody has",
    Drop.NO_RECEIVER: "a broadcast with nobody else on the segment",
    Drop.HAIRPIN: "it would have gone back to where it came from",
    Drop.PORT_DOWN: "its port is down or unplugged",
    Drop.PORT_ISOLATED: "its network does not let containers talk to each other",
    Drop.MACVLAN_PARENT: "a host and its own macvlan containers do not hear each other",
    Drop.FRAME_TOO_BIG: "it is larger than the network's MTU allows",
    Drop.WORK_LIST_FULL: "too many replies at once inside one node",
    Drop.UNDERLAY_REFUSED: "the underlay would not take the datagram: no room, or no way there",
    Drop.UNDERLAY_FAULT: "a fault that somebody injected swallowed it",
    Drop.MALFORMED_PACKET: "a packet whose lengths or checksums are wrong",
    Drop.NOT_FOR_ME: "a frame for another hardware address",
    Drop.NO_ROUTE: "no route leads to its destination",
    Drop.TTL_EXCEEDED: "it passed too many routers",
    Drop.NEIGHBOR_UNREACHABLE: "nobody answered ARP for the next hop",
    Drop.NEIGHBOR_QUEUE_FULL: "too many packets wait for ARP already",
    Drop.NEEDS_FRAGMENTATION: "too big for the next link, and it may not be cut up",
    Drop.REASSEMBLY_FAILED: "its other fragments did not come, or do not fit",
    Drop.NO_LISTENER: "no program listens there",
    Drop.SOCKET_QUEUE_FULL: "the program that listens does not read",
    Drop.BACKLOG_FULL: "the program that listens does not accept connections fast enough",
    Drop.LOOPBACK_FULL: "too many packets at once from a sandbox to itself",
    Drop.UNKNOWN_PROTOCOL: "a protocol that the stack does not speak",
    Drop.MARTIAN: "a packet with an address that cannot come from there",
    Drop.FORWARDING_OFF: "a packet for somebody else, and this sandbox is no router",
    Drop.ISOLATED_NETWORKS: "networks of one host are kept apart",
    Drop.INTERNAL_NETWORK: "the network is internal: nothing leaves it or comes in",
    Drop.NOT_PUBLISHED: "from outside straight to a container, past the ports that it publishes",
    Drop.TRANSLATION_FULL: "the host has no port or no room left to translate one more conversation",
    Drop.PORT_CLOSED: "it came to a published port that was closed",
    Drop.QUESTION_LOST: "a question to a container's name server was swallowed by a fault",
}
"""One line for people on each."""


@dataclass(slots=True)
class Counters:
    """What went through a node, in frames. ``drops`` is keyed by segment ("" outside any) and name."""

    transmitted: int = 0
    """By the sandboxes of this node."""
    received: int = 0
    """Datagrams from other nodes."""
    copies: int = 0
    """Made here: all but one of each flood, and answers to ARP."""
    delivered: int = 0
    encapsulated: int = 0
    answered: int = 0
    """ARP requests that the segment answered itself."""
    drops: dict[tuple[str, Drop], int] = field(default_factory=dict)

    def drop(self, name: Drop, segment: str = "") -> None:
        """Count one."""
        key = (segment, name)
        self.drops[key] = self.drops.get(key, 0) + 1

    def dropped(self, name: Drop) -> int:
        """How many under this name, in all segments."""
        return sum(count for (_, drop), count in self.drops.items() if drop is name)

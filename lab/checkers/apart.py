"""Nothing is delivered across networks that are kept apart.

transmit, answer on (node, segment) --.
encapsulate on a segment --------------+--> where this very frame has been
                                       |
deliver on (node, segment) ------------'    it must be one of these places
"""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import Checker, Violation
from lab.checkers.seen import NetworkSeen, Seen
from lab.checkers.tables import block_of
from node.datapath.switchboard import Hop
from node.model.address import ZERO_IPV4, format_ipv4
from node.wire import ethernet

FRAMES_MAX = 16_384
"""Frames that are remembered, those seen last."""
ANYWHERE = ""
"""The node of a place that a tunnel leads to."""

Block = tuple[int, int]
"""An address block as number and mask."""


class Apart(Checker):
    """Where a frame has been is remembered; one that nobody here has sent comes from outside."""

    name = "apart"
    sentence = (
        "A frame is delivered only in the network in which it was sent: nothing crosses from one network "
        "to another, and nothing enters or leaves an internal one."
    )

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[bytes, dict[tuple[str, str], None]] = {}
        self._foreign: dict[tuple[str, str], list[tuple[str, Block]]] = {}
        """Bridges: addresses of the host's other bridges. By node and network name."""
        self._learned: tuple[object, object] = (None, None)
        self._own: dict[tuple[str, str], list[Block]] = {}
        """Internal networks: the only addresses that may be seen there."""

    def check(self, seen: Seen) -> Iterable[Violation]:
        """Learn which networks there are."""
        learned = seen.networks, tuple(seen.nodes)
        if learned == self._learned:
            return ()
        self._learned = learned
        self._foreign, self._own = {}, {}
        for node in seen.nodes:
            bridges = [n for n in seen.networks if n.driver == "bridge" and n.scope == node]
            for bridge in bridges:
                self._foreign[node, bridge.name] = [
                    (other.name, block)
                    for other in bridges
                    if other is not bridge
                    for block in _blocks(other)
                ]
            for network in seen.networks:
                if network.internal and network.scope in ("swarm", node):
                    self._own[node, network.name] = _blocks(network)
        return ()

    def hop(self, node: str, hop: Hop) -> Iterable[Violation]:
        """See Checker."""
        if hop.stage in ("transmit", "answer"):
            self._note(hop.frame, (node, hop.segment))
        elif hop.stage == "encapsulate":
            self._note(hop.frame, (ANYWHERE, hop.segment))
        elif hop.stage == "deliver" and (what := self._stranger(node, hop)):
            return self.tell(hop.at, what)
        return ()

    def tell(self, at: float, what: str) -> list[Violation]:
        """Once for each sentence."""
        if what in self._told:
            return []
        self._told[what] = None
        return [Violation(self.name, at, what)]

    def _note(self, frame: bytes, place: tuple[str, str]) -> None:
        places = self._places.pop(frame, None)
        if places is None:
            places = {}
            if len(self._places) >= FRAMES_MAX:
                del self._places[next(iter(self._places))]
        places[place] = None
        self._places[frame] = places

    def _stranger(self, node: str, hop: Hop) -> str:
        places = self._places.get(hop.frame)
        if places and (node, hop.segment) not in places and (ANYWHERE, hop.segment) not in places:
            sent = ", ".join(f"{segment} on {where or 'any node'}" for where, segment in places)
            return f"a frame sent in {sent} was delivered to {hop.port} in {hop.segment} on {node}"
        frame = hop.frame
        name = hop.segment.partition("/")[0]
        if frame[12:14] != ethernet.IPV4 or hop.port.partition("/")[0] == node:
            return ""  # what comes to the host itself, it has to judge
        source = frame[26:30]
        number = int.from_bytes(source, "big")
        for other, (block, mask) in self._foreign.get((node, name), ()):
            if number & mask == block:
                return f"{format_ipv4(source)} of network {other} came to {hop.port} in {name} on {node}"
        own = self._own.get((node, name))
        if own is not None and source != ZERO_IPV4 and not any(number & mask == block for block, mask in own):
            return f"{format_ipv4(source)} came to {hop.port} in the internal network {name} on {node}"
        return ""


def _blocks(network: NetworkSeen) -> list[Block]:
    blocks = [block_of(subnet) for subnet in network.subnets]
    return [(int(block.network_address), int(block.netmask)) for block in blocks]

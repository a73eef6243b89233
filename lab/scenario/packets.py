"""The last stations of frames in all nodes, kept in case something fails; put into words only then.

node-1  app  encapsulate to 10.99.0.3 VNI 4097  IPv4 10.0.1.2 > 10.0.1.3 ICMP echo request ... LOST on the way
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from lab.scenario.result import Line
from node.datapath.switchboard import Hop
from node.wire import show

KEPT = 200
SHOWN = 30
FLIGHT_S = 0.05
"""What was sent so shortly before may be on its way yet."""
DROPPED, LOST = "DROPPED", "LOST"


class Packets:
    """See the module."""

    def __init__(self, now: Callable[[], float]) -> None:
        """``now()``: seconds since the start."""
        self._now = now
        self._last: deque[tuple[float, str, Hop]] = deque(maxlen=KEPT)

    def hear(self, node: str, hop: Hop, at: float | None = None) -> None:
        """One more station, now or at a moment that has passed; the oldest makes room."""
        self._last.append((self._now() if at is None else at, node, hop))

    def lines(self) -> tuple[Line, ...]:
        """The last of them in words; what was sent to another node and never arrived there is marked."""
        heard, now = sorted(self._last, key=lambda one: one[0]), self._now()
        shown = []
        for number, (at, node, hop) in enumerate(heard[-SHOWN:], start=max(0, len(heard) - SHOWN)):
            lost = hop.stage == "encapsulate" and at < now - FLIGHT_S and not _arrived(heard, number)
            shown.append(Line(at=at, who=node, what=station(hop, is_lost=lost)))
        return tuple(shown)


def _arrived(heard: list[tuple[float, str, Hop]], number: int) -> bool:
    """Whether a frame that was sent at this station was received at one about then or later."""
    sent_at, _, sent = heard[number]
    return any(
        hop.stage == "receive" and hop.frame == sent.frame and at > sent_at - FLIGHT_S for at, _, hop in heard
    )


def station(hop: Hop, *, is_lost: bool = False) -> str:
    """One station: where, what is done to the frame there, and what it is."""
    _, *headers = show.layers(hop.frame)
    place = f"{hop.segment} {hop.port}".strip()
    what = hop.stage
    if hop.drop is not None:
        what = f"{DROPPED} as {hop.drop.value}"
    elif hop.peer:
        end = f", {LOST} on the way" if is_lost else f", VNI {hop.vni}"
        what += f" {'to' if hop.stage == 'encapsulate' else 'from'} {hop.peer}{end}"
    return f"{place:<22} {what:<40} {' '.join(headers)}"

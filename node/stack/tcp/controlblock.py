"""The transmission control block (RFC 9293 section 3.3.1): a connection's two halves, and what leaves it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from node.stack.tcp.receiving import WINDOW_SCALE, ReceiveSide
from node.stack.tcp.roundtrip import RoundTrip
from node.stack.tcp.sending import Piece, SendSide
from node.stack.tcp.sequence import from_wire, to_wire
from node.wire.tcp import ACK, FIN, PSH, SYN, Segment

DELAYED_ACK_S = 0.04
"""Linux's shortest; RFC 9293 section 3.8.6.3 allows half a second."""
UNCONFIRMED_MAX = 2
"""Segments with data for which one acknowledgment must come (RFC 9293 section 3.8.6.3)."""
MSS_DEFAULT = 536
"""Of a peer that does not say (RFC 9293 section 3.7.1)."""
MSS_MIN = 48
WINDOW_FIELD_MAX = 0xFFFF

Address = tuple[bytes, int]
"""IPv4 address and port."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Between whom a connection is."""

    local: Address
    remote: Address


class ControlBlock:
    """See the module. ``first`` is the number of our SYN, ``mss`` what the path takes, in bytes."""

    def __init__(self, ends: Ends, first: int, mss: int) -> None:
        self.ends = ends
        self.first = first
        self.path_mss = mss
        self.round_trip = RoundTrip()
        self.sending = SendSide(first + 1, mss, self.round_trip)
        self.receiving = ReceiveSide(0)
        self.send_scale = 0
        self.window_sequence = 0
        """The segment that the window was last learned from: older ones tell nothing new (SND.WL1)."""
        self.ack_deadline: float | None = None
        """When what came must be acknowledged at last."""
        self.outbox: deque[Segment] = deque()
        """Segments that the owner has to send."""
        self._receive_scale = 0
        self._unconfirmed = 0

    def learn_syn(self, syn: Segment) -> None:
        """What the other end's SYN says: its first number, its window, its options."""
        self.receiving = ReceiveSide(from_wire(syn.sequence, syn.sequence) + 1)
        mss = min(self.path_mss, max(syn.mss or MSS_DEFAULT, MSS_MIN))
        self.sending = SendSide(self.first + 1, mss, self.round_trip)
        if syn.window_scale is not None:
            self.send_scale, self._receive_scale = syn.window_scale, WINDOW_SCALE
        self.window_sequence = self.receiving.next
        self.sending.offer(syn.window)  # a SYN's window is never scaled

    def send_syn(self, *, is_answer: bool) -> None:
        """The first segment of our side; to their SYN, an answer."""
        may_scale = not is_answer or self._receive_scale > 0
        self.outbox.append(
            Segment(
                self.ends.local[1],
                self.ends.remote[1],
                to_wire(self.first),
                to_wire(self.receiving.next) if is_answer else 0,
                SYN | ACK if is_answer else SYN,
                min(self.receiving.window(), WINDOW_FIELD_MAX),
                mss=self.path_mss,
                window_scale=WINDOW_SCALE if may_scale else None,
            )
        )

    def push(self, now: float) -> None:
        """Send what may be sent."""
        for piece in self.sending.pieces(now):
            self.send_piece(piece)

    def send_piece(self, piece: Piece) -> None:
        """Send a part of what was written; the last of it asks to be handed on (PSH)."""
        sequence, payload, is_last = piece
        flags = ACK | FIN if is_last else ACK
        if payload and sequence + len(payload) == self.sending.end:
            flags |= PSH
        self.send(flags, sequence, payload)

    def confirm(self) -> None:
        """Send a bare acknowledgment."""
        self.send(ACK, self.sending.next)

    def confirm_later(self, now: float) -> None:
        """Something came in order: an acknowledgment for every second segment, or soon."""
        self._unconfirmed += 1
        if self._unconfirmed >= UNCONFIRMED_MAX:
            self.confirm()
        elif self.ack_deadline is None:
            self.ack_deadline = now + DELAYED_ACK_S

    def send(self, flags: int, sequence: int, payload: bytes = b"") -> None:
        """Every segment after the SYN: it acknowledges what came and offers a window."""
        self.ack_deadline = None
        self._unconfirmed = 0
        self.outbox.append(
            Segment(
                self.ends.local[1],
                self.ends.remote[1],
                to_wire(sequence),
                to_wire(self.receiving.next),
                flags,
                min(self.receiving.window() >> self._receive_scale, WINDOW_FIELD_MAX),
                payload,
            )
        )

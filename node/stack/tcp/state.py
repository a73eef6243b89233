"""The states of a connection (RFC 9293 section 3.3.2), with the names that `netstat` prints."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """See the module."""

    CLOSED = "CLOSED"
    SYN_SENT = "SYN_SENT"
    SYN_RECEIVED = "SYN_RECV"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN_WAIT1"
    """We have ended, they have not confirmed."""
    FIN_WAIT_2 = "FIN_WAIT2"
    """We have ended, they have confirmed, and may still send."""
    CLOSE_WAIT = "CLOSE_WAIT"
    """They have ended, we may still send."""
    CLOSING = "CLOSING"
    """Both have ended at the same time."""
    LAST_ACK = "LAST_ACK"
    """Both have ended, ours is not confirmed yet."""
    TIME_WAIT = "TIME_WAIT"
    """All is over; old segments may still be about."""


HANDSHAKING = (State.SYN_SENT, State.SYN_RECEIVED)
OPEN_TO_WRITE = (State.ESTABLISHED, State.CLOSE_WAIT)
ENDED_BY_US = (State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSING, State.LAST_ACK, State.TIME_WAIT)

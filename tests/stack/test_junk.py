"""Whatever arrives, a stack neither raises nor loses count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from tests.stack.cable import MAC_A, MAC_B, Host, pair

_QUOTED = bytes(IP(src="10.0.1.3", dst="10.0.1.4") / ICMP(id=1) / Raw(bytes(20)))
_TO_A = Ether(src=MAC_B, dst=MAC_A)
_IP = IP(src="10.0.1.4", dst="10.0.1.3")
_VALID = [
    bytes(_TO_A / _IP / ICMP() / Raw(bytes(40))),
    bytes(_TO_A / _IP / UDP(sport=53, dport=53) / Raw(bytes(40))),
    bytes(_TO_A / _IP / TCP(dport=80, flags="S")),
    bytes(_TO_A / _IP / TCP(dport=81, flags="PA") / Raw(bytes(40))),
    bytes(_TO_A / _IP / ICMP(type=3, code=4) / Raw(_QUOTED)),
    bytes(_TO_A / IP(src="10.0.1.4", dst="10.0.1.3", flags="MF", frag=1) / Raw(bytes(40))),
    bytes(_TO_A / IP(src="10.0.1.4", dst="10.9.1.3") / UDP()),
    bytes(Ether(src=MAC_B, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=MAC_B, psrc="10.0.1.4", pdst="10.0.1.3")),
]


def with_right_checksums(frame: bytes) -> bytes:
    """Junk that a checksum stops tells little of what comes after it."""
    packet = Ether(frame)
    for layer in (IP, ICMP, TCP, UDP):
        if layer in packet:
            packet[layer].chksum = None
    return bytes(packet)


def survives(host: Host, frame: bytes) -> None:
    host.stack.receive("eth0", frame, 0.0)
    host.stack.wake(1.0)
    host.let_time_pass(100.0)
    assert host.stack.wake_at is None


@given(st.binary(max_size=200))
def test_random_frames(frame: bytes) -> None:
    a, _, _ = pair()
    survives(a, frame)


@given(st.sampled_from([b"\x08\x00", b"\x08\x06"]), st.binary(max_size=200))
def test_random_payloads_in_frames_that_are_for_us(kind: bytes, payload: bytes) -> None:
    a, _, _ = pair()
    survives(a, bytes(_TO_A)[:12] + kind + payload)


@given(
    st.sampled_from(_VALID),
    st.lists(st.tuples(st.integers(12, 80), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 90),
    st.booleans(),
)
def test_changed_and_shortened_frames(
    frame: bytes, changes: list[tuple[int, int]], keep: int, forwarding: bool
) -> None:
    changed = bytearray(frame)
    for position, value in changes:
        changed[position % len(changed)] = value
    a, b, _ = pair()
    a.stack.forwarding = forwarding
    a.udp(udp_port=53)
    a.stack.routes.add("default", "10.0.1.4", "eth0")
    for junk in (bytes(changed), bytes(changed[: len(changed) - keep]), with_right_checksums(bytes(changed))):
        survives(a, junk)
        survives(b, junk)

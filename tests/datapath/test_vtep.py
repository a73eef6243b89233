"""What a tunnel endpoint believes, and whom it listens to."""

from __future__ import annotations

from node.datapath.vtep import AGEING_S, Vtep

MAC, HERE, ELSEWHERE = b"\x02\x42\x0a\x00\x01\x03", "127.0.0.2", "127.0.0.3"


def test_what_the_control_plane_wrote_no_frame_changes() -> None:
    vtep = Vtep(4097, learning=True)
    vtep.static[MAC] = HERE
    vtep.learn(MAC, ELSEWHERE, 0.0)
    assert vtep.find(MAC, 0.0) == HERE
    assert vtep.learned == {}, "nor does it wait to take over when the row goes"


def test_what_was_learned_is_forgotten_with_time_and_with_its_peer() -> None:
    vtep = Vtep(4097, learning=True)
    vtep.add_peer(ELSEWHERE)
    vtep.learn(MAC, ELSEWHERE, 0.0)
    assert vtep.find(MAC, AGEING_S) == ELSEWHERE
    assert vtep.find(MAC, AGEING_S + 1) is None
    vtep.learn(MAC, ELSEWHERE, 0.0)
    vtep.remove_peer(ELSEWHERE)
    assert vtep.find(MAC, 0.0) is None


def test_group_addresses_are_nobodys() -> None:
    vtep = Vtep(4097, learning=True)
    for mac in (b"\xff" * 6, b"\x01\x00\x5e\x00\x00\x01", bytes(6)):
        vtep.learn(mac, ELSEWHERE, 0.0)
    assert vtep.learned == {}

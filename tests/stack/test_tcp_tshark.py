"""Whole conversations, good and bad, as tshark sees them: it knows every segment and complains of none."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

from tests.stack.test_tcp import Link, Talker

FIELDS = (
    "tcp.flags.str",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
    "tcp.len",
    "tcp.analysis.retransmission",
    "tcp.checksum.status",
    "ip.checksum.status",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
)
GOOD = "1"
WARNING = 0x00600000
"""Of tshark's severities; below it are chats and notes, such as that a connection begins."""
EXPECTED_WARNINGS = ("reset", "not captured", "out-of-order", "Previous segment")
"""What it warns of rightly: a connection was reset, and frames came in another order."""


def captured(tmp_path: Path, wire: list[tuple[float, bytes]]) -> Path:
    """The frames in libpcap's format, with their times."""
    path = tmp_path / "wire.pcap"
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)]
    for at, frame in wire:
        parts.append(struct.pack("<IIII", int(at), int(at % 1 * 1_000_000), len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))
    return path


def listened(link: Link) -> list[tuple[float, bytes]]:
    """From now on every frame that is sent, with its time: lost ones too."""
    wire: list[tuple[float, bytes]] = []
    for host in link.hosts:
        interface = host.stack.interfaces["eth0"]
        transmit = interface.transmit
        assert transmit is not None

        def tapped(frame: bytes, now: float, transmit=transmit) -> None:  # type: ignore[no-untyped-def]
            wire.append((now, frame))
            transmit(frame, now)

        interface.transmit = tapped
    return wire


def read(tshark: str, path: Path) -> list[dict[str, str]]:
    wanted = [argument for field in FIELDS for argument in ("-e", field)]
    checks = ("--disable-protocol", "http", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    done = subprocess.run(
        [tshark, "-r", str(path), *checks, "-T", "fields", "-E", "separator=|", *wanted],
        capture_output=True,
        text=True,
        check=True,
    )
    return [dict(zip(FIELDS, line.split("|"), strict=True)) for line in done.stdout.splitlines()]


def complaints(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        row
        for row in rows
        if row["_ws.malformed"]
        or row["tcp.checksum.status"] != GOOD
        or row["ip.checksum.status"] != GOOD
        or any(
            int(severity, 0) >= WARNING
            and not any(word in row["_ws.expert.message"] for word in EXPECTED_WARNINGS)
            for severity in row["_ws.expert.severity"].split(",")
            if severity
        )
    ]


def test_tshark_follows_a_conversation_with_losses_to_its_end(tshark: str, tmp_path: Path) -> None:
    link = Link(seed=3, loss=0.03)
    wire = listened(link)
    client, server = link.pair()
    said = random.Random(1).randbytes(200_000)
    talkers = [Talker(link, client, said), Talker(link, server, b"yes")]
    while link.step() and not all(talker.has_heard_all for talker in talkers):
        for talker in talkers:
            talker.act()
    link.run()
    rows = read(tshark, captured(tmp_path, wire))
    assert complaints(rows) == []
    first, second = rows[0], next(row for row in rows if "A" in row["tcp.flags.str"])
    for row in (first, second):
        assert "S" in row["tcp.flags.str"]
        assert (row["tcp.options.mss_val"], row["tcp.options.wscale.shift"]) == ("1460", "7")
    assert any(row["tcp.analysis.retransmission"] for row in rows), "what was lost came again"
    assert sum("F" in row["tcp.flags.str"] for row in rows) >= 2
    assert not any("R" in row["tcp.flags.str"] for row in rows)
    assert sum(int(row["tcp.len"]) for row in rows) >= len(said)


def test_tshark_understands_refusals_and_resets(tshark: str, tmp_path: Path) -> None:
    link = Link()
    wire = listened(link)
    link.connect(81)
    link.run()
    client, _ = link.pair()
    client.write(b"hello", link.now)
    link.flush(client)
    client.abort()
    link.flush(client)
    link.run()
    rows = read(tshark, captured(tmp_path, wire))
    assert complaints(rows) == []
    assert sum("R" in row["tcp.flags.str"] for row in rows) == 2

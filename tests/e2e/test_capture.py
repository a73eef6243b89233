"""What really goes over the wire between two nodes, read by tshark and by scapy."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import rdpcap, wrpcap

from tests.e2e.conftest import Docker

FIELDS = ("vxlan.vni", "_ws.malformed", "_ws.expert.message")


def capture(tshark: str, path: Path, udp_port: int = 4789) -> subprocess.Popen[bytes]:
    """tshark, capturing VXLAN on the loopback; it captures when this returns."""
    command = [tshark, "-i", "lo", "-f", f"udp port {udp_port}", "-w", str(path), "-q"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    while line := process.stderr.readline():
        if b"Capturing on" in line:
            break
    deadline = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def read(tshark: str, path: Path, *options: str) -> list[list[str]]:
    """tshark's FIELDS of every packet."""
    wanted = [argument for field in FIELDS for argument in ("-e", field)]
    done = subprocess.run(
        [tshark, "-r", str(path), *options, "-T", "fields", "-E", "separator=|", *wanted],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("|") for line in done.stdout.splitlines()]


def test_tshark_and_scapy_read_our_datagrams_without_a_complaint(
    docker: Docker, tshark: str, needs_root: None, tmp_path: Path
) -> None:
    docker("node-1", "network", "create", "-d", "overlay", "--attachable", "seen")
    docker("node-1", "run", "-d", "--name", "seen-1", "--network", "seen", "alpine", "sleep", "100000")
    docker("node-2", "run", "-d", "--name", "seen-2", "--network", "seen", "alpine", "sleep", "100000")
    path = tmp_path / "wire.pcapng"
    running = capture(tshark, path)
    try:
        ping = docker("node-2", "exec", "seen-2", "ping", "-c", "3", "-i", "0.1", "-s", "1000", "seen-1")
        assert ping.code == 0
        # Datagrams to a port where nobody listens: an ICMP error that quotes them comes back.
        docker("node-2", "exec", "seen-2", "sh", "-c", "echo hello | timeout 1 nc -u -w 1 seen-1 9")
        time.sleep(0.5)
    finally:
        running.terminate()
        running.communicate()
    rows = read(tshark, path)
    assert len(rows) >= 7
    vnis = {row[0] for row in rows}
    assert len(vnis) == 1
    assert int(vnis.pop()) > 4096
    assert [row for row in rows if row[1] or "alformed" in row[2]] == []
    datagrams = [packet for packet in rdpcap(str(path)) if packet.haslayer(UDP)]
    inner = [VXLAN(bytes(packet[UDP].payload)) for packet in datagrams]
    # The outer checksum is finished by the network card, which the loopback has not; ours is whole.
    wrpcap(str(tmp_path / "inner.pcap"), [each[Ether] for each in inner])
    checks = ("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")
    complaints = [row for row in read(tshark, tmp_path / "inner.pcap", *checks) if row[1] or row[2]]
    assert [row for row in complaints if "hecksum" in row[2] or "alformed" in row[2]] == []
    assert all(int(each.flags) == 0x08 and each.haslayer(Ether) for each in inner)
    pings = [each for each in inner if each.haslayer(ICMP) and each[ICMP].type in (0, 8)]
    assert len(pings) == 6
    for each in pings:
        assert each[Ether].src == "02:42:" + ":".join(f"{int(part):02x}" for part in each[IP].src.split("."))
    # The outer source port is a hash of the inner flow: the same both ways, and never VXLAN's own.
    ports = {packet[UDP].sport for packet, each in zip(datagrams, inner, strict=True) if each in pings}
    assert 4789 not in ports
    assert all(packet[UDP].dport == 4789 for packet in datagrams)
    for name, node in (("seen-1", "node-1"), ("seen-2", "node-2")):
        docker(node, "rm", "-f", name)
    docker("node-1", "network", "rm", "seen")

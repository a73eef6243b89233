"""tcpdump: lines as the original prints them, of packets that really pass."""

from __future__ import annotations

import asyncio
import random
import re

import pytest

from lab.sim.world import World
from node.model.network import NetworkSpec
from node.programs.signals import SIGINT
from node.programs.tcpdump.expression import ExpressionError, Subject, parse
from node.stack import capture as capturing
from node.stack.interface import LOOPBACK
from node.stack.sandbox import capture
from tests.programs.containers import log_of, sandbox_of
from tests.sim.play import Outcome, play, run, start

TIME = r"\d\d:\d\d:\d\d\.\d{6}"
VERBOSE = (
    "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n"
    "listening on {}, link-type {}, snapshot length 262144 bytes\n"
)
ETHERNET = "EN10MB (Ethernet)"


def dumped(script: str, image: str = "nicolaka/netshoot") -> Outcome:
    """What a shell beside a web server prints; the server is "web", 172.18.0.2."""
    found: list[Outcome] = []

    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine", "sh", "-c", "while true; do echo hi | nc -l -p 80; done")
        found.append(await run(world, "node-1", "mine", "sh", "-c", script, image=image))

    play(scenario, nodes=1, swarm=False)
    return found[0]


def test_a_ping_from_the_question_who_has_the_address_to_the_reply() -> None:
    done = dumped("tcpdump -ni eth0 -c 4 & sleep 0.1; ping -c 1 172.18.0.2 >/dev/null; wait")
    assert done.code == 0
    assert done.text.startswith(VERBOSE.format("eth0", ETHERNET))
    lines, summary = done.text.splitlines()[2:6], done.text.splitlines()[6:]
    assert [re.sub(rf"^{TIME} |(?<=id )\d+", "", line) for line in lines] == [
        "ARP, Request who-has 172.18.0.2 tell 172.18.0.3, length 28",
        "ARP, Reply 172.18.0.2 is-at " + lines[1].split()[5].rstrip(",") + ", length 28",
        "IP 172.18.0.3 > 172.18.0.2: ICMP echo request, id , seq 1, length 64",
        "IP 172.18.0.2 > 172.18.0.3: ICMP echo reply, id , seq 1, length 64",
    ]
    assert summary == ["4 packets captured", "4 packets received by filter", "0 packets dropped by kernel"]


def test_a_connection_and_its_numbers() -> None:
    done = dumped("timeout 2 tcpdump -nt tcp port 80 & sleep 0.1; nc -N 172.18.0.2 80 </dev/null; wait")
    lines = [line for line in done.text.splitlines() if line.startswith("IP ")]
    assert re.fullmatch(
        r"IP 172\.18\.0\.3\.\d+ > 172\.18\.0\.2\.80: Flags \[S\], seq \d+, win \d+, "
        r"options \[mss 1460,nop,wscale \d+\], length 0",
        lines[0],
    )
    assert re.search(r"\.80 > .*: Flags \[S\.\], seq \d{4,}, ack \d{4,}, win \d+, options", lines[1])
    assert re.search(r": Flags \[\.\], ack 1, win \d+, length 0$", lines[2])
    assert any(re.search(r"Flags \[P\.\], seq 1:4, ack \d, win \d+, length 3: HTTP$", line) for line in lines)
    assert any("Flags [F.], seq 1, ack " in line for line in lines)


def test_verbose_with_the_link_and_with_names() -> None:
    done = dumped("tcpdump -e -v -c 1 icmp & sleep 0.1; ping -c 1 web >/dev/null; wait")
    lines = done.text.splitlines()
    assert lines[0] == f"tcpdump: listening on eth0, link-type {ETHERNET}, snapshot length 262144 bytes"
    mac = "([0-9a-f]{2}:){5}[0-9a-f]{2}"
    assert re.fullmatch(
        rf"{TIME} {mac} > {mac}, ethertype IPv4 \(0x0800\), length 98: "
        r"\(tos 0x0, ttl 64, id \d+, offset 0, flags \[\w+\], proto ICMP \(1\), length 84\)",
        lines[1],
    )
    assert re.fullmatch(r"    \S+\.mine > web\.mine: ICMP echo request, id \d+, seq 1, length 64", lines[2])
    assert lines[3:5] == ["1 packet captured", "2 packets received by filter"]


def test_on_every_interface_a_closed_port_answers_by_icmp() -> None:
    done = dumped("tcpdump -ni any -t -c 2 & sleep 0.1; echo hello | nc -u -w 1 127.0.0.1 9; wait", "debian")
    lines = done.text.splitlines()
    assert done.text.startswith(VERBOSE.format("any", "LINUX_SLL2 (Linux cooked v2)"))
    assert re.fullmatch(r"lo    In  IP 127\.0\.0\.1\.\d+ > 127\.0\.0\.1\.9: UDP, length 6", lines[2])
    assert lines[3] == "lo    In  IP 127.0.0.1 > 127.0.0.1: ICMP 127.0.0.1 udp port 9 unreachable, length 42"


def test_it_sums_up_when_it_is_interrupted_or_its_time_is_up() -> None:
    done = dumped("timeout 3 tcpdump -n icmp & sleep 0.1; ping -c 2 web >/dev/null; wait; exit 0", "alpine")
    tail = "4 packets captured\n4 packets received by filter\n0 packets dropped by kernel\n"
    assert done.text.endswith("\n\n" + tail)

    async def scenario(world: World) -> None:
        await start(world, "node-1", "looking", "bridge", "tcpdump", "-i", "lo", "-l")
        await world.clock.sleep(1)
        assert (await log_of(world, "node-1", "looking")) == VERBOSE.format("lo", ETHERNET)
        await world.agent("node-1").containers.kill("looking", SIGINT)
        await world.clock.sleep(1)
        tail = "\n0 packets captured\n0 packets received by filter\n0 packets dropped by kernel\n"
        assert (await log_of(world, "node-1", "looking")) == VERBOSE.format("lo", ETHERNET) + tail

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("tcpdump -i eth9", "tcpdump: eth9: No such device exists\n(No such device exists)\n"),
        ("tcpdump port", "tcpdump: can't parse filter expression: syntax error\n"),
        ("tcpdump host nobody", "tcpdump: unknown host 'nobody'\n"),
        ("tcpdump -c 0", "tcpdump: invalid packet count 0\n"),
        ("tcpdump -w x.pcap", "tcpdump: -w: writing packets to a file is not simulated\n"),
        ("tcpdump -Q", "tcpdump: invalid option -- 'Q'\nUsage: tcpdump "),
    ],
)
def test_how_it_fails(command: str, words: str) -> None:
    done = dumped(command)
    assert (done.code, done.text[: len(words)]) == (1, words)


A, B, C = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), bytes((10, 1, 0, 3))
WEB = Subject("ip", 6, A, B, (40000, 80))
NAME = Subject("ip", 17, B, C, (53, 4444))
ECHO = Subject("ip", 1, A, C)
ASK = Subject("arp", -1, A, B)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [WEB, NAME, ECHO, ASK]),
        ("icmp or arp", [ECHO, ASK]),
        ("not icmp and not arp", [WEB, NAME]),
        ("port 80", [WEB]),
        ("src port 80", []),
        ("udp port domain", [NAME]),
        ("tcp port 53", []),
        ("port 80 or 53", [WEB, NAME]),
        ("host 10.0.0.1", [WEB, ECHO, ASK]),
        ("src 10.0.0.2", [NAME]),
        ("dst host 10.1.0.3 and (udp or tcp)", [NAME]),
        ("net 10.1.0.0/16 && ! udp", [ECHO]),
        ("ip and not host three", [WEB]),
    ],
)
def test_filters(text: str, wanted: list[Subject]) -> None:
    async def resolve(name: str) -> str:
        return "10.1.0.3" if name == "three" else name

    test = asyncio.run(parse(text, resolve))
    assert [each for each in (WEB, NAME, ECHO, ASK) if test(each)] == wanted


def test_any_words_are_a_filter_or_a_syntax_error() -> None:
    async def resolve(name: str) -> str:
        raise ExpressionError("unknown host")

    words = ["and", "or", "not", "(", ")", "host", "port", "src", "arp", "80", "x", "net", "10.0.0.0/8"]
    chance = random.Random(1)
    for _ in range(500):
        text = " ".join(chance.choices(words, k=chance.randrange(1, 8)))
        try:
            asyncio.run(parse(text, resolve))
        except ExpressionError:
            continue


def test_who_looks_on_and_does_not_read_keeps_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capturing, "WAITING_FRAMES_MAX", 3)

    async def scenario(world: World) -> None:
        await start(world, "node-1", "looking", "bridge")
        sandbox = sandbox_of(world, "node-1", "looking")
        with pytest.raises(OSError, match="No such device"):
            capture(sandbox, ("eth7",), lambda frame: True)
        socket = capture(sandbox, (LOOPBACK,), lambda frame: True)
        sending = sandbox.udp_socket()
        sending.connect("127.0.0.1", 9)
        for _ in range(5):
            sending.send(b"x")
            with pytest.raises(ConnectionRefusedError):
                await sending.receive()
        assert (socket.received, socket.dropped) == (10, 7)
        assert (await socket.receive()).frame.endswith(b"x")
        socket.close()
        assert sandbox.stack.interfaces[LOOPBACK].observers == ()
        sending.close()

    play(scenario, nodes=1, swarm=False)

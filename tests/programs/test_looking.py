"""dig, host, ss and netstat: what they show of names and sockets."""

from __future__ import annotations

import re

from lab.sim.world import World
from node.model.network import NetworkSpec
from tests.sim.play import play, run, start


def test_dig_asks_in_full_in_short_backwards_and_over_tcp() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine")
        done = await run(world, "node-1", "mine", "dig", "web")
        assert done.code == 0
        assert re.search(
            r"->>HEADER<<- opcode: QUERY, status: NOERROR, id: \d+\n;; flags: qr rd ra; ",
            done.text,
        )
        assert ";; QUESTION SECTION:\n;web.\t\t\t\tIN\tA\n" in done.text
        assert ";; ANSWER SECTION:\nweb.\t\t\t600\tIN\tA\t172.18.0.2\n" in done.text
        assert ";; SERVER: 127.0.0.11#53(127.0.0.11) (UDP)\n" in done.text
        for arguments, text in (
            (("+short", "web"), "172.18.0.2\n"),
            (("+short", "+tcp", "web", "A"), "172.18.0.2\n"),
            (("+short", "-x", "172.18.0.2"), "web.mine.\n"),
            (("+noall", "+answer", "@127.0.0.11", "web"), "web.\t\t\t600\tIN\tA\t172.18.0.2\n"),
            (("+short", "AAAA", "web"), ""),
        ):
            asked = await run(world, "node-1", "mine", "dig", *arguments)
            assert (asked.code, asked.text) == (0, text), arguments
        nobody = await run(world, "node-1", "mine", "dig", "@172.18.0.2", "+short", "web")
        assert nobody.code == 9
        assert nobody.text.endswith(";; no servers could be reached\n")
        wrong = await run(world, "node-1", "mine", "dig", "-Q", "web")
        assert (wrong.code, wrong.text.splitlines()[0]) == (1, "Invalid option: -Q")

    play(scenario, nodes=1, swarm=False)


def test_host_speaks_in_sentences() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine")
        for arguments, code, text in (
            (("web",), 0, "web has address 172.18.0.2\n"),
            (("172.18.0.2",), 0, "2.0.18.172.in-addr.arpa domain name pointer web.mine.\n"),
        ):
            done = await run(world, "node-1", "mine", "host", *arguments)
            assert (done.code, done.text) == (code, text)
        missing = await run(world, "node-1", "mine", "host", "nobody")
        assert missing.code == 1
        assert re.fullmatch(r"Host nobody not found: \d\((NXDOMAIN|SERVFAIL)\)\n", missing.text)

    play(scenario, nodes=1, swarm=False)


def test_sockets_are_listed_with_their_states() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        script = "nc -l -p 80 & nc -u -l -p 53 & sleep 0.1; "
        shown = await run(world, "node-1", "mine", "sh", "-c", script + "ss -tln; ss -tuln; netstat -tlnp")
        lines = [" ".join(line.split()) for line in shown.text.splitlines()]
        assert lines == [
            "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process",
            "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*",
            "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process",
            "udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*",
            "tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*",
            "Active Internet connections (only servers)",
            "Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name",
            "tcp 0 0 0.0.0.0:80 0.0.0.0:* LISTEN -",
        ]
        script = "sleep 9 | nc -l -p 80 & sleep 0.1; sleep 2 | nc 127.0.0.1 80 & sleep 1; ss -tn; netstat -tn"
        shown = await run(world, "node-1", "mine", "sh", "-c", script)
        assert re.search(r"ESTAB +0 +0 +127\.0\.0\.1:80 +127\.0\.0\.1:\d+\n", shown.text)
        assert re.search(r"tcp +0 +0 127\.0\.0\.1:\d+ +127\.0\.0\.1:80 +ESTABLISHED\n", shown.text)

    play(scenario, nodes=1, swarm=False)

"""ping, nslookup, ip and nc: their output has the real tools' form, and real figures."""

from __future__ import annotations

import re

import pytest

from lab.sim.world import World
from node.model.container import ContainerSpec
from node.model.network import NetworkSpec
from tests.programs.containers import log_of
from tests.sim.play import overlay, play, run, start


def test_busybox_ping() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        address = await start(world, "node-1", "web", "app")
        done = await run(world, "node-2", "app", "ping", "-c", "2", "web")
        lines = done.text.splitlines()
        assert done.code == 0
        assert lines[0] == f"PING web ({address}): 56 data bytes"
        for sequence in (0, 1):
            form = rf"64 bytes from {re.escape(address)}: seq={sequence} ttl=64 time=\d+\.\d{{3}} ms"
            assert re.fullmatch(form, lines[1 + sequence])
        assert lines[3:6] == [
            "",
            "--- web ping statistics ---",
            "2 packets transmitted, 2 packets received, 0% packet loss",
        ]
        assert re.fullmatch(r"round-trip min/avg/max = \d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3} ms", lines[6])

    play(scenario)


def test_iputils_ping() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        address = await start(world, "node-1", "web", "app")
        done = await run(world, "node-2", "app", "ping", "-c", "1", "web", image="debian")
        lines = done.text.splitlines()
        assert lines[0] == f"PING web ({address}) 56(84) bytes of data."
        assert re.fullmatch(
            rf"64 bytes from {re.escape(address)}: icmp_seq=1 ttl=64 time=[\d.]+ ms", lines[1]
        )
        assert re.fullmatch(r"1 packets transmitted, 1 received, 0% packet loss, time \d+ms", lines[4])
        assert re.fullmatch(r"rtt min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms", lines[5])

    play(scenario)


def test_ping_says_what_is_wrong() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        unknown = await run(world, "node-1", "mine", "ping", "-c", "1", "nosuch")
        assert (unknown.code, unknown.text) == (1, "ping: bad address 'nosuch'\n")
        unknown = await run(world, "node-1", "mine", "ping", "-c", "1", "nosuch", image="debian")
        assert (unknown.code, unknown.text) == (2, "ping: nosuch: Name or service not known\n")
        silent = await run(world, "node-1", "mine", "ping", "-c", "1", "172.18.0.99", image="debian")
        assert silent.code == 1
        assert "icmp_seq=1 Destination Host Unreachable" in silent.text
        assert "1 packets transmitted, 0 received, +1 errors, 100% packet loss" in silent.text
        nowhere = await run(world, "node-1", "none", "ping", "-c", "1", "10.0.0.1")
        assert (nowhere.code, nowhere.text.splitlines()[-1]) == (1, "ping: sendto: Network unreachable")
        big = await run(
            world, "node-1", "mine", "ping", "-c", "1", "-M", "do", "-s", "2000", "172.18.0.1", image="debian"
        )
        assert "local error: message too long, mtu=1500" in big.text
        whole = await run(world, "node-1", "mine", "ping", "-c", "1", "-s", "3000", "172.18.0.1")
        assert whole.code == 0, "too large for one packet, but it may be cut up"

    play(scenario, nodes=1, swarm=False)


def test_nslookup_forwards_and_back() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        address = await start(world, "node-1", "web", "app")
        found = await run(world, "node-2", "app", "nslookup", "web")
        assert found.text.startswith(
            "Server:\t\t127.0.0.11\nAddress:\t127.0.0.11:53\n\nNon-authoritative answer:\n"
        )
        assert f"Name:\tweb\nAddress: {address}\n" in found.text
        back = await run(world, "node-2", "app", "nslookup", address)
        assert "name = web.app\n" in back.text
        missing = await run(world, "node-2", "app", "nslookup", "nosuch")
        assert missing.code == 1
        assert "** server can't find nosuch: NXDOMAIN\n" in missing.text

    play(scenario)


def test_ip_shows_the_sandbox() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        shown = (await run(world, "node-1", "mine", "ip", "addr")).text
        assert "    inet 127.0.0.1/8 scope host lo\n" in shown
        assert "eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500" in shown
        assert "    inet 172.18.0.2/16 brd 172.18.255.255 scope global eth0\n" in shown
        routes = (await run(world, "node-1", "mine", "ip", "route")).text.splitlines()
        assert [line.rstrip() for line in routes] == [
            "default via 172.18.0.1 dev eth0",
            "172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2",
        ]
        towards = (await run(world, "node-1", "mine", "ip", "route", "get", "1.1.1.1")).text
        assert towards == "1.1.1.1 via 172.18.0.1 dev eth0 src 172.18.0.2 \n"
        assert (await run(world, "node-1", "mine", "ip", "-4", "-o", "addr", "show", "eth0")).text == (
            "2: eth0    inet 172.18.0.2/16 brd 172.18.255.255 scope global eth0\\"
            "       valid_lft forever preferred_lft forever\n"
        )
        script = "ping -c1 172.18.0.1 > /dev/null; ip -s link show eth0"
        counted = (await run(world, "node-1", "mine", "sh", "-c", script)).text
        assert re.search(r"\n    TX:    bytes packets errors dropped carrier\n +182 +3 +0 +0 +0\n$", counted)
        table = (await run(world, "node-1", "mine", "netstat", "-rn")).text
        assert table == (await run(world, "node-1", "mine", "route", "-n")).text
        assert re.search(r"\n0\.0\.0\.0 +172\.18\.0\.1 +0\.0\.0\.0 +UG ", table)
        script = "ping -c1 172.18.0.1 > /dev/null; ip neigh"
        neighbors = (await run(world, "node-1", "mine", "sh", "-c", script)).text
        assert re.fullmatch(r"172\.18\.0\.1 dev eth0 lladdr [0-9a-f:]{17} REACHABLE \n", neighbors)

    play(scenario, nodes=1, swarm=False)


def test_nothing_inside_may_change_the_network() -> None:
    async def scenario(world: World) -> None:
        for image, name in (("alpine", "ip: "), ("ubuntu", "")):
            for words in (("link", "set", "eth0", "down"), ("addr", "add", "10.0.0.1/24", "dev", "eth0")):
                done = await run(world, "node-1", "none", "ip", *words, image=image)
                assert (done.code, done.text) == (2, f"{name}RTNETLINK answers: Operation not permitted\n")

    play(scenario, nodes=1, swarm=False)


def test_two_netcats_talk() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        await start(world, "node-1", "server", "app", "nc", "-u", "-l", "-p", "7000")
        sent = await run(world, "node-2", "app", "sh", "-c", "echo over here | nc -u -w 1 server 7000")
        assert sent.code == 0
        agent = world.agent("node-1")
        from node.model.output import LogSpec

        heard = b"".join([output.data async for output in agent.programs.logs("server", LogSpec())])
        assert heard == b"over here\n"

    play(scenario)


def test_the_files_of_a_container_name_what_it_is() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        shown = (
            await run(
                world, "node-1", "mine", "sh", "-c", "hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf"
            )
        ).text
        name = shown.splitlines()[0]
        assert re.fullmatch("[0-9a-f]{12}", name)
        assert shown.splitlines()[1] == name
        assert f"172.18.0.2\t{name}\n" in shown
        assert "nameserver 127.0.0.11\n" in shown
        plain = (await run(world, "node-1", "bridge", "cat", "/etc/resolv.conf")).text
        assert "127.0.0.11" not in plain

    play(scenario, nodes=1, swarm=False)


def test_a_container_knows_its_whole_name() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        command = ("sh", "-c", "hostname; hostname -f; hostname -d; hostname -s; hostname -i")
        for name, network in (("named", "bridge"), ("alone", "none")):
            spec = ContainerSpec(
                image="alpine",
                command=command,
                hostname="web",
                domainname="a.org",
                network_mode=network,
            )
            identity, _ = await agent.containers.create(name, spec)
            await agent.containers.start(identity)
        await world.clock.sleep(1)
        assert await log_of(world, "node-1", "named") == "web\nweb.a.org\na.org\nweb\n172.17.0.2\n"
        failed = "hostname: web: Host not found\n"
        assert await log_of(world, "node-1", "alone") == f"web\n{failed}{failed}web\n\n"

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize(
    ("image", "command", "code", "words"),
    [
        ("alpine", "kill -9 99999", 1, "kill: can't kill pid 99999: No such process\n"),
        ("debian", "kill -9 99999", 1, "kill: (99999): No such process\n"),
        ("alpine", "kill -0 1", 0, ""),
        ("alpine", "kill -s NOSUCH 1", 1, "kill: bad signal name 'NOSUCH'\n"),
        ("alpine", "kill", 1, "kill: you need to specify whom to kill\n"),
        ("alpine", "kill x", 1, "kill: invalid number 'x'\n"),
        ("alpine", "kill 1", 1, "kill: sending signal 15 is not simulated: use docker kill from outside\n"),
    ],
)
def test_kill_knows_who_is_there(image: str, command: str, code: int, words: str) -> None:
    async def scenario(world: World) -> None:
        done = await run(world, "node-1", "none", *command.split(), image=image)
        assert (done.code, done.text) == (code, words)

    play(scenario, nodes=1, swarm=False)

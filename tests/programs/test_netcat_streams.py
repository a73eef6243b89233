"""nc over TCP, with a shell's pipes around it."""

from __future__ import annotations

from lab.sim.world import World
from node.model.container import ContainerSpec
from node.model.network import NetworkSpec
from tests.programs.containers import log_of
from tests.sim.play import play, run, settle, start


def test_what_goes_in_on_one_side_comes_out_on_the_other_both_ways() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(
            world, "node-1", "server", "mine", "sh", "-c", "echo welcome | nc -v -l -p 7; echo ended $?"
        )
        done = await run(world, "node-1", "mine", "sh", "-c", "echo hello | nc -v server 7")
        assert (done.code, done.text) == (0, "server (172.18.0.2:7) open\nwelcome\n")
        await settle(world)
        said = await log_of(world, "node-1", "server")
        assert said.startswith("connect to 172.18.0.2:7 from 172.18.0.3:")
        assert said.endswith("\nhello\nended 0\n")

    play(scenario, nodes=1, swarm=False)


def test_a_port_is_probed_and_refusals_are_said_in_busyboxs_words() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine", "nginx")
        for arguments, code, words in (
            (("-z", "web", "80"), 0, ""),
            (("-zv", "web", "80"), 0, "web (172.18.0.2:80) open\n"),
            (("-z", "web", "81"), 1, "nc: web (172.18.0.2:81): Connection refused\n"),
            (("-z", "-w", "2", "172.18.0.99", "80"), 1, "nc: timed out\n"),
            (("nobody", "80"), 1, "nc: bad address 'nobody'\n"),
        ):
            done = await run(world, "node-1", "mine", "nc", *arguments)
            assert (done.code, done.text) == (code, words), arguments
        assert (await run(world, "node-1", "mine", "nc", "web")).code == 1

    play(scenario, nodes=1, swarm=False)


async def serve(world: World, *command: str) -> None:
    """A container called server, of the image debian."""
    spec = ContainerSpec(image="debian", command=command, network_mode="mine")
    await world.agent("node-1").containers.create("server", spec)
    await world.agent("node-1").containers.start("server")


def test_openbsds_words_are_those_of_debian_and_netshoot() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine", "nginx")
        open_port = "Connection to web (172.18.0.2) 80 port [tcp/*] succeeded!\n"
        closed = "nc: connect to web (172.18.0.2) port {} (tcp) failed: Connection refused\n"
        for arguments, code, words in (
            (("-z", "web", "80"), 0, ""),
            (("-zv", "web", "80"), 0, open_port),
            (("-nzv", "172.18.0.2", "80"), 0, "Connection to 172.18.0.2 80 port [tcp/*] succeeded!\n"),
            (("-z", "web", "81"), 1, ""),
            (("-zv", "web", "81"), 1, closed.format(81)),
            (("-zv", "web", "79-81"), 0, closed.format(79) + open_port + closed.format(81)),
            (
                ("-zvw", "1", "172.18.0.99", "80"),
                1,
                "nc: connect to 172.18.0.99 port 80 (tcp) timed out: Operation now in progress\n",
            ),
            (("nobody", "80"), 1, 'nc: getaddrinfo for host "nobody" port 80: Name or service not known\n'),
            (("web", "x"), 1, "nc: port number invalid: x\n"),
            (("web", "1-70000"), 1, "nc: port number invalid: 70000\n"),
            (("-zuv", "web", "53"), 1, ""),
        ):
            done = await run(world, "node-1", "mine", "nc", *arguments, image="nicolaka/netshoot")
            assert (done.code, done.text) == (code, words), arguments
        done = await run(world, "node-1", "mine", "nc", "-Q", "web", image="debian")
        assert (done.code, done.text.splitlines()[0]) == (1, "nc: invalid option -- 'Q'")

    play(scenario, nodes=1, swarm=False)


def test_openbsds_nc_ends_its_half_only_when_told_and_serves_again_when_told() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await serve(world, "nc", "-lkv", "7")
        for word in ("one", "two"):
            script = f"echo {word} | nc -N server 7; echo ended $?"
            done = await run(world, "node-1", "mine", "sh", "-c", script, image="debian")
            assert done.text == "ended 0\n"
        script = "echo three | timeout 2 nc server 7; echo ended $?"
        done = await run(world, "node-1", "mine", "sh", "-c", script, image="debian")
        assert done.text == "ended 124\n", "its half stays open"
        await settle(world)
        said = (await log_of(world, "node-1", "server")).splitlines()
        assert said[0] == "Listening on 0.0.0.0 7"
        assert [line for line in said if "Connection" not in line][1:] == ["one", "two", "three"]
        assert sum(line.startswith("Connection received on 172.18.0.3 ") for line in said) == 3

    play(scenario, nodes=1, swarm=False)


def test_openbsds_nc_over_datagrams() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await serve(world, "nc", "-luv", "7")
        script = "echo hello | nc -u -w 1 server 7; echo ended $?"
        done = await run(world, "node-1", "mine", "sh", "-c", script, image="debian")
        assert done.text == "ended 0\n"
        said = await log_of(world, "node-1", "server")
        assert said.startswith("Bound on 0.0.0.0 7\nConnection received on 172.18.0.3 ")
        assert said.endswith("\nhello\n")

    play(scenario, nodes=1, swarm=False)


def test_arp_in_both_spellings() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine", "nginx")
        script = "ping -c 1 web > /dev/null; arp -n"
        done = await run(world, "node-1", "mine", "sh", "-c", script, image="nicolaka/netshoot")
        head, row = done.text.splitlines()
        assert head == "Address                  HWtype  HWaddress           Flags Mask            Iface"
        address, kind, _, flags, interface = row.split()
        assert (address, kind, flags, interface) == ("172.18.0.2", "ether", "C", "eth0")
        assert row.index("C ") == head.index("Flags")
        assert row.index("eth0") == head.index("Iface")
        done = await run(world, "node-1", "mine", "sh", "-c", script)
        assert done.text.startswith("? (172.18.0.2) at ")

    play(scenario, nodes=1, swarm=False)

"""iperf3 against itself: what both ends print, over TCP and UDP, and how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

import pytest

from lab.sim.world import World
from node.model.network import NetworkSpec
from node.programs.iperf3.report import scaled
from tests.programs.containers import log_of, sandbox_of
from tests.sim.play import Outcome, play, run, settle, start

Ask = Callable[..., Awaitable[Outcome]]
RULE = "-" * 59
SEPARATOR = " ".join("-" * 25)
BANNER = f"{RULE}\nServer listening on 5201 (test #1)\n{RULE}\n"


def beside_a_server(scenario: Callable[[Ask, World], Awaitable[None]]) -> None:
    """A server "server" on 172.18.0.2; ask("-t", "1") runs a client beside it."""

    async def main(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "server", "mine", "iperf3", "-s")
        await scenario(
            lambda *options: run(world, "node-1", "mine", "iperf3", "-c", "server", *options), world
        )

    play(main, nodes=1, swarm=False)


def without_ports(text: str) -> list[str]:
    """Neither which port chance has chosen nor how far a window has grown."""
    lines = [re.sub(r"port [345]\d{4}", "port N", line) for line in text.splitlines()]
    return [re.sub(r"\d\d\.\d KBytes       $", "NN.N KBytes       ", line) for line in lines]


def test_a_client_reports_as_the_original_does_and_so_does_the_server() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("-t", "2", "-b", "8M", "-l", "10000")
        assert done.code == 0
        assert without_ports(done.text) == [
            "Connecting to host server, port 5201",
            "[  5] local 172.18.0.3 port N connected to 172.18.0.2 port 5201",
            "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd",
            "[  5]   0.00-1.00   sec   977 KBytes  8.00 Mbits/sec    0   NN.N KBytes       ",
            "[  5]   1.00-2.00   sec   977 KBytes  8.00 Mbits/sec    0   NN.N KBytes       ",
            SEPARATOR,
            "[ ID] Interval           Transfer     Bitrate         Retr",
            "[  5]   0.00-2.00   sec  1.91 MBytes  8.00 Mbits/sec    0             sender",
            "[  5]   0.00-2.00   sec  1.91 MBytes  8.00 Mbits/sec                  receiver",
            "",
            "iperf Done.",
        ]
        await settle(world)
        said = without_ports(await log_of(world, "node-1", "server"))
        assert said[:3] == BANNER.splitlines()
        assert said[3:8] == [
            "Accepted connection from 172.18.0.3, port N",
            "[  5] local 172.18.0.2 port 5201 connected to 172.18.0.3 port N",
            "[ ID] Interval           Transfer     Bitrate",
            "[  5]   0.00-1.00   sec   977 KBytes  8.00 Mbits/sec                  ",
            "[  5]   1.00-2.00   sec   977 KBytes  8.00 Mbits/sec                  ",
        ]
        assert said[-4:-2] == [
            "[  5]   0.00-2.00   sec  1.91 MBytes  8.00 Mbits/sec                  receiver",
            RULE,
        ]
        assert said[-2] == "Server listening on 5201 (test #2)"

    beside_a_server(scenario)


def test_several_streams_have_a_sum_and_a_server_may_be_the_sender() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("-P", "3", "-R", "-n", "300K", "-l", "50K", "-i", "0")
        assert done.code == 0
        lines = done.text.splitlines()
        assert lines[1] == "Reverse mode, remote host server is sending"
        assert [line[:5] for line in lines if line.startswith("[")] == [
            *("[  5]", "[  7]", "[  9]"),
            *("[ ID]", "[  5]", "[  7]", "[  9]", "[SUM]"),
            *("[ ID]", "[  5]", "[  5]", "[  7]", "[  7]", "[  9]", "[  9]", "[SUM]", "[SUM]"),
        ]
        sums = [line for line in lines if line.startswith("[SUM]")]
        assert re.fullmatch(
            r"\[SUM\]   0\.00-0\.00   sec   300 KBytes  2\.46 Gbits/sec    0             sender", sums[1]
        )
        await settle(world)
        assert "[  8] local 172.18.0.2 port 5201" in await log_of(world, "node-1", "server")

    beside_a_server(scenario)


def test_datagrams_are_counted_and_missed() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("-u", "-b", "800k", "-l", "1000", "-t", "1")
        assert done.code == 0
        assert without_ports(done.text)[2:] == [
            "[ ID] Interval           Transfer     Bitrate         Total Datagrams",
            "[  5]   0.00-1.00   sec  97.7 KBytes   800 Kbits/sec  100  ",
            SEPARATOR,
            "[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams",
            "[  5]   0.00-1.00   sec  97.7 KBytes   800 Kbits/sec  0.000 ms  0/100 (0%)  sender",
            "[  5]   0.00-1.00   sec  97.7 KBytes   800 Kbits/sec  0.000 ms  0/100 (0%)  receiver",
            "",
            "iperf Done.",
        ]
        back = await ask("-u", "-R", "-P", "2", "-t", "1", "-l", "1000")
        assert back.code == 0
        assert re.search(r"\[SUM\] .* 2\.\d\d Mbits/sec .* 0/26\d \(0%\)  receiver", back.text)

    beside_a_server(scenario)


def test_a_report_for_programs() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("-J", "-n", "256K")
        whole = json.loads(done.text)
        assert whole["start"]["test_start"]["bytes"] == 262_144
        assert whole["end"]["sum_sent"]["bytes"] == 262_144
        assert whole["end"]["sum_sent"]["retransmits"] == 0
        assert whole["end"]["sum_received"]["bytes"] <= 262_144
        assert whole["end"]["streams"][0]["sender"]["socket"] == 5
        refused = json.loads((await ask("-J", "-p", "9")).text)
        assert refused["error"] == "unable to connect to server: Connection refused"

    beside_a_server(scenario)


def test_how_it_fails() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        for options, words in (
            (("-p", "9"), "iperf3: error - unable to connect to server: Connection refused\n"),
            (("-c", "nobody"), "iperf3: error - unable to connect to server: Name or service not known\n"),
            (("-s",), "iperf3: parameter error - cannot be both server and client\n\nUsage: iperf3 "),
            (("-Q",), "iperf3: invalid option -- 'Q'\nUsage: iperf3 "),
            (("--bidir",), "iperf3: unrecognized option '--bidir'\nUsage: iperf3 "),
            (("-p", "80000"), "iperf3: parameter error - port number must be between 1 and 65535 inclusive"),
            (("-t", "1", "-n", "1"), "iperf3: parameter error - only one test end condition (-t, -n, -k)"),
            (("-P", "200"), "iperf3: parameter error - number of parallel streams too large (maximum = 128)"),
        ):
            done = await ask(*options)
            assert done.code == 1, options
            assert done.text.startswith(words), options
        second = await start(world, "node-1", "slow", "mine", "iperf3", "-c", "server", "-b", "1M", "-t", "5")
        assert second
        await settle(world)
        assert (await ask()).text.endswith(
            "iperf3: error - the server is busy running a test. try again later\n"
        )
        await world.agent("node-1").containers.kill("slow", 2)
        await settle(world)
        assert (await log_of(world, "node-1", "slow")).endswith(
            "iperf3: interrupt - the client has terminated\n"
        )
        assert "iperf3: the client has terminated\n" in await log_of(world, "node-1", "server")
        assert (await ask("-n", "1")).code == 0, "the server is free again"

    beside_a_server(scenario)


def test_a_server_that_ends_leaves_nothing_open() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        sandbox = sandbox_of(world, "node-1", "server")
        agent = world.agent("node-1")
        await start(world, "node-1", "slow", "mine", "iperf3", "-c", "server", "-b", "1M", "-t", "50")
        await settle(world)
        await agent.containers.kill("server", 15)
        await settle(world)
        assert agent.registry.find("server").state.exit_code == 1
        assert (await log_of(world, "node-1", "server")).endswith(
            "iperf3: interrupt - the server has terminated\n"
        )
        assert "iperf3: error - the server has terminated\n" in await log_of(world, "node-1", "slow")
        assert not sandbox._sockets

    beside_a_server(scenario)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00 Bytes"), (1023, "1023 Bytes"), (1024, "1.00 KBytes"), (12_700_000, "12.1 MBytes")],
)
def test_figures_have_three_digits(value: int, text: str) -> None:
    assert scaled(value, 1024, "Bytes") == text

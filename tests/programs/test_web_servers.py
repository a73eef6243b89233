"""nginx and whoami: what a raw TCP client hears from them, what they log, what they put up with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.sim.world import World
from node.model.container import ContainerSpec
from node.model.network import NetworkSpec
from node.programs import http
from node.programs.httpd import CONNECTIONS_MAX, IDLE_S, LINGER_S, SEND_S
from node.stack.sandbox import Sandbox
from tests.programs.containers import called, log_of, read_all, sandbox_of
from tests.sim.play import address_of, play, run, start

Scenario = Callable[[World, Sandbox, str], Awaitable[None]]


def with_nginx(scenario: Scenario) -> None:
    """A web server "web" and a client's sandbox on one bridge."""

    async def main(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        address = await start(world, "node-1", "web", "mine", "nginx")
        await start(world, "node-1", "client", "mine")
        async with asyncio.timeout(1000):
            await scenario(world, sandbox_of(world, "node-1", "client"), address)

    play(main, nodes=1, swarm=False)


async def ask(client: Sandbox, address: str, text: str) -> str:
    """Send this, hear everything until the server ends."""
    async with called(client, address, 80) as stream:
        await stream.write(text.encode("latin-1"))
        stream.finish()
        return (await read_all(stream)).decode("latin-1")


def test_the_page_tells_who_asked_whom_for_what() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        async with called(client, address, 80) as stream:
            await stream.write(
                b"GET /any/path?x=1 HTTP/1.1\r\nHost: web\r\nX-Mine: \xe9\r\nConnection: close\r\n\r\n"
            )
            said = (await read_all(stream)).decode("latin-1")
            own = f"{stream.local[0]}:{stream.local[1]}"
        head, _, page = said.partition("\r\n\r\n")
        assert head.splitlines() == [
            "HTTP/1.1 200 OK",
            "Server: nginx/1.27.5",
            "Date: Thu, 01 Jan 2026 00:00:01 GMT",
            "Content-Type: text/plain",
            f"Content-Length: {len(page)}",
            "Connection: close",
        ]
        name = sandbox_of(world, "node-1", "web").hostname
        assert page == (
            f"Server name: {name}\nServer address: {address}:80\nClient address: {own}\n\n"
            "GET /any/path?x=1 HTTP/1.1\nHost: web\nX-Mine: \xe9\nConnection: close\n"
        )

    with_nginx(scenario)


def test_each_request_is_logged_and_none_can_forge_a_line() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        await ask(client, address, 'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: me "too"\r\nReferer: r\r\n\r\n')
        await ask(client, address, "junk \x1b[31m\r\n")
        lines = (await log_of(world, "node-1", "web")).splitlines()
        own = client.inspect().interfaces[1].addresses[0].cidr.partition("/")[0]
        assert [line.partition(": ")[2] for line in lines[:2]] == [
            "using the simulated event method",
            "start worker processes",
        ]
        moment = r"\[01/Jan/2026:00:00:0\d \+0000\]"
        assert re.fullmatch(
            rf'{own} - - {moment} "GET / HTTP/1\.1" 200 \d+ "r" "me \\x22too\\x22" "-"', lines[2]
        )
        assert re.fullmatch(rf'{own} - - {moment} "junk \\x1B\[31m" 400 16 "-" "-" "-"', lines[3])

    with_nginx(scenario)


def test_one_connection_serves_many_requests() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
        chunks = (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"
        )
        head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
        said = await ask(client, address, body + chunks + head + "GET / HTTP/1.0\n\n")
        assert said.count("HTTP/1.1 200 OK") == 4
        assert said.count("Connection: keep-alive") == 3
        assert re.findall(r"\n\n([A-Z]+) / ", said) == ["POST", "POST", "GET"], "HEAD has no page"
        kept = await ask(client, address, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" * 2)
        assert kept.count("200 OK") == 2

    with_nginx(scenario)


GOOD = "GET / HTTP/1.1\r\nHost: a\r\n"
JUNK = {
    "junk\r\n": 400,
    "\x00\x01\x02\r\n\r\n": 400,
    "GET / HTTP/1.1\r\n\r\n": 400,
    "GET / HTTP/2.0\r\n\r\n": 505,
    "GET  / HTTP/1.1\r\n\r\n": 400,
    f"GET /{'x' * 8200} HTTP/1.1\r\n\r\n": 400,
    "x" * 20_000: 400,
    GOOD + "Host: b\r\n\r\n": 400,
    GOOD + "no colon\r\n\r\n": 400,
    GOOD + "Space : x\r\n\r\n": 400,
    GOOD + " folded: x\r\n\r\n": 400,
    GOOD + "A: \x00\r\n\r\n": 400,
    GOOD + "A: b\r\n" * 101 + "\r\n": 431,
    GOOD + "A: " + "b" * 9000 + "\r\n\r\n": 400,
    GOOD + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc": 400,
    GOOD + "Content-Length: -1\r\n\r\n": 400,
    GOOD + "Content-Length: 99999999\r\n\r\n": 413,
    GOOD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    GOOD + "Transfer-Encoding: gzip\r\n\r\n": 501,
    GOOD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n": 400,
    GOOD + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n": 400,
    GOOD + "Transfer-Encoding: chunked\r\n\r\n" + "40000\r\n" + "x" * 0x40000 + "\r\n40000\r\n": 400,
    GOOD + "Content-Length: 9\r\n\r\nabc": 400,
    "GET / HTTP/1.1\r\nHo": 400,
}


def test_junk_is_refused_and_the_server_lives() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        for text, status in JUNK.items():
            said = await ask(client, address, text)
            assert said.startswith(f"HTTP/1.1 {status} "), text[:60]
            assert "Connection: close" in said
        assert await ask(client, address, "") == ""
        assert "200 OK" in await ask(client, address, GOOD + "\r\n")

    with_nginx(scenario)


def test_a_body_without_end_is_cut_off() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        async with called(client, address, 80) as stream:
            await stream.write((GOOD + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n").encode())
            for _ in range(20):
                await stream.write(b"x" * 65_536)
            assert (await read_all(stream)).startswith(b"HTTP/1.1 413 ")

    with_nginx(scenario)


def test_who_says_nothing_is_cut_off() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        async with called(client, address, 80) as silent, called(client, address, 80) as slow:
            await slow.write(b"GET / HT")
            begun = world.clock.now()
            assert await silent.read() == b""
            assert await slow.read() == b""
            assert IDLE_S <= world.clock.now() - begun < IDLE_S + LINGER_S
        assert '"" 408 0 "-" "-" "-"' in await log_of(world, "node-1", "web")

    with_nginx(scenario)


def test_who_asks_and_never_listens_is_cut_off() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        async with called(client, address, 80) as stream:
            requests = (GOOD + f"A: {'b' * 8000}\r\n" * 3 + "\r\n").encode() * 1000
            with pytest.raises(ConnectionResetError):
                await stream.write(requests)
            assert SEND_S <= world.clock.now() < SEND_S + LINGER_S

    with_nginx(scenario)


def test_a_connection_too_many_is_closed_and_a_place_becomes_free() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        held = [await client.connect_tcp(address, 80) for _ in range(CONNECTIONS_MAX)]
        await world.clock.sleep(0.1)
        assert await ask(client, address, "") == ""
        assert f"{CONNECTIONS_MAX} worker_connections are not enough" in await log_of(world, "node-1", "web")
        held.pop().abort()
        await world.clock.sleep(0.1)
        assert "200 OK" in await ask(client, address, GOOD + "\r\n")
        for stream in held:
            stream.close()

    with_nginx(scenario)


def test_two_servers_cannot_have_one_port() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "web", "host", "nginx")
        second = await run(world, "node-1", "host", "/whoami")
        assert second.code == 1
        assert second.text.endswith(" listen tcp :80: bind: address already in use\n")

    play(scenario, nodes=1, swarm=False)


def test_nginx_asks_five_times_for_a_port_that_is_taken() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "web", "host", "nginx")
        begun = world.clock.now()
        second = await run(world, "node-1", "host", "nginx")
        assert second.code == 1
        assert world.clock.now() - begun == pytest.approx(2.5, abs=0.1)
        lines = [re.sub(r"^2026/01/01 00:00:0\d ", "", line) for line in second.text.splitlines()]
        taken = "bind() to 0.0.0.0:80 failed (98: Address already in use)"
        once = [f"[emerg] 1#1: {taken}", f"nginx: [emerg] {taken}"]
        once += ["[notice] 1#1: try again to bind() after 500ms"]
        assert lines == once * 5 + [
            "[emerg] 1#1: still could not bind()",
            "nginx: [emerg] still could not bind()",
        ]

    play(scenario, nodes=1, swarm=False)


def test_nginx_takes_a_port_that_becomes_free_in_time() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "web", "host", "nginx")
        await start(world, "node-1", "late", "host", "nginx")
        await world.clock.sleep(0.7)
        await world.agent("node-1").containers.kill("web", 9)
        await world.clock.sleep(1)
        assert (await log_of(world, "node-1", "late")).endswith("[notice] 1#1: start worker processes\n")

    play(scenario, nodes=1, swarm=False)


def test_a_stopped_server_lets_go_of_everything_and_can_start_again() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        agent = world.agent("node-1")
        async with called(client, address, 80) as stream:
            await stream.write((GOOD + "\r\n").encode())
            assert (await stream.read()).startswith(b"HTTP/1.1 200")
            await agent.containers.stop("web", timeout_s=None, signal=None)
            assert await stream.read() == b""
        assert agent.registry.find("web").state.exit_code == 0
        assert "[notice] 1#1: exit\n" in await log_of(world, "node-1", "web")
        with pytest.raises(OSError, match="No route to host"):
            await client.connect_tcp(address, 80)
        await agent.containers.start("web")
        assert "200 OK" in await ask(client, address_of(world, "node-1", "web"), GOOD + "\r\n")

    with_nginx(scenario)


def test_a_paused_server_answers_nobody_new() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        agent = world.agent("node-1")
        await agent.containers.pause("web")
        async with called(client, address, 80) as stream:
            await stream.write((GOOD + "Connection: close\r\n\r\n").encode())
            answer = asyncio.create_task(read_all(stream))
            await world.clock.sleep(10)
            assert not answer.done()
            await agent.containers.unpause("web")
            assert (await answer).startswith(b"HTTP/1.1 200 OK")

    with_nginx(scenario)


def test_a_paused_server_does_not_answer_on_connections_that_stand() -> None:
    async def scenario(world: World, client: Sandbox, address: str) -> None:
        agent = world.agent("node-1")
        async with called(client, address, 80) as stream:
            await stream.write((GOOD + "\r\n").encode())
            assert b"200 OK" in await stream.read()
            await agent.containers.pause("web")
            await stream.write((GOOD + "\r\n").encode())
            answer = asyncio.create_task(stream.read())
            await world.clock.sleep(10)
            assert not answer.done()
            await agent.containers.unpause("web")
            assert b"200 OK" in await answer

    with_nginx(scenario)


def test_a_paused_container_can_be_killed_whatever_its_programs_started() -> None:
    async def scenario(world: World) -> None:
        script = "while true; do echo turn; sleep 1; done | cat"
        await start(world, "node-1", "busy", "none", "sh", "-c", script)
        agent = world.agent("node-1")
        await world.clock.sleep(2.5)
        await agent.containers.pause("busy")
        await world.clock.sleep(5)
        before = await log_of(world, "node-1", "busy")
        await world.clock.sleep(5)
        assert await log_of(world, "node-1", "busy") == before == "turn\n" * 3
        await agent.containers.unpause("busy")
        await world.clock.sleep(5)
        assert len((await log_of(world, "node-1", "busy")).splitlines()) > 3
        await agent.containers.pause("busy")
        await agent.containers.kill("busy", 9)
        await world.clock.sleep(0.1)
        assert agent.registry.find("busy").state.exit_code == 137

    play(scenario, nodes=1, swarm=False)


def test_whoami() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="mine"))
        spec = ContainerSpec(image="traefik/whoami", network_mode="mine", environment=("WHOAMI_NAME=me",))
        identity, _ = await agent.containers.create("who", spec)
        await agent.containers.start(identity)
        await start(world, "node-1", "client", "mine")
        client, address = sandbox_of(world, "node-1", "client"), address_of(world, "node-1", "who")
        async with called(client, address, 80) as stream:
            await stream.write(b"GET /x HTTP/1.1\r\naccept: */*\r\nUSER-AGENT: me\r\nHost: who\r\n\r\n")
            stream.finish()
            page = (await read_all(stream)).decode().partition("\r\n\r\n")[2]
            own = f"{stream.local[0]}:{stream.local[1]}"
        assert page == (
            f"Name: me\nHostname: {identity[:12]}\nIP: 127.0.0.1\nIP: {address}\nRemoteAddr: {own}\n"
            "GET /x HTTP/1.1\r\nHost: who\r\nUser-Agent: me\r\nAccept: */*\r\n\r\n"
        )
        assert (await log_of(world, "node-1", "who")).endswith(" Starting up on port 80\n")
        await agent.containers.stop("who", timeout_s=None, signal=None)
        assert agent.registry.find("who").state.exit_code == 2

    play(scenario, nodes=1, swarm=False)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
@settings(max_examples=300)
def test_first_lines_are_understood_or_refused(text: str) -> None:
    for parse in (http.request_line, http.status_line):
        try:
            parse(text)
        except http.BadMessage:
            continue

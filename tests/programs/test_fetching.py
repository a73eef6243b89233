"""wget and curl: what they print, and how they end, against nginx and against servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lab.sim.world import World
from node.model.network import NetworkSpec
from tests.programs.containers import sandbox_of
from tests.sim.play import Outcome, play, run, start

Ask = Callable[..., Awaitable[Outcome]]
"""ask("wget", "-qO-", "http://web"): what came of it in a container beside the server."""


def beside_nginx(scenario: Callable[[Ask, World], Awaitable[None]]) -> None:
    async def main(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine", "nginx")
        await start(world, "node-1", "odd", "mine")
        await scenario(lambda *command: run(world, "node-1", "mine", *command), world)

    play(main, nodes=1, swarm=False)


async def serve(world: World, said: bytes, tcp_port: int = 80) -> None:
    """A server "odd" that says this to one caller, whatever is asked."""
    listener = sandbox_of(world, "node-1", "odd").listen_tcp("0.0.0.0", tcp_port)

    async def answer() -> None:
        stream = await listener.accept()
        await stream.read()
        await stream.write(said)
        stream.close()
        listener.close()

    world.agent("node-1").tasks.start(answer(), "odd server")


def test_wget_writes_a_page_to_standard_output() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        quiet = await ask("wget", "-qO-", "http://web/page")
        assert quiet.code == 0
        assert "GET /page HTTP/1.1\nHost: web\nUser-Agent: Wget\nConnection: close\n" in quiet.text
        told = await ask("wget", "-O", "-", "web")
        assert "Connecting to web (172.18.0.2:80)\nwriting to stdout\n" in told.text
        assert told.text.endswith("written to stdout\n")

    beside_nginx(scenario)


def test_wget_keeps_a_file_and_does_not_overwrite_it() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("sh", "-c", "wget -q http://web && head -n 1 index.html && wget http://web; echo $?")
        assert "Server name: " in done.text
        assert "wget: can't open 'index.html': File exists\n1\n" in done.text
        assert "remote file exists" in (await ask("wget", "--spider", "http://web")).text

    beside_nginx(scenario)


def test_wget_says_why_in_busyboxs_words() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        for arguments, words in (
            (("http://nobody",), "wget: bad address 'nobody'\n"),
            (
                ("-q", "http://web:81"),
                "wget: can't connect to remote host (172.18.0.2): Connection refused\n",
            ),
            (("-q", "-T", "2", "http://172.18.0.99"), "wget: download timed out\n"),
            (("http://web:99999",), "wget: bad port '99999'\n"),
            (("ftps://web",), "wget: not an http or ftp url: ftps://web\n"),
        ):
            done = await ask("wget", *arguments)
            assert (done.code, done.text) == (1, words)
        await serve(world, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        done = await ask("wget", "-q", "http://odd")
        assert (done.code, done.text) == (1, "wget: server returned error: HTTP/1.1 404 Not Found\n")
        await serve(world, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        assert (await ask("wget", "-qO-", "http://odd")).text == "shortwget: connection closed prematurely\n"

    beside_nginx(scenario)


def test_curl_shows_what_it_is_asked_for() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        page = await ask("curl", "-s", "-H", "X-Mine: 1", "web/page?x=1")
        assert page.code == 0
        assert "GET /page?x=1 HTTP/1.1\nHost: web\nUser-Agent: curl/" in page.text
        assert "X-Mine: 1\n" in page.text
        head = await ask("curl", "-sI", "http://web")
        assert head.text.startswith("HTTP/1.1 200 OK\r\nServer: nginx/")
        assert head.text.endswith("\r\n\r\n")
        code = await ask("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "http://web")
        assert code.text == "200\n"
        told = await ask("curl", "-sv", "http://web")
        assert "* Connected to web (172.18.0.2) port 80\n> GET / HTTP/1.1\n> Host: web\n" in told.text
        assert "< HTTP/1.1 200 OK\n" in told.text

    beside_nginx(scenario)


def test_curl_ends_with_its_own_exit_codes() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        for arguments, code, words in (
            (("http://nobody",), 6, "curl: (6) Could not resolve host: nobody\n"),
            (
                ("http://web:81",),
                7,
                "curl: (7) Failed to connect to web port 81 after 0 ms: Could not connect",
            ),
            (
                ("--connect-timeout", "1", "172.18.0.99"),
                28,
                "curl: (28) Failed to connect to 172.18.0.99 port 80 after 1000 ms: Timeout",
            ),
            (("-s", "http://nobody"), 6, ""),
            (("-sS", "http://nobody"), 6, "curl: (6) Could not resolve host: nobody\n"),
            (("https://web",), 1, 'curl: (1) Protocol "https" not supported\n'),
            (("http://web:99999",), 3, "curl: (3) URL using bad/illegal format or missing URL\n"),
            ((), 2, "curl: (2) no URL specified\n"),
        ):
            done = await ask("curl", *arguments)
            assert done.code == code, (arguments, done)
            assert done.text.startswith(words), (arguments, done)
        await serve(world, b"")
        assert (await ask("curl", "http://odd")).text == "curl: (52) Empty reply from server\n"
        await serve(world, b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
        done = await ask("curl", "-f", "http://odd")
        assert (done.code, done.text) == (22, "curl: (22) The requested URL returned error: 500\n")
        await serve(world, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\n\r\n")
        assert (await ask("curl", "-s", "http://odd")).text == "wiki"

    beside_nginx(scenario)


def test_a_request_can_be_interrupted_by_its_time_limit() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        listener = sandbox_of(world, "node-1", "odd").listen_tcp("0.0.0.0", 80)
        done = await ask("curl", "-m", "3", "http://odd")
        assert (done.code, done.text[:44]) == (28, "curl: (28) Operation timed out after 3000 mi")
        listener.close()
        await asyncio.sleep(0)

    beside_nginx(scenario)

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
            (("--no-progress-meter", "http://nobody"), 6, "curl: (6) Could not resolve host: nobody\n"),
            (
                (
                    "-sS",
                    "http://web:81",
                ),
                7,
                "curl: (7) Failed to connect to web port 81 after 0 ms: Could not connect",
            ),
            (
                ("-sS", "--connect-timeout", "1", "172.18.0.99"),
                28,
                "curl: (28) Failed to connect to 172.18.0.99 port 80 after 1000 ms: Timeout",
            ),
            (("-s", "http://nobody"), 6, ""),
            (("-sS", "http://nobody"), 6, "curl: (6) Could not resolve host: nobody\n"),
            (("-sS", "https://web"), 1, 'curl: (1) Protocol "https" not supported\n'),
            (
                (
                    "-sS",
                    "http://web:99999",
                ),
                3,
                "curl: (3) URL using bad/illegal format or missing URL\n",
            ),
            ((), 2, "curl: (2) no URL specified\n"),
        ):
            done = await ask("curl", *arguments)
            assert done.code == code, (arguments, done)
            assert done.text.startswith(words), (arguments, done)
        await serve(world, b"")
        assert (await ask("curl", "-sS", "http://odd")).text == "curl: (52) Empty reply from server\n"
        await serve(world, b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
        done = await ask("curl", "-sSf", "http://odd")
        assert (done.code, done.text) == (22, "curl: (22) The requested URL returned error: 500\n")
        await serve(world, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\n\r\n")
        assert (await ask("curl", "-s", "http://odd")).text == "wiki"

    beside_nginx(scenario)


def test_a_request_can_be_interrupted_by_its_time_limit() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        listener = sandbox_of(world, "node-1", "odd").listen_tcp("0.0.0.0", 80)
        done = await ask("curl", "-sS", "-m", "3", "http://odd")
        assert (done.code, done.text[:44]) == (28, "curl: (28) Operation timed out after 3000 mi")
        listener.close()
        await asyncio.sleep(0)

    beside_nginx(scenario)


def test_curl_follows_redirects_as_far_as_it_may() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        stays = await ask("curl", "-s", "-w", "%{http_code} %{redirect_url}\\n", "http://web/redirect")
        assert stays.text == "302 Found\n302 http://web/\n"
        form = "%{http_code} %{num_redirects} %{url_effective} %{remote_ip}:%{remote_port} %{foo}"
        done = await ask("curl", "-sLo", "/dev/null", "-w", form, "http://web/redirect/3")
        assert (done.code, done.text) == (
            0,
            "curl: unknown --write-out variable: 'foo'\n200 3 http://web/ 172.18.0.2:80 ",
        )
        far = await ask("curl", "-sSL", "--max-redirs", "2", "http://web/redirect/3")
        assert (far.code, far.text) == (47, "curl: (47) Maximum (2) redirects followed\n")
        posted = await ask("curl", "-sL", "-d", "a=1", "-d", "b=2", "http://web/")
        assert "POST / HTTP/1.1\n" in posted.text
        assert "Content-Length: 7\n" in posted.text
        assert "Content-Type: application/x-www-form-urlencoded\n" in posted.text
        moved = await ask("curl", "-sL", "-d", "a=1", "http://web/redirect")
        assert "GET / HTTP/1.1\n" in moved.text
        assert "Content-" not in moved.text

    beside_nginx(scenario)


def test_curl_shows_its_progress_when_pages_go_to_a_file() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("curl", "-o", "page", "http://web/")
        head, numbers, end = done.text.partition("Left  Speed\n")
        assert head.startswith("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  ")
        nothing, total = numbers.strip("\r"), end.removesuffix("\n").split("\r")
        assert nothing
        assert total[1] == ("  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0")
        assert total[2].startswith("100 ")
        assert (await ask("curl", "-s", "-o", "page", "http://web/")).text == ""
        late = await ask("curl", "http://web:81/")
        assert late.text.endswith(
            "--:--:--     0\n"
            "curl: (7) Failed to connect to web port 81 after 0 ms: Could not connect to server\n"
        )

    beside_nginx(scenario)


def test_curl_and_wget_complain_of_options_as_their_originals_do() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        hint = "curl: try 'curl --help' or 'curl --manual' for more information\n"
        for options, words in (
            (("--foo", "web"), "curl: option --foo: is unknown\n"),
            (("-o",), "curl: option -o: requires parameter\n"),
            (("-m", "soon", "web"), "curl: option -m: expected a proper numerical parameter\n"),
        ):
            done = await ask("curl", *options)
            assert (done.code, done.text) == (2, words + hint)
        for options, words in (
            (("-Q",), "wget: unrecognized option: Q\n\nUsage: wget "),
            (("-O",), "wget: option requires an argument: O\n\nUsage: wget "),
            (("-T", "soon", "web"), "wget: invalid number 'soon'\n"),
            ((), "Usage: wget "),
        ):
            done = await ask("wget", *options)
            assert done.code == 1
            assert done.text.startswith(words)

    beside_nginx(scenario)


def test_wget_follows_redirects_and_shows_what_the_server_says() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("wget", "-S", "-O", "-", "http://web/redirect")
        assert "  HTTP/1.1 302 Found\n" in done.text
        assert "  Location: /\n" in done.text
        assert "GET / HTTP/1.1\n" in done.text
        far = await ask("wget", "-qO-", "http://web/redirect/9")
        assert (far.code, far.text) == (1, "wget: too many redirections\n")
        gone = await ask("wget", "-q", "--spider", "http://web/status/404")
        assert (gone.code, gone.text) == (1, "wget: server returned error: HTTP/1.1 404 Not Found\n")
        posted = await ask("wget", "-qO-", "--post-data", "a=b", "http://web/")
        assert "POST / HTTP/1.1\n" in posted.text

    beside_nginx(scenario)


def test_nginx_refuses_what_it_does_not_serve() -> None:
    async def scenario(ask: Ask, world: World) -> None:
        done = await ask("curl", "-si", "-X", "DELETE", "http://web/")
        assert done.text.startswith("HTTP/1.1 405 Method Not Allowed\r\n")
        assert "\r\nAllow: GET, HEAD, POST\r\n" in done.text
        for status in ("404", "503"):
            asked = await ask("curl", "-sS", "-f", f"http://web/status/{status}")
            assert (asked.code, asked.text) == (
                22,
                f"curl: (22) The requested URL returned error: {status}\n",
            )
        head = await ask("curl", "-sI", "http://web/status/404")
        assert head.text.endswith("Content-Length: 14\r\nConnection: keep-alive\r\n\r\n")

    beside_nginx(scenario)

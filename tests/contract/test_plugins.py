"""What every Plugins promises: programs behind sockets, and handlers in a simulated world."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from lab.sim.plugins import Misbehavior, SimulatedPlugins
from node.edge.clock import SystemClock
from node.edge.plugins import MEDIA_TYPE, HttpPlugins
from node.seams import ANSWER_BYTES_MAX, PluginAway, Plugins
from tests.edge_places import free_port, some_address


def answer(method: str, body: bytes) -> tuple[int, bytes]:
    """The plugin of these tests."""
    if method == "Echo.Long":
        return 200, b"x" * (ANSWER_BYTES_MAX + 100)
    if method == "Echo.Missing":
        return 404, b"no such method"
    return 200, json.dumps({"method": method, "body": body.decode()}).encode()


@dataclass(frozen=True)
class Bench:
    """Plugins under test: one called "echo" that runs, and ways to spoil it."""

    plugins: Plugins
    kill: Callable[[], None]
    hang: Callable[[], None]

    @property
    def address(self) -> str:
        """Where "echo" listens."""
        return self.plugins.find("echo")


def simulated(_directory: Path, _stack: AsyncExitStack) -> Bench:
    plugins = SimulatedPlugins(SystemClock())
    echo = plugins.add("echo", answer)
    return Bench(
        plugins,
        lambda: setattr(echo, "dead", True),
        lambda: plugins.misbehave("echo", "Echo.Say", Misbehavior.HANG),
    )


class RealEcho:
    """The plugin as a program: an HTTP server."""

    def __init__(self) -> None:
        self.hangs = False
        self.headers: list[str] = []
        self.site: web.BaseSite | None = None

    async def handle(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers["Accept"])
        if self.hangs:
            await asyncio.sleep(60)
        status, body = answer(request.path.removeprefix("/"), await request.read())
        return web.Response(status=status, body=body)

    async def listen(self, stack: AsyncExitStack, make: Callable[[web.AppRunner], web.BaseSite]) -> None:
        app = web.Application()
        app.router.add_post("/{method}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        self.site = make(runner)
        await self.site.start()


async def over_unix(directory: Path, stack: AsyncExitStack) -> Bench:
    echo, path = RealEcho(), directory / "echo.sock"
    await echo.listen(stack, lambda runner: web.UnixSite(runner, str(path)))
    plugins = HttpPlugins([directory])
    server = echo.site._server  # type: ignore[union-attr]
    return Bench(plugins, server.close, lambda: setattr(echo, "hangs", True))


async def over_tcp(directory: Path, stack: AsyncExitStack) -> Bench:
    host = some_address()
    port = free_port(host, socket.SOCK_STREAM)
    echo = RealEcho()
    await echo.listen(stack, lambda runner: web.TCPSite(runner, host, port))
    (directory / "echo.spec").write_text(f"tcp://{host}:{port}\n")
    plugins = HttpPlugins([directory])
    server = echo.site._server  # type: ignore[union-attr]
    return Bench(plugins, server.close, lambda: setattr(echo, "hangs", True))


@pytest.fixture(params=["simulated", "unix", "tcp"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """One of each kind."""
    async with AsyncExitStack() as stack:
        match request.param:
            case "simulated":
                yield simulated(tmp_path, stack)
            case "unix":
                yield await over_unix(tmp_path, stack)
            case _:
                yield await over_tcp(tmp_path, stack)


async def test_a_plugin_is_found_by_its_name_and_nobody_else_is(bench: Bench) -> None:
    assert bench.address.partition("://")[0] in ("unix", "tcp")
    assert bench.plugins.find("ech") == ""
    assert bench.plugins.find("echo2") == ""


async def test_a_call_carries_its_body_there_and_the_answer_back(bench: Bench) -> None:
    got = await bench.plugins.post(bench.address, "Echo.Say", b'{"a": 1}', 5.0)
    assert (got.status, json.loads(got.body)) == (200, {"method": "Echo.Say", "body": '{"a": 1}'})
    missing = await bench.plugins.post(bench.address, "Echo.Missing", b"", 5.0)
    assert (missing.status, missing.body) == (404, b"no such method")


async def test_of_an_endless_answer_only_the_beginning_is_read(bench: Bench) -> None:
    got = await bench.plugins.post(bench.address, "Echo.Long", b"", 5.0)
    assert len(got.body) == ANSWER_BYTES_MAX + 1


async def test_one_that_hangs_is_left_when_the_time_is_over(bench: Bench) -> None:
    bench.hang()
    with pytest.raises(PluginAway, match="context deadline exceeded"):
        await bench.plugins.post(bench.address, "Echo.Say", b"", 0.05)


async def test_one_that_is_gone_refuses_the_connection(bench: Bench) -> None:
    address = bench.address
    bench.kill()
    with pytest.raises(PluginAway, match=r"^dial (unix|tcp) .*: connect: (connection refused|no such file)"):
        await bench.plugins.post(address, "Echo.Say", b"", 5.0)


# -- only in the real world ------------------------------------------------------------------------


async def test_requests_say_which_version_of_the_protocol_they_speak(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        echo, path = RealEcho(), tmp_path / "echo.sock"
        await echo.listen(stack, lambda runner: web.UnixSite(runner, str(path)))
        plugins = HttpPlugins([tmp_path])
        await plugins.post(f"unix://{path}", "Echo.Say", b"", 5.0)
        assert echo.headers == [MEDIA_TYPE]


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("a.spec", "tcp://127.0.0.1:9\n", "tcp://127.0.0.1:9"),
        ("a.spec", "unix:///run/a.sock", "unix:///run/a.sock"),
        ("a/a.spec", "tcp://127.0.0.1:9", "tcp://127.0.0.1:9"),
        ("a.json", '{"Name": "a", "Addr": "tcp://127.0.0.1:9"}', "tcp://127.0.0.1:9"),
        ("a/a.json", '{"Addr": "unix:///run/a.sock"}', "unix:///run/a.sock"),
        ("a.json", '["Addr"]', ""),
        ("a.json", "{", ""),
        ("a.spec", "file:///etc/passwd", ""),
        ("a.spec", "tcp://[::1", ""),
        ("a.spec", "", ""),
        ("a.json", "[" * 100_000, ""),
        ("a.sock", "this is no socket", ""),
    ],
)
def test_where_plugins_are_written_down(tmp_path: Path, file: str, text: str, found: str) -> None:
    path = tmp_path / "second" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert HttpPlugins([tmp_path / "first", tmp_path / "second"]).find("a") == found


def test_a_pipe_in_a_plugins_place_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.spec")
    assert HttpPlugins([tmp_path]).find("a") == ""

"""docker-py 7.2, the other client: lists for filters, GET /version first, and its own reading of streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import docker
import pytest
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

from tests.api.serving import HOSTS, docker_host

Result = TypeVar("Result")
TIMEOUT_S = 20


@pytest.fixture(params=HOSTS)
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[docker.DockerClient]:
    """A client of a node under test."""
    async with docker_host(request.param, tmp_path) as address:
        opened = await patient(
            lambda: docker.DockerClient(base_url=address, version="auto", timeout=TIMEOUT_S)
        )
        yield opened
        await patient(opened.close)


async def patient(call: Callable[[], Result]) -> Result:
    """docker-py waits in its thread while the node answers in this one."""
    async with asyncio.timeout(TIMEOUT_S):
        return await asyncio.to_thread(call)


async def test_it_takes_the_version_of_the_server(client: Any) -> None:
    assert client.api.api_version == "1.50"
    assert await patient(client.ping)
    assert (await patient(client.version))["MinAPIVersion"] == "1.24"
    assert (await patient(client.info))["ServerVersion"] == "28.2.2"


async def test_run_returns_all_output(client: Any) -> None:
    run = lambda: client.containers.run("alpine", ["sh", "-c", "echo out; echo err >&2"], remove=True)  # noqa: E731
    assert await patient(run) == b"out\n"


async def test_run_tells_a_failure(client: Any) -> None:
    with pytest.raises(ContainerError) as failed:
        await patient(
            lambda: client.containers.run("alpine", ["sh", "-c", "echo no >&2; exit 3"], remove=True)
        )
    assert (failed.value.exit_status, failed.value.stderr) == (3, b"no\n")


async def test_a_container_lives(client: Any) -> None:
    made = await patient(
        lambda: client.containers.run(
            "alpine", ["sleep", "1000"], detach=True, name="py-life", labels={"a": "b"}
        )
    )
    found = await patient(lambda: client.containers.list(filters={"label": ["a=b"], "name": "py-life"}))
    assert [container.id for container in found] == [made.id]
    assert (found[0].status, found[0].name) == ("running", "py-life")
    assert (await patient(made.top))["Processes"][0][-1] == "sleep 1000"
    await patient(lambda: made.stop(timeout=0))
    assert (await patient(made.wait))["StatusCode"] in (137, 143)
    await patient(made.remove)
    with pytest.raises(NotFound, match="No such container: py-life"):
        await patient(lambda: client.containers.get("py-life"))


async def test_exec_gets_output_that_comes_at_once(client: Any) -> None:
    made = await patient(
        lambda: client.containers.run("alpine", ["sleep", "1000"], detach=True, name="py-exec")
    )
    for number in range(5):
        code, output = await patient(lambda n=number: made.exec_run(["sh", "-c", f"echo {n}; exit {n}"]))
        assert (code, output) == (number, f"{number}\n".encode())
    code, output = await patient(lambda: made.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True))
    assert (code, output) == (0, (b"out\n", b"err\n"))
    await patient(lambda: made.remove(force=True))


async def test_logs(client: Any) -> None:
    made = await patient(
        lambda: client.containers.run(
            "alpine", ["sh", "-c", "echo one; echo two"], detach=True, name="py-logs"
        )
    )
    await patient(made.wait)
    assert await patient(made.logs) == b"one\ntwo\n"
    assert await patient(lambda: made.logs(tail=1)) == b"two\n"
    assert await patient(lambda: list(made.logs(stream=True, follow=True))) == [b"one\n", b"two\n"]
    await patient(made.remove)


async def test_attaching_through_a_socket(client: Any) -> None:
    made = await patient(lambda: client.containers.create("alpine", "cat", stdin_open=True, name="py-attach"))
    params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
    connection = await patient(lambda: made.attach_socket(params=params))
    await patient(made.start)

    def talk() -> bytes:
        connection._sock.sendall(b"typed\n")
        return bytes(connection._sock.recv(8 + 6))

    assert await patient(talk) == b"\x01\0\0\0\0\0\0\x06typed\n"
    connection._sock.close()
    connection.close()
    await patient(lambda: made.remove(force=True))


async def test_networks(client: Any) -> None:
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.78.0.0/24")])
    network = await patient(lambda: client.networks.create("py-net", ipam=pool, labels={"a": "b"}))
    assert [n.name for n in await patient(lambda: client.networks.list(names=["py-net"]))] == ["py-net"]
    made = await patient(lambda: client.containers.run("alpine", ["sleep", "1000"], detach=True, name="py-c"))
    await patient(lambda: network.connect(made, ipv4_address="10.78.0.9", aliases=["db"]))
    await patient(made.reload)
    assert made.attrs["NetworkSettings"]["Networks"]["py-net"]["IPAddress"] == "10.78.0.9"
    await patient(network.reload)
    standing = await patient(lambda: network.containers)
    assert [container.name for container in standing] == ["py-c"]
    await patient(lambda: network.disconnect(made))
    await patient(lambda: made.remove(force=True))
    await patient(network.remove)
    with pytest.raises(NotFound, match="network py-net not found"):
        await patient(lambda: client.networks.get("py-net"))


async def test_mistakes(client: Any) -> None:
    with pytest.raises(ImageNotFound, match="No such image: nosuch"):
        await patient(lambda: client.containers.run("nosuch", "x"))
    with pytest.raises(APIError) as refused:
        await patient(lambda: client.networks.list(filters={"x": "y"}))
    assert (refused.value.status_code, refused.value.explanation) == (400, "invalid filter 'x'")


async def test_events_are_decoded(client: Any) -> None:
    stream = await patient(lambda: client.events(decode=True, filters={"type": "network"}))
    await patient(lambda: client.networks.create("py-events").remove())
    actions = [(await patient(lambda: next(stream)))["Action"] for _ in range(2)]
    assert actions == ["create", "destroy"]
    stream.close()


async def test_images(client: Any) -> None:
    assert "alpine:latest" in {tag for image in await patient(client.images.list) for tag in image.tags}
    pulled = await patient(lambda: client.images.pull("alpine"))
    assert "alpine:latest" in pulled.tags

"""The real docker command: what it prints, and the codes it exits with.

Every test runs against the in-memory backend and against a whole node, which so have to agree. To try a
node that runs already: SHOAL_TEST_DOCKER_HOST=unix:///... pytest tests/api/test_docker_cli.py
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.serving import HOSTS, docker_host

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


Docker = Callable[..., Awaitable[Done]]
"""await docker("run", "--rm", "alpine", "cat", typed=b"x")."""


@pytest.fixture(params=HOSTS)
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """DOCKER_HOST of a node under test."""
    async with docker_host(request.param, tmp_path) as address:
        yield address


@pytest.fixture
def docker(host: str, docker_cli: str, tmp_path: Path) -> Docker:
    """The docker command against that node."""

    async def run(*arguments: str, typed: bytes = b"") -> Done:
        async with process(host, docker_cli, tmp_path, *arguments) as started:
            async with asyncio.timeout(TIMEOUT_S):
                out, err = await started.communicate(typed)
            assert started.returncode is not None
            return Done(started.returncode, out.decode(), err.decode())

    return run


@asynccontextmanager
async def process(
    host: str, docker_cli: str, home: Path, *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A docker command that runs. It forwards other signals to the container: only SIGKILL surely ends it."""
    environment = {"DOCKER_HOST": host, "PATH": os.environ["PATH"], "HOME": str(home)}
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        docker_cli, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def test_version_and_info(docker: Docker) -> None:
    version = await docker("version")
    assert "API version:      1.50 (minimum version 1.24)" in version.out
    assert "Version:          28.2.2" in version.out
    info = await docker("info")
    assert (info.code, "WARNING" in info.err) == (0, False)
    assert " Server Version: 28.2.2\n" in info.out
    assert "  Network: bridge host macvlan null overlay\n" in info.out
    assert " Swarm: inactive\n" in info.out


async def test_networks_come_and_go(docker: Docker) -> None:
    made = await docker("network", "create", "--subnet", "10.77.0.0/24", "--label", "a=b", "cli-net")
    assert (made.code, len(made.out)) == (0, 65)
    listed = await docker("network", "ls", "--filter", "name=cli-net")
    head, line = listed.out.splitlines()
    assert head.split() == ["NETWORK", "ID", "NAME", "DRIVER", "SCOPE"]
    assert line.split() == [made.out[:12], "cli-net", "bridge", "local"]
    inspected = await docker("network", "inspect", "cli-net", "--format", "{{json .IPAM.Config}}")
    assert json.loads(inspected.out) == [{"Subnet": "10.77.0.0/24"}]
    assert (await docker("network", "rm", "cli-net")).out == "cli-net\n"
    gone = await docker("network", "inspect", "cli-net")
    assert (gone.code, gone.out) == (1, "[]\n")
    assert gone.err == "Error response from daemon: network cli-net not found\n"


async def test_a_fresh_node_lists_three_networks(docker: Docker) -> None:
    listed = await docker("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}")
    lines = listed.out.splitlines()
    assert {"bridge bridge local", "host host local", "none null local"} <= set(lines)
    names = [line.split()[0] for line in lines]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rm", "bridge"), "bridge is a pre-defined network and cannot be removed\nexit status 1"),
        (("create", "-d", "foo", "x"), 'plugin "foo" not found'),
        (("create", "bridge"), None),
        (
            ("create", "--subnet", "10.0.0.1/24", "x"),
            "invalid network config:\ninvalid subnet 10.0.0.1/24: it should be 10.0.0.0/24",
        ),
        (("connect", "nosuch", "c"), None),
    ],
)
async def test_network_mistakes(docker: Docker, arguments: tuple[str, ...], message: str | None) -> None:
    refused = await docker("network", *arguments)
    assert refused.code == 1
    assert refused.err.startswith("Error response from daemon: ")
    if message is not None:
        assert refused.err == f"Error response from daemon: {message}\n"


async def test_run_prints_both_streams_and_exits_with_the_code(docker: Docker) -> None:
    done = await docker("run", "--rm", "alpine", "sh", "-c", "echo out; echo err >&2; exit 4")
    assert done == Done(4, "out\n", "err\n")


async def test_run_passes_input_and_its_end(docker: Docker) -> None:
    assert await docker("run", "--rm", "-i", "alpine", "cat", typed=b"a\nb") == Done(0, "a\nb", "")


async def test_a_terminal_has_one_raw_stream(docker: Docker) -> None:
    assert await docker("run", "--rm", "-t", "alpine", "echo", "hi") == Done(0, "hi\r\n", "")


async def test_keys_detach_from_a_terminal(
    docker: Docker, host: str, docker_cli: str, tmp_path: Path
) -> None:
    mine, its = pty.openpty()
    command = (docker_cli, "run", "-it", "--name", "cli-tty", "alpine", "sh", "-c", "echo ready; cat")
    environment = {"DOCKER_HOST": host, "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    started = await asyncio.create_subprocess_exec(
        *command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await seen(mine, b"ready\r\n")
            os.write(mine, b"typed\n")
            await seen(mine, b"typed")
            os.write(mine, b"\x10\x11")
            await started.wait()
        listed = await docker("ps", "--filter", "name=cli-tty", "--format", "{{.State}}")
        assert listed.out == "running\n"
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()
        os.close(mine)
        os.close(its)
    await docker("rm", "-f", "cli-tty")


async def seen(terminal: int, text: bytes) -> None:
    """Return when the terminal has shown the text."""
    shown = b""
    arrived = asyncio.Event()
    asyncio.get_running_loop().add_reader(terminal, arrived.set)
    try:
        while text not in shown:
            arrived.clear()
            await arrived.wait()
            shown += os.read(terminal, 1024)
    finally:
        asyncio.get_running_loop().remove_reader(terminal)


async def test_run_with_much_output(docker: Docker) -> None:
    done = await docker("run", "--rm", "alpine", "seq", "20000")
    assert (done.code, done.out) == (0, "".join(f"{number}\n" for number in range(1, 20001)))


async def test_run_detached_and_its_whole_life(docker: Docker) -> None:
    ran = await docker("run", "-d", "--name", "cli-life", "nginx", "sleep", "1000")
    assert (ran.code, len(ran.out), ran.err) == (0, 65, "")
    listed = await docker(
        "ps", "--filter", "name=cli-life", "--format", "{{.ID}} {{.Image}} {{.Status}} {{.Names}}"
    )
    assert listed.out.startswith(f"{ran.out[:12]} nginx Up ")
    assert listed.out.endswith("cli-life\n")
    top = await docker("top", "cli-life")
    assert top.out.splitlines()[0].split()[:2] == ["UID", "PID"]
    assert "sleep 1000" in top.out
    assert (await docker("rename", "cli-life", "cli-other")).code == 0
    stopped = await docker("stop", "-t", "0", "cli-other")
    assert (stopped.code, stopped.out) == (0, "cli-other\n")
    listed = await docker("ps", "-a", "--filter", "name=cli-other", "--format", "{{.Status}}")
    assert listed.out.startswith("Exited (1")
    removed = await docker("rm", "cli-other")
    assert (removed.code, removed.out) == (0, "cli-other\n")


async def test_inspect_looks_right(docker: Docker) -> None:
    await docker("run", "-d", "--name", "cli-inspect", "alpine", "sleep", "1000")
    shown = await docker(
        "inspect", "cli-inspect", "--format", "{{.State.Status}} {{.NetworkSettings.IPAddress}}"
    )
    status, address = shown.out.split()
    assert (status, address.startswith("172.17.0.")) == ("running", True)
    (whole,) = json.loads((await docker("inspect", "cli-inspect")).out)
    assert whole["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == address
    assert (await docker("port", "cli-inspect")).out == ""
    assert (await docker("rm", "-f", "cli-inspect")).code == 0
    gone = await docker("inspect", "cli-inspect")
    assert (gone.code, gone.out) == (1, "[]\n")
    assert gone.err == "Error: No such object: cli-inspect\n"


async def test_exec(docker: Docker) -> None:
    await docker("run", "-d", "--name", "cli-exec", "alpine", "sleep", "1000")
    done = await docker("exec", "cli-exec", "sh", "-c", "echo out; echo err >&2; exit 5")
    assert done == Done(5, "out\n", "err\n")
    assert await docker("exec", "-i", "cli-exec", "cat", typed=b"x") == Done(0, "x", "")
    assert (await docker("exec", "-d", "cli-exec", "sleep", "0")).code == 0
    missing = await docker("exec", "cli-exec", "nosuch")
    assert (missing.code, "executable file not found" in missing.out + missing.err) == (127, True)
    await docker("rm", "-f", "cli-exec")
    gone = await docker("exec", "cli-exec", "ls")
    assert (gone.code, gone.err) == (1, "Error response from daemon: No such container: cli-exec\n")


async def test_logs_are_read_and_followed(docker: Docker) -> None:
    await docker(
        "run", "-d", "--name", "cli-logs", "alpine", "sh", "-c", "echo one; echo two; sleep 0.3; echo end"
    )
    followed = await docker("logs", "-f", "cli-logs")
    assert followed == Done(0, "one\ntwo\nend\n", "")
    assert (await docker("logs", "--tail", "1", "cli-logs")).out == "end\n"
    stamped = await docker("logs", "-t", "--tail", "1", "cli-logs")
    assert len(stamped.out.split()[0]) == len("2026-01-01T00:00:00.000000000Z")
    await docker("rm", "-f", "cli-logs")


async def test_wait_prints_the_code(docker: Docker) -> None:
    await docker("run", "-d", "--name", "cli-wait", "alpine", "sh", "-c", "sleep 0.3; exit 6")
    assert await docker("wait", "cli-wait") == Done(0, "6\n", "")
    assert await docker("wait", "cli-wait") == Done(0, "6\n", "")
    await docker("rm", "cli-wait")


async def test_attach_sees_the_end(docker: Docker) -> None:
    await docker("create", "-i", "--name", "cli-attach", "alpine", "cat")
    assert await docker("start", "-a", "-i", "cli-attach", typed=b"typed") == Done(0, "typed", "")
    await docker("rm", "cli-attach")


async def test_a_start_that_fails_ends_at_once(docker: Docker) -> None:
    for options in ((), ("--rm",), ("-d",)):
        failed = await docker("run", *options, "alpine", "nosuchprogram")
        assert failed.code == 127, failed
        assert "executable file not found in $PATH" in failed.err
    await docker("container", "prune", "-f")


async def test_an_image_that_is_not_there_ends_at_once_with_a_list(docker: Docker) -> None:
    failed = await docker("run", "--rm", "nosuch")
    assert failed.code == 125
    assert failed.err.startswith("Unable to find image 'nosuch:latest' locally\n")
    assert "alpine" in failed.err
    assert "nginx" in failed.err
    assert (await docker("pull", "alpine")).out.endswith("docker.io/library/alpine:latest\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--network", "container:x", "--hostname", "h"),
            "conflicting options: hostname and the network mode",
        ),
        (
            ("--network", "nosuch"),
            "failed to set up container networking: network nosuch not found",
        ),
        (
            ("--ip", "172.17.0.9"),
            "invalid config for network bridge: invalid endpoint settings:\n"
            "* user specified IP address is supported on user defined networks only\n"
            "* user specified IP address is supported only when connecting to networks with user configured "
            "subnets",
        ),
    ],
)
async def test_run_is_refused(docker: Docker, arguments: tuple[str, ...], message: str) -> None:
    refused = await docker("run", "--rm", *arguments, "alpine", "echo", "x")
    assert (refused.code, refused.out) == (125, "")
    assert refused.err.startswith(f"docker: Error response from daemon: {message}\n")


async def test_names_are_taken_once(docker: Docker) -> None:
    made = await docker("create", "--name", "cli-name", "alpine", "sleep", "1")
    again = await docker("create", "--name", "cli-name", "alpine", "sleep", "1")
    assert (again.code, made.out.strip() in again.err) == (1, True)
    assert 'The container name "/cli-name" is already in use by container' in again.err
    await docker("rm", "cli-name")


async def test_images_and_df(docker: Docker) -> None:
    images = await docker("images", "--format", "{{.Repository}}:{{.Tag}}")
    assert {"alpine:latest", "nginx:latest"} <= set(images.out.splitlines())
    assert (await docker("image", "inspect", "nginx", "--format", "{{.Os}}")).out == "linux\n"
    assert (await docker("system", "df")).code == 0
    assert (await docker("volume", "ls", "-q")).out == ""


async def test_swarm_commands_say_what_to_do(docker: Docker) -> None:
    nodes = await docker("node", "ls")
    assert (nodes.code, "This node is not a swarm manager." in nodes.err) == (1, True)
    init = await docker("swarm", "init")
    assert (init.code, "the lab forms the swarm" in init.err) == (1, True)


async def test_copying_says_that_it_cannot(docker: Docker) -> None:
    await docker("create", "--name", "cli-cp", "alpine", "sleep", "1")
    copied = await docker("cp", "cli-cp:/etc/hosts", "-")
    assert copied.code == 1
    await docker("rm", "cli-cp")


async def test_events_are_told_as_they_happen(
    docker: Docker, host: str, docker_cli: str, tmp_path: Path
) -> None:
    filters = ("--filter", "type=network", "--format", "{{.Action}} {{.Actor.Attributes.name}}")
    async with process(host, docker_cli, tmp_path, "events", "--since", "1000000000", *filters) as listening:
        assert listening.stdout is not None
        await docker("network", "create", "cli-events")
        await docker("network", "rm", "cli-events")
        async with asyncio.timeout(10.0):
            lines: list[str] = []
            while lines[-2:] != ["create cli-events", "destroy cli-events"]:
                lines.append((await listening.stdout.readline()).decode().strip())


async def test_a_follower_that_is_killed_leaves_nothing_behind(
    docker: Docker, host: str, docker_cli: str, tmp_path: Path
) -> None:
    await docker("run", "-d", "--name", "cli-killed", "alpine", "sh", "-c", "echo x; sleep 1000")
    async with process(host, docker_cli, tmp_path, "logs", "-f", "cli-killed") as following:
        assert following.stdout is not None
        assert await following.stdout.readline() == b"x\n"
    assert (await docker("rm", "-f", "cli-killed")).code == 0

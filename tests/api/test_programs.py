"""What runs in containers, over HTTP: wait, attach, logs, exec, top, resize."""

from __future__ import annotations

import asyncio
import json

import pytest

from node.api.app import App
from node.api.http import Hijack
from tests.api.asking import answer, ask, created, hijack, refused, running, stream
from tests.api.memory import Node
from tests.api.test_session import Wire
from tests.patience import PATIENCE_S, until

ATTACH = "attach?stream=1&stdin=1&stdout=1&stderr=1"


async def said(got: Hijack, typed: bytes = b"") -> bytes:
    """Everything that comes back to a client who types this and then no more."""
    wire = Wire()
    for data in filter(None, (typed,)):
        wire.type(data)
    wire.type(b"")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await got.talk(wire)
    finally:
        got.close()
    return wire.sent


async def text(app: App, target: str) -> bytes:
    """All of a stream."""
    got = await stream(app, "GET", target)
    try:
        return b"".join([piece async for piece in got.pieces])
    finally:
        got.close()


async def test_waiting_is_registered_before_the_answer_is_read(app: App) -> None:
    identity = await created(app, Cmd=["sh", "-c", "exit 3"])
    waiting = await stream(app, "POST", f"/containers/{identity}/wait?condition=next-exit")
    assert waiting.headers["Content-Type"] == "application/json"
    await ask(app, "POST", f"/containers/{identity}/start")
    told = [piece async for piece in waiting.pieces]
    assert told == [b'{"StatusCode":3}\n']


async def test_a_failed_start_ends_the_terminal_and_leaves_who_waits_for_an_exit_waiting(
    app: App, node: Node
) -> None:
    identity = await created(app, Cmd=["nosuch"])
    waiting = await stream(app, "POST", f"/containers/{identity}/wait?condition=next-exit")
    attached = await hijack(app, "POST", f"/containers/{identity}/{ATTACH}", Upgrade="tcp")
    talk = asyncio.ensure_future(said(attached))
    status, message = await refused(app, "POST", f"/containers/{identity}/start")
    assert (status, "executable file not found" in message) == (500, True)
    assert await talk == b""
    assert len(node.lives[identity].waiting) == 1, "`docker run -d` tells of its start alone"
    await ask(app, "DELETE", f"/containers/{identity}")
    assert [piece async for piece in waiting.pieces] == [b'{"StatusCode":127}\n']


async def test_who_asks_later_hears_why_the_start_failed(app: App) -> None:
    identity = await created(app, Cmd=["nosuch"])
    _, message = await refused(app, "POST", f"/containers/{identity}/start")
    waiting = await stream(app, "POST", f"/containers/{identity}/wait")
    told = json.loads(await anext(waiting.pieces))
    assert (told["StatusCode"], told["Error"]["Message"]) == (127, message)


async def test_waiting_for_the_removal(app: App) -> None:
    identity = await created(app, Cmd=["sh", "-c", "exit 4"], HostConfig={"AutoRemove": True})
    waiting = await stream(app, "POST", f"/containers/{identity}/wait?condition=removed")
    await ask(app, "POST", f"/containers/{identity}/start")
    assert [piece async for piece in waiting.pieces] == [b'{"StatusCode":4}\n']
    assert (await refused(app, "GET", f"/containers/{identity}/json"))[0] == 404


async def test_who_waits_no_more_is_forgotten(app: App, node: Node) -> None:
    identity = await running(app)
    waiting = await stream(app, "POST", f"/containers/{identity}/wait?condition=next-exit")
    assert len(node.lives[identity].waiting) == 1
    waiting.close()
    await until(lambda: not node.lives[identity].waiting)


async def test_a_condition_there_is_not(app: App) -> None:
    identity = await created(app)
    expected = (400, 'invalid condition: "never"')
    assert await refused(app, "POST", f"/containers/{identity}/wait?condition=never") == expected


async def test_attached_before_the_start_nothing_is_missed(app: App) -> None:
    identity = await created(app, Cmd=["sh", "-c", "echo out; echo err >&2"])
    got = await hijack(app, "POST", f"/containers/{identity}/{ATTACH}", Upgrade="tcp")
    assert (got.content_type, got.upgrades) == ("application/vnd.docker.multiplexed-stream", True)
    await ask(app, "POST", f"/containers/{identity}/start")
    assert await said(got) == b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n"


async def test_a_terminal_is_raw(app: App) -> None:
    identity = await created(app, Cmd=["echo", "hi"], Tty=True)
    got = await hijack(app, "POST", f"/containers/{identity}/{ATTACH}", Upgrade="tcp")
    assert got.content_type == "application/vnd.docker.raw-stream"
    await ask(app, "POST", f"/containers/{identity}/start")
    assert await said(got) == b"hi\r\n"


async def test_old_clients_and_those_that_do_not_upgrade(app: App) -> None:
    identity = await created(app)
    got = await hijack(app, "POST", f"/v1.41/containers/{identity}/{ATTACH}")
    got.close()
    assert (got.content_type, got.upgrades) == ("application/vnd.docker.raw-stream", False)


async def test_input_reaches_the_program_and_its_end_does(app: App) -> None:
    identity = await created(app, Cmd=["cat"], OpenStdin=True, StdinOnce=True)
    got = await hijack(app, "POST", f"/containers/{identity}/{ATTACH}", Upgrade="tcp")
    await ask(app, "POST", f"/containers/{identity}/start")
    assert await said(got, b"abc\n") == b"\x01\0\0\0\0\0\0\x04abc\n"


async def test_a_closed_stdin_takes_no_input(app: App, node: Node) -> None:
    identity = await running(app, Cmd=["cat"])
    got = await hijack(app, "POST", f"/containers/{identity}/{ATTACH}", Upgrade="tcp")
    wire = Wire()
    wire.type(b"x")
    wire.leave()
    await got.talk(wire)
    got.close()
    program = node.lives[identity].program
    assert program is not None
    assert program.stdin.empty()
    assert node.lives[identity].console.readers == 0, "nobody reads any more"


async def test_attaching_to_what_was_written_alone_ends(app: App, node: Node) -> None:
    identity = await running(app, Cmd=["sh", "-c", "echo out; sleep 1000"])
    await until(lambda: bool(node.lives[identity].console.log))
    got = await hijack(app, "POST", f"/containers/{identity}/attach?logs=1&stdout=1", Upgrade="tcp")
    assert await said(got) == b"\x01\0\0\0\0\0\0\x04out\n"


async def test_bad_detach_keys(app: App) -> None:
    identity = await created(app)
    status, _ = await refused(app, "POST", f"/containers/{identity}/attach?stream=1&detachKeys=nokey")
    assert status == 400


async def test_logs(app: App, node: Node) -> None:
    identity = await running(app, Cmd=["sh", "-c", "echo one; echo two; echo err >&2"])
    await until(lambda: node.containers[identity].state.status == "exited")
    base = f"/containers/{identity}/logs"
    both = b"\x01\0\0\0\0\0\0\x04one\n\x01\0\0\0\0\0\0\x04two\n\x02\0\0\0\0\0\0\x04err\n"
    assert await text(app, f"{base}?stdout=1&stderr=1") == both
    assert await text(app, f"{base}?stdout=1&stderr=1&tail=all") == both
    assert await text(app, f"{base}?stdout=1&tail=1") == b"\x01\0\0\0\0\0\0\x04two\n"
    assert await text(app, f"{base}?stderr=1&details=1") == b"\x02\0\0\0\0\0\0\x05 err\n"
    assert await text(app, f"{base}?stdout=1&since=9999999999") == b""
    assert await text(app, f"{base}?stdout=1&until=1000000000.5") == b""
    stamped = await text(app, f"{base}?stdout=1&timestamps=1&tail=1")
    assert len(stamped) == 8 + len("2026-01-01T00:00:00.000000000Z two\n")
    assert await refused(app, "GET", base) == (400, "Bad parameters: you must choose at least one stream")
    assert (await refused(app, "GET", f"{base}?stdout=1&since=yesterday"))[0] == 400


async def test_logs_are_followed_to_the_end(app: App, node: Node) -> None:
    identity = await running(app, Cmd=["cat"], OpenStdin=True, Tty=True)
    got = await stream(app, "GET", f"/containers/{identity}/logs?stdout=1&follow=1")
    assert got.headers["Content-Type"] == "application/vnd.docker.raw-stream"
    program = node.lives[identity].program
    assert program is not None
    program.stdin.put_nowait(b"x\n")
    program.stdin.put_nowait(None)
    assert b"".join([piece async for piece in got.pieces]) == b"x\r\n"


async def test_exec(app: App) -> None:
    await running(app, "c1")
    body = {"Cmd": ["sh", "-c", "echo out; exit 5"], "AttachStdout": True, "AttachStderr": True}
    status, shape = await ask(app, "POST", "/containers/c1/exec", body)
    assert (status, list(shape)) == (201, ["Id"])
    path = f"/exec/{shape['Id']}"
    _, before = await ask(app, "GET", f"{path}/json")
    assert (before["Running"], before["ExitCode"]) == (False, None)
    got = await hijack(app, "POST", f"{path}/start", {"Detach": False, "Tty": False}, Upgrade="tcp")
    assert await said(got) == b"\x01\0\0\0\0\0\0\x04out\n"
    _, after = await ask(app, "GET", f"{path}/json")
    assert (after["Running"], after["ExitCode"]) == (False, 5)
    assert after["ProcessConfig"]["arguments"] == ["-c", "echo out; exit 5"]
    again = await hijack(app, "POST", f"{path}/start", {}, Upgrade="tcp")
    assert b"has already run\r\n" in await said(again), "a client that wants a stream reads nothing else"
    assert (await refused(app, "POST", f"{path}/start", {"Detach": True}))[0] == 409


async def test_exec_with_input(app: App) -> None:
    await running(app, "c1")
    body = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True}
    _, shape = await ask(app, "POST", "/containers/c1/exec", body)
    got = await hijack(app, "POST", f"/exec/{shape['Id']}/start", {}, Upgrade="tcp")
    assert await said(got, b"x") == b"\x01\0\0\0\0\0\0\x01x"


async def test_exec_detached(app: App, node: Node) -> None:
    await running(app, "c1")
    _, shape = await ask(app, "POST", "/containers/c1/exec", {"Cmd": ["sleep", "0"]})
    assert await ask(app, "POST", f"/exec/{shape['Id']}/start", {"Detach": True}) == (200, None)
    await until(lambda: node.execs[shape["Id"]].exit_code == 0)


async def test_exec_of_nothing_in_nothing(app: App) -> None:
    await created(app, "c1")
    assert await refused(app, "POST", "/containers/c1/exec", {}) == (400, "No exec command specified")
    status, message = await refused(app, "POST", "/containers/c1/exec", {"Cmd": ["ls"]})
    assert (status, message.endswith(" is not running")) == (409, True)
    assert await refused(app, "GET", "/exec/x/json") == (404, "No such exec instance: x")
    assert await refused(app, "POST", "/exec/x/start", {}) == (404, "No such exec instance: x")


async def test_resize(app: App, node: Node) -> None:
    identity = await running(app, "c1")
    assert await ask(app, "POST", "/containers/c1/resize?h=24&w=80") == (200, None)
    program = node.lives[identity].program
    assert program is not None
    assert program.size == (24, 80)
    _, shape = await ask(app, "POST", "/containers/c1/exec", {"Cmd": ["sleep", "1000"]})
    await ask(app, "POST", f"/exec/{shape['Id']}/start", {"Detach": True})
    assert await ask(app, "POST", f"/exec/{shape['Id']}/resize?h=10&w=20") == (200, None)
    assert node.exec_programs[shape["Id"]].size == (10, 20)
    assert await refused(app, "POST", "/containers/c1/resize?h=x&w=80") == (
        400,
        'invalid resize height "x": invalid syntax',
    )


async def test_top(app: App) -> None:
    await running(app, "c1")
    _, shape = await ask(app, "GET", "/containers/c1/top?ps_args=aux")
    assert shape["Titles"] == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    assert shape["Processes"] == [["root", "4242", "1", "0", "00:00", "?", "00:00:00", "sleep 1000"]]


async def test_there_are_no_stats(app: App) -> None:
    await running(app, "c1")
    assert (await refused(app, "GET", "/containers/c1/stats?stream=0"))[0] == 501


@pytest.mark.parametrize("since", ["", "&since=1000000000"])
async def test_events(app: App, node: Node, since: str) -> None:
    got = await stream(app, "GET", f"/events?x=1{since}")
    assert node.events.listeners == 1, "listening before anything is read"
    identity = await running(app, "c1")
    first = json.loads(await anext(got.pieces))
    second = json.loads(await anext(got.pieces))
    await got.pieces.aclose()
    got.close()
    assert node.events.listeners == 0
    assert (first["Action"], second["Action"]) == ("create", "start")
    assert first["Actor"] == {"ID": identity, "Attributes": {"image": "alpine", "name": "c1"}}
    assert (first["status"], first["id"], first["from"]) == ("create", identity, "alpine")
    assert first["timeNano"] // 1_000_000_000 == first["time"]


async def test_past_events_alone(app: App, node: Node) -> None:
    await ask(app, "POST", "/networks/create", {"Name": "net"})
    await created(app, "c1")
    now = node.clock.wall()
    past = await text(app, f"/events?since=0.1&until={now:.6f}&filters=%7B%22type%22:%5B%22network%22%5D%7D")
    (event,) = map(json.loads, past.splitlines())
    assert (event["Type"], event["Action"], event["Actor"]["Attributes"]["type"]) == (
        "network",
        "create",
        "bridge",
    )
    assert "status" not in event


async def test_events_end_at_their_time(app: App, node: Node) -> None:
    assert await text(app, f"/events?until={node.clock.wall() + 0.05:.6f}") == b""
    assert node.events.listeners == 0
    assert (await refused(app, "GET", "/events?since=20&until=10"))[0] == 400


async def test_a_pull_of_what_is_there(app: App) -> None:
    got = await answer(app, "POST", "/images/create?fromImage=docker.io%2Flibrary%2Falpine&tag=latest")
    lines = [json.loads(piece) async for piece in got.pieces]  # type: ignore[union-attr]
    assert lines[0] == {"status": "Pulling from library/alpine", "id": "latest"}
    assert lines[-1] == {"status": "Status: Image is up to date for alpine:latest"}


async def test_a_pull_of_anything_else_lists_what_is_there(app: App) -> None:
    assert await refused(app, "POST", "/images/create?fromImage=docker.io%2Flibrary%2Fnosuch&tag=1") == (
        404,
        "No such image: nosuch:1. Only these are there: alpine, nginx",
    )


async def test_images(app: App) -> None:
    _, images = await ask(app, "GET", "/images/json")
    assert [image["RepoTags"] for image in images] == [["alpine:latest"], ["nginx:latest"]]
    _, nginx = await ask(app, "GET", "/images/docker.io%2Flibrary%2Fnginx:latest/json")
    assert nginx["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert await refused(app, "GET", "/images/x/json") == (404, "No such image: x:latest")
    _, found = await ask(app, "GET", "/images/json?filters=%7B%22reference%22:%7B%22nginx%22:true%7D%7D")
    assert len(found) == 1
    assert (await ask(app, "GET", "/images/json?filters=%7B%22dangling%22:%5B%22true%22%5D%7D"))[1] == []

"""Requests to the app as a client would make them, without sockets."""

from __future__ import annotations

import json
from typing import Any

from node.api.app import App
from node.api.http import Answer, Hijack, Request, Response, Stream


async def answer(app: App, method: str, target: str, body: object = None, **headers: str) -> Answer:
    """Whatever comes back."""
    content = b"" if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if content else {}
    return await app.handle(Request.of(method, target, {**kind, **headers}, content))


async def ask(app: App, method: str, target: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON of a whole answer; None where there is no body."""
    got = await answer(app, method, target, body)
    assert isinstance(got, Response), f"{method} {target} streams"
    if not got.body:
        return got.status, None
    assert got.headers["Content-Type"] == "application/json"
    assert got.body.endswith(b"\n")
    return got.status, json.loads(got.body)


async def refused(app: App, method: str, target: str, body: object = None) -> tuple[int, str]:
    """Status and message of a refusal."""
    status, shape = await ask(app, method, target, body)
    assert status >= 400, shape
    assert list(shape) == ["message"]
    return status, shape["message"]


async def stream(app: App, method: str, target: str) -> Stream:
    """An answer that streams; the caller closes it."""
    got = await answer(app, method, target)
    assert isinstance(got, Stream), got
    return got


async def hijack(app: App, method: str, target: str, body: object = None, **headers: str) -> Hijack:
    """An answer that takes the connection over; the caller closes it."""
    got = await answer(app, method, target, body, **headers)
    assert isinstance(got, Hijack), got
    return got


async def created(app: App, name: str = "", **config: Any) -> str:
    """The id of a new container that sleeps, unless told otherwise."""
    body = {"Image": "alpine", "Cmd": ["sleep", "1000"], **config}
    status, shape = await ask(app, "POST", f"/containers/create?name={name}", body)
    assert status == 201, shape
    return str(shape["Id"])


async def running(app: App, name: str = "", **config: Any) -> str:
    """The id of a container that runs."""
    identity = await created(app, name, **config)
    assert await ask(app, "POST", f"/containers/{identity}/start") == (204, None)
    return identity

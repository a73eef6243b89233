"""What every request meets: version, path, body, and errors as answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import errors
from node.api.app import App
from node.api.http import Request, Response
from node.api.status import error_response
from node.edge.clock import SystemClock
from tests.api.asking import answer, ask, refused
from tests.api.memory import Node
from tests.api.memory_backend import memory_backend


async def raw(app: App, method: str, target: str, body: bytes, **headers: str) -> tuple[int, str]:
    got = await app.handle(Request.of(method, target, headers, body))
    assert isinstance(got, Response)
    return got.status, json.loads(got.body or b"{}").get("message", "")


@pytest.mark.parametrize("prefix", ["", "/v1.24", "/v1.41", "/v1.50"])
async def test_every_version_that_is_spoken_answers_the_same(app: App, prefix: str) -> None:
    assert await ask(app, "GET", f"{prefix}/version") == await ask(app, "GET", "/version")


async def test_a_client_that_is_too_old_hears_so(app: App) -> None:
    assert await refused(app, "GET", "/v1.23/version") == (
        400,
        "client version 1.23 is too old. Minimum supported API version is 1.24, "
        "please upgrade your client to a newer version",
    )


async def test_a_client_that_is_too_new_hears_so(app: App) -> None:
    expected = (400, "client version 1.60 is too new. Maximum supported API version is 1.50")
    assert await refused(app, "GET", "/v1.60/version") == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nosuch"), ("PATCH", "/networks"), ("GET", "/"), ("GET", "/v1.50"), ("GET", "/vx.y/info")],
)
async def test_there_is_no_such_page(app: App, method: str, path: str) -> None:
    assert await refused(app, method, path) == (404, "page not found")


async def test_every_answer_says_which_api_this_is(app: App) -> None:
    for target in ("/_ping", "/nosuch", "/networks"):
        got = await answer(app, "GET", target)
        assert isinstance(got, Response)
        assert got.headers["Api-Version"] == "1.50"
        assert got.headers["Server"] == "Docker/28.2.2 (linux)"
        assert got.headers["Ostype"] == "linux"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidParameter("x"), 400),
        (errors.Forbidden("x"), 403),
        (errors.NotFound("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.Failed("x"), 500),
        (errors.NotImplemented("x"), 501),
        (errors.Unavailable("x"), 503),
        (errors.NodeError("x"), 500),
    ],
)
def test_a_kind_of_error_has_its_status(error: errors.NodeError, status: int) -> None:
    got = error_response(error)
    assert (got.status, got.body) == (status, b'{"message":"x"}\n')
    assert got.headers["Content-Type"] == "application/json", "with a charset the CLI shows it raw"


def test_what_is_so_already_has_no_body() -> None:
    assert error_response(errors.NotModified("x")) == Response(304)


async def test_keys_of_a_body_match_in_any_case(app: App) -> None:
    status, shape = await ask(
        app, "POST", "/networks/create", {"name": "net", "IPAM": {"config": [{"SUBNET": "10.1.0.0/24"}]}}
    )
    assert status == 201
    _, network = await ask(app, "GET", f"/networks/{shape['Id']}")
    assert network["IPAM"]["Config"] == [{"Subnet": "10.1.0.0/24"}]


async def test_null_is_like_absent(app: App) -> None:
    body = {"Name": "net", "IPAM": None, "Options": None, "EnableIPv6": None, "ConfigFrom": None}
    assert (await ask(app, "POST", "/networks/create", body))[0] == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Name": 3}, "invalid JSON: Name must be a string"),
        ({"Name": "x", "Internal": "yes"}, "invalid JSON: Internal must be a boolean"),
        ({"Name": "x", "IPAM": []}, "invalid JSON: IPAM must be an object"),
        ({"Name": "x", "IPAM": {"Config": [3]}}, "invalid JSON: IPAM.Config must be a list of objects"),
        ({"Name": "x", "Labels": {"a": 1}}, "invalid JSON: Labels must hold strings"),
        ([1], "invalid JSON: the body must be an object"),
    ],
)
async def test_a_value_of_another_type_is_refused(app: App, body: object, message: str) -> None:
    assert await refused(app, "POST", "/networks/create", body) == (400, message)


async def test_what_is_no_json_is_refused(app: App) -> None:
    kind = {"Content-Type": "application/json"}
    for junk in (b"{", b"\xff\xfe", b"{}{}", b"[" * 100_000, b'{"Name": "\xed\xa0\x80"}'):
        status, message = await raw(app, "POST", "/networks/create", junk, **kind)
        assert (status, message[:13]) == (400, "invalid JSON:"), junk[:10]


async def test_a_body_of_another_kind_is_refused(app: App) -> None:
    status, message = await raw(app, "POST", "/networks/create", b"Name=x", **{"Content-Type": "text/plain"})
    expected = "unsupported Content-Type header (text/plain): must be 'application/json'"
    assert (status, message) == (400, expected)


async def test_a_charset_beside_the_kind_is_fine(app: App) -> None:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert (await raw(app, "POST", "/networks/create", b'{"Name":"x"}', **kind))[0] == 201


@pytest.mark.parametrize("word", ["", "0", "no", "false", "none", "False", " NO "])
def test_words_for_no(word: str) -> None:
    assert not Request("GET", "/", {"all": word}, {}).flag("all", default=True)


@pytest.mark.parametrize("word", ["1", "true", "True", "yes", "x"])
def test_every_other_word_is_yes(word: str) -> None:
    assert Request("GET", "/", {"all": word}, {}).flag("all")


def test_of_several_values_the_first_counts() -> None:
    assert Request.of("GET", "/x?a=1&a=2&b=%2F", {}, b"").query == {"a": "1", "b": "/"}


def test_a_path_is_unquoted() -> None:
    assert Request.of("GET", "/images/docker.io%2Flibrary%2Fa/json", {}, b"").path == (
        "/images/docker.io/library/a/json"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/volumes/create"),
        ("POST", "/auth"),
        ("POST", "/build"),
        ("POST", "/session"),
        ("POST", "/commit"),
        ("GET", "/containers/x/archive"),
        ("PUT", "/containers/x/archive"),
        ("POST", "/images/load"),
        ("DELETE", "/images/alpine"),
    ],
)
async def test_what_will_never_be_says_so(app: App, method: str, path: str) -> None:
    status, sentence = await refused(app, method, path)
    assert status == 501
    assert len(sentence) > 20


async def test_lists_of_what_there_is_none_are_empty(app: App) -> None:
    assert await ask(app, "GET", "/volumes") == (200, {"Volumes": [], "Warnings": None})
    assert await ask(app, "GET", "/plugins") == (200, [])
    assert (await refused(app, "GET", "/volumes/v"))[0] == 404
    assert (await refused(app, "GET", "/plugins/p/json"))[0] == 404
    assert (await refused(app, "GET", "/distribution/nginx:latest/json"))[0] == 404


PATHS = st.sampled_from(
    [
        "/networks/create",
        "/networks/bridge/connect",
        "/containers/create",
        "/containers/x/exec",
        "/exec/x/start",
        "/networks?filters=",
        "/containers/json?filters=",
        "/events?until=1&filters=",
    ]
)
KEY_NAMES = (
    "Cmd Config Container EndpointConfig EndpointsConfig Env HostConfig IPAM Image Name NetworkingConfig "
    "PortBindings RestartPolicy Subnet label name status"
)
KEYS = st.sampled_from(KEY_NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(path=PATHS, value=JSON)
async def test_whatever_is_asked_is_answered(path: str, value: object) -> None:
    state = Node(SystemClock())
    app = App(memory_backend(state), state.clock)
    if "?" in path:
        got = await answer(app, "GET", path + json.dumps(value))
    else:
        got = await answer(app, "POST", path, value)
    if isinstance(got, Response):
        assert got.status < 500 or got.status == 501, got.body
    else:
        got.close()
    await state.close()

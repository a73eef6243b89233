"""Talking with a plugin: found by name, activated once, asked in JSON, and waited for when it is away.

    name --find--> address --Plugin.Activate--> what it implements --call--> answer, checked

Everything a plugin says is looked at before it is believed. What goes wrong is told in the words of
the engine (moby: pkg/plugins/client.go, plugins.go; daemon/pkg/plugin/store.go):

    no such plugin            plugin "x" not found
    cannot be activated       legacy plugin: ...
    away for 30 s             Post "http://plugin.moby.localhost/METHOD": dial unix ...
    status other than 200     METHOD: <its Err, or its body>
    Err (Error for IPAM)      remote: <text>
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec

from node import errors
from node.errors import Failed, NotFound
from node.model.debt import Call
from node.seams import ANSWER_BYTES_MAX, Clock, PluginAnswer, PluginAway, Plugins

NETWORK_DRIVER = "NetworkDriver"
IPAM_DRIVER = "IpamDriver"
PATIENCE_S = 30.0
"""How long a plugin that does not answer is asked again: after 1, 2, 4, 8 seconds."""
UNDO_TIMEOUT_S = 3.0
"""For a call that gives something back: it is tried once, and owed until it has been heard."""
ERROR_CHARACTERS_MAX = 1000
"""Of a plugin's own words in an error."""
UNIX_HOST = "plugin.moby.localhost"
"""How the engine shows the address of a unix socket in its errors."""
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
"""Nothing that could lead out of the directories where plugins are looked for."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding JSON of other people may raise."""

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Response(msgspec.Struct, frozen=True):
    """An answer of which nothing but its error matters."""


class Manifest(msgspec.Struct, frozen=True):
    """The answer to Plugin.Activate."""

    Implements: tuple[str, ...] | None = None


class _Problem(msgspec.Struct, frozen=True):
    Err: str | None = None
    Error: str | None = None


class PluginRefused(Failed):
    """The plugin has answered, and said no."""


class PluginLacks(Failed):
    """The plugin has no such method (404)."""


class PluginUnclear(Failed):
    """No answer, or none that means anything: what the plugin did is not known."""


class Debts(Protocol):
    """What is owed to plugins, kept where it survives a crash (node/control/debts.py)."""

    held: dict[str, None]
    """Holders in flight, and those that stand."""

    async def owe(self, holder: str, call: Call, network_scope: str = "") -> None:
        """The call will be due once the holder is gone, whatever happens to this node meanwhile."""

    async def forgive(self, holder: str, method: str) -> None:
        """The plugin holds nothing after all."""

    async def pay(self, holder: str, methods: str = "") -> bool:
        """Make the calls of a holder, latest first; False if a plugin could not be told now.

        ``methods``: only those that begin like this.
        """


class Plugin:
    """One plugin by its name. All that asks raises Failed; ``activate`` also NotFound."""

    def __init__(self, name: str, plugins: Plugins, clock: Clock, patience_s: float) -> None:
        self.name = name
        self.manifest: Manifest | None = None
        self._plugins = plugins
        self._clock = clock
        self._patience_s = patience_s
        self._address = ""

    async def activate(self, kind: str) -> None:
        """Make sure that it is there and implements ``kind``: "NetworkDriver" or "IpamDriver"."""
        if self.manifest is None:
            if not self.exists:
                if self.name == "ipvlan":
                    raise errors.NotImplemented("ipvlan is not simulated yet: macvlan comes closest to it")
                raise NotFound(f'plugin "{self.name}" not found')
            try:
                self.manifest = await self.ask("Plugin.Activate", None, Manifest)
            except Failed as error:
                raise Failed(f"legacy plugin: {error}") from None
        if kind not in (self.manifest.Implements or ()):
            raise Failed(
                "legacy plugin: Plugin does not implement the requested driver: "
                f'plugin="{self.name}", requested implementation="{kind}"'
            )

    @property
    def exists(self) -> bool:
        """Somebody has said where it listens."""
        if _NAME.fullmatch(self.name):
            self._address = self._plugins.find(self.name) or self._address
        return bool(self._address)

    async def ask(self, method: str, body: Mapping[str, Any] | None, answer: type[Answer]) -> Answer:
        """One call, repeated while nobody answers. Raises PluginRefused, PluginLacks, PluginUnclear."""
        began, pause = self._clock.now(), 1.0
        while True:
            try:
                spent = self._clock.now() - began
                response = await self._post(method, body, max(self._patience_s - spent, UNDO_TIMEOUT_S))
                break
            except PluginAway as away:
                if self._clock.now() - began + pause >= self._patience_s:
                    raise PluginUnclear(f'Post "http://{self._host}/{method}": {away}') from None
            await self._clock.sleep(pause)
            pause *= 2
        return _read(method, response, answer)

    @property
    def _host(self) -> str:
        scheme, _, place = self._address.partition("://")
        return place if scheme == "tcp" else UNIX_HOST

    async def tell(self, call: Call) -> None:
        """One call, tried once. Raises PluginAway; PluginRefused, PluginLacks, PluginUnclear."""
        _read(call.method, await self._post(call.method, call.body, UNDO_TIMEOUT_S), Response)

    async def _post(self, method: str, body: Mapping[str, Any] | None, timeout_s: float) -> PluginAnswer:
        if not self.exists:
            raise PluginAway(f'plugin "{self.name}" not found')
        content = b"" if body is None else msgspec.json.encode(body)
        return await self._plugins.post(self._address, method, content, timeout_s)


class PluginTable:
    """Plugins by name: one process may build networks and give addresses.

    It lasts as long as a driver or an IPAM has it, so that names which are nobody's are not remembered.
    """

    def __init__(self, plugins: Plugins, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._plugins = plugins
        self._clock = clock
        self._patience_s = patience_s
        self._known: WeakValueDictionary[str, Plugin] = WeakValueDictionary()

    def __getitem__(self, name: str) -> Plugin:
        plugin = self._known.get(name)
        if plugin is None:
            plugin = self._known[name] = Plugin(name, self._plugins, self._clock, self._patience_s)
        return plugin

    def __contains__(self, name: str) -> bool:
        return name in self._known


def _read(method: str, response: PluginAnswer, answer: type[Answer]) -> Answer:
    """What a plugin said, if it is what the method promises."""
    if len(response.body) > ANSWER_BYTES_MAX:
        raise PluginUnclear(f"{method}: the plugin's answer is longer than {ANSWER_BYTES_MAX} bytes")
    problem = _Problem()
    broken: Exception | None = None
    try:
        problem = msgspec.json.decode(response.body, type=_Problem)
    except UNREADABLE as error:
        broken = error
    if response.status != 200:
        words = problem.Err or response.body.decode(errors="replace")
        kind = PluginLacks if response.status == 404 else PluginUnclear
        raise kind(f"{method}: {words[:ERROR_CHARACTERS_MAX]}")
    if told := problem.Error if method.startswith(IPAM_DRIVER) else problem.Err:
        raise PluginRefused(f"remote: {told[:ERROR_CHARACTERS_MAX]}")
    if not response.body.strip():
        raise PluginUnclear("EOF")  # Go's JSON decoder at the end of nothing
    try:
        if broken is None:
            return msgspec.json.decode(response.body, type=answer)
    except UNREADABLE as error:
        broken = error
    raise PluginUnclear(f"{method}: the plugin's answer makes no sense: {broken}")

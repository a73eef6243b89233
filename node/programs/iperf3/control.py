"""The control connection: states, one byte each, and JSON with its length before it (iperf_api.h)."""

from __future__ import annotations

import random
from enum import IntEnum

from node.stack.streams import TcpStream

VERSION = "3.12"
DEFAULT_PORT = 5201
COOKIE_BYTES = 37
COOKIE_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
JSON_BYTES_MAX = 65_536
INITIAL_WAIT_S = 30.0
"""How long the other end may take for a word that it owes."""


class State(IntEnum):
    """What one end tells the other."""

    TEST_START = 1
    TEST_RUNNING = 2
    TEST_END = 4
    PARAM_EXCHANGE = 9
    CREATE_STREAMS = 10
    SERVER_TERMINATE = 11
    CLIENT_TERMINATE = 12
    EXCHANGE_RESULTS = 13
    DISPLAY_RESULTS = 14
    IPERF_DONE = 16
    ACCESS_DENIED = -1
    SERVER_ERROR = -2


class Failed(Exception):
    """Why there is no result, in iperf3's words."""


class ControlClosed(Failed):
    """The other end has gone without a word."""


def new_cookie(chance: random.Random) -> bytes:
    """By which a server knows which connections belong together; it ends with a zero byte."""
    return "".join(chance.choice(COOKIE_LETTERS) for _ in range(COOKIE_BYTES - 1)).encode() + b"\0"


async def read_exactly(stream: TcpStream, count: int) -> bytes:
    """Raises ControlClosed, OSError."""
    data = b""
    while len(data) < count:
        part = await stream.read(count - len(data))
        if not part:
            raise ControlClosed("control socket has closed unexpectedly")
        data += part
    return data


class Control:
    """One end of it."""

    def __init__(self, stream: TcpStream, cookie: bytes) -> None:
        self.stream = stream
        self.cookie = cookie

    async def say(self, state: State) -> None:
        """Raises OSError."""
        await self.stream.write(state.to_bytes(1, "big", signed=True))

    async def hear(self) -> State:
        """The next state. Raises ControlClosed, Failed, OSError."""
        number = int.from_bytes(await read_exactly(self.stream, 1), "big", signed=True)
        try:
            return State(number)
        except ValueError:
            raise Failed("received an unknown control message") from None

    async def send_json(self, text: bytes) -> None:
        """Raises OSError."""
        await self.stream.write(len(text).to_bytes(4, "big") + text)

    async def read_json(self) -> bytes:
        """Raises ControlClosed, Failed, OSError."""
        size = int.from_bytes(await read_exactly(self.stream, 4), "big")
        if size > JSON_BYTES_MAX:
            raise Failed("unable to receive parameters from client: they are too long")
        return await read_exactly(self.stream, size)

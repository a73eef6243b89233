"""The keys that detach a user from a container's terminal without ending anything (ctrl-p ctrl-q)."""

from __future__ import annotations

from node.errors import InvalidParameter

DEFAULT = b"\x10\x11"
KEYS_MAX = 16

_CONTROL = {
    f"ctrl-{letter}": bytes([number]) for number, letter in enumerate("@abcdefghijklmnopqrstuvwxyz[\\]^_")
}


def parse_keys(text: str) -> bytes:
    """ "ctrl-p,ctrl-q" or "ctrl-@,x" as what a terminal sends. Raises InvalidParameter."""
    if not text:
        return DEFAULT
    names = text.split(",")
    keys = b"".join(_CONTROL.get(name) or _plain(name) for name in names)
    if len(keys) != len(names) or len(keys) > KEYS_MAX:
        raise InvalidParameter(f"Invalid detach keys ({text}) provided")
    return keys


def _plain(name: str) -> bytes:
    return name.encode() if len(name) == 1 and name.isascii() else b""


class DetachKeys:
    """Watches what is typed for the sequence; holds back what may be its beginning."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._seen = 0

    def watch(self, data: bytes) -> tuple[bytes, bool]:
        """What is to be passed on, and whether the sequence is complete; nothing behind it is passed on."""
        passed = bytearray()
        for byte in data:
            if byte != self._keys[self._seen]:
                passed += self._keys[: self._seen]
                self._seen = 0
            if byte == self._keys[self._seen]:
                self._seen += 1
                if self._seen == len(self._keys):
                    return bytes(passed), True
            else:
                passed.append(byte)
        return bytes(passed), False

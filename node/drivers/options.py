"""Driver options as users write them (`-o key=value`), read once and refused in the engine's words."""

from __future__ import annotations

from collections.abc import Mapping

from node.errors import InvalidParameter

MTU_OPTION = "com.docker.network.driver.mtu"
ENCRYPTED_OPTION = "encrypted"
"""Of overlays. Its value is empty: that it is there counts."""
MTU_MIN = 68
"""Every link must carry this much (RFC 791)."""
MTU_MAX = 65535

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def boolean(options: Mapping[str, str], key: str, *, default: bool) -> bool:
    """A yes or no, in the spellings of Go's strconv.ParseBool. Raises InvalidParameter."""
    text = options.get(key)
    if text is None:
        return default
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidParameter(
        f'failed to parse {key} value: {text} (strconv.ParseBool: parsing "{text}": invalid syntax)'
    )


def mtu(options: Mapping[str, str], default: int) -> int:
    """The MTU in bytes; 0 means the default. Raises InvalidParameter."""
    text = options.get(MTU_OPTION)
    if text is None:
        return default
    if text.startswith("-") and text[1:].isdecimal() and int(text) < 0:
        raise InvalidParameter(f"invalid MTU number: {int(text)}")
    if not text.isdecimal():
        raise InvalidParameter(
            f'failed to parse {MTU_OPTION} value: {text} (strconv.Atoi: parsing "{text}": invalid syntax)'
        )
    value = int(text) or default
    if not MTU_MIN <= value <= MTU_MAX:
        raise InvalidParameter(f"invalid MTU {value}: it is between {MTU_MIN} and {MTU_MAX}")
    return value

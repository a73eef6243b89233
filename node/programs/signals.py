"""Signals by name and number, and what a program does about them."""

from __future__ import annotations

from collections.abc import Callable

from node.errors import InvalidParameter

SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM = 1, 2, 3, 9, 15

NUMBERS: dict[str, int] = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17,
    "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25,
    "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
"""Linux on x86 and ARM (signal(7))."""

IGNORED_BY_DEFAULT = (17, 18, 23, 28)
"""CHLD, CONT, URG, WINCH."""


def number_of(text: str) -> int:
    """ "SIGTERM", "term" or "15" as a number. Raises InvalidParameter."""
    name = text.strip().upper().removeprefix("SIG")
    if name.isdecimal() and 0 < int(name) <= 64:
        return int(name)
    if name in NUMBERS:
        return NUMBERS[name]
    raise InvalidParameter(f"invalid signal: {text}")


class Handlers:
    """Which signals a program handles itself. What it does not handle ends it, or is ignored."""

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[], None]] = {}

    def on(self, signal: int, act: Callable[[], None]) -> None:
        """Do this when the signal comes."""
        self._handlers[signal] = act

    def clear(self, signal: int) -> None:
        """Back to the default."""
        self._handlers.pop(signal, None)

    def deliver(self, signal: int) -> bool:
        """Let the program handle it; False if it does not."""
        act = self._handlers.get(signal)
        if act is None:
            return False
        act()
        return True

"""trap: what a shell does when a signal comes, or when it ends."""

from __future__ import annotations

import asyncio
from collections import deque

from node.errors import InvalidParameter
from node.programs.signals import NUMBERS, SIGINT, Handlers, number_of

EXIT = 0
PENDING_MAX = 64


class Traps:
    """The actions of one shell, by signal; 0 is its end. They run between commands, never within one."""

    def __init__(self, signals: Handlers, above: Traps | None = None) -> None:
        """``above`` are those of the shell that this one is a part of: signals are for that one."""
        self.actions: dict[int, str] = {}
        self.pending: deque[int] = deque(maxlen=PENDING_MAX)
        self._signals = signals
        self._above = above
        self._came = asyncio.Event()

    def set(self, name: str, action: str) -> None:
        """An action for "INT", "SIGTERM", "15" or "EXIT"; "-" is the default. Raises ValueError."""
        try:
            signal = EXIT if name in ("EXIT", "0") else number_of(name)
        except InvalidParameter:
            raise ValueError(name) from None
        if action == "-":
            self.actions.pop(signal, None)
        else:
            self.actions[signal] = action
        self.listen(signal)

    def listen(self, signal: int = SIGINT) -> None:
        """Hear a signal if it has an action: also after a program in the foreground has had ^C for itself."""
        if self._above is not None:
            self._above.listen(signal)
        elif signal == EXIT:
            return
        elif signal in self.actions:
            self._signals.on(signal, lambda: self.come(signal))
        else:
            self._signals.clear(signal)

    def come(self, signal: int) -> None:
        """A signal is here; one without an action, or with an empty one, does nothing."""
        if self._above is not None:
            self._above.come(signal)
        elif self.actions.get(signal):
            self.pending.append(signal)
            self._came.set()

    def next(self) -> str:
        """The action for the signal that has waited longest."""
        action = self.actions.get(self.pending.popleft(), "")
        if not self.pending:
            self._came.clear()
        return action

    async def outlast(self, work: asyncio.Task[int]) -> bool:
        """Wait for work; False if a signal with an action comes before its end."""
        came = asyncio.get_running_loop().create_task(self._came.wait())
        try:
            await asyncio.wait((work, came), return_when=asyncio.FIRST_COMPLETED)
        finally:
            came.cancel()
        return not self.pending

    def listing(self) -> str:
        """As `trap` without words shows them."""
        names = {EXIT: "EXIT", **{number: name for name, number in NUMBERS.items()}}
        lines = []
        for signal, action in sorted(self.actions.items()):
            quoted = action.replace("'", "'\\''")
            lines.append(f"trap -- '{quoted}' {names.get(signal, signal)}\n")
        return "".join(lines)

"""The line discipline of a terminal (termios(3)): what `-t` puts between a user and a program.

keys --> echo, line editing --> whole lines to the program
     `-> ^C ^\\  signals          output: NL becomes CR NL
"""

from __future__ import annotations

from dataclasses import dataclass

from node.programs.signals import SIGINT, SIGQUIT

LINE_BYTES_MAX = 4096

_INTERRUPT, _END_OF_FILE, _KILL_LINE, _ERASE_WORD, _QUIT, _ESCAPE = 0x03, 0x04, 0x15, 0x17, 0x1C, 0x1B
_ERASE = (0x7F, 0x08)


@dataclass(frozen=True, slots=True)
class Typed:
    """What some keys came to."""

    echo: bytes = b""
    data: bytes = b""
    """Whole lines for the program."""
    ended: bool = False
    """End of file: ^D on an empty line."""
    signals: tuple[int, ...] = ()


class LineDiscipline:
    """Keys in, what they mean out; holds the line that is being typed."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._escape = 0

    def type(self, keys: bytes) -> Typed:
        """Take some keys."""
        echo, data, signals = bytearray(), bytearray(), []
        ended = False
        for key in keys:
            if self._escape or key == _ESCAPE:
                self._skip_escape(key)  # arrow keys and their like edit nothing here
            elif key in (0x0D, 0x0A):
                echo += b"\r\n"
                data += self._line + b"\n"
                self._line.clear()
            elif key in (_INTERRUPT, _QUIT):
                echo += b"^C\r\n" if key == _INTERRUPT else b"^\\\r\n"
                self._line.clear()
                signals.append(SIGINT if key == _INTERRUPT else SIGQUIT)
            elif key == _END_OF_FILE:
                data += self._line
                ended = ended or not self._line
                self._line.clear()
            elif key in _ERASE or key in (_KILL_LINE, _ERASE_WORD):
                echo += b"\b \b" * self._erase(key)
            elif (key >= 0x20 or key == 0x09) and len(self._line) < LINE_BYTES_MAX:
                self._line.append(key)
                echo.append(key)
        return Typed(bytes(echo), bytes(data), ended, tuple(signals))

    def _skip_escape(self, key: int) -> None:
        """Swallow ESC [ ... letter."""
        if self._escape == 0:
            self._escape = 1
        elif self._escape == 1 and key in (0x5B, 0x4F):
            self._escape = 2
        elif self._escape == 1 or 0x40 <= key <= 0x7E:
            self._escape = 0

    def _erase(self, key: int) -> int:
        """Take characters off the line; how many columns that frees."""
        line = self._line
        before = len(line.decode(errors="replace"))
        if key == _KILL_LINE:
            line.clear()
        elif key == _ERASE_WORD:
            text = line.rstrip()
            del line[text.rfind(b" ") + 1 :]
        elif line:
            while line and line[-1] & 0xC0 == 0x80:  # the rest of a UTF-8 character
                line.pop()
            if line:
                line.pop()
        return before - len(line.decode(errors="replace"))


def printed(data: bytes) -> bytes:
    """Output as a terminal shows it: NL also returns the carriage (ONLCR)."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

"""Words to what they stand for: variables, output of commands, and the fields that blanks make of them."""

from __future__ import annotations

import fnmatch
import glob
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from node.programs.process import Process
from node.programs.shell.arithmetic import ArithmeticFailed, evaluate
from node.programs.shell.builtins import Exit
from node.programs.shell.tokens import Piece, Word
from node.programs.streams import Writer

_PARAMETER = re.compile(
    r"(?P<length>\#(?=\w))?(?P<name>\w+|[?$\#@*!-])(?:(?P<operator>:-|-|:\+|\+|\#\#|\#|%%|%)(?P<word>.*))?",
    re.DOTALL,
)

if TYPE_CHECKING:
    from node.programs.shell.run import Shell


class Expansion:
    """The words of one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def fields(self, words: tuple[Word, ...], process: Process) -> list[str]:
        """All words as the fields that they become."""
        return [field for word in words for field in await self._expand(word, process)]

    async def unsplit(self, word: Word, process: Process) -> str:
        """A word as one text, whatever blanks an expansion brings: what an assignment takes."""
        return "".join([await self._value(piece, process) for piece in word.pieces])

    async def pattern(self, word: Word, process: Process) -> str:
        """A word as a pattern (POSIX 2.14), in which what was quoted stands for itself."""
        parts = [(await self._value(piece, process), piece.quoted) for piece in word.pieces]
        return "".join(glob.escape(text) if quoted else text for text, quoted in parts)

    async def _expand(self, word: Word, process: Process) -> list[str]:
        """A word as the fields that it becomes: unquoted expansions are split at blanks."""
        fields = [""]
        present = False
        for piece in word.pieces:
            if piece.quoted and piece.kind == "name" and piece.text == "@":
                first, *others = self._shell.positional or ("",)
                fields[-1] += first
                fields += others
                present = present or bool(self._shell.positional)
                continue
            value = await self._value(piece, process)
            if piece.quoted or piece.kind == "text":
                fields[-1] += value
                present = present or piece.quoted or bool(value)
                continue
            parts = value.split()
            if value[:1].isspace() and fields[-1]:
                fields.append("")
            for index, part in enumerate(parts):
                if index:
                    fields.append("")
                fields[-1] += part
            if parts and value[-1:].isspace():
                fields.append("")
        return [field for index, field in enumerate(fields) if field or (present and index == 0)]

    async def _value(self, piece: Piece, process: Process) -> str:
        if piece.kind == "text":
            return piece.text
        if piece.kind == "command":
            return await self._output_of(piece.text, process)
        if piece.kind == "arithmetic":
            try:
                return str(evaluate(piece.text, process.environment))
            except ArithmeticFailed as error:
                process.fail(f"{self._shell.name}: {error}")
                raise Exit(2) from None
        match = _PARAMETER.fullmatch(piece.text)
        if match is None:
            process.fail(f"{self._shell.name}: ${{{piece.text}}}: bad substitution")
            raise Exit(2)
        value = self._variable(match["name"], process)
        operator, word = match["operator"], match["word"]
        if match["length"]:
            return str(len(value))
        if operator in (":-", "-"):
            return value or word
        if operator in (":+", "+"):
            return word if value else ""
        return _cut(value, operator, word) if operator else value

    def _variable(self, name: str, process: Process) -> str:
        if name.isdecimal():
            number = int(name)
            if number == 0:
                return self._shell.name
            return self._shell.positional[number - 1] if number <= len(self._shell.positional) else ""
        match name:
            case "?":
                return str(self._shell.status)
            case "$":
                return str(process.pid)
            case "#":
                return str(len(self._shell.positional))
            case "@" | "*":
                return " ".join(self._shell.positional)
        return process.environment.get(name, "")

    async def _output_of(self, text: str, process: Process) -> str:
        """$(...): what the commands in it write."""
        written = bytearray()
        inner = self._shell.copy(replace(process, stdout=Writer(written.extend)))
        try:
            self._shell.status = await inner.text(text)
        except Exit as end:
            self._shell.status = end.code
        return written.decode(errors="replace").rstrip("\n")


def _cut(value: str, operator: str, pattern: str) -> str:
    """Without the shortest (# %) or longest (## %%) beginning (#) or end (%) that fits a pattern."""
    longest_first = len(operator) == 2
    lengths = range(len(value), -1, -1) if longest_first else range(len(value) + 1)
    for length in lengths:
        if operator[0] == "#" and fnmatch.fnmatchcase(value[:length], pattern):
            return value[length:]
        if operator[0] == "%" and fnmatch.fnmatchcase(value[len(value) - length :], pattern):
            return value[: len(value) - length]
    return value


def is_assignment(word: Word) -> bool:
    """name=..., with the name and the sign written plainly."""
    name = ""
    for piece in word.pieces:
        if piece.kind != "text" or piece.quoted:
            return False
        if piece.text == "=":
            return name.replace("_", "a").isalnum() and not name[0].isdecimal()
        name += piece.text
    return False

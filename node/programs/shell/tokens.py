"""Splits a shell's input into words and operators (POSIX 2.3), keeping what quotes protect.

A word is a list of pieces: text as it stands, or something to expand ($name, $(command)); what stood
in quotes is neither split into fields nor matched against file names.
"""

from __future__ import annotations

from dataclasses import dataclass

OPERATORS = (
    "&&",
    "||",
    "<<<",
    "<<-",
    "<<",
    ">>",
    "2>&1",
    "2>>",
    "2>",
    "1>",
    ">&2",
    "1>&2",
    ";;",
    ";",
    "&",
    "|",
    "<",
    ">",
    "(",
    ")",
    "\n",
)
"""Longer ones first where one begins another."""
NESTING_MAX = 16


class ShellSyntaxError(Exception):
    """The input is no program; the text is what the shell says."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: ``kind`` is "text", "name" ($x), "command" ($(x)) or "arithmetic" ($((x)))."""

    kind: str
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word, still to be expanded."""

    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str | None:
        """Its text, if nothing in it is quoted or to be expanded: only such words are reserved."""
        if all(piece.kind == "text" and not piece.quoted for piece in self.pieces):
            return "".join(piece.text for piece in self.pieces)
        return None


@dataclass(frozen=True, slots=True)
class Operator:
    """Something between words."""

    text: str


Token = Word | Operator


_HERE = (Operator("<<"), Operator("<<-"))


class Tokenizer:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def tokens(self) -> list[Token]:
        """All of it. Raises ShellSyntaxError."""
        found: list[Token] = []
        awaited: list[int] = []
        """Places of the words that here-documents end with, until the documents are read."""
        while (token := self._next()) is not None:
            if found and isinstance(token, Word) and found[-1] in _HERE:
                awaited.append(len(found))
            found.append(token)
            if token == Operator("\n"):
                self._read_documents(found, awaited)
        if awaited:
            raise ShellSyntaxError("syntax error: unterminated here-document")
        return found

    def _read_documents(self, found: list[Token], awaited: list[int]) -> None:
        """Put the documents that begin on this line in the places of their last words (POSIX 2.7.4)."""
        for place in awaited:
            end = found[place]
            assert isinstance(end, Word), "only words are awaited"
            last = "".join(piece.text for piece in end.pieces)
            document = self._document(last, without_tabs=found[place - 1] == Operator("<<-"))
            if any(piece.quoted for piece in end.pieces):
                found[place] = Word((Piece("text", document, quoted=True),))
            else:
                found[place] = Word(tuple(Tokenizer(document).quoted_pieces()))
        awaited.clear()

    def _document(self, last: str, *, without_tabs: bool) -> str:
        """The lines up to the one that is the last word."""
        lines: list[str] = []
        while self._at < len(self._text):
            end = self._text.find("\n", self._at)
            line = self._text[self._at :] if end < 0 else self._text[self._at : end]
            self._at = len(self._text) if end < 0 else end + 1
            line = line.lstrip("\t") if without_tabs else line
            if line == last:
                return "".join(f"{each}\n" for each in lines)
            lines.append(line)
        raise ShellSyntaxError("syntax error: unterminated here-document")

    def quoted_pieces(self) -> list[Piece]:
        """All of the text as if it stood in double quotes, which themselves mean nothing."""
        return self._quoted_until("")

    def _next(self) -> Token | None:
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character in " \t\r":
                self._at += 1
            elif text.startswith("\\\n", self._at):
                self._at += 2
            elif character == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            else:
                break
        if self._at >= len(text):
            return None
        for operator in sorted(OPERATORS, key=len, reverse=True):
            if text.startswith(operator, self._at):
                self._at += len(operator)
                return Operator(operator)
        return self._word()

    def _word(self) -> Word:
        pieces: list[Piece] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in " \t\r\n;&|<>()":
                break
            if character == "'":
                pieces.append(self._single_quoted())
            elif character == '"':
                pieces += self._double_quoted()
            elif character == "\\":
                self._at += 1
                pieces.append(Piece("text", self._text[self._at : self._at + 1], quoted=True))
                self._at += 1
            elif character in "$`":
                pieces.append(self._expansion(quoted=False))
            else:
                pieces.append(Piece("text", character))
                self._at += 1
        return Word(tuple(pieces))

    def _single_quoted(self) -> Piece:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ShellSyntaxError("syntax error: unterminated quoted string")
        piece = Piece("text", self._text[self._at + 1 : end], quoted=True)
        self._at = end + 1
        return piece

    def _double_quoted(self) -> list[Piece]:
        self._at += 1
        return self._quoted_until('"')

    def _quoted_until(self, end: str) -> list[Piece]:
        """Pieces up to the end character, or with none up to the end of the text."""
        pieces = [Piece("text", "", quoted=True)]
        escapable = ("$", "`", "\\", "\n", end or "$")
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == end:
                self._at += 1
                return pieces
            if character == "\\" and self._text[self._at + 1 : self._at + 2] in escapable:
                pieces.append(Piece("text", self._text[self._at + 1].replace("\n", ""), quoted=True))
                self._at += 2
            elif character in "$`":
                pieces.append(self._expansion(quoted=True))
            else:
                pieces.append(Piece("text", character, quoted=True))
                self._at += 1
        if end:
            raise ShellSyntaxError("syntax error: unterminated quoted string")
        return pieces

    def _expansion(self, *, quoted: bool) -> Piece:
        text, start = self._text, self._at
        if text[start] == "`":
            end = text.find("`", start + 1)
            if end < 0:
                raise ShellSyntaxError("syntax error: EOF in backquote substitution")
            self._at = end + 1
            return Piece("command", text[start + 1 : end], quoted)
        if text.startswith("$(", start):
            inner = self._parenthesized()
            if inner.startswith("(") and inner.endswith(")"):
                return Piece("arithmetic", inner[1:-1], quoted)
            return Piece("command", inner, quoted)
        if text.startswith("${", start):
            end = text.find("}", start)
            if end < 0:
                raise ShellSyntaxError('syntax error: missing "}"')
            self._at = end + 1
            return Piece("name", text[start + 2 : end], quoted)
        end = start + 1
        if end < len(text) and text[end] in "?$#@*!0123456789":
            end += 1
        else:
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
        self._at = end
        name = text[start + 1 : end]
        return Piece("name", name, quoted) if name else Piece("text", "$", quoted)

    def _parenthesized(self) -> str:
        """What stands in $( ), which may nest and quote."""
        depth, at, quote = 0, self._at + 1, ""
        while at < len(self._text):
            character = self._text[at]
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character == "(":
                depth += 1
                if depth > NESTING_MAX:
                    raise ShellSyntaxError("syntax error: nested too deeply")
            elif character == ")":
                depth -= 1
                if depth == 0:
                    inner = self._text[self._at + 2 : at]
                    self._at = at + 1
                    return inner
            at += 1
        raise ShellSyntaxError('syntax error: missing ")"')

"""A place in a list of tokens, and what stands there."""

from __future__ import annotations

from node.programs.shell.tokens import Operator, ShellSyntaxError, Token, Word


class Cursor:
    """Goes from the first token to the last."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _operator(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token.text if isinstance(token, Operator) else ""

    def _reserved(self) -> str:
        """The next word, if it could be a reserved one."""
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return (token.plain or "") if isinstance(token, Word) else ""

    def _expect(self, word: str) -> None:
        if self._reserved() != word and self._operator() != word:
            raise self._unexpected()
        self._at += 1

    def _unexpected(self) -> ShellSyntaxError:
        if self._at >= len(self._tokens):
            return ShellSyntaxError("syntax error: unexpected end of file")
        token = self._tokens[self._at]
        if isinstance(token, Operator):
            shown = "newline" if token.text == "\n" else f'"{token.text}"'
            return ShellSyntaxError(f"syntax error: unexpected {shown}")
        return ShellSyntaxError(f'syntax error: unexpected "{token.plain or "word"}"')

    def _skip_newlines(self) -> None:
        while self._operator() == "\n":
            self._at += 1

    def _word(self) -> Word:
        """The next token, which has to be a word."""
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if not isinstance(token, Word):
            raise self._unexpected()
        self._at += 1
        return token

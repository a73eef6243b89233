"""[[ ... ]]: conditions whose words are not split (Bash: Conditional Constructs).

or       and || and ...
and      not && not ...
not      ! not | ( or ) | words, as test(1) takes them; == compares with a pattern, =~ with an expression
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Awaitable, Callable

from node.programs.shell.cursor import Cursor
from node.programs.shell.syntax import Condition
from node.programs.shell.tokens import Operator, Piece, ShellSyntaxError, Token, Word

DEPTH_MAX = 16


class ConditionParser(Cursor):
    """Reads what stands behind [[."""

    def __init__(self, tokens: list[Token], at: int) -> None:
        super().__init__(tokens)
        self._at = at
        self._depth = 0

    def parse(self) -> tuple[Condition, int]:
        """The condition, and the place behind its ]]. Raises ShellSyntaxError."""
        condition = self._either()
        self._expect("]]")
        return condition, self._at

    def _either(self) -> Condition:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ShellSyntaxError("syntax error: nested too deeply")
        parts = [self._both()]
        while self._operator() == "||":
            self._at += 1
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Condition("||", tuple(parts))

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._operator() == "&&":
            self._at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Condition("&&", tuple(parts))

    def _one(self) -> Condition:
        turned = False
        while self._reserved() == "!":
            self._at += 1
            turned = not turned
        if self._operator() == "(":
            self._at += 1
            condition = self._either()
            self._expect(")")
        else:
            condition = Condition("", words=self._test())
        return Condition("!", (condition,)) if turned else condition

    def _test(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while self._reserved() != "]]" and self._operator() == "":
            words.append(self._word())
            if words[-1].plain == "=~":
                words.append(self._expression())
        if not words:
            raise self._unexpected()
        return tuple(words)

    def _expression(self) -> Word:
        """A regular expression may contain what are operators elsewhere: ( ) |."""
        pieces: list[Piece] = []
        while self._reserved() != "]]" and self._operator() in ("", "(", ")", "|"):
            token = self._tokens[self._at] if self._at < len(self._tokens) else None
            if token is None:
                raise self._unexpected()
            pieces += [Piece("text", token.text)] if isinstance(token, Operator) else token.pieces
            self._at += 1
        return Word(tuple(pieces))


Values = Callable[[Word, bool], Awaitable[str]]
"""A word's text; as a pattern, in which what was quoted stands for itself, if so asked."""
Test = Callable[[list[str]], bool]
"""What test(1) says of words; raises ValueError."""


async def holds(condition: Condition, value_of: Values, test: Test) -> bool:
    """Whether a condition holds. Raises ValueError if a comparison is none."""
    match condition.operator:
        case "!":
            return not await holds(condition.parts[0], value_of, test)
        case "&&":
            for part in condition.parts:
                if not await holds(part, value_of, test):
                    return False
            return True
        case "||":
            for part in condition.parts:
                if await holds(part, value_of, test):
                    return True
            return False
    words = condition.words
    operator = words[1].plain if len(words) == 3 else ""
    texts = [await value_of(word, False) for word in words]
    if operator in ("=", "==", "!="):
        return fnmatch.fnmatchcase(texts[0], await value_of(words[2], True)) == (operator != "!=")
    if operator == "=~":
        try:
            return re.search(texts[2], texts[0]) is not None
        except re.error as error:
            raise ValueError(f"{texts[2]}: {error}") from None
    return test(texts)

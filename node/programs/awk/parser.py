"""awk's programs to Python functions (POSIX awk, its everyday part).

program     [pattern] [{ statements }] ...       pattern: BEGIN, END, an expression
statement   print ...  printf ...  if (e) s else s  for (key in array) s  next  exit  { ... }  expression
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.programs.awk.expression import DEPTH_MAX, Expression, Expressions
from node.programs.awk.values import Failed, State, Value, formatted, number, text, truth

TEXT_MAX = 10_000

Write = Callable[[str], None]
Statement = Callable[[State, Write], None]


class Next(Exception):
    """On to the next line."""


class Ended(Exception):
    """The program ends with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done where; ``when`` is "BEGIN", "END" or "" for lines that the pattern holds for."""

    when: str
    pattern: Expression | None
    action: Statement


class Parser(Expressions):
    """Rules and statements."""

    def rules(self) -> list[Rule]:
        """The whole program. Raises Failed."""
        if len(self._source) > TEXT_MAX:
            raise Failed("program is too long")
        found: list[Rule] = []
        while True:
            while self._take("\n", ";"):
                pass
            if self._at >= len(self._source.rstrip()):
                return found
            when = self._take("BEGIN", "END")
            pattern = None if when or self._peek() == "{" else self._expression()
            if self._peek() == "{":
                found.append(Rule(when, pattern, self._block()))
            elif when:
                raise self._wrong()
            else:
                found.append(Rule("", pattern, lambda state, write: write(state.line + "\n")))

    def _block(self) -> Statement:
        self._expect("{")
        statements: list[Statement] = []
        while not self._take("}"):
            if not self._take(";", "\n"):
                statements.append(self._statement())

        def run(state: State, write: Write) -> None:
            for statement in statements:
                statement(state, write)

        return run

    def _statement(self) -> Statement:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Failed("nested too deeply")
        try:
            if self._peek() == "{":
                return self._block()
            if kind := self._take("print", "printf"):
                return self._print(kind)
            if self._take("if"):
                return self._if()
            if self._take("for"):
                return self._for()
            if self._take("next"):
                return _next
            if self._take("exit"):
                code = self._expression() if self._peek() not in ("", ";", "\n", "}") else lambda state: 0.0
                return lambda state, write: _exit(code(state))
            value = self._expression()
            return lambda state, write: _forget(value(state))
        finally:
            self._depth -= 1

    def _print(self, kind: str) -> Statement:
        values: list[Expression] = []
        while self._peek() not in ("", ";", "\n", "}"):
            values.append(self._expression(in_print=True))
            if not self._take(","):
                break
        if self._peek() not in ("", ";", "\n", "}"):
            raise self._wrong()
        if kind == "printf":
            if not values:
                raise self._wrong()
            return lambda state, write: write(
                formatted(text(values[0](state)), [value(state) for value in values[1:]])
            )

        def show(state: State, write: Write) -> None:
            shown = [text(value(state)) for value in values] if values else [state.line]
            write(text(state.variables.get("OFS", " ")).join(shown) + "\n")

        return show

    def _if(self) -> Statement:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        body = self._statement()
        before = self._at
        while self._take(";", "\n"):
            pass
        otherwise = self._statement() if self._take("else") else None
        if otherwise is None:
            self._at = before

        def run(state: State, write: Write) -> None:
            if truth(condition(state)):
                body(state, write)
            elif otherwise is not None:
                otherwise(state, write)

        return run

    def _for(self) -> Statement:
        self._expect("(")
        key = self._take()
        self._expect("in")
        name = self._take()
        self._expect(")")
        if not (key.isidentifier() and name.isidentifier()):
            raise self._wrong()
        body = self._statement()

        def run(state: State, write: Write) -> None:
            for each in list(state.arrays.get(name, {})):
                state.variables[key] = each
                body(state, write)

        return run


def _next(state: State, write: Write) -> None:
    raise Next


def _exit(code: Value) -> None:
    raise Ended(int(number(code)) & 0xFF)


def _forget(value: Value) -> None:
    """An expression that stands alone is there for what it does."""

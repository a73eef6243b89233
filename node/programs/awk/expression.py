"""awk's expressions to Python functions.

expression  = += -=   ||   &&   in   ~ !~   < <= == != > >=   concatenation   + -   * / %   ! -   ++ --   $
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from node.programs.awk.values import Failed, State, Value, compared, number, text, truth
from node.programs.regular import compiled

DEPTH_MAX = 40

Expression = Callable[[State], Value]


@dataclass(frozen=True, slots=True)
class Place:
    """What can be assigned to: a variable, or an element of an array."""

    name: str
    key: Expression | None

    def get(self, state: State) -> Value:
        """Its value; "" if it has none."""
        if self.key is None:
            return state.variables.get(self.name, "")
        return state.element(self.name, text(self.key(state)))

    def add(self, state: State, by: float) -> float:
        """Count it up or down; its value afterwards."""
        value = number(self.get(state)) + by
        self.put(state, value)
        return value

    def put(self, state: State, value: Value) -> None:
        """Give it a value."""
        state.put(self.name, None if self.key is None else text(self.key(state)), value)


_TOKEN = re.compile(
    r"[ \t]*(?:#[^\n]*)?(?:(?P<end>[\n;])|(?P<number>\d{1,300}(?:\.\d{0,300})?)"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\")"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign>\+\+|--|[-+]=|==|!=|<=|>=|&&|\|\||!~|[-+*/%(){}\[\],$<>=!~]))"
)
_REGULAR = re.compile(r"[ \t]*/((?:\\.|[^/\\\n])*)/")
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_RESERVED = ("in", "else", "if", "for", "while", "do", "function", "getline", "delete", "print", "printf")
_FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "length": lambda values: float(len(text(values[0]))),
    "toupper": lambda values: text(values[0]).upper(),
    "tolower": lambda values: text(values[0]).lower(),
    "int": lambda values: float(int(number(values[0]))),
    "substr": lambda values: _substring(*values[:3]),
    "index": lambda values: float(text(values[0]).find(text(values[1])) + 1),
}


def _substring(value: Value, start: Value, length: Value = 1e9) -> Value:
    first = int(number(start))
    return text(value)[max(first, 1) - 1 : max(first + int(number(length)), 1) - 1]


class Expressions:
    """Recursive descent over the text itself: only a parser knows where / begins an expression."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def _peek(self) -> str:
        match = _TOKEN.match(self._source, self._at)
        return match[match.lastgroup or 0] if match else ""

    def _take(self, *tokens: str) -> str:
        """The next token, if it is one of these; any one if none are named."""
        match = _TOKEN.match(self._source, self._at)
        token = match[match.lastgroup or 0] if match else ""
        if match is None or (tokens and token not in tokens):
            return ""
        self._at = match.end()
        return token

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._wrong()

    def _wrong(self) -> Failed:
        return Failed(f"syntax error at {self._source[self._at : self._at + 20].strip()!r}, or not simulated")

    # -- from the loosest to the tightest -----------------------------------------------------------

    def _expression(self, *, in_print: bool = False) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Failed("nested too deeply")
        start = self._at
        place = self._place()
        if place is not None and (sign := self._take("=", "+=", "-=")):
            value = self._expression(in_print=in_print)
            self._depth -= 1
            return _assignment(place, sign, value)
        self._at = start
        parts = [self._match(in_print=in_print)]
        connectives = [""]
        while connective := self._take("||", "&&"):
            connectives.append(connective)
            parts.append(self._match(in_print=in_print))
        self._depth -= 1
        return parts[0] if len(parts) == 1 else _connected(connectives, parts)

    def _match(self, *, in_print: bool) -> Expression:
        left = self._comparison(in_print=in_print)
        if self._take("in"):
            name = self._take()
            return lambda state: float(text(left(state)) in state.arrays.get(name, {}))
        sign = self._take("~", "!~")
        if not sign:
            return left
        pattern = self._regular()
        if pattern is not None:
            found = pattern.search
            return lambda state: float((found(text(left(state))) is not None) == (sign == "~"))
        right = self._comparison(in_print=in_print)
        return lambda state: float(
            (_compiled(text(right(state))).search(text(left(state))) is not None) == (sign == "~")
        )

    def _comparison(self, *, in_print: bool) -> Expression:
        left = self._joined()
        signs = [sign for sign in _COMPARISONS if sign != ">" or not in_print]
        sign = self._take(*signs)
        if not sign:
            return left
        right, holds = self._joined(), _COMPARISONS[sign]
        return lambda state: float(holds(compared(left(state), right(state)), 0))

    def _joined(self) -> Expression:
        parts = [self._sum()]
        while re.match(r"[\w\"$(]", self._peek()) and self._peek() not in _RESERVED:
            parts.append(self._sum())
        return parts[0] if len(parts) == 1 else lambda state: "".join(text(part(state)) for part in parts)

    def _sum(self) -> Expression:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/", "%"), self._unary))

    def _chain(self, signs: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        """Parts with signs between them, from left to right."""
        value = part()
        while sign := self._take(*signs):
            value = _arithmetic(value, sign, part())
        return value

    def _unary(self) -> Expression:
        sign = self._take("!", "-")
        if not sign:
            return self._primary()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Failed("nested too deeply")
        value = self._unary()
        self._depth -= 1
        if sign == "!":
            return lambda state: float(not truth(value(state)))
        return lambda state: -number(value(state))

    def _primary(self) -> Expression:
        pattern = self._regular()
        if pattern is not None:
            return lambda state: float(pattern.search(state.line) is not None)
        step = self._take("++", "--")
        place = self._place()
        if place is not None:
            by = {"++": 1.0, "--": -1.0}
            if step:
                return lambda state: place.add(state, by[step])
            if after := self._take("++", "--"):
                return lambda state: place.add(state, by[after]) - by[after]
            return place.get
        word = self._take()
        if step or not word:
            raise self._wrong()
        if word == "$":
            inner = self._primary()
            return lambda state: state.field(number(inner(state)))
        if word == "(":
            inside = self._expression()
            self._expect(")")
            return inside
        if word in _FUNCTIONS:
            return self._call(word)
        if word[0] == '"':
            constant = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), word[1:-1])
            return lambda state: constant
        if not word[0].isdecimal():
            raise self._wrong()
        figure = float(word)
        return lambda state: figure

    def _call(self, name: str) -> Expression:
        values: list[Expression] = []
        if self._take("("):
            while not self._take(")"):
                values.append(self._expression())
                if self._peek() != ")":
                    self._expect(",")
        elif name != "length":
            raise self._wrong()
        if name == "length" and not values:
            return lambda state: float(len(state.line))
        if not 1 <= len(values) <= 3 or (len(values) < 2 and name in ("substr", "index")):
            raise self._wrong()
        function = _FUNCTIONS[name]
        return lambda state: function([value(state) for value in values])

    def _place(self) -> Place | None:
        """A variable or an element, if one stands here."""
        name = self._peek()
        if not re.match(r"[A-Za-z_]", name) or name in _RESERVED or name in _FUNCTIONS:
            return None
        self._take(name)
        if self._peek() == "(":
            raise Failed(f"calling {name} is not simulated")
        if not self._take("["):
            return Place(name, None)
        key = self._expression()
        self._expect("]")
        return Place(name, key)

    def _regular(self) -> re.Pattern[str] | None:
        match = _REGULAR.match(self._source, self._at)
        if match is None:
            return None
        self._at = match.end()
        return _compiled(match[1].replace("\\/", "/"))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return compiled(pattern, extended=True)
    except ValueError as error:
        raise Failed(f"bad regex '{pattern}': {error}") from None


def _connected(connectives: list[str], parts: list[Expression]) -> Expression:
    """Parts joined by || and &&, which binds tighter."""
    alternatives: list[list[Expression]] = []
    for connective, part in zip(connectives, parts, strict=True):
        if connective == "&&":
            alternatives[-1].append(part)
        else:
            alternatives.append([part])
    return lambda state: float(any(all(truth(part(state)) for part in each) for each in alternatives))


def _arithmetic(left: Expression, sign: str, right: Expression) -> Expression:
    def value(state: State) -> Value:
        one, other = number(left(state)), number(right(state))
        if sign in "/%" and other == 0:
            raise Failed("division by zero")
        result = {
            "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": math.fmod,
        }[sign](one, other)  # fmt: skip
        if not math.isfinite(result):
            raise Failed("a number is too large")
        return float(result)

    return value


def _assignment(place: Place, sign: str, value: Expression) -> Expression:
    def assign(state: State) -> Value:
        if sign == "=":
            place.put(state, value(state))
            return place.get(state)
        by = number(value(state))
        return place.add(state, by if sign == "+=" else -by)

    return assign

"""$((...)): whole numbers of 64 bits, variables by their bare names (POSIX 2.6.4)."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

TEXT_MAX = 200
NUMBER_LIMIT = 2**63

_BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    ast.Mod: lambda a, b: abs(a) % abs(b) * (1 if a >= 0 else -1),
}
_COMPARE: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ArithmeticFailed(Exception):
    """The expression is none; the text is what the shell says."""


def evaluate(text: str, variables: Mapping[str, str]) -> int:
    """The value of an expression. Raises ArithmeticFailed."""
    if len(text) > TEXT_MAX:
        raise ArithmeticFailed("arithmetic syntax error")
    # C's division is Python's //, and $x means x here.
    source = re.sub(r"(?<!/)/(?!/)", "//", text.replace("$", "")).replace("&&", " and ").replace("||", " or ")
    try:
        return _value(ast.parse(source.strip() or "0", mode="eval").body, variables)
    except ZeroDivisionError:
        raise ArithmeticFailed("divide by zero") from None
    except (SyntaxError, ValueError, RecursionError):
        raise ArithmeticFailed("arithmetic syntax error") from None


def _value(node: ast.expr, variables: Mapping[str, str]) -> int:
    match node:
        case ast.Constant(value=int() as number):
            result = int(number)
        case ast.Name(id=name):
            result = int(variables.get(name) or "0")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            result = -_value(operand, variables)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            result = int(not _value(operand, variables))
        case ast.BinOp(left=left, op=kind, right=right) if type(kind) in _BINARY:
            result = _BINARY[type(kind)](_value(left, variables), _value(right, variables))
        case ast.Compare(left=left, ops=[kind], comparators=[right]) if type(kind) in _COMPARE:
            result = int(_COMPARE[type(kind)](_value(left, variables), _value(right, variables)))
        case ast.BoolOp(op=kind, values=values):
            held = [bool(_value(value, variables)) for value in values]
            result = int(all(held) if isinstance(kind, ast.And) else any(held))
        case _:
            raise ValueError("not whole-number arithmetic")
    return (result + NUMBER_LIMIT) % (2 * NUMBER_LIMIT) - NUMBER_LIMIT

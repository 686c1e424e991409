"""Operators and functions of expressions, each bounded so that none can take long or grow large."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

MAX_BITS = 1024  # of an integer, in and out
_MAX_COUNT = 1000  # largest argument of factorial, comb and perm


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let numbers alone pass (booleans are numbers), and none of more than `MAX_BITS` bits."""

    def call(*operands: Any) -> Any:
        for operand in operands:
            _check_number(operand)
        result = function(*operands)
        _check_number(result)
        return result

    return call


def _check_number(value: Any) -> None:
    if not isinstance(value, (int, float)):
        raise TypeError(f"arithmetic is for numbers, not for a {type(value).__name__}")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise OverflowError("a number became too large")


def _power(base: float, exponent: float) -> float:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        raise OverflowError("a number became too large")
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")  # noqa: TRY004 - a value, not a type, is at fault
    return float(result) if isinstance(result, float) else result


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*counts: Any) -> Any:
        if any(isinstance(count, (int, float)) and abs(count) > _MAX_COUNT for count in counts):
            raise OverflowError(f"at most {_MAX_COUNT} here")
        return function(*counts)

    return call


def _round(number: float, digits: int | None = None) -> float:
    if digits is not None and abs(digits) > 300:
        raise OverflowError("round to at most 300 digits")
    return round(number, digits)


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Bound the integers that go into a function, also inside of lists, and those that come out."""

    def call(*arguments: Any) -> Any:
        for argument in arguments:
            items = argument if isinstance(argument, (list, tuple)) else [argument]
            for item in items:
                if isinstance(item, int):
                    _check_number(item)
        result = function(*arguments)
        if isinstance(result, int):
            _check_number(result)
        return result

    return call


OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _bounded(operator.add),
    ast.Sub: _bounded(operator.sub),
    ast.Mult: _bounded(operator.mul),
    ast.Div: _bounded(operator.truediv),
    ast.FloorDiv: _bounded(operator.floordiv),
    ast.Mod: _bounded(operator.mod),
    ast.Pow: _bounded(_power),
    ast.USub: _bounded(operator.neg),
    ast.UAdd: _bounded(operator.pos),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
"""Python's operators as simpleeval wants them."""

_MATH = {
    name: function
    for name, function in vars(math).items()
    if callable(function) and not name.startswith("_") and name not in ("factorial", "comb", "perm")
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _checked(function) for name, function in _MATH.items()},
    **{name: _checked(_counting(getattr(math, name))) for name in ("factorial", "comb", "perm")},
    **{function.__name__: _checked(function) for function in (abs, int, float, min, max)},
    "round": _checked(_round),
}
"""The functions of `math`, and `min max abs round int float`."""

"""Arithmetic in YAML values: checked before it runs, evaluated by simpleeval, unable to reach anything else.

An expression is parsed once. Only the node types, names and functions listed here pass the check, sizes are bounded
(length, nesting, integers), and there is nothing that loops, so evaluating one takes microseconds.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpleeval

from clipnb.optimise.language.mistakes import UnknownNameError, shown
from clipnb.optimise.language.variables import ALL_NAMES

MAX_LENGTH = 1000  # characters
MAX_DEPTH = 40  # nested operations
MAX_BITS = 1024  # of an integer, in and out of every operation
_PERCENT = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)\s*%")
_MAX_COUNT = 1000  # largest argument of factorial, comb and perm


class ExpressionError(ValueError):
    """An expression that is malformed, not allowed, or gives no usable number.

    Attributes:
        source: the expression, where it was computed in a run.
    """

    source: str = ""


class UnknownVariableError(UnknownNameError, ExpressionError):
    """A variable or function that an expression may not use."""

    is_placed = False


def _check_number(value: Any) -> None:
    if not isinstance(value, (int, float)):
        raise TypeError(f"arithmetic is for numbers, not for a {type(value).__name__}")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise OverflowError("a number became too large")


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let only numbers pass (booleans are numbers), and none of more than `MAX_BITS` bits."""

    def call(*operands: Any) -> Any:
        for operand in operands:
            _check_number(operand)
        result = function(*operands)
        _check_number(result)
        return result

    return call


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Bound the integers that go into a function, also inside of lists, and those that come out."""

    def call(*arguments: Any) -> Any:
        for argument in arguments:
            for item in argument if isinstance(argument, (list, tuple)) else [argument]:
                if isinstance(item, int):
                    _check_number(item)
        result = function(*arguments)
        if isinstance(result, int):
            _check_number(result)
        return result

    return call


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*counts: Any) -> Any:
        if any(isinstance(count, (int, float)) and abs(count) > _MAX_COUNT for count in counts):
            raise OverflowError(f"at most {_MAX_COUNT} here")
        return function(*counts)

    return call


def _power(base: float, exponent: float) -> float:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        raise OverflowError("a number became too large")
    result: Any = base**exponent
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")  # noqa: TRY004 - a value, not a type, is at fault
    return float(result) if isinstance(result, float) else int(result)


def _round(number: float, digits: int | None = None) -> float:
    if digits is not None and abs(digits) > 300:
        raise OverflowError("round to at most 300 digits")
    return round(number, digits)


_ARITHMETIC: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    **{node: _bounded(function) for node, function in _ARITHMETIC.items()},
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
_COUNTING = ("factorial", "comb", "perm")
_MATH = {name: function for name, function in vars(math).items() if callable(function) and not name.startswith("_")}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _checked(_counting(f) if name in _COUNTING else f) for name, f in _MATH.items()},
    **{function.__name__: _checked(function) for function in (abs, int, float, min, max)},
    "round": _checked(_round),
}
"""The functions of `math`, and `min max abs round int float`."""
RANDOM_NAMES = frozenset({"random", "uniform", "gauss", "randint", "choice"})
CONSTANTS: dict[str, float | bool | None] = {
    **{name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")},
    "True": True,
    "False": False,
    "None": None,
}
_NODES = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.Call, ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.Dict, ast.And, ast.Or, *_OPERATORS,
)  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A checked expression that has not been evaluated yet.

    Attributes:
        source: as the user wrote it.
        names: the variables, functions and constants it uses.
    """

    source: str
    names: frozenset[str] = field(compare=False)
    tree: ast.expr = field(compare=False, repr=False)

    @property
    def is_random(self) -> bool:
        """Whether two evaluations in the same step may differ."""
        return bool(self.names & RANDOM_NAMES)

    def __str__(self) -> str:
        return self.source


def parse_expression(source: str, variables: frozenset[str]) -> Expression:
    """Check an expression without evaluating it.

    Args:
        source: Python arithmetic, comparisons, `if/else`, list, dict and tuple literals, subscripts, `.get(...)`
            and calls of the functions of `math`, `min max abs round int float` and `random`'s
            `random uniform gauss randint choice`.
        variables: names that may be used here beside those functions and the constants of `math`.

    Raises:
        ExpressionError: it is malformed or uses something else.

    >>> parse_expression("1 - .95 * t5", frozenset({"t5"})).names
    frozenset({'t5'})
    """
    text = source.strip()
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters, this one {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        if percent := _PERCENT.fullmatch(text):
            reason = f"there is no % here; write {float(percent[1]) / 100:g}"
        raise ExpressionError(f"{shown(text)} is no expression: {reason}") from None
    return Expression(text, frozenset(_checked_names(body, variables, text)), body)


class Evaluator:
    """Evaluates checked expressions; keeps one evaluator of simpleeval for many of them. Not for several threads."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]] | None = None) -> None:
        """Add functions to the fixed ones, such as `random`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._evaluator = simpleeval.EvalWithCompoundTypes(
                operators=_OPERATORS, functions={**FUNCTIONS, **(functions or {})}, allowed_attrs={dict: {"get"}}
            )

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Compute the value of an expression, which need not be a number.

        Args:
            expression: a checked one.
            names: values of the variables it uses; functions among them can be called.

        Raises:
            ExpressionError: it cannot be computed, such as a division by zero.
        """
        self._evaluator.names = {**CONSTANTS, **names}
        self._evaluator.functions.update({name: value for name, value in names.items() if callable(value)})
        try:
            return self._evaluator.eval(expression.source, previously_parsed=expression.tree)
        except ExpressionError:
            raise
        except (simpleeval.InvalidExpression, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as e:
            reason = str(e) or type(e).__name__
            raise ExpressionError(f"{shown(expression.source)} cannot be computed: {reason}") from None


def element(value: Any, place: int, source: object) -> Any:
    """Return one element where an expression gave a list; another value fills all places.

    Raises:
        ExpressionError: the list is too short.
    """
    if not isinstance(value, (list, tuple)):
        return value
    if place >= len(value):
        raise ExpressionError(f"{shown(str(source))} gives {len(value)} numbers, more are needed")
    return value[place]


def cast(value: Any, kind: type[int] | type[float], source: object) -> float:
    """Convert what an expression gave to a finite number.

    Raises:
        ExpressionError: it is no number, or not a finite one.
    """
    if not isinstance(value, (int, float)):
        raise ExpressionError(f"{shown(source)} gives {shown(value)}, not a number")
    if not abs(value) <= 1e300:  # nan is not either
        given = value if isinstance(value, float) else math.inf
        raise ExpressionError(f"{shown(source)} gives {given}, not a finite number")
    return kind(value)


def _checked_names(body: ast.expr, variables: frozenset[str], text: str) -> Iterator[str]:
    pending: list[tuple[ast.AST, int]] = [(body, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ExpressionError(f"{shown(text)} is nested too deeply; at most {MAX_DEPTH} levels")
        children: list[Any] = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            function = _called(node, text)
            if function is not None:
                functions = FUNCTIONS.keys() | RANDOM_NAMES | (variables & {"time_step", "ts"})
                yield _known(function, functions, "function", text)
            children = [*([] if function else [node.func.value]), *node.args]  # type: ignore[attr-defined]
        elif isinstance(node, ast.Name):
            yield _known(node.id, variables | CONSTANTS.keys(), "variable", text)
        elif not isinstance(node, _NODES):
            if isinstance(node, ast.BitXor):
                raise ExpressionError(f"{shown(text)}: a power is written **, such as t**2")
            what = ast.get_source_segment(text, node) or f"the operator {type(node).__name__} of {text}"
            raise ExpressionError(f"{shown(what)} is not allowed in an expression")
        elif isinstance(node, ast.Constant) and not _is_plain(node.value):
            raise ExpressionError(f"{shown(node.value)} is not allowed in an expression")
        pending.extend((child, depth + 1) for child in children)


def _called(node: ast.Call, text: str) -> str | None:
    """Return the name of what is called with plain arguments; None for a dict's `get`."""
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError(f"{shown(ast.get_source_segment(text, node))}: give arguments by position only")
    if isinstance(node.func, ast.Name):
        return node.func.id
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return None
    what = shown(ast.get_source_segment(text, node.func))
    if isinstance(node.func, ast.Attribute) and node.func.attr in FUNCTIONS.keys() | RANDOM_NAMES:
        raise ExpressionError(f"{what}: write {node.func.attr} alone")
    raise ExpressionError(f"{what} cannot be called; the only method is a dict's get")


def _known(name: str, known: frozenset[str] | set[str], what: str, text: str) -> str:
    if name in ALL_NAMES - known:
        raise ExpressionError(f"unknown variable {name!r} in {shown(text)}: it has a value elsewhere, not here")
    if name not in known:
        raise UnknownVariableError(f"unknown {what} {shown(name)} in {shown(text)}", name, known)
    return name


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 100
    if isinstance(value, int):
        return value.bit_length() <= 256
    return value is None or isinstance(value, float)

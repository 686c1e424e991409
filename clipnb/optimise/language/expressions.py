"""Arithmetic in YAML values: checked before it runs, evaluated by simpleeval, unable to reach anything else.

An expression is parsed once. Only the node types, names and functions listed here pass the check, sizes are bounded
(length, nesting, integers), and there is nothing that loops, so evaluating one takes microseconds.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpleeval

from clipnb.optimise.language.arithmetic import FUNCTIONS, OPERATORS
from clipnb.optimise.language.mistakes import UnknownNameError, shown
from clipnb.optimise.language.variables import ALL_NAMES

MAX_LENGTH = 1000  # characters
MAX_DEPTH = 40  # nested operations
RANDOM_NAMES = frozenset({"random", "uniform", "gauss", "randint", "choice"})
CONSTANTS: dict[str, float | bool | None] = {
    **{name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")},
    "True": True,
    "False": False,
    "None": None,
}
_NODES = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.Call, ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.Dict, ast.And, ast.Or, *OPERATORS,
)  # fmt: skip


class ExpressionError(ValueError):
    """An expression that is malformed, not allowed, or gives no usable number."""


class UnknownVariableError(UnknownNameError, ExpressionError):
    """A variable or function that an expression may not use."""


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
        """Whether two evaluations may differ at the same instant."""
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

    Returns:
        The expression, ready to be evaluated.

    Raises:
        ExpressionError: it is malformed or uses something else; the message says what.

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
        raise ExpressionError(f"{shown(text)} is no expression: {reason}") from None
    names = frozenset(_checked_names(body, variables, text))
    return Expression(text, names, body)


class Evaluator:
    """Evaluates checked expressions; keeps one evaluator of simpleeval for many of them. Not for several threads."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        """Take what is callable beside the fixed functions, such as `random`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._evaluator = simpleeval.EvalWithCompoundTypes(
                operators=OPERATORS, functions={**FUNCTIONS, **functions}, allowed_attrs={dict: {"get"}}
            )

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Compute the value of an expression.

        Args:
            expression: a checked one.
            names: values of the variables it uses; functions among them can be called.

        Returns:
            Whatever it gives; casting to a number is the caller's part.

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
    """Take one element where an expression gave a list; another value fills all places.

    Raises:
        ExpressionError: the list is too short.
    """
    if not isinstance(value, (list, tuple)):
        return value
    if place >= len(value):
        raise ExpressionError(f"{shown(source)} gives {len(value)} numbers, more are needed")
    return value[place]


def cast(value: Any, kind: type[int] | type[float], source: object) -> float:
    """Make a finite number of the wanted kind out of what an expression gave.

    Raises:
        ExpressionError: it is no number, or not a finite one.
    """
    if not isinstance(value, (int, float)):
        raise ExpressionError(f"{shown(source)} gives {shown(value)}, not a number")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite or abs(value) > 1e300:
        raise ExpressionError(f"{shown(source)} gives {float_or_inf(value)}, not a finite number")
    return kind(value)


def float_or_inf(value: float) -> float:
    """Turn any number into a float, too large integers into infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _checked_names(body: ast.expr, variables: frozenset[str], text: str) -> Iterator[str]:
    pending: list[tuple[ast.AST, int]] = [(body, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ExpressionError(f"{shown(text)} is nested too deeply; at most {MAX_DEPTH} levels")
        called = _check_call(node, variables, text) if isinstance(node, ast.Call) else None
        if called:
            yield called
        elif isinstance(node, ast.Name):
            yield _known(node.id, variables | CONSTANTS.keys(), "variable", text)
        elif not isinstance(node, _NODES):
            what = ast.unparse(node) or f"the operator {type(node).__name__} of {text}"
            raise ExpressionError(f"{shown(what)} is not allowed in an expression")
        elif isinstance(node, ast.Constant) and not _plain(node.value):
            raise ExpressionError(f"{shown(node.value)} is not allowed in an expression")
        pending.extend((child, depth + 1) for child in _children(node))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call):
        yield from ast.iter_child_nodes(node)
        return
    if isinstance(node.func, ast.Attribute):
        yield node.func.value
    yield from node.args


def _check_call(node: ast.Call, variables: frozenset[str], text: str) -> str | None:
    """Allow calls of known functions and of a dict's `get`, with plain positional arguments."""
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError(f"{shown(ast.unparse(node))}: give arguments by position only")
    if isinstance(node.func, ast.Name):
        functions = FUNCTIONS.keys() | RANDOM_NAMES | (variables & {"time_step", "ts"})
        return _known(node.func.id, functions, "function", text)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return None
    raise ExpressionError(f"{shown(ast.unparse(node.func))} cannot be called; the only method is a dict's get")


def _known(name: str, known: frozenset[str] | set[str], what: str, text: str) -> str:
    if name in ALL_NAMES - known:
        raise ExpressionError(f"unknown variable {name!r} in {shown(text)}: it has a value elsewhere, not here")
    if name not in known:
        raise UnknownVariableError(f"unknown {what} {shown(name)} in {shown(text)}", name, known)
    return name


def _plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 100
    if isinstance(value, int):
        return value.bit_length() <= 256
    return value is None or isinstance(value, float)

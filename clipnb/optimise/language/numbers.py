"""Numbers of the experiment language, single or in lists, as pydantic types.

A field is annotated with how many numbers it takes and which variables its expressions may use; parsing, the JSON
schema, the way back to YAML and the reference follow from that one annotation.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from PIL import ImageColor
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from clipnb.errors import shortened
from clipnb.optimise.language import variables
from clipnb.optimise.language.expressions import (
    CONSTANTS,
    MAX_LENGTH,
    Evaluator,
    Expression,
    ExpressionError,
    cast,
    element,
    parse_expression,
)
from clipnb.optimise.language.mistakes import UnknownNameError, shown

Number = float | Expression
"""A number, or an expression that gives one when a step begins. Whole numbers are ints."""
Numbers = tuple[Number, ...]
"""As many numbers as the field takes; a single one in YAML has been repeated."""

_MAX_CHARACTERS = 5 * MAX_LENGTH  # of a list of expressions as one text
_FEW = 5  # more numbers than any list takes
_COMMA = re.compile(r"([-+]?\d*),(\d+)")
_BASE_60 = re.compile(r"[-+]?\d+(:\d+)+")
_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)", re.IGNORECASE)
_COLOUR = re.compile(r"#.*|[a-z]{3,20}", re.IGNORECASE)
_HEX = re.compile(r"#([0-9a-f]{3}){1,2}", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_JSON_TYPES: dict[type, JsonSchemaValue] = {int: {"type": "integer"}, float: {"type": "number"}}


class ReadField:
    """How a field of an experiment is read (`parse`), written, and described in the JSON schema."""

    def parse(self, raw: object) -> Any:
        """Read what YAML or Python gave.

        Raises:
            ValueError: it is nothing of the kind.
        """
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """Return a value as YAML and JSON have it."""
        return plain(value)

    def json_schema(self) -> JsonSchemaValue:
        """Return the JSON schema of what `parse` takes."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        del source, handler
        written = core_schema.plain_serializer_function_ser_schema(self.write)
        return core_schema.no_info_plain_validator_function(self.parse, serialization=written)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del schema, handler
        return self.json_schema()


@dataclass(frozen=True)
class NumberField(ReadField):
    """How a field reads numbers.

    Attributes:
        kind: int or float, what each is cast to.
        lengths: how many numbers a list may have; 0 means a single number that is no list.
        groups: whose variables its expressions may use.
        least: smallest allowed value; checked where the value is no expression of variables.
        most: largest allowed value, likewise.
        rising: whether the second may not be below the first; checked likewise.
        optional: whether there may be none.
        drawn: whether it may be drawn at random; not where it is needed before the run has its seed.
    """

    kind: type[int] | type[float] = float
    lengths: tuple[int, ...] = (0,)
    groups: tuple[str, ...] = variables.TARGET
    least: float | None = None
    most: float | None = None
    rising: bool = False
    optional: bool = False
    drawn: bool = True

    def parse(self, raw: object) -> Number | Numbers | None:
        if raw is None and self.optional:
            return None
        if self.lengths == (0,):
            return self._parse_one(raw)
        items = _colour(raw, self._variables | CONSTANTS.keys()) if self.lengths == (3,) else None
        items = items or _items(raw, self._variables, self.lengths)
        if len(items) == 1:
            items = items * max(self.lengths)
        if len(items) not in self.lengths:
            allowed = " or ".join(map(str, sorted({1, *self.lengths})))
            needed = f"1 {self._noun} is" if allowed == "1" else f"{allowed} {self._noun}s are"
            raise ValueError(f"{needed} needed, not {len(items)}{_comma_hint(raw)}")
        numbers = tuple(self._parse_one(item, place) for place, item in enumerate(items))
        require_rising(numbers[:1] if self.rising else (), numbers[1:], f"{shown(plain(numbers))} falls")
        return numbers

    @property
    def summary(self) -> str:
        """What to write, in words, for the reference."""
        if self.lengths in ((0,), (1,)):
            return self._noun
        return f"{' or '.join(map(str, self.lengths))} {self._noun}s"

    @property
    def _noun(self) -> str:
        return "whole number" if self.kind is int else "number"

    @property
    def _variables(self) -> frozenset[str]:
        return variables.names_of(*self.groups)

    def _parse_one(self, raw: object, place: int = 0) -> Number:
        if isinstance(raw, Expression):
            return raw
        if getattr(raw, "ndim", None) == 0 and hasattr(raw, "item"):
            raw = raw.item()  # a number of NumPy's or torch's
        if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
            raise ValueError(f"a number or an expression is needed, not {_describe(raw)}")  # noqa: TRY004 - pydantic
        try:
            number = float(raw) if isinstance(raw, str) else raw
        except ValueError:
            number = None
        if number is not None:
            value = cast(number, self.kind, raw)
            if value != number and abs(number) < 2**53:
                raise ValueError(f"a whole number is needed, not {shown(raw)}")
            return self._in_range(value, raw)
        source = str(raw)
        require_one(source, self._noun)
        expression = parse_expression(source, self._variables)
        if self.lengths == (0,) and isinstance(expression.tree, (ast.Tuple, ast.List)):
            raise ValueError(f"one {self._noun} is needed, not the list {shown(raw)}")
        if expression.is_random and not self.drawn:
            raise ValueError(f"{shown(raw)} draws at random, which is not possible here; write a number")
        if expression.names & self._variables or expression.is_random:
            return expression
        value = Evaluator().evaluate(expression, {})
        value = value if self.lengths == (0,) else element(value, place, raw)
        return self._in_range(cast(value, self.kind, raw), raw)

    def _in_range(self, value: float, raw: object) -> float:
        if self.least is not None and value < self.least:
            raise ValueError(f"{shortened(str(raw))} is too small; at least {self.least:g}")
        if self.most is not None and value > self.most:
            hint = "; full intensity is 1, not 255" if self.lengths == (3,) and self.most <= 1 else ""
            raise ValueError(f"{shortened(str(raw))} is too large; at most {self.most:g}{hint}")
        return value

    def json_schema(self) -> JsonSchemaValue:
        one: list[JsonSchemaValue] = [_JSON_TYPES[self.kind], {"type": "string", "description": "expression"}]
        one += [{"type": "null"}] if self.optional else []
        if self.lengths == (0,):
            return {"anyOf": one}
        lengths = sorted({1, *self.lengths})
        arrays: list[JsonSchemaValue] = [
            {"type": "array", "items": {"anyOf": one[:2]}, "minItems": n, "maxItems": n} for n in lengths
        ]
        return {"anyOf": [*one, *arrays]}


def require_one(raw: str, noun: str) -> None:
    """Refuse two numbers as one, and what older YAML takes for a number of base 60.

    Raises:
        ValueError: it is such a text.
    """
    if hint := _comma_hint(raw, noun.startswith("whole")):
        raise ValueError(f"one {noun} is needed, not the list {shown(raw)}{hint}")
    if _BASE_60.fullmatch(raw.strip()):
        raise ValueError(f"{shown(raw)} is no number: there is no base 60; write it out, or several with blanks")


def require_rising(low: Numbers | None, high: Numbers | None, problem: str) -> None:
    """Compare numbers where both are no expressions.

    Raises:
        ValueError: one of `low` is above its neighbour in `high`.
    """
    for one, other in zip(low or (), high or (), strict=False):
        if not isinstance(one, Expression) and not isinstance(other, Expression) and one > other:
            raise ValueError(f"{problem}: {one:g} is above {other:g}")


def plain(value: Any) -> Any:
    """Return a value as YAML and JSON have it: expressions by their source, tuples as lists."""
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def constant(raw: object) -> int | float:
    """Read a number that may be an expression without variables; an int stays one.

    Raises:
        ValueError: it is nothing of the kind.
    """
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError(f"a number is needed, not {_describe(raw)}")  # noqa: TRY004 - pydantic
    value: Any = raw
    if isinstance(raw, str):
        require_one(raw, "number")
        expression = parse_expression(raw, frozenset())
        if expression.is_random:
            raise ValueError(f"{shown(raw)} draws at random, which is not possible here; write a number")
        value = Evaluator().evaluate(expression, {})
    return cast(value, int if isinstance(value, int) else float, raw)


def _comma_hint(raw: object, is_whole: bool = False) -> str:
    found = _COMMA.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if not found:
        return ""
    if len(found[2]) == 3 and found[1].strip("+-0"):
        return f"; thousands have no comma: write {found[1]}{found[2]}, or {found[1]}.{found[2]} with a point"
    if is_whole:
        return "; a whole number has no comma"
    return f"; a decimal number has a point: write {found[1]}.{found[2]}"


def _colour(raw: object, names: frozenset[str]) -> list[object] | None:
    """Read a name of a colour, or #rrggbb; None for what is neither but may be an expression."""
    word = raw.strip() if isinstance(raw, str) else ""
    if not _COLOUR.fullmatch(word):
        return None
    if word.startswith("#") and not _HEX.fullmatch(word):
        raise ValueError(f"{shown(raw)} is no colour; write #rgb or #rrggbb, of the digits 0 to 9 and a to f")
    if not word.startswith("#") and word.lower() not in ImageColor.colormap:
        if word in names:
            return None
        raise UnknownNameError(f"{shown(raw)} is neither a colour nor a variable", word, {*ImageColor.colormap, *names})
    return [channel / 255 for channel in ImageColor.getrgb(word)]


def _items(raw: object, names: frozenset[str], lengths: tuple[int, ...]) -> list[object]:
    if isinstance(raw, (list, tuple)):
        return list(raw)
    if not isinstance(raw, str):
        return [raw]
    text = raw.strip()
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"{len(text)} characters are too many for numbers; at most {_MAX_CHARACTERS}")
    if text.startswith("[") and text.endswith("]") and len(split_top(text[1:-1], ",")) in (1, *lengths):
        text = text[1:-1]
    if 2 in lengths and (size := _SIZE.fullmatch(text)):
        return list(size.groups())
    parts = split_top(text, ",")
    if len(parts) > 1:
        return list(parts)
    words = split_top(text, " ")
    if len(words) > 1 and _is_expression(text, names):
        readable = all(_is_expression(word, names) for word in words[:_FEW])  # "1 -1" is two numbers, not one
        return list(words) if readable else [text]
    return list(words)


def split_top(text: str, separator: str) -> list[str]:
    """Split a text at commas or blanks that lie outside of brackets and quotes.

    Args:
        text: the text.
        separator: "," or " " (which stands for any white space).

    >>> split_top("pow(t, 2), .5", ",")
    ['pow(t, 2)', '.5']
    """
    parts, depth, quote, current = [], 0, "", ""
    for character in _SPACES.sub(" ", text.strip()):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == separator and not quote and depth <= 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part.strip() for part in [*parts, current] if part.strip()] or [""]


def _is_expression(text: str, names: frozenset[str]) -> bool:
    try:
        parse_expression(text, names)
    except ExpressionError:
        return False
    return True


def _describe(raw: object) -> str:
    if raw is None:
        return "nothing"
    return {bool: "true or false", dict: "a map", list: "a list", tuple: "a list"}.get(type(raw), shown(raw))

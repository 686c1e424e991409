"""Cases by the grammar of what is read: most are taken, as few of those are that the mutator makes of texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any

import pandas as pd

from clipnb.optimise.importers.options import FLAG, MANY, Option, Tool
from clipnb.optimise.language.expressions import FUNCTIONS, RANDOM_NAMES
from clipnb.optimise.language.variables import ALL_NAMES

_ANY_NUMBER = (  # functions that take one
    "sin cos tan atan tanh asinh erf erfc floor ceil trunc fabs abs int float degrees radians round isnan "  # noqa: SIM905
    "isfinite isinf expm1".split()
)
_NUMBERS = [
    *["0", "1", "2", "5", "7", ".5", "1.", "1e-3", "0x1F", "1_000", "True", "pi", "e", "tau", "inf", "nan"],
    *sorted(ALL_NAMES - {"ts", "time_step", "resolution", "res"}),
]
_FORMS = [
    *["{n} + {n}", "{n} - {n}", "{n} * {n}", "({n})", "-{n}", "+{n}", "{n} / (abs({n}) + 1)", "{n} // 2.5"],
    *["{n} % 7", "({n}) ** 2", "abs({n}) ** .5", "2 ** -{s}", "{n} if {c} else {n}", "({n} if {c} else {n})"],
    *["{f}({n})", "{f}({n})", "{f}({n})", "sqrt(abs({n}))", "log(abs({n}) + 1)", "log(abs({n}) + 1, 2)"],
    *["exp(-abs({n}))", "max({n}, {n}, {n})", "min({l})", "min({n}, {n})", "hypot({n}, {n})", "copysign({n}, {n})"],
    *["atan2({n}, {n})", "fmod({n}, 3)", "pow(abs({n}) + 1, .5)", "ldexp({n}, {s})", "fsum({l})", "prod({l})"],
    *["dist([{n}, 1], ({n}, 2))", "gcd({s}, {s})", "lcm({s}, {s})", "factorial({s})", "comb({s}, {s})", "isqrt({s})"],
    *["perm({s}, {s})", "round({n}, {s})", "[{n}, {n}, {n}][{i}]", "({n}, {n})[int({c})]", "[1, {n}, {n}][1:][0]"],
    *["{1: {n}, 'a': {n}}[1]", "{1: {n}}.get({s}, {n})", "{'a': {n}}.get('a')", "{}.get({n}, {n})"],
    *["resolution[{i}] / 2", "ts({n}, {n})", "time_step({n}, {n})"],
    *["random()", "uniform({n}, {n})", "gauss({n}, 1)", "randint(0, {s})", "choice({l})", "({c}) * {n}", "{a}"],
]
_CONDITIONS = [
    *["{n} < {n}", "{n} <= {n} != {n}", "{n} == {n}", "not {n}", "{n} > {n} and {c}", "{c} or {c}", "{n} in {l}"],
    *["{n} not in ({n}, 1)", "{n} is None", "{n} is not True", "({c})", "True", "None"],
]


def expression(draw: Random) -> bytes:
    """Return an expression of the experiments' language."""
    return _filled("{n}", draw, draw.choice([1, 2, 3, 4, 5])).encode()


def _filled(form: str, draw: Random, deepest: int) -> str:
    parts: dict[str, Callable[[], str]] = {
        "n": lambda: _filled(draw.choice(_FORMS), draw, deepest - 1) if deepest else draw.choice(_NUMBERS),
        "c": lambda: _filled(draw.choice(_CONDITIONS) if deepest else "{n} < 1", draw, max(0, deepest - 1)),
        "l": lambda: _filled(draw.choice(["[{n}, {n}]", "({n}, {n}, {n})", "[{n}]"]), draw, max(0, deepest - 1)),
        "f": lambda: draw.choice(_ANY_NUMBER),
        "s": lambda: str(draw.randrange(9)),
        "i": lambda: draw.choice(["0", "1", "-1", "int(t)"]),
        "a": lambda: f"{draw.choice(sorted({*FUNCTIONS, *RANDOM_NAMES}))}({', '.join('1' * draw.randrange(3))})",
    }
    return re.sub(r"\{([a-z])\}", lambda found: parts[found[1]](), form)


def command_line(draw: Random, tool: Tool, needed: str) -> bytes:
    """Return a command line of another tool: what it needs, and some of its options with values of their kinds."""
    program, *rest = needed.split()
    options = [
        one for one in tool.programs[program] if one.name != tool.plain and not set(one.spellings.split()) & {*rest}
    ]
    words = [needed]
    for option in draw.sample(options, draw.randrange(min(8, len(options)))):
        words += [draw.choice(option.spellings.split()), *_values(option, draw)]
    return " ".join(words).encode()


def _values(option: Option, draw: Random) -> list[str]:
    if option.count == FLAG:
        return []
    count = draw.randrange(1, 4) if option.count == MANY else option.count
    kinds: dict[type[Any], list[str]] = {
        bool: ["true", "false"],
        int: ["1", "2", "7", "32", "300", "0"],
        float: [".5", "1", "0.01"],
    }
    texts = [*[f"'{option.default}'"] * 3 * bool(option.default), "'a cat:2|fog:-.5'", "cat", "x.png", "1"]
    return [draw.choice(kinds.get(type(option.default), texts)) for _ in range(count)]


_WORDS = [
    *["a cat", "fur", "a", "7", "-1.5", "true", "null", "nan", "=1+1", "~", ".", "..", "/", "in/b.txt", "(soft:1.2)"],
    *[
        "猫、犬",
        "é" * 300,
        "a, b",
        'a "b"',
        "a\tb",
        "a\nb",
        "\u202e",
        "\ufeffx",
        "𝔞",
        "\x1f",
        "[1, 2]",
        "{a|b}",
        "x" * 999,
    ],
]


def like(value: Any, draw: Random, kept: Collection[str] = ()) -> Any:
    """Return JSON of the same form with other values; what stands under the `kept` keys has to fit elsewhere."""
    if isinstance(value, Mapping):
        left = [key for key in value if key in kept or draw.random() < 0.98]
        return {key: value[key] if key in kept else like(value[key], draw, kept) for key in left}
    if isinstance(value, (list, tuple)):
        chosen = draw.choice([value, value, value, value[:-1] or value, value * 2, value[::-1]])
        return [like(one, draw, kept) for one in chosen]
    if value is None or draw.random() < 0.4:
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw.choice([value + 1, value, 1, 2, 7, draw.randrange(1, 300)])
    if isinstance(value, float):
        return draw.choice([0.0, 0.5, value * 2, draw.uniform(0, 1), draw.uniform(-9, 9), 1e300, 1e-300])
    return draw.choice([*_WORDS, f"{value} {draw.randrange(99)}", f"{draw.choice(_WORDS)} {value}"])


def documents(
    examples: Sequence[Any], write: Callable[[Any], bytes | str] = json.dumps, kept: Collection[str] = ()
) -> Callable[[Random], bytes]:
    """Return what makes documents like the examples, in the form of a file."""

    def make(draw: Random) -> bytes:
        made = write(like(draw.choice(examples), draw, kept))
        return made.encode("utf-8", "replace") if isinstance(made, str) else made

    return make


def settings(draw: Random, options: Sequence[Option], needed: Mapping[str, str]) -> bytes:
    """Return settings in YAML of a tool that has no command line."""
    told = draw.sample(options, draw.randrange(min(9, len(options))))
    values = {option.name: " ".join(_values(option, draw)).strip("'") for option in told}
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in {**values, **needed}.items()).encode()


def as_csv(rows: Sequence[Mapping[str, Any]], separator: str = ",") -> str:
    return str(pd.DataFrame(rows).to_csv(index=False, sep=separator))

r"""Texts with weights on one line: `a lighthouse:2 | storm | blurry:-0.5`.

`|` parts the texts; a number right behind a text's last colon is its weight. A colon behind a digit ("at 12:30",
"16:9") and a colon before anything else ("mission: impossible") belong to the text; in double quotes everything does:
`"this | that:2":1`. What may mean both is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from clipnb.errors import ConfigError
from clipnb.optimise.language.mistakes import shown

MAX_TEXTS = 100  # on one line
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
_PART = re.compile(rf'\s*(?:"(?P<quoted>[^"]*)"(?:\s*:(?P<number>{_NUMBER}))?\s*|(?P<plain>[^|]*))(?P<bar>\||$)')
_WEIGHTED = re.compile(rf"(?P<text>.*[^\d\s:])\s*:(?P<weight>{_NUMBER})", re.DOTALL)
_UNCLEAR = re.compile(
    rf"(?:.*[^\d\s:])?\s*:(?:\s+[-+]?[\d.,]*\d|[-+]?\d*,\d+|[-+]?[\d.]*\d%|{_NUMBER}:{_NUMBER})|:{_NUMBER}", re.DOTALL
)
_HELP = 'write "a text:2" for a weight, and double quotes around what belongs to the text'


def features_of(line: str) -> list[dict[str, Any]]:
    """Read texts with weights, as `ExperimentConfig.from_dict` takes features.

    Raises:
        ConfigError: a text is missing, or it is not clear whether a number is a weight.

    >>> features_of("a lighthouse:2 | storm")
    [{'text': 'a lighthouse', 'weight': 2.0}, {'text': 'storm'}]
    >>> features_of('"this | that" | the sun at 12:30')
    [{'text': 'this | that'}, {'text': 'the sun at 12:30'}]
    """
    features: list[dict[str, Any]] = []
    place, bar = 0, "|"
    while bar:
        if len(features) == MAX_TEXTS:
            raise ConfigError(f"more than {MAX_TEXTS} texts stand on one line; write a list of features in YAML")
        found = _PART.match(line, place)
        assert found, "every line has parts"  # noqa: S101
        features.append(_feature(found, line))
        place, bar = found.end(), found["bar"]
    return features


def line_of(features: Sequence[tuple[str, float]]) -> str | None:
    """Write texts and weights on one line that `features_of` reads; None where a text cannot be written there.

    >>> line_of([("a lighthouse", 2.0), ("16:9 | wide", 1.0)])
    'a lighthouse:2 | "16:9 | wide"'
    """
    parts = []
    for text, weight in features:
        number = "" if weight == 1 else f":{_digits(weight)}"
        part = next((one for one in (f"{text}{number}", f'"{text}"{number}') if _is(one, [(text, weight)])), None)
        if part is None:
            return None
        parts.append(part)
    line = " | ".join(parts)
    return line if line and _is(line, features) else None  # a quote may reach over texts


def _feature(found: re.Match[str], line: str) -> dict[str, Any]:
    text, weight = found["quoted"], found["number"]
    if text is None:
        text = found["plain"].strip()
        if _UNCLEAR.fullmatch(text):
            raise ConfigError(f"is the number in {shown(text)} a weight? {_HELP}")
        if number := _WEIGHTED.fullmatch(text):
            text, weight = number["text"], number["weight"]
    if not text.strip():
        raise ConfigError(f"a text is missing in {shown(line)}: | stands between two texts; {_HELP}")
    return {"text": text} if weight is None else {"text": text, "weight": float(weight)}


def _digits(weight: float) -> str:
    return f"{weight:.12f}".rstrip("0").rstrip(".")


def _is(line: str, features: Iterable[tuple[str, float]]) -> bool:
    try:
        return [(one["text"], one.get("weight", 1.0)) for one in features_of(line)] == list(features)
    except ConfigError:
        return False

"""Edge weights: one function a measure, over whole columns of pairs; each registers itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError, nearest
from clipnb.tags.counting.pairs import Pairs

Floats = npt.NDArray[np.float64]
Weight = Callable[[Pairs], Floats]
"""Of E pairs the E weights: the larger, the closer the two tags belong together."""
Number = TypeVar("Number", float, Floats)
_PIECE = 1 << 20

WEIGHTS: dict[str, Weight] = {}
"""The measures by name."""
EXAMPLES: dict[str, float] = {}
"""What each weighs the tags `a` and `b` of `EXAMPLE`."""
EXAMPLE = ("x, a, b", "x, a, b", "x, a, c", "x, c")


def register_weight(measure: Weight, example: float | None = None) -> Weight:
    """Register a measure under its function's name; usable as a decorator. A second one replaces the first.

    Args:
        measure: of E pairs returns E weights.
        example: the weight of `a` and `b` in the four prompts of `EXAMPLE`, which tests check.
    """
    name = measure.__name__
    WEIGHTS[name] = measure
    EXAMPLES.pop(name, None)
    if example is not None:
        EXAMPLES[name] = example
    return measure


def weigh(pairs: Pairs, name: str) -> Floats:
    """Weigh E pairs by one of `WEIGHTS`, as shape (E,)."""
    return find_weight(name)(pairs)


def find_weight(name: str) -> Weight:
    """Find a measure by name.

    Raises:
        TagsError: no such measure.
    """
    if name not in WEIGHTS:
        raise TagsError(f"no edge weight {name!r}; there is {nearest(name, WEIGHTS)}")
    return WEIGHTS[name]


def _in_pieces(measure: Weight) -> Weight:
    """Let a measure that weighs each pair by itself take a million at a time, or its steps would fill the memory."""

    @wraps(measure)
    def weighed(pairs: Pairs) -> Floats:
        found = np.empty(len(pairs))
        for start in range(0, len(pairs), _PIECE):
            part = slice(start, start + _PIECE)
            found[part] = measure(pairs.where(part))
        return found

    return weighed


@partial(register_weight, example=2.0)
def count(pairs: Pairs) -> Floats:
    """Number of prompts that have both tags."""
    return pairs.count.astype(np.float64)


@partial(register_weight, example=2 / 2)
def tagnet(pairs: Pairs) -> Floats:
    """Count divided by the number of distinct edges, tagnet's weight."""
    return pairs.count / max(len(pairs), 1)


@partial(register_weight, example=2 / 3)
@_in_pieces
def jaccard(pairs: Pairs) -> Floats:
    """Prompts with both tags / prompts with any of them; in (0, 1], 1 when they always stand together."""
    either = pairs.prompts_of[pairs.source] + pairs.prompts_of[pairs.target] - pairs.count
    return pairs.count / either


@partial(register_weight, example=0.4150375)
@_in_pieces
def npmi(pairs: Pairs) -> Floats:
    """Normalised pointwise mutual information, ln(p(a,b) / p(a)p(b)) / -ln p(a,b), after Bouma (2009).

    In (-1, 1]: 1 when they always stand together, 0 when they meet as often as chance would have it. A pair
    in every prompt, for which it is not defined, has 1, its limit.
    """
    together = pairs.count / pairs.prompts
    always = together >= 1
    information = -np.log(np.where(always, 0.5, together))
    return np.where(always, 1.0, np.log(pairs.count / by_chance(pairs)) / information)


@partial(register_weight, example=1.7260924)
@_in_pieces
def surprise(pairs: Pairs) -> Floats:
    """Log-likelihood ratio G2 against two tags that are independent, after Dunning (1993).

    Below 0 where they avoid each other. Beyond 10.83 chance explains it less than once in a thousand pairs.
    """
    sides = _times_log(pairs.prompts_of) + _times_log(pairs.prompts - pairs.prompts_of)
    one, other = pairs.prompts_of[pairs.source], pairs.prompts_of[pairs.target]
    cells = sum(_times_log(cell) for cell in (pairs.count, one - pairs.count, other - pairs.count))
    cells = cells + _times_log(pairs.prompts - one - other + pairs.count)
    ratio = cells + _times_log(np.array(pairs.prompts)) - sides[pairs.source] - sides[pairs.target]
    return np.where(pairs.count >= by_chance(pairs), 2.0, -2.0) * np.maximum(ratio, 0.0)


@partial(register_weight, example=2 * 0.4150375)
@_in_pieces
def strength(pairs: Pairs) -> Floats:
    """Count * npmi: both frequent and beyond chance. Below 0 for tags that avoid each other."""
    return _strength(count(pairs), npmi(pairs))


def by_chance(pairs: Pairs) -> Floats:
    """Return how many prompts would have both tags if these were independent of each other, shape (E,)."""
    return pairs.prompts_of[pairs.source] * (pairs.prompts_of[pairs.target] / max(pairs.prompts, 1))


def beyond_chance(pairs: Pairs, chance: float) -> npt.NDArray[np.bool_]:
    """Return which of E pairs stand together more often than independent tags do with this probability (G-test)."""
    return surprise(pairs) > least_surprise(chance)


def least_surprise(chance: float) -> float:
    """Return the `surprise` beyond which independent tags come with this probability: 10.83 at 0.001."""
    return NormalDist().inv_cdf(1 - chance / 2) ** 2


EVIDENT = least_surprise(0.001)
"""The `surprise` from which on a pair is no chance."""


def edge_strength(edge: Mapping[str, float]) -> float:
    """Return the strength of a graph's edge by its attributes; its `weight` without `count` and `npmi`."""
    return _strength(edge["count"], edge["npmi"]) if "count" in edge and "npmi" in edge else edge.get("weight", 1.0)


def _times_log(numbers: npt.NDArray[np.int64] | npt.NDArray[np.int32]) -> Floats:
    return np.asarray(numbers * np.log(np.maximum(numbers, 1)), dtype=np.float64)


def _strength(count: Number, npmi: Number) -> Number:
    return count * npmi

"""What an edge weighs: one function for each measure, all over whole columns of pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError, nearest
from clipnb.tags.pairs import Pairs

Weight = Callable[[Pairs], npt.NDArray[np.float64]]
"""Takes E pairs, gives E weights: the larger, the closer the two tags belong together."""

WEIGHTS: dict[str, Weight] = {}
"""The measures by name; a measure of one's own is added with `register_weight`."""


def register_weight(measure: Weight) -> Weight:
    """Make a measure known under its function's name; as a decorator. A second one replaces the first."""
    WEIGHTS[measure.__name__] = measure
    return measure


def weigh(pairs: Pairs, name: str) -> npt.NDArray[np.float64]:
    """Weigh pairs by a measure's name.

    Args:
        pairs: E pairs.
        name: one of `WEIGHTS`.

    Returns:
        The weights, shape (E,).

    Raises:
        TagsError: no such measure.
    """
    return find_weight(name)(pairs)


def find_weight(name: str) -> Weight:
    """Find a measure by name.

    Raises:
        TagsError: no such measure.
    """
    if name not in WEIGHTS:
        raise TagsError(f"no edge weight {name!r}; there is {nearest(name, WEIGHTS)}")
    return WEIGHTS[name]


@register_weight
def count(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Number of prompts that have both tags."""
    return pairs.count.astype(np.float64)


@register_weight
def tagnet(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Count divided by the number of distinct edges, tagnet's weight."""
    return pairs.count / max(len(pairs), 1)


@register_weight
def jaccard(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Prompts with both tags / prompts with any of them; in (0, 1], 1 when they always stand together."""
    either = pairs.prompts_of[pairs.source] + pairs.prompts_of[pairs.target] - pairs.count
    return pairs.count / either


@register_weight
def npmi(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Normalised pointwise mutual information, ln(p(a,b) / p(a)p(b)) / -ln p(a,b), after Bouma (2009).

    In (-1, 1]: 1 when they always stand together, 0 when they meet as often as chance would have it. A pair
    in every prompt says nothing by this measure and is given 1, its limit.
    """
    together = pairs.count / pairs.prompts
    by_chance = (pairs.prompts_of[pairs.source] / pairs.prompts) * (pairs.prompts_of[pairs.target] / pairs.prompts)
    always = together >= 1
    surprise = -np.log(np.where(always, 0.5, together))
    return np.where(always, 1.0, np.log(together / by_chance) / surprise)


@register_weight
def strength(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Count * npmi: what is both frequent and beyond chance. Below 0 for tags that avoid each other."""
    return pairs.count * npmi(pairs)


def edge_strength(edge: Mapping[str, float]) -> float:
    """The same of a graph's edge, by its attributes; its `weight` when it has no `count` and `npmi`."""
    return edge["count"] * edge["npmi"] if "count" in edge and "npmi" in edge else edge.get("weight", 1.0)

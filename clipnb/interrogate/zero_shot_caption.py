"""Captions without a captioner: the medium and the things of the label tables that suit a picture best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from clipnb.interrogate.image_query import Embed, Scene, measure

COMPOSED = "composed"
"""What a result calls the source of such a caption."""
_PLAIN_MEDIUM = "a photo"  # where the encoder cannot tell mediums apart
_MEDIUMS, _THINGS, _PAIRED = 3, 16, 6


def compose_captions(scenes: Sequence[Scene], embed: Embed | None = None) -> list[str]:
    """Write captions such as "a photo of a cup of coffee", or with two things where that suits better.

    Whole captions compete, not words: the likeliest mediums with the likeliest things, then pairs of the best
    things under the winning medium.

    Args:
        scenes: pictures of one batch.
        embed: embeds the competing captions; the encoder unless given.

    Returns:
        For each picture the caption with the highest similarity.
    """
    parts = [_single(scene) for scene in scenes]
    texts = [[f"{medium} of {thing}" for medium, thing in some] for some in parts]
    singles = [_order(some, values) for some, values in zip(parts, measure(scenes, texts, embed), strict=True)]
    pairs = [
        [f"{single[0].medium} of {one.thing} and {other.thing}" for one, other in combinations(single[:_PAIRED], 2)]
        for single in singles
    ]
    measured = measure(scenes, pairs, embed)
    return [_winner(*competing) for competing in zip(singles, pairs, measured, strict=True)]


class _Competitor(NamedTuple):
    similarity: float
    thing: str
    medium: str


def _single(scene: Scene) -> list[tuple[str, str]]:
    """Pair the likeliest mediums with the likeliest things."""
    mediums = [ranked.label for ranked in scene.best("mediums", _MEDIUMS)] or [_PLAIN_MEDIUM]
    things = [ranked.label for ranked in scene.best("objects", _THINGS)]
    return [(medium, thing) for medium in mediums for thing in things]


def _order(parts: Sequence[tuple[str, str]], measured: Sequence[float]) -> list[_Competitor]:
    """Keep what has the medium of the best one, best first."""
    best_medium = parts[measured.index(max(measured))][0]
    under_it = [
        _Competitor(value, thing, medium)
        for value, (medium, thing) in zip(measured, parts, strict=True)
        if medium == best_medium
    ]
    return sorted(under_it, reverse=True)


def _winner(single: Sequence[_Competitor], pairs: Sequence[str], measured: Sequence[float]) -> str:
    alone = (single[0].similarity, f"{single[0].medium} of {single[0].thing}")
    return max([alone, *zip(measured, pairs, strict=True)])[1]

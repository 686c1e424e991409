"""A caption without a captioner: the medium and the things of the label tables that suit the picture best."""

from __future__ import annotations

from itertools import combinations

from clipnb.interrogate.scene import Scene

COMPOSED = "composed"
"""What a result calls the source of such a caption."""
_PLAIN_MEDIUM = "a photo"  # where the encoder cannot tell mediums apart
_MEDIUMS, _THINGS, _PAIRED = 3, 16, 6


def compose_caption(scene: Scene) -> str:
    """Write a caption such as "a photo of a cup of coffee", or with two things where that suits better.

    Whole captions compete, not words: the likeliest mediums with the likeliest things, then pairs of the best
    things under the winning medium.

    Args:
        scene: the picture.

    Returns:
        The caption with the highest similarity.
    """
    mediums = [ranked.label for ranked in scene.best("mediums", _MEDIUMS)] or [_PLAIN_MEDIUM]
    things = [ranked.label for ranked in scene.best("objects", _THINGS)]
    parts = [(medium, thing) for medium in mediums for thing in things]
    measured = _measure(scene, [f"{medium} of {thing}" for medium, thing in parts])
    best_medium = parts[measured.index(max(measured))][0]
    under_it = sorted(
        ((value, thing) for value, (medium, thing) in zip(measured, parts, strict=True) if medium == best_medium),
        reverse=True,
    )
    single = (under_it[0][0], f"{best_medium} of {under_it[0][1]}")
    likeliest = [thing for _, thing in under_it[:_PAIRED]]
    pairs = [f"{best_medium} of {one} and {other}" for one, other in combinations(likeliest, 2)]
    return max([single, *zip(_measure(scene, pairs), pairs, strict=True)])[1]


def _measure(scene: Scene, texts: list[str]) -> list[float]:
    return scene.similarities(texts) if texts else []

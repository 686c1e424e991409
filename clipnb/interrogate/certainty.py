"""Certainty in words, and what can be said of a picture where an encoder is certain of little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipnb.interrogate.labels.word_lists import TABLES

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import Embed, ImageQuery
    from clipnb.interrogate.labels.table import RankedLabel

SURE = 0.5
"""Certainty from which on a thing is said plainly."""
_WORDS = {0.75: "sure", SURE: "likely", 0.25: "doubtful", 0.0: "no idea"}
PORTRAIT = ("a portrait", "a person")
"""Medium and thing of a picture that a face looks out of."""


def certainty_in_words(certainty: float) -> str:
    """Return a certainty in [0, 1] as a number and a word.

    >>> certainty_in_words(0.6), certainty_in_words(0.04)
    ('0.60, likely', '0.04, no idea')
    """
    return f"{certainty:.2f}, {next(word for least, word in _WORDS.items() if certainty >= least)}"


def certain_labels(query: ImageQuery, ranked: Sequence[RankedLabel]) -> list[RankedLabel]:
    """Return labels of one table with their certainty; as they are where the encoder knows none."""
    if query.sight is None or not ranked or ranked[0].table not in TABLES:  # but in a collection
        return list(ranked)
    import torch  # here, since the command's help does not need it

    rows = torch.stack([query.table(one.table).embedding(one.label) for one in ranked]).float()
    certainties = query.sight.certainties([one.label for one in ranked], rows)
    return [one._replace(certainty=certainty) for one, certainty in zip(ranked, certainties, strict=True)]


def certainty_of(query: ImageQuery, caption: str, embed: Embed) -> float | None:
    """Return how certain it is that a composed caption is right, in [0, 1]; None where the encoder knows none."""
    if query.sight is None:
        return None
    if caption == caption_of(*PORTRAIT):
        return query.sight.portrait
    if " of " not in caption:  # a medium alone: of the best thing that was not said
        return query.sight.certainty
    return query.sight.certainties([caption], embed([caption]))[0]


def caption_of(medium: str, thing: str) -> str:
    """Return "a photo of a cat"; either may be ""."""
    return f"{medium} of {thing}" if medium and thing else medium or thing


def is_silent(query: ImageQuery) -> bool:
    """Whether nothing that the encoder knows fits the picture well, so that labels would be puns."""
    return query.sight is not None and query.sight.certainty < query.settings.least_certainty


def things_to_say(query: ImageQuery, ranked: Sequence[RankedLabel]) -> tuple[str, list[str]]:
    """Choose what a composed caption may name.

    Where the encoder is certain of nothing, it says less: that a person looks out of the picture, what several classes
    are together ("an animal"), the most certain thing, or nothing.

    Args:
        query: the image.
        ranked: labels of things.

    Returns:
        A medium, "" for any, and things, the best first; one that is "" for a picture of nothing that is known.
    """
    sight, least = query.sight, query.settings.least_certainty
    if sight is None or not ranked or not least:
        return "", [one.label for one in ranked]
    measured = [(one.certainty or 0.0, one.label) for one in certain_labels(query, ranked)]
    if sure := [label for certainty, label in measured if certainty >= max(SURE, least)]:
        return "", sure
    if sight.portrait >= max(SURE, least) and query.allows(caption_of(*PORTRAIT)):
        return PORTRAIT[0], [PORTRAIT[1]]
    upper = [name for name, certainty in sight.things() if certainty >= max(SURE, least) and query.allows(name)]
    if upper:
        return "", upper[:1]
    certainty, label = max(measured)
    return "", [label if certainty >= least else ""]

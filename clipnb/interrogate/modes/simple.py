"""The modes that only rank tables: caption, classic, fast and kaggle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipnb.interrogate.modes.base import PHRASE_TABLES, Mode, PromptCandidate, fitting
from clipnb.interrogate.prompt import Phrase

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery


class ClassicMode(Mode):
    """Caption, medium, artist, site, movement and flavors, in the order that people write."""

    name = "classic"
    summary = "CAPTION, MEDIUM ARTIST, TRENDING, MOVEMENT, FLAVORS: the best of each"
    takes_opening = True
    max_flavors = 3

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        phrases = query.opening(caption)
        phrases += [Phrase.of(medium) for medium in query.best("mediums") if not caption.startswith(medium.label)]
        phrases += [Phrase.of(artist, separator=" ") for artist in query.best("artists")]
        for table, count in (("trendings", 1), ("movements", 1), ("flavors", max_flavors)):
            phrases += map(Phrase.of, query.best(table, count))
        return fitting(query, phrases)


class FastMode(Mode):
    """The caption and the best labels of all tables."""

    name = "fast"
    summary = "CAPTION, then the best labels of all tables together"
    takes_opening = True

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        best = query.best_together(PHRASE_TABLES, max_flavors)
        return fitting(query, [*query.opening(caption), *map(Phrase.of, best)])


class CaptionMode(Mode):
    """The caption alone."""

    name = "caption"
    summary = "the caption alone"
    takes_opening = True

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        del max_flavors
        return fitting(query, query.opening(caption))


class KaggleMode(Mode):
    """Caption, medium, movement and flavors, without artist and site, as Kaggle's submissions have it."""

    name = "kaggle"
    summary = "CAPTION, MEDIUM, MOVEMENT, FLAVORS, as submissions on Kaggle have it; the caption without its full stop"
    takes_opening = True
    max_flavors = 3

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        phrases = query.opening(caption.removesuffix("."))
        for table, count in (("mediums", 1), ("movements", 1), ("flavors", max_flavors)):
            phrases += map(Phrase.of, query.best(table, count))
        return fitting(query, phrases)

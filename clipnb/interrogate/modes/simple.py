"""The modes that only rank tables: caption, classic, fast and kaggle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipnb.interrogate.modes.base import PHRASE_TABLES, Mode, PromptCandidate, fitting
from clipnb.interrogate.modes.variety import OFFERED, Variety
from clipnb.interrogate.prompt import SEPARATOR, Phrase

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery

CLASSIC_TABLES = ("mediums", "artists", "trendings", "movements", "flavors")
"""In the order that people write them."""


def _offered(query: ImageQuery, table: str, max_flavors: int) -> int:
    """Return how many labels of a table `classic` chooses from."""
    wanted = max_flavors if table == "flavors" else 1
    return wanted * OFFERED if query.settings.diverse and table != "mediums" else wanted


class ClassicMode(Mode):
    """Caption, medium, artist, site, movement and flavors, in the order that people write."""

    name = "classic"
    summary = "CAPTION, MEDIUM ARTIST, TRENDING, MOVEMENT, FLAVORS: the best of each"
    takes_opening = True
    max_flavors = 3
    checked = True
    settings = ("tolerance", "diverse")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        ranked = {table: query.best(table, _offered(query, table, max_flavors)) for table in CLASSIC_TABLES}
        ranked["mediums"] = [one for one in ranked["mediums"] if not caption.startswith(one.label)][:1]
        offered = [one for table in CLASSIC_TABLES for one in ranked[table]]
        variety, chosen = Variety(query, caption, offered), list[int]()
        for table in CLASSIC_TABLES:
            rows = [row for row, one in enumerate(offered) if one.table == table]
            chosen += variety.choose(rows, max_flavors if table == "flavors" else 1, chosen)
        separators = {"artists": " "}
        found = [Phrase.of(offered[row], separators.get(offered[row].table, SEPARATOR)) for row in chosen]
        return fitting(query, [*query.opening(caption), *found])


class FastMode(Mode):
    """The caption and the best labels of all tables."""

    name = "fast"
    summary = "CAPTION, then the best labels of all tables together"
    takes_opening = True
    checked = True
    settings = ("tolerance", "diverse")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        offered = query.best_together(PHRASE_TABLES, max_flavors * (OFFERED if query.settings.diverse else 1))
        chosen = Variety(query, caption, offered).choose(range(len(offered)), max_flavors)
        return fitting(query, [*query.opening(caption), *(Phrase.of(offered[row]) for row in chosen)])


class CaptionMode(Mode):
    """The caption alone."""

    name = "caption"
    summary = "the caption alone"
    takes_opening = True
    max_flavors = 0

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

"""The modes: ways to make a prompt of a caption and the label tables; here those without a chain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from clipnb.interrogate.image_query import Scene
from clipnb.interrogate.prompt import Phrase, cut_to_fit
from clipnb.interrogate.result import Candidate

PHRASE_TABLES = ("artists", "flavors", "mediums", "movements", "trendings")
"""Tables whose labels are ranked together where a prompt is a list of phrases."""


@dataclass(frozen=True)
class Draft:
    """A prompt that a mode made.

    Attributes:
        phrases: its parts; they fit the encoder's context.
        dropped: phrases that did not fit any more.
        candidates: the prompts that competed, best first.
    """

    phrases: tuple[Phrase, ...]
    dropped: int = 0
    candidates: tuple[Candidate, ...] = ()


class Mode(ABC):
    """A way to make a prompt.

    Attributes:
        name: what users call it.
        summary: one line about it.
        max_flavors: how many phrases it takes unless told otherwise.
        takes_caption: whether the prompt begins with a caption.
        ranks_only: whether it is done with ranking tables, without measuring prompts.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    max_flavors: ClassVar[int] = 32
    takes_caption: ClassVar[bool] = True
    ranks_only: ClassVar[bool] = True

    @abstractmethod
    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Make the prompt.

        Args:
            scene: the picture.
            caption: what the prompt begins with; "" where the mode takes none.
            max_flavors: how many phrases at most.
        """


class CaptionMode(Mode):
    """The caption alone."""

    name = "caption"
    summary = "the caption alone"

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Take the caption as it is."""
        del max_flavors
        return fitting(scene, [Phrase(caption, "caption")])


class ClassicMode(Mode):
    """Caption, medium, artist, site, movement and flavors, in the order that people write."""

    name = "classic"
    summary = "CAPTION, MEDIUM ARTIST, TRENDING, MOVEMENT, FLAVORS: the best of each"
    max_flavors = 3

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Take the best label of each table; the medium is left out when the caption begins with it."""
        phrases = [Phrase(caption, "caption")]
        phrases += [Phrase.of(medium) for medium in scene.best("mediums") if not caption.startswith(medium.label)]
        phrases += [Phrase.of(artist, separator=" ") for artist in scene.best("artists")]
        for table in ("trendings", "movements"):
            phrases += [Phrase.of(ranked) for ranked in scene.best(table)]
        phrases += [Phrase.of(flavor) for flavor in scene.best("flavors", max_flavors)]
        return fitting(scene, phrases)


class FastMode(Mode):
    """The caption and the best labels of all tables."""

    name = "fast"
    summary = "CAPTION, then the best labels of all tables together"

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Rank all tables together and take the best."""
        best = scene.best_together(PHRASE_TABLES, max_flavors)
        return fitting(scene, [Phrase(caption, "caption"), *map(Phrase.of, best)])


def fitting(scene: Scene, phrases: list[Phrase]) -> Draft:
    """Make a draft of the leading phrases that fit the encoder's context."""
    kept = cut_to_fit(phrases, scene.encoder.fits)
    return Draft(kept, dropped=len(phrases) - len(kept))

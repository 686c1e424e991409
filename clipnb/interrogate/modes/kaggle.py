"""The form of prompts that Kaggle's submissions were made of."""

from __future__ import annotations

from clipnb.interrogate.image_query import Scene
from clipnb.interrogate.modes.base import Draft, Mode, fitting
from clipnb.interrogate.prompt import Phrase


class KaggleMode(Mode):
    """Caption, medium, movement and flavors, without artist and site."""

    name = "kaggle"
    summary = "CAPTION, MEDIUM, MOVEMENT, FLAVORS, as submissions on Kaggle have it; the caption without its full stop"
    max_flavors = 3

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Take the best label of each table, whatever the caption says already."""
        phrases = [Phrase(caption.removesuffix("."), "caption")]
        for table, count in (("mediums", 1), ("movements", 1), ("flavors", max_flavors)):
            phrases += [Phrase.of(ranked) for ranked in scene.best(table, count)]
        return fitting(scene, phrases)

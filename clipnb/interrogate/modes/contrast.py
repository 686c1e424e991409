"""Mode contrast: the prompt that sets some images apart from others."""

from __future__ import annotations

from clipnb.interrogate.modes.sets import ModeOfSets


class ContrastMode(ModeOfSets):
    """The prompt whose mean cosine to a set of images is furthest above that to another set.

    The query's features are the difference of the sets' means, so that similarities are differences of mean cosines.
    """

    name = "contrast"
    summary = "what separates two sets of pictures, and a prompt for each of them"
    of_sets = "contrast(pictures, others)"
    takes_caption = False
    settings = ("diverse",)

"""Prompts that do not get worse as they grow: phrases that lower the similarity of the whole are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from clipnb.errors import counted
from clipnb.interrogate.image_query import Embed, ImageQuery, measure
from clipnb.interrogate.prompt import OPENING, Phrase, beginnings

if TYPE_CHECKING:
    from clipnb.interrogate.modes.base import PromptCandidate


def without_lowering(
    queries: Sequence[ImageQuery], made: Sequence[PromptCandidate], embed: Embed | None = None
) -> list[PromptCandidate]:
    """Leave out phrases that lower the similarity of the whole prompt by more than the settings' tolerance.

    All prompts of a batch are measured together, phrase by phrase; those that lost phrases are measured again, since a
    phrase may say nothing new only behind another one. What it opens with stays.

    Args:
        queries: the images.
        made: a prompt for each.
        embed: embeds texts; one with a memory embeds each beginning once; default: the encoder.
    """
    checked = list(made)
    unsure = [i for i, query in enumerate(queries) if query.settings.tolerance is not None]
    while unsure:
        texts = [beginnings(checked[i].phrases) for i in unsure]
        measured = dict(zip(unsure, measure([queries[i] for i in unsure], texts, embed), strict=True))
        rising = {i: _rising(checked[i].phrases, measured[i], queries[i].settings.tolerance or 0.0) for i in unsure}
        unsure = [i for i in unsure if len(rising[i]) < len(checked[i].phrases)]
        for i in unsure:
            checked[i] = replace(checked[i], phrases=rising[i])
    return [_told(before, after) for before, after in zip(made, checked, strict=True)]


def _rising(phrases: Sequence[Phrase], similarities: Sequence[float], tolerance: float) -> tuple[Phrase, ...]:
    steps = zip(phrases[1:], pairwise(similarities), strict=True)
    kept = (one for one, (before, now) in steps if one.origin in OPENING or now >= before - tolerance)
    return (*phrases[:1], *kept)


def _told(before: PromptCandidate, after: PromptCandidate) -> PromptCandidate:
    lost = len(before.phrases) - len(after.phrases)
    note = f"left out {counted(lost, 'phrase')}, which would lower the similarity of the whole"
    return replace(after, notes=(*after.notes, note)) if lost else after

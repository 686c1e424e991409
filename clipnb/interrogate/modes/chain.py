"""The chain: a prompt grown phrase by phrase, each time by what suits the picture best; one prompt or a beam."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from clipnb.interrogate.image_query import Scene
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.modes.choices import Choices, Floats, Score
from clipnb.interrogate.prompt import SEPARATOR
from clipnb.models.causal import bf16_is_faster

CERTAINTY = 2.0
"""Margin of lazy scoring in standard deviations; chosen by tests/benchmarks/interrogate_lazy.py."""
_SCORED_AGAIN = 16  # best drafts that are scored in the encoder's own precision


@dataclass(frozen=True)
class Link:
    """A prompt that a chain reached.

    Attributes:
        prompt: its text.
        merit: its similarity in [-1, 1]; negated where the least similar is looked for.
        rows: the phrases that were added, in order.
        choices: what is known about the others.
    """

    prompt: str
    merit: float
    rows: tuple[int, ...]
    choices: Choices


def grow_chain(
    scene: Scene,
    phrases: Sequence[RankedLabel],
    start: str,
    *,
    min_count: int,
    max_count: int,
    width: int = 1,
    reverse: bool = False,
) -> Iterator[Link]:
    """Append phrases one at a time, each time the one with the highest similarity of the whole prompt.

    Args:
        scene: the picture and how phrases are scored.
        phrases: what to choose from.
        start: what the prompt begins with; may be "".
        min_count: phrases that are added even if the similarity falls.
        max_count: phrases at most.
        width: prompts that are followed at once; 1 is the greedy chain.
        reverse: look for the least similar prompt instead.

    Yields:
        The best prompt after each step; ends when it no longer rises or nothing more fits.
    """
    sign = -1.0 if reverse else 1.0
    merit = sign * scene.similarities([start])[0] if start else -np.inf
    certainty = CERTAINTY if scene.settings.lazy else np.inf
    choices = Choices(_make_score(scene, phrases, sign), len(phrases), certainty)
    beam = [Link(start, merit, (), choices)]
    for index in range(max_count):
        grown = [link for parent in beam for link in _grown(parent, scene, phrases, width)]
        grown = _distinct(sorted(grown, key=lambda link: link.merit, reverse=True))[:width]
        if not grown or (grown[0].merit <= beam[0].merit and index >= min_count):
            return
        beam = grown
        yield beam[0]


def _grown(parent: Link, scene: Scene, phrases: Sequence[RankedLabel], width: int) -> Iterator[Link]:
    beginning = parent.prompt + SEPARATOR.rstrip() if parent.prompt else ""

    def extended(row: int) -> str:
        return parent.prompt + SEPARATOR + phrases[row].label if parent.prompt else phrases[row].label

    best = parent.choices.top(
        beginning,
        parent.merit if parent.prompt else 0.0,
        width,
        accept=lambda row: scene.encoder.fits(extended(row)),
    )
    for row, merit in best:
        yield Link(extended(row), merit, (*parent.rows, row), parent.choices.without(row))


def _distinct(links: Sequence[Link]) -> list[Link]:
    """Keep the best order of the same phrases only, so that a beam holds different prompts."""
    best: dict[frozenset[int], Link] = {}
    for link in links:
        best.setdefault(frozenset(link.rows), link)
    return list(best.values())


def _make_score(scene: Scene, phrases: Sequence[RankedLabel], sign: float) -> Score:
    """Make the measure of phrases behind a beginning; drafts in bf16 are scored again where they may be best."""
    endings = [" " + phrase.label for phrase in phrases]
    target = sign * scene.features
    exact = scene.encoder.continuations(endings)
    drafting = scene.settings.scoring == "draft" or (
        scene.settings.scoring == "auto" and bf16_is_faster(scene.encoder.device, scene.encoder.dtype)
    )
    draft = scene.encoder.continuations(endings, draft=True) if drafting else exact

    def score(beginning: str, rows: list[int]) -> Floats:
        merits = draft.encode(beginning, rows) @ target
        if not draft.exact:
            best = merits.topk(min(_SCORED_AGAIN, len(rows))).indices
            again = exact.encode(beginning, [rows[place] for place in best.tolist()])
            merits[best] = again @ target
        measured: Floats = merits.cpu().to(torch.float64).numpy()
        return measured

    return score

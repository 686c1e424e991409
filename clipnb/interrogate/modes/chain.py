"""The chain: a prompt grown phrase by phrase, each time by what suits the image best; one prompt or a beam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from clipnb.interrogate.image_query import ImageQuery
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.prompt import SEPARATOR
from clipnb.models.device import bf16_is_faster
from clipnb.models.encoder import WholeTexts

Floats = NDArray[np.float64]
Score = Callable[[str, list[int]], Floats]
"""Similarities [n] of prompts: a beginning, and behind it the phrases of n rows."""

CERTAINTY = 2.0
"""Margin of lazy scoring in standard deviations; chosen by tests/benchmarks/interrogate_lazy.py."""
_SCORED_AGAIN = 16  # best drafts that are scored in the encoder's own precision
_BEST, _SPREAD = 48, 48  # phrases scored first: the most promising, and some from everywhere
_DRAFTED, _LAST = 192, 64  # texts of a shortlist: by the estimate, and by the last step
_ENDINGS_WEIGH = 0.75  # of an ending's letters beside a beginning's, in the estimate
_MORE = 256  # phrases scored at a time after that


@dataclass(frozen=True)
class ChainState:
    """A prompt that a chain reached."""

    prompt: str
    merit: float  # similarity in [-1, 1]; negated where the least similar is looked for
    rows: tuple[int, ...]  # the phrases that were added, in order
    scorer: PhraseScorer  # of the others


def grow_chain(
    query: ImageQuery,
    phrases: Sequence[RankedLabel],
    start: str,
    *,
    min_count: int,
    max_count: int,
    width: int = 1,
    reverse: bool = False,
    tolerance: float | None = None,
    accept: Callable[[int, Sequence[int]], bool] | None = None,
) -> Iterator[ChainState]:
    """Append phrases one at a time, each time the one with the highest similarity of the whole prompt.

    Args:
        query: the image and how phrases are scored.
        phrases: what to choose from.
        start: what the prompt begins with; may be "".
        min_count: phrases that are added even if the similarity falls.
        max_count: maximal number of phrases.
        width: prompts that are followed at once; 1 is the greedy chain.
        reverse: search the least similar prompt instead.
        tolerance: by how much a phrase may make the prompt worse; None for any amount.
        accept: whether a phrase may be added behind others that were; None for all.

    Yields:
        The best prompt after each step; ends when it no longer rises or nothing more fits.
    """
    sign = -1.0 if reverse else 1.0
    merit = sign * query.similarities([start])[0] if start else -np.inf
    certainty = CERTAINTY if query.settings.lazy else np.inf
    scorer = PhraseScorer(_make_score(query, phrases, sign), len(phrases), certainty)
    beam = [ChainState(start, merit, (), scorer)]
    for index in range(max_count):
        grown = [state for parent in beam for state in _grown(parent, query, phrases, width, accept)]
        grown.sort(key=lambda state: state.merit, reverse=True)
        once: dict[frozenset[int], ChainState] = {}  # the best order of the same phrases, so that prompts differ
        for state in grown:
            once.setdefault(frozenset(state.rows), state)
        grown = list(once.values())[:width]
        if not grown or (grown[0].merit <= beam[0].merit and index >= min_count):
            return
        if tolerance is not None and grown[0].merit < beam[0].merit - tolerance:
            return
        beam = grown
        yield beam[0]


def _grown(
    parent: ChainState,
    query: ImageQuery,
    phrases: Sequence[RankedLabel],
    width: int,
    accept: Callable[[int, Sequence[int]], bool] | None,
) -> Iterator[ChainState]:
    def extended(row: int) -> str:
        return parent.prompt + SEPARATOR + phrases[row].label if parent.prompt else phrases[row].label

    best = parent.scorer.top(
        parent.prompt + SEPARATOR.rstrip() if parent.prompt else "",
        parent.merit if parent.prompt else 0.0,
        width,
        accept=lambda row: (accept is None or accept(row, parent.rows)) and query.fits(extended(row)),
    )
    for row, merit in best:
        yield ChainState(extended(row), merit, (*parent.rows, row), parent.scorer.without(row))


def _make_score(query: ImageQuery, phrases: Sequence[RankedLabel], sign: float) -> Score:
    """Make the measure of phrases behind a beginning; drafts in bf16 are scored again where they may be best."""
    endings = [" " + phrase.label for phrase in phrases]
    target = sign * query.features
    exact = query.encoder.continuations(endings)
    drafting = query.settings.scoring == "draft" or (
        query.settings.scoring == "auto" and bf16_is_faster(query.encoder.device, query.encoder.dtype)
    )
    draft = query.encoder.continuations(endings, draft=True) if drafting else exact
    if isinstance(exact, WholeTexts) and query.settings.scoring != "full" and len(phrases) > _DRAFTED + _LAST:
        return Shortlist(query, phrases, exact, sign).score

    def score(beginning: str, rows: list[int]) -> Floats:
        merits = draft.encode(beginning, rows) @ target
        if not draft.exact:
            best = merits.topk(min(_SCORED_AGAIN, len(rows))).indices
            again = exact.encode(beginning, [rows[place] for place in best.tolist()])
            merits[best] = again @ target
        measured: Floats = merits.cpu().to(torch.float64).numpy()
        return measured

    return score


class Shortlist:
    """Scores whole texts, but only those that an estimate of their embeddings ranks first, and the last step's best.

    For encoders that compute each text anew, where scoring thousands of them at every step would take minutes. Of 500
    phrases the best was among the estimate's first six, behind each of three beginnings.
    """

    def __init__(self, query: ImageQuery, phrases: Sequence[RankedLabel], exact: WholeTexts, sign: float) -> None:
        self._exact, self._encoder, self._target = exact, query.encoder, sign * query.features
        rows = [query.table(phrase.table).embedding(phrase.label) for phrase in phrases]
        self._embeddings = torch.stack(rows).float().to(self._target.device)
        self._lengths = torch.tensor([float(len(phrase.label)) for phrase in phrases], device=self._target.device)
        self._last: Floats = np.full(len(phrases), -np.inf)

    def score(self, beginning: str, rows: list[int]) -> Floats:
        """Return the similarities of the texts that were computed, and minus infinity for the others."""
        places = torch.tensor(rows, device=self._target.device)
        estimated = self._embeddings[places]
        if beginning:
            lengths = self._lengths[places] * _ENDINGS_WEIGH
            start = self._encoder.encode_text([beginning])[0]
            estimated = self._encoder.composed(start, estimated, len(beginning) / (len(beginning) + lengths))
        ranked = (-(estimated @ self._target)).cpu().numpy().argsort(kind="stable")[:_DRAFTED]
        before = (-self._last[rows]).argsort(kind="stable")[:_LAST]
        computed = np.union1d(ranked, before[np.isfinite(self._last[rows][before])])
        merits: Floats = np.full(len(rows), -np.inf)
        embeddings = self._exact.encode(beginning, [rows[place] for place in computed])
        merits[computed] = (embeddings @ self._target).cpu().to(torch.float64).numpy()
        self._last[rows] = merits
        return merits


class ScoredPhrase(NamedTuple):
    """A phrase that may be added, and the similarity of the prompt with it."""

    row: int
    similarity: float


class PhraseScorer:
    """Which phrase to add next: scores every phrase, or only those that may be the best.

    A phrase's gain is what it adds to the prompt's similarity. Gains change from step to step, but not much: last
    step's gain predicts this step's. So a sample is scored, a line is fitted from predicted to measured gains, and
    further phrases are scored only while their predicted gain, plus a margin, may beat the best one measured. The
    first step scores every phrase; with an infinite margin every step does, which is the exact chain.

    Attributes:
        scored: how many scores were asked for at this point of the chain.
        scored_before: the same for the step that led here.
    """

    def __init__(self, score: Score, count: int, certainty: float = np.inf) -> None:
        """Start with `count` phrases; `certainty` is the margin in standard deviations of the fitted line."""
        self._score, self._certainty = score, certainty
        self._predicted: Floats = np.zeros(count)
        self._variance: Floats = np.full(count, np.inf)
        self._left = np.ones(count, dtype=bool)
        self.scored = self.scored_before = 0

    def without(self, row: int) -> PhraseScorer:
        """Return a copy for the chain after it added that phrase."""
        copy = PhraseScorer(self._score, len(self._left), self._certainty)
        copy._predicted, copy._variance, copy._left = self._predicted, self._variance, self._left.copy()
        copy._left[row] = False
        copy.scored_before = self.scored
        return copy

    def top(self, beginning: str, similarity: float, count: int, accept: Callable[[int], bool]) -> list[ScoredPhrase]:
        """Return the phrases that raise the similarity most behind a beginning, best first, as far as the margin goes.

        Args:
            beginning: what the phrases are appended to.
            similarity: of the prompt so far.
            count: maximal number of phrases.
            accept: whether a phrase may be taken; one that may not is never asked for again.
        """
        gains: Floats = np.full(len(self._left), np.nan)
        accepted: set[int] = set()
        batch = self._first()
        chosen: list[int] = []
        while len(batch):
            gained = self._score(beginning, batch.tolist()) - similarity
            gains[batch] = np.where(np.isnan(gained), -np.inf, gained)  # weights that are no numbers must end, too
            self.scored += len(batch)
            chosen = self._best_accepted(gains, count, accept, accepted)
            unsure = self._left & np.isnan(gains)
            if not unsure.any():
                break
            predicted, deviation = self._predict(gains)
            if len(chosen) == count:
                unsure &= predicted + self._certainty * deviation > gains[chosen[-1]]
            batch = np.flatnonzero(unsure)
            batch = batch[np.argsort(-predicted[batch], kind="stable")][:_MORE]
        known = np.isfinite(gains)
        if known.any():
            predicted, deviation = self._predict(gains)
            self._predicted = np.where(known, gains, predicted)
            self._variance = np.where(known, 0.0, deviation**2)
        return [ScoredPhrase(row, float(gains[row] + similarity)) for row in chosen]

    def _first(self) -> NDArray[np.intp]:
        left = np.flatnonzero(self._left)
        unknown = np.isinf(self._certainty) or np.isinf(self._variance[left]).any()
        if unknown or len(left) <= _BEST + _SPREAD:
            return left
        ordered = left[np.argsort(-self._predicted[left], kind="stable")]
        spread = np.linspace(_BEST, len(ordered) - 1, _SPREAD).astype(int)
        return ordered[np.r_[:_BEST, spread]]

    def _best_accepted(self, gains: Floats, count: int, accept: Callable[[int], bool], accepted: set[int]) -> list[int]:
        """Choose the best measured phrases that may be taken; drop for good those that may not."""
        measured = np.flatnonzero(self._left & ~np.isnan(gains))
        chosen: list[int] = []
        for row in measured[np.argsort(-gains[measured], kind="stable")].tolist():
            if len(chosen) == count:
                break
            if row in accepted or accept(row):
                accepted.add(row)
                chosen.append(row)
            else:
                self._left[row] = False
        return chosen

    def _predict(self, gains: Floats) -> tuple[Floats, Floats]:
        """Fit measured gains to predicted ones; predict all [N] with their standard deviations [N]."""
        known = np.isfinite(gains)
        if not known.any():
            return self._predicted, np.full(len(gains), np.inf)
        x, y = self._predicted[known], gains[known]
        spread = float(x.var())
        slope = max(0.0, float(np.mean((x - x.mean()) * (y - y.mean())) / spread)) if spread > 0 else 0.0
        predicted = y.mean() + slope * (self._predicted - x.mean())
        residual = float(np.mean((y - predicted[known]) ** 2))
        unseen = np.isinf(self._variance)
        variance = slope**2 * np.where(unseen, 0.0, self._variance) + residual
        return predicted, np.where(unseen, np.inf, np.sqrt(variance))

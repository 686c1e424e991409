"""Which phrase to add next: scores every phrase, or only those that may be the best.

A phrase's gain is what it adds to the prompt's similarity. Gains change from step to step, but not much: last
step's gain foretells this step's. So a sample is scored, a line is fitted from foretold to measured gains, and
further phrases are scored only while their foretold gain, plus a margin, may beat the best one measured. The
first step scores every phrase; with an infinite margin every step does, which is the exact chain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Score = Callable[[str, list[int]], Floats]
"""Gives the similarities [n] of a beginning with the phrases of these rows."""

_BEST, _SPREAD = 48, 48  # phrases scored first: the most promising, and some from everywhere
_MORE = 256  # phrases scored at a time after that


class Choice(NamedTuple):
    """A phrase that may be added, and the similarity of the prompt with it."""

    row: int
    similarity: float


class Choices:
    """What is known about every phrase at one point of a chain.

    Attributes:
        scored: how many scores were asked for here.
        scored_before: the same for the step that led here.
    """

    def __init__(self, score: Score, count: int, certainty: float = np.inf) -> None:
        """Begin with all phrases and nothing known about them, so that the first step scores them all.

        Args:
            score: measures phrases.
            count: N, how many phrases there are.
            certainty: the margin, in standard deviations of the fitted line; infinite scores everything.
        """
        self._score, self._certainty = score, certainty
        self._foretold: Floats = np.zeros(count)
        self._variance: Floats = np.full(count, np.inf)
        self._left = np.ones(count, dtype=bool)
        self.scored = self.scored_before = 0

    def without(self, row: int) -> Choices:
        """Give a copy that a chain goes on with after it took that phrase."""
        copy = Choices(self._score, len(self._left), self._certainty)
        copy._foretold, copy._variance, copy._left = self._foretold, self._variance, self._left.copy()
        copy._left[row] = False
        copy.scored_before = self.scored
        return copy

    def top(self, beginning: str, similarity: float, count: int, accept: Callable[[int], bool]) -> list[Choice]:
        """Find the phrases that raise the similarity most.

        Args:
            beginning: what the phrases are appended to.
            similarity: of the prompt so far.
            count: how many phrases.
            accept: tells whether a phrase may be taken; one that may not is never asked for again.

        Returns:
            At most `count`, best first; certain as far as the margin goes.
        """
        gains: Floats = np.full(len(self._left), np.nan)
        accepted: set[int] = set()
        batch = self._first()
        chosen: list[int] = []
        while len(batch):
            scores = self._score(beginning, batch.tolist())
            gains[batch] = np.where(np.isnan(scores), -np.inf, scores) - similarity  # so broken weights end, too
            self.scored += len(batch)
            chosen = self._accepted(gains, count, accept, accepted)
            unsure = self._left & np.isnan(gains)
            if not unsure.any():
                break
            foretold, deviation = self._foretell(gains)
            if len(chosen) == count:
                unsure &= foretold + self._certainty * deviation > gains[chosen[-1]]
            batch = np.flatnonzero(unsure)
            batch = batch[np.argsort(-foretold[batch], kind="stable")][:_MORE]
        self._remember(gains)
        return [Choice(row, float(gains[row] + similarity)) for row in chosen]

    def _first(self) -> NDArray[np.intp]:
        """Choose what is scored first."""
        left = np.flatnonzero(self._left)
        unknown = np.isinf(self._certainty) or np.isinf(self._variance[left]).any()
        if unknown or len(left) <= _BEST + _SPREAD:
            return left
        ordered = left[np.argsort(-self._foretold[left], kind="stable")]
        spread = np.linspace(_BEST, len(ordered) - 1, _SPREAD).astype(int)
        return ordered[np.r_[:_BEST, spread]]

    def _accepted(self, gains: Floats, count: int, accept: Callable[[int], bool], accepted: set[int]) -> list[int]:
        """Take the best measured phrases that may be taken; drop for good those that may not."""
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

    def _foretell(self, gains: Floats) -> tuple[Floats, Floats]:
        """Fit measured gains to foretold ones; foretell all [N] with their standard deviations [N]."""
        known = np.isfinite(gains)
        if not known.any():
            return self._foretold, np.full(len(gains), np.inf)
        x, y = self._foretold[known], gains[known]
        spread = float(x.var())
        slope = max(0.0, float(np.mean((x - x.mean()) * (y - y.mean())) / spread)) if spread > 0 else 0.0
        foretold = y.mean() + slope * (self._foretold - x.mean())
        residual = float(np.mean((y - foretold[known]) ** 2))
        unseen = np.isinf(self._variance)
        variance = slope**2 * np.where(unseen, 0.0, self._variance) + residual
        return foretold, np.where(unseen, np.inf, np.sqrt(variance))

    def _remember(self, gains: Floats) -> None:
        known = np.isfinite(gains)
        if known.any():
            foretold, deviation = self._foretell(gains)
            self._foretold = np.where(known, gains, foretold)
            self._variance = np.where(known, 0.0, deviation**2)

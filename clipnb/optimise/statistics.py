"""Statistics of a run: weights, selections, losses and similarities of the last steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from clipnb.errors import shortened
from clipnb.optimise.verdict import Verdict

SavedRow = tuple[int, int, str, str, float, int, int, list[float], list[float]]
"""Target and place in it, their names, weight, count, views, losses and similarities."""
SavedRecord = tuple[int, list[float], list[SavedRow]]
"""Number of steps, their last losses, and the rows."""
WINDOW = 30
"""Number of values that a range is taken over: the last ones."""


@dataclass(frozen=True)
class Range:
    """Mean, smallest and largest of the last values."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: deque[float]) -> Range:
        if not values:
            return cls(0.0, 0.0, 0.0)
        return cls(sum(values) / len(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} - {self.high:.3f})"


@dataclass(frozen=True)
class Line:
    """Statistics of one feature or constraint.

    Attributes:
        target: name of its target.
        label: the text, the image or the constraint.
        weight: of the last step, the target's included.
        count: number of views it counted in.
        share: of `count` in all views of the target, in [0, 1].
        loss: of the last steps in which it counted, without weight.
        similarity: cosine x 100 of the last steps; None for a constraint.
    """

    target: str
    label: str
    weight: float
    count: int
    share: float
    loss: Range
    similarity: Range | None

    def __str__(self) -> str:
        target, label = (_on_one_line(shortened(name, 200)) for name in (self.target, self.label))
        text = f"{target} : {self.weight:.3f} x {label} : count {self.count} ({self.share:.1%})"
        text += f", loss {self.loss}"
        return text if self.similarity is None else f"{text}, similarity {self.similarity}"


@dataclass(frozen=True)
class Statistics:
    """Statistics of a run so far.

    Attributes:
        steps: number of steps.
        loss: of the last steps, all targets together.
        lines: of every feature and constraint that has counted.
        verdict: what judges that take no part saw at their newest look; None without judges.
    """

    steps: int
    loss: Range
    lines: tuple[Line, ...]
    verdict: Verdict | None = None

    def in_words(self, most: int) -> Iterator[str]:
        """Yield a line of text for each of the first features and constraints, and how many more; and of judges."""
        yield from map(str, self.lines[:most])
        if len(self.lines) > most:
            yield f"and {len(self.lines) - most} more"
        if self.verdict:
            yield from map(_on_one_line, self.verdict.in_words())


@dataclass(frozen=True)
class Entry:
    """One feature or constraint in one step.

    Attributes:
        target: name of its target.
        label: the text, the image or the constraint.
        weight: applied, mean over the views.
        count: number of views it counted in.
        views: number of views.
        loss: mean over the views in which it counted.
        similarity: cosine x 100, mean over all views; None for a constraint.
    """

    target: str
    label: str
    weight: float
    count: int
    views: int
    loss: float
    similarity: float | None


def _last_values() -> deque[float]:
    return deque(maxlen=WINDOW)


@dataclass
class _Row:
    weight: float = 0.0
    count: int = 0
    views: int = 0
    losses: deque[float] = field(default_factory=_last_values)
    similarities: deque[float] = field(default_factory=_last_values)


class Record:
    """Collects the statistics of a run, step by step.

    Attributes:
        verdict: the judges' newest, or None.
    """

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        self._rows: dict[tuple[int, int, str, str], _Row] = {}
        self._losses = _last_values()
        self._steps = 0

    def add(self, loss: float, entries: Mapping[tuple[int, int], Entry]) -> None:
        """Add a step; entries are by the number of the target and of the feature or constraint in it."""
        self._steps += 1
        self._losses.append(loss)
        for (target, place), entry in entries.items():
            row = self._rows.setdefault((target, place, entry.target, entry.label), _Row())
            row.weight = entry.weight
            row.count += entry.count
            row.views += entry.views
            if entry.count:
                row.losses.append(entry.loss)
            if entry.similarity is not None:
                row.similarities.append(entry.similarity)

    def saved(self) -> SavedRecord:
        """Return all of it in plain values."""
        rows = [
            (*key, row.weight, row.count, row.views, list(row.losses), list(row.similarities))
            for key, row in self._rows.items()
        ]
        return self._steps, list(self._losses), rows

    @classmethod
    def of(cls, saved: SavedRecord) -> Record:
        """Return the record that `saved` came from."""
        record = cls()
        record._steps, losses, rows = saved
        record._losses.extend(losses)
        for target, place, name, label, weight, count, views, lost, similar in rows:
            row = _Row(weight, count, views)
            row.losses.extend(lost)
            row.similarities.extend(similar)
            record._rows[target, place, name, label] = row
        return record

    def keep(self, known: Set[tuple[int, str, str]]) -> None:
        """Forget what is no longer in the experiment; by number and name of the target, and label."""
        self._rows = {key: row for key, row in self._rows.items() if (key[0], key[2], key[3]) in known}

    def statistics(self) -> Statistics:
        lines = [
            Line(
                target, label, row.weight, row.count, row.count / max(1, row.views), Range.of(row.losses),
                Range.of(row.similarities) if row.similarities else None,
            )
            for (_, _, target, label), row in sorted(self._rows.items())
        ]  # fmt: skip
        return Statistics(self._steps, Range.of(self._losses), tuple(lines), self.verdict)


def _on_one_line(text: str) -> str:
    """Leave out what would break a line, a comment in YAML, or a terminal."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())

"""How tags rise and fall: their counts by period, or by the values of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.prompts.grouping import Grouping, group_values
from clipnb.tags.communities import Community
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.hints import why_no_tags
from clipnb.tags.counting.interning import Ints, tally

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.prompts.read import Prompts
    from clipnb.tags.counting.counts import Countable

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trends:
    """How many prompts of each of G groups have each of T tags, or any tag of each of T communities.

    Attributes:
        names: the tags, most frequent first, or the communities.
        groups: the periods in their order, or the values of a column.
        counts: number of prompts; shape (T, G).
        prompts: number of prompts in each group, with or without these tags; shape (G,).
        by: name of the column.
        period: what a group spans, such as `month`; "" where groups are values.
        left_out: number of prompts that are in no group.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    counts: Ints
    prompts: Ints
    by: str
    period: str
    left_out: int

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shares(self) -> Floats:
        """Share of each group's prompts that have each tag, in [0, 1]; NaN in a group without prompts."""
        return np.asarray(np.where(self.prompts > 0, self.counts / np.maximum(self.prompts, 1), np.nan))

    @cached_property
    def strength(self) -> Floats:
        """How clearly each tag changes, shape (T,).

        Over time the z of the trend test of Cochran (1954) and Armitage (1955): above 0 where its share rises, and
        beyond 3.3 chance gives as much less than once in a thousand tags. Over values the log-likelihood ratio G2 of
        its being used unevenly, at least 0.
        """
        total = max(int(self.prompts.sum()), 1)
        mean = self.counts.sum(axis=1) / total
        if not self.period:
            expected = mean[:, None] * self.prompts
            missing = self.prompts - self.counts
            terms = _times_log(self.counts, expected) + _times_log(missing, self.prompts - expected)
            return np.asarray(np.maximum(2.0 * terms.sum(axis=1), 0.0))
        time = np.arange(len(self.groups), dtype=np.float64)
        centred = time - (time * self.prompts).sum() / total
        variance = mean * (1 - mean) * (self.prompts * centred**2).sum()
        return np.asarray((self.counts * centred).sum(axis=1) / np.sqrt(np.where(variance > 0, variance, np.inf)))

    def clearest(self, n: int | None = None) -> list[int]:
        """Return the places of the n tags that change most clearly, whichever way, the clearest first."""
        return [int(i) for i in np.argsort(-np.abs(self.strength).round(9), kind="stable")[:n]]

    def to_frame(self, n: int | None = None) -> pd.DataFrame:
        """Return a row for each of the n tags that change most clearly.

        Returns:
            Columns `tag`, `prompts` (number of them), `trend` (over time) or `surprise`, and for each group the share
            of its prompts that have the tag, called as the period or as `column=value`.
        """
        import pandas as pd

        chosen = self.clearest(n)
        columns: dict[str, object] = {
            "tag": [self.names[i] for i in chosen],
            "prompts": self.counts[chosen].sum(axis=1),
            "trend" if self.period else "surprise": self.strength[chosen],
        }
        labels = self.groups if self.period else [f"{self.by}={label}" for label in self.groups]
        columns |= {label: self.shares[chosen, g] for g, label in enumerate(labels)}
        table: pd.DataFrame = pd.DataFrame(columns)
        return table

    def __str__(self) -> str:
        groups = f"{self.period}s" if self.period else "values"
        only = f"{len(self.groups):,} {groups if len(self.groups) != 1 else groups[:-1]} of {self.by}"
        what = "no date" if self.period else "no value"
        out = f"; {self.left_out:,} with {what} left out" if self.left_out else ""
        return f"{int(self.prompts.sum()):,} prompts in {only}{out}"

    __repr__ = __str__


def counts_by(
    prompts: Prompts | Countable,
    by: str | Sequence[str],
    every: str = "auto",
    *,
    top: int = 2_000,
    of: Sequence[Community] | None = None,
    counts: TagCounts | None = None,
) -> Trends:
    """Count in how many prompts each tag is, by period or by the values of a column.

    Args:
        prompts: prompts that were read, or any others when `by` is their values.
        by: a column, such as `date` or `Model`; or a value for each prompt, empty where there is none.
        every: `day`, `week`, `month`, `quarter` or `year` where the values are dates (ISO 8601, as cameras write them,
            or seconds since 1970); `value` takes them as they are; `auto` finds out.
        top: how many tags at most, the most frequent ones.
        of: count these communities in place of tags: prompts that have any of a community's tags.
        counts: of the same prompts, made in another way than `TagCounts` does by default.

    Raises:
        TagsError: no tags, not a value for each prompt, counts of other prompts, or a limit out of its range.
        PromptsError: no such column or period, no dates where a period is named, or more than 1,000 groups.

    >>> trends = counts_by(["x, fur", "y, steel", "z, steel"], ["2023", "2024", "2024"], "year")
    >>> trends.groups, trends.counts.tolist(), trends.names
    (('2023', '2024'), [[0, 2], [1, 0]], ('steel', 'fur'))
    """
    if top < 1:
        raise TagsError(f"top is {top}, but must be at least 1")
    name = by if isinstance(by, str) else "the values"
    if isinstance(by, str):
        if not hasattr(prompts, "column"):
            raise TagsError(f"only prompts of read_prompts have a column {by!r}; give a value for each prompt instead")
        values = prompts.column(by)
    else:
        values = [str(value) for value in by]
    counts = TagCounts.of(prompts) if counts is None else counts
    if len(values) != counts.number_of_prompts:
        raise TagsError(f"there are {len(values):,} values for {counts.number_of_prompts:,} prompts; give one for each")
    if not len(counts):
        raise TagsError(why_no_tags(counts))
    grouping = group_values(values, every, name)
    row_of, names = _rows(counts, top, of)
    tallied = _tally(counts, grouping, row_of, len(names))
    prompts_in = tally(grouping.group_of[grouping.group_of >= 0], len(grouping.labels))
    return Trends(names, grouping.labels, tallied, prompts_in, name, grouping.period, grouping.left_out)


def _rows(counts: TagCounts, top: int, of: Sequence[Community] | None) -> tuple[Ints, tuple[str, ...]]:
    """Return the row in which each tag is counted, -1 where it is not, and the rows' names."""
    row_of = np.full(len(counts), -1, dtype=np.int64)
    if of is None:
        chosen = np.argsort(-counts.values, kind="stable")[:top]
        row_of[chosen] = np.arange(len(chosen))
        return row_of, tuple(counts.names[i] for i in chosen)
    for row, community in enumerate(of):
        for tag in community.tags:
            row_of[counts.id_of(tag)] = row
    return row_of, tuple(community.name for community in of)


def _tally(counts: TagCounts, grouping: Grouping, row_of: Ints, rows: int) -> Ints:
    """Count each prompt once in every row that one of its tags is in; shape (rows, groups)."""
    groups = len(grouping.labels)
    tallied = np.zeros(rows * groups, dtype=np.int64)
    start = 0
    for tags, lengths in counts.chunks():
        owners = np.repeat(np.arange(len(lengths)), lengths)
        row, group = row_of[tags], grouping.group_of[start : start + len(lengths)][owners]
        counted = (row >= 0) & (group >= 0)
        pairs = np.sort(owners[counted] * rows + row[counted])
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # numpy's unique takes ten times as long
        owner, row = np.divmod(pairs, max(rows, 1))
        tallied += tally(row * groups + grouping.group_of[start + owner], len(tallied))
        start += len(lengths)
    return tallied.reshape(rows, groups)


def _times_log(observed: Ints, expected: Floats) -> Floats:
    ratio = np.where(observed > 0, observed, 1.0) / np.where(observed > 0, expected, 1.0)
    return np.asarray(observed * np.log(ratio))

"""Which tags stand together in a prompt: pairs counted in arrays, never as Python objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.interning import Ints, SmallInts, tally

MOST_TAGS = 1_000
"""A prompt's distinct tags that make pairs, lowest ids first: a million would make 500 billion pairs."""
MOST_PAIRS = 1_000_000_000
"""Pairs in all prompts, equal ones included: two million prompts of thirty tags; minutes of work."""
MOST_DIFFERENT = 50_000_000
"""Different pairs that are counted, before a filter leaves some out; about 3 GB while they are merged."""
MOST_EDGES = 40_000_000
"""Different pairs that become a graph, of 12 bytes each, and some hundred while it is weighed or written."""

_LESS = "raise min_count, lower top, or use fewer prompts"
PENDING = 1 << 22
_ALL_BITS, _LOTS = 0xFFFFFFFF, 9  # of the 64 bits of a key: 23 for a tag, 32 for a number, these for equals
Keys = npt.NDArray[np.uint32] | Ints
"""Packed pairs: of up to 65,536 tags in 32 bits, which are sorted in half the time."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of tags that occur in one prompt, each once, with what their weights are made of.

    Attributes:
        source: the smaller tag id of each pair, shape (E,).
        target: the larger tag id of each pair, shape (E,).
        count: number of prompts that have both, shape (E,), at least 1.
        prompts_of: number of prompts that have a tag, by tag id, shape (tags,).
        prompts: number of prompts.
        cut_prompts: number of prompts of which only `MOST_TAGS` tags made pairs.
    """

    source: SmallInts
    target: SmallInts
    count: SmallInts
    prompts_of: Ints
    prompts: int
    cut_prompts: int = 0

    def __len__(self) -> int:
        return len(self.count)

    def where(self, kept: npt.NDArray[np.bool_] | Ints | slice) -> Pairs:
        """Return the pairs for which a mask of shape (E,) is true, those at some places, or a slice of them."""
        return replace(self, source=self.source[kept], target=self.target[kept], count=self.count[kept])

    def among(self, kept: npt.NDArray[np.bool_]) -> Pairs:
        """Return the same pairs, all of tags that are kept, with those tags numbered from 0 on in their order."""
        place = (np.cumsum(kept) - 1).astype(np.int32)
        return replace(self, source=place[self.source], target=place[self.target], prompts_of=self.prompts_of[kept])

    def closest(self, pairs: Ints, closeness: npt.NDArray[np.floating], n: int) -> Ints:
        """Return those of K pairs that are among the n closest of either end; lots are drawn among equals.

        Args:
            pairs: shape (K,).
            closeness: of these pairs; what is negative is as far as 0, shape (K,).
            n: how many of each tag.
        """
        source, target = self.source[pairs], self.target[pairs]
        is_near = closeness > closeness.mean() if len(pairs) else closeness > 0
        lacks = np.bincount(np.concatenate([source[is_near], target[is_near]]), minlength=len(self.prompts_of)) < n
        is_near |= lacks[source] | lacks[target]  # all others have nearer ones enough at both ends
        pairs, source, target = pairs[is_near], source[is_near], target[is_near]
        near = np.maximum(closeness[is_near], 0).astype(np.float32) + np.float32(0)  # whose bits sort as they do
        far = (_ALL_BITS - near.view(np.uint32)).astype(np.uint64) << np.uint64(_LOTS)
        far |= pairs.astype(np.uint32) * np.uint32(2_654_435_761) >> np.uint32(32 - _LOTS)
        keys = np.concatenate([end.astype(np.uint64) << np.uint64(32 + _LOTS) | far for end in (source, target)])
        keys.sort()
        starts = np.searchsorted(keys, np.arange(len(self.prompts_of) + 1, dtype=np.uint64) << np.uint64(32 + _LOTS))
        last = np.minimum(starts[:-1] + n, starts[1:]) - 1
        limit = keys[last] & np.uint64((1 << 32 + _LOTS) - 1) if len(keys) else keys
        kept: Ints = pairs[(far <= limit[source]) | (far <= limit[target])]
        return kept


def count_pairs(counts: TagCounts, kept: npt.NDArray[np.bool_]) -> Pairs:
    """Count the pairs of tags that are kept (shape (tags,)); a tag that a prompt repeats counts once.

    The pairs are sorted by source and target; memory grows with distinct pairs and one chunk.

    Raises:
        TagsError: there are more than `MOST_PAIRS`, or more different ones than `MOST_DIFFERENT`.
    """
    if _bound(counts) > MOST_PAIRS and (amount := _amounts(counts, kept)[0]) > MOST_PAIRS:
        raise TagsError(f"the prompts hold {amount:,} pairs of tags, and {MOST_PAIRS:,} can be counted; {_LESS}")
    size = len(kept)
    total = _Tally()
    prompts_of = np.zeros(size, dtype=np.int64)
    prompts = cut = 0
    for tags, lengths in counts.chunks():
        owners, distinct = _distinct(tags, lengths, kept)
        prompts_of += tally(distinct, size)
        prompts += len(lengths)
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        amounts = np.diff(starts, append=len(owners))
        cut += int((amounts > MOST_TAGS).sum())
        for keys in _packed_pairs(distinct, starts, np.minimum(amounts, MOST_TAGS), size):
            total.add(keys)
    keys, together = total.result()
    ends = [end.astype(np.int32) for end in np.divmod(keys, max(size, 1))]
    return Pairs(ends[0], ends[1], together, prompts_of, prompts, cut)


def check_edges(edges: int) -> None:
    if edges > MOST_EDGES:
        raise TagsError(
            f"{edges:,} different pairs of tags are more than a graph can hold ({MOST_EDGES:,}); "
            f"raise min_edge, keep a backbone, {_LESS}"
        )


def least_edges(counts: TagCounts, kept: npt.NDArray[np.bool_]) -> int:
    """Number of pairs that are surely different, found without making any: those of tags that occur once.

    0 where all pairs together are not more than a graph can hold.
    """
    if _bound(counts) <= MOST_EDGES:
        return 0
    every, of_repeated = _amounts(counts, kept)
    return every - of_repeated


def _bound(counts: TagCounts) -> int:
    """Most pairs that the prompts can hold, by their lengths alone."""
    return sum(_pairs_of(lengths) for _, lengths in counts.chunks())


def _amounts(counts: TagCounts, kept: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Numbers of pairs of kept tags in all prompts, equal ones included: of all tags, of those that occur again."""
    every = of_repeated = 0
    for tags, lengths in counts.chunks():
        owners, distinct = _distinct(tags, lengths, kept)
        every += _pairs_of(tally(owners))
        of_repeated += _pairs_of(tally(owners[counts.values[distinct] > 1]))
    return every, of_repeated


def _pairs_of(amounts: Ints | SmallInts) -> int:
    """Pairs of prompts with so many tags."""
    paired = np.minimum(amounts, MOST_TAGS).astype(np.int64)
    return int((paired * (paired - 1) // 2).sum())


def _distinct(tags: SmallInts, lengths: SmallInts, kept: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """For each prompt its distinct kept tags in rising order: prompts' places, and tags; shape (D,)."""
    size = max(len(kept), 1)
    packed = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths) * size + tags
    packed = packed[kept[tags]] if len(tags) else packed
    packed.sort()
    packed = packed[np.diff(packed, prepend=-1) != 0]
    return packed // size, packed % size


def _packed_pairs(tags: Ints, starts: Ints, amounts: Ints, size: int) -> Iterator[Keys]:
    """Pairs of prompts with equally many tags at a time, each packed as `smaller * size + larger` in the least bits."""
    tags = tags.astype(np.uint32 if size <= 1 << 16 else np.int64)
    for amount in np.unique(amounts[amounts > 1]):
        first, second = np.triu_indices(int(amount), 1)
        rows = starts[amounts == amount]
        step = max(1, PENDING // len(first))
        for start in range(0, len(rows), step):
            table = tags[rows[start : start + step, None] + np.arange(amount)]
            yield (table[:, first] * size + table[:, second]).ravel()


class _Tally:
    """Counts packed pairs as they come; merges whenever what waits outgrows what is merged."""

    def __init__(self) -> None:
        self._keys: Keys = np.empty(0, dtype=np.uint32)
        self._counts = np.empty(0, dtype=np.int32)
        self._waiting: list[Keys] = []
        self._waits = 0

    def add(self, keys: Keys) -> None:
        self._waiting.append(keys)
        self._waits += len(keys)
        if self._waits > max(PENDING, len(self._keys)):
            self._merge()

    def result(self) -> tuple[Keys, SmallInts]:
        self._merge()
        return self._keys, self._counts

    def _merge(self) -> None:
        waiting = np.concatenate([self._keys[:0], *self._waiting])
        self._waiting, self._waits = [], 0
        waiting.sort()
        starts = np.flatnonzero(np.concatenate(([True], waiting[1:] != waiting[:-1]))[: len(waiting)])
        keys, counts = waiting[starts], np.diff(starts, append=len(waiting)).astype(np.int32)
        del waiting
        place = np.searchsorted(self._keys, keys)
        is_new = place == len(self._keys)
        is_new[~is_new] = self._keys[place[~is_new]] != keys[~is_new]
        self._counts[place[~is_new]] += counts[~is_new]
        if len(self._keys) + is_new.sum() > MOST_DIFFERENT:
            raise TagsError(f"the prompts hold more than {MOST_DIFFERENT:,} different pairs of tags; {_LESS}")
        self._counts = np.insert(self._counts, place[is_new], counts[is_new])
        self._keys = np.insert(self._keys.astype(keys.dtype, copy=False), place[is_new], keys[is_new])

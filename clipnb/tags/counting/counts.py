"""How often each tag occurs: one pass over the prompts, linear in the number of tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from clipnb.errors import TagsError, nearest, shortened
from clipnb.prompts.dialects import choose_dialect
from clipnb.prompts.splitting import PLAIN, Cleaning
from clipnb.tags.counting.count_filter import CountFilter
from clipnb.tags.counting.given import texts_of
from clipnb.tags.counting.interning import Interner, Ints, SmallInts, tally

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.tags.counting.given import Given

    Countable: TypeAlias = "Given | TagCounts"

CHUNK = 1 << 15


class TagCounts:
    """Counts the tags of prompts; spellings that differ in case only are one tag.

    A tag's id is its place in the order of first appearance, its shown name the most frequent spelling (the
    first seen of equals). Objects share nothing.

    >>> counts = TagCounts(["a cat, VRay, 3D", "a dog, vray, VRay"])
    >>> counts.most_common()
    [('VRay', 3), ('3D', 1)]
    >>> counts.count("VRAY"), counts.rank("3d")
    (3, 0.25)
    """

    def __init__(
        self,
        prompts: Given = (),
        *,
        head: bool | None = None,
        clean: Cleaning = PLAIN,
        dialect: str = "plain",
        aliases: Mapping[str, str] | None = None,
        underscores: bool | None = None,
        keep: bool = True,
    ) -> None:
        """Count the tags of some prompts; more can be added.

        Args:
            prompts: a list of texts, `Prompts`, a column of a table, or a `CaptionSet`.
            head: in `plain`, each prompt's first part is its subject and no tag, unless False.
            clean: in `plain`, what to strip from the tags.
            dialect: how prompts are taken apart: one of `clipnb.prompts.dialects.DIALECTS`, or `auto`, which chooses
                by the first prompts that are added.
            aliases: tags that count as others, such as `{"grey hair": "gray hair"}`.
            underscores: `long_hair` and `long hair` are one tag; None is so in the dialect `tags` alone, which shows
                tags with blanks.
            keep: whether the prompts' texts are kept, which `prompts_with` and `hints` need; without them ten million
                that come from a generator need a fraction of the memory.

        Raises:
            TagsError: `head` or `clean` with another dialect than `plain`.
            PromptsError: no such dialect, or aliases that make a circle.
        """
        if dialect != "plain" and (clean != PLAIN or head):
            raise TagsError(f"head and clean belong to the dialect plain; the dialect {dialect} knows its own brackets")
        self._head = head is not False
        self.clean = clean
        self.dialect = dialect
        self.prompts: list[str] = []
        self._keep = keep
        self._aliases, self._underscores = aliases, underscores
        self._interner = self._new_interner("plain" if dialect == "auto" else dialect)
        self._spellings: list[SmallInts] = []
        self._lengths: list[SmallInts] = []
        self.add(prompts)

    @classmethod
    def of(cls, given: Countable) -> TagCounts:
        """Return counts as they are given, or those of prompts.

        Raises:
            TagsError: neither counts nor prompts.

        >>> TagCounts.of(["a cat, fur"]).count("fur")
        1
        """
        if hasattr(given, "adj") or hasattr(given, "to_networkx"):
            raise TagsError("this is a graph; give prompts or TagCounts")
        return given if isinstance(given, TagCounts) else cls(given)

    def add(self, prompts: Given) -> None:
        """Count more prompts; they are kept (not copied) for `prompts_with`.

        Raises:
            TagsError: these are no prompts but one text, a path, a table; or more than 5,000,000 different tags.

        >>> counts = TagCounts()
        >>> counts.add(["a cat, fur", "a dog, fur"])
        >>> counts.count("fur")
        2
        """
        source = texts_of(prompts)
        while chunk := list(islice(source, CHUNK)):
            if self.dialect == "auto":
                self.dialect = choose_dialect(chunk)
                self._interner = self._new_interner(self.dialect)
            spellings, lengths = self._interner.intern(chunk, head=self.head)
            if self._keep:
                self.prompts.extend(chunk)
            self._spellings.append(spellings)
            self._lengths.append(lengths)
        for derived in ("_spelling_counts", "_counts", "_names"):
            self.__dict__.pop(derived, None)

    @property
    def head(self) -> bool:
        """Whether each prompt's first part is its subject and no tag."""
        return self._head and self.dialect == "plain"

    def _new_interner(self, dialect: str) -> Interner:
        underscores = dialect == "tags" if self._underscores is None else self._underscores
        if dialect == "tags" and not underscores:
            raise TagsError("the dialect tags takes `_` for a blank; leave underscores out, or take another dialect")
        return Interner(self.clean, dialect, self._aliases, underscores=underscores)

    @property
    def networks(self) -> list[tuple[str, int]]:
        """Networks such as LoRAs that the prompts name, which are no tags, and how often; most frequent first."""
        return self._interner.networks.most_common()

    def __len__(self) -> int:
        """Number of distinct tags."""
        return len(self._interner.tag_of_key)

    def __contains__(self, tag: object) -> bool:
        return isinstance(tag, str) and self._interner.key(tag) in self._interner.tag_of_key

    def __repr__(self) -> str:
        return f"<TagCounts: {len(self):,} tags, {self.total:,} occurrences, {self.number_of_prompts:,} prompts>"

    @property
    def total(self) -> int:
        """Number of tags added, repeated ones included."""
        return int(self._counts.sum())

    @property
    def number_of_prompts(self) -> int:
        """Number of prompts added, whether their texts were kept or not."""
        return sum(map(len, self._lengths))

    @property
    def names(self) -> list[str]:
        """The shown spelling of every tag, by id."""
        return self._names

    @property
    def values(self) -> Ints:
        """How often each tag occurs, by id; shape (tags,)."""
        return self._counts

    def id_of(self, tag: str) -> int:
        """Return a tag's id, in any case.

        Raises:
            TagsError: the tag is not among the counted.
        """
        found = self._interner.tag_of_key.get(self._interner.key(tag))
        if found is None:
            known = (name for name, _ in self.most_common(5_000))
            raise TagsError(f"no tag {shortened(tag)!r}; there is {nearest(tag, known)}")
        return found

    def count(self, tag: str) -> int:
        """Return how often a tag occurs, in any case; 0 when it does not."""
        return int(self._counts[self.id_of(tag)]) if tag in self else 0

    def rank(self, tag: str) -> float:
        """Return a tag's share of all tags added, in [0, 1]."""
        return self.count(tag) / self.total if tag in self else 0.0

    def most_common(self, n: int | None = None) -> list[tuple[str, int]]:
        """Return tags and counts, most frequent first, equals in the order of appearance.

        Args:
            n: how many at most; None is all.
        """
        order = np.argsort(-self._counts, kind="stable")[:n]
        return [(self._names[i], int(self._counts[i])) for i in order]

    def filter(self, condition: str | CountFilter) -> list[tuple[str, int]]:
        """Return tags and counts that pass a condition such as `">= 5"`, most frequent first.

        Raises:
            TagsError: a condition that cannot be read.

        >>> TagCounts(["x, a, b", "y, a"]).filter("> 1")
        [('a', 2)]
        """
        passes = CountFilter.parse(condition)
        return [(name, count) for name, count in self.most_common() if passes(count)]

    def to_frame(self) -> pd.DataFrame:
        """Return all tags, most frequent first: columns `id`, `tag`, `count`, `rank`."""
        import pandas as pd

        order = np.argsort(-self._counts, kind="stable")
        names = [self._names[i] for i in order]
        counts = self._counts[order]
        ranks = counts / max(self.total, 1)
        frame: pd.DataFrame = pd.DataFrame({"id": order, "tag": names, "count": counts, "rank": ranks})
        return frame

    def prompts_with(self, tag: str) -> list[str]:
        """Return the prompts that have a tag, in the order they were added.

        Raises:
            TagsError: the tag is not among the counted, or the prompts were not kept.

        >>> TagCounts(["a cat, fur", "a fish, scales"]).prompts_with("Fur")
        ['a cat, fur']
        """
        if not self._keep:
            raise TagsError("these counts kept no prompts; count with keep=True to look at them")
        return [self.prompts[place] for place in self.places_with(tag)]

    def places_with(self, tag: str) -> list[int]:
        """Return the places in `prompts` of those that have a tag.

        Raises:
            TagsError: the tag is not among the counted.
        """
        wanted = self.id_of(tag)
        found: list[int] = []
        start = 0
        for tags, lengths in self.chunks():
            owners = np.repeat(np.arange(start, start + len(lengths)), lengths)
            found.extend(np.unique(owners[tags == wanted]).tolist())
            start += len(lengths)
        return found

    def chunks(self) -> Iterator[tuple[SmallInts, SmallInts]]:
        """Yield the T tag ids of some thousand prompts at a time, and how many of them each of the P prompts has."""
        tag_of = np.array(self._interner.tag_of_spelling, dtype=np.int32)
        spellings, lengths = self._joined()
        ends = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        for start in range(0, len(lengths), CHUNK):
            stop = min(start + CHUNK, len(lengths))
            part = spellings[ends[start] : ends[stop]]
            yield tag_of[part] if len(part) else part, lengths[start:stop]

    def _joined(self) -> tuple[SmallInts, SmallInts]:
        """Return all spelling numbers and all prompts' lengths, each in one array."""
        for pieces in (self._spellings, self._lengths):
            pieces[:] = [np.concatenate([np.empty(0, dtype=np.int32), *pieces])]
        return self._spellings[0], self._lengths[0]

    @cached_property
    def _spelling_counts(self) -> Ints:
        return tally(self._joined()[0], len(self._interner.spellings))

    @cached_property
    def _counts(self) -> Ints:
        tag_of = np.array(self._interner.tag_of_spelling, dtype=np.int64)
        counts = np.zeros(len(self), dtype=np.int64)
        np.add.at(counts, tag_of, self._spelling_counts)
        return counts

    @cached_property
    def _names(self) -> list[str]:
        tag_of = np.array(self._interner.tag_of_spelling, dtype=np.int64)
        order = np.lexsort((np.arange(len(tag_of)), -self._spelling_counts, tag_of))
        firsts = order[np.unique(tag_of[order], return_index=True)[1]]
        return [self._interner.spellings[i] for i in firsts]

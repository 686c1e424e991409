"""Phrases that say the same: near-duplicates by embedding and by words, second mediums, and puns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from clipnb.interrogate.certainty import is_silent
from clipnb.interrogate.labels.word_lists import builtin_labels

if TYPE_CHECKING:
    from torch import Tensor

    from clipnb.interrogate.image_query import ImageQuery
    from clipnb.interrogate.labels.table import RankedLabel

OFFERED = 4
"""How many times as many labels are looked at as are wanted."""
_ALIKE = 0.75  # cosine, less what all labels share: "in a misty harbour" and "in a stormy harbour" have .70
_SHARED = 0.5  # of the content words of the shorter one
_SHORT = (3, 4)  # letters of words that others begin with by chance
_ENDINGS = ("ies", "ing", "ers", "ish", "ed", "en", "es", "er", "s", "y")
_LITTLE = re.compile(
    r"\b(an?|the|of|in|on|at|by|to|for|from|with|without|and|or|as|its|his|her|their|over|under|into|through|near|"
    r"trending|featured|contest|winner|inspired|style)\b"
)
_TABLES = ("flavors", "objects")  # with the words that others are made of
_WORD = re.compile(r"[^\W_]+")


@lru_cache(2**16)
def content_words(text: str) -> frozenset[str]:
    """Return a text's words without little words, endings and capitals.

    >>> sorted(content_words("surrounded by floating Lanterns"))
    ['float', 'lantern', 'surround']
    """
    return frozenset(_stem(word) for word in _WORD.findall(_LITTLE.sub("", text.casefold())) if len(word) > 1)


@lru_cache(2**16)
def head(text: str) -> str:
    """Return the word that says what a text is about: the last one before "of", without its ending.

    >>> head("a black and white photo of a cat"), head("oil painting")
    ('photo', 'paint')
    """
    words = _WORD.findall(re.split(r"\bof\b", text.casefold(), maxsplit=1)[0])
    return _stem(words[-1]) if words else ""


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORT[0]:
            return word.removesuffix(ending)
    return word


class Variety:
    """Which of some labels say something new behind a caption and other labels; all do where no variety is wished.

    None does where the encoder is certain of nothing.

    A label is left out that is near to one before it in the space of embeddings, that shares half of its content words
    with one, that says nothing beyond the caption, that names a second medium, that has a word which merely begins
    with the letters of one before ("catacomb" behind "cat"), or an abbreviation which encoders, that see no capitals,
    take for a word ("PET scan" for a cat).
    """

    def __init__(self, query: ImageQuery, caption: str, offered: Sequence[RankedLabel]) -> None:
        """Prepare to choose among labels; the caption may be ""."""
        self._query, self._offered = query, offered
        self._caption, self._said = content_words(caption), frozenset(_WORD.findall(caption.casefold()))
        self._has_medium, self._silent = is_medium(caption), is_silent(query)
        self._directions: Tensor | None = None
        self._near: dict[int, frozenset[int]] = {}

    def admits(self, row: int, chosen: Sequence[int]) -> bool:
        """Whether an offered label says something new behind those that are chosen."""
        if self._silent or not self._query.settings.diverse:
            return not self._silent
        one, others = self._offered[row], [self._offered[other] for other in chosen]
        words, own = content_words(one.label), _WORD.findall(one.label.casefold())
        said = self._said.union(*(_WORD.findall(other.label.casefold()) for other in others))
        return not (
            words <= self._caption
            or any(_is_pun(word, said) for word in own)
            or (one.table != "artists" and _reads_as_a_word(one.label))
            or (_is_medium(one) and (self._has_medium or any(map(_is_medium, others))))
            or any(_share(words, content_words(other.label)) for other in others)
            or any(row in self._near_to(other) for other in chosen)
        )

    def choose(self, rows: Iterable[int], count: int, chosen: Sequence[int] = ()) -> list[int]:
        """Choose up to `count` of some rows, the first ones that say something new behind those chosen before."""
        found: list[int] = []
        for row in rows:
            if len(found) == count:
                break
            if self.admits(row, [*chosen, *found]):
                found.append(row)
        return found

    def _near_to(self, row: int) -> frozenset[int]:
        if self._directions is None:
            self._directions = directions(self._query, self._offered)
        if row not in self._near:
            cosines = self._directions @ self._directions[row]
            self._near[row] = frozenset((cosines > _ALIKE).nonzero()[:, 0].tolist())
        return self._near[row]


def directions(query: ImageQuery, labels: Sequence[RankedLabel]) -> Tensor:
    """Return what sets labels apart from their tables' other ones; float32 [n, D], unit length."""
    import torch  # here, since the command's help does not need it

    places: dict[str, list[int]] = {}
    for place, one in enumerate(labels):
        places.setdefault(one.table, []).append(place)
    rows = torch.empty(len(labels), query.encoder.dim)
    for table, some in places.items():
        rows[some] = query.table(table).directions([labels[place].label for place in some])
    return rows


def _share(words: frozenset[str], others: frozenset[str]) -> bool:
    return len(words & others) >= max(1, _SHARED * min(len(words), len(others)))


def _is_pun(word: str, said: frozenset[str]) -> bool:
    """Whether a word begins with a short one that was said, and goes on with what is neither ending nor word."""
    return any(
        word[:length] in said and _stem(word) != _stem(word[:length]) and word[length:] not in _known_words()
        for length in _SHORT
        if length < len(word)
    )


@lru_cache(2**16)
def _reads_as_a_word(label: str) -> bool:
    """Whether a label has an abbreviation that is a word in lower case."""
    return any(word.isupper() and len(word) > 1 and word.lower() in _known_words() for word in _WORD.findall(label))


def _is_medium(one: RankedLabel) -> bool:
    return one.table == "mediums" or is_medium(one.label)


def is_medium(text: str) -> bool:
    """Whether a text names a medium of the shipped list, or a kind of one ("a pencil sketch of a cat")."""
    return head(text) in _medium_heads()


@cache
def _medium_heads() -> frozenset[str]:
    return frozenset(map(head, builtin_labels("mediums")))


@cache
def _known_words() -> frozenset[str]:
    return frozenset(word for table in _TABLES for label in builtin_labels(table) for word in _WORD.findall(label))

"""Tags become small numbers once, so that everything after is arithmetic on arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.prompts.dialects import find_dialect
from clipnb.prompts.spelling import checked_aliases, key_of
from clipnb.prompts.splitting import PLAIN, Cleaning, clean_tag, undress, whole_text
from clipnb.prompts.tag_line import with_blanks

if TYPE_CHECKING:
    from clipnb.prompts.dialects.base import Dialect, Tag

Ints = npt.NDArray[np.int64]
SmallInts = npt.NDArray[np.int32]


def tally(numbers: Ints | SmallInts, size: int = 0) -> Ints:
    """Return how often each of 0, 1, ... occurs, for `size` of them at least."""
    # A browser's Python has 32 bits, where numpy does not count what has 64.
    return np.bincount(numbers.astype(np.intp, copy=False), minlength=size).astype(np.int64, copy=False)


NO_TAG = -1
MOST_SPELLINGS = 5_000_000  # half a kilobyte each
_LONGEST_GROUP = 6  # parts in brackets that are read, and remembered, together


class Interner(dict[str, int]):
    """Maps a part of a prompt, as it stands between two separators, to the number of its spelling.

    A part seen before costs one look-up; stripping, cleaning and casefolding happen once a distinct part. Numbers below
    `NO_TAG` are those of parts with several tags, with networks, or with half of a pair of brackets.

    Attributes:
        spellings: the distinct spellings of tags, in the order of their appearance.
        tag_of_spelling: for each spelling the number of its tag; spellings with one `key` share it.
        tag_of_key: the tags' numbers by `key`, in the order of appearance.
        networks: how often each LoRA and its like is named; they are no tags.
    """

    def __init__(
        self,
        clean: Cleaning = PLAIN,
        dialect: str = "plain",
        aliases: Mapping[str, str] | None = None,
        *,
        underscores: bool = False,
    ) -> None:
        super().__init__()
        self.networks: Counter[str] = Counter()
        self._dialect = None if dialect == "plain" else find_dialect(dialect)
        self._underscores = underscores
        self._aliases = checked_aliases(aliases, self._key) if aliases else {}
        self.spellings: list[str] = []
        self.tag_of_spelling: list[int] = []
        self.tag_of_key: dict[str, int] = {}
        self._number_of_spelling: dict[str, int] = {}
        self._clean = clean
        self._readings: list[list[Tag] | None] = []  # None is a part with half of a pair of brackets

    def __missing__(self, part: str) -> int:
        whole = whole_text(part)
        if self._dialect is None:
            tag = whole.strip() if self._clean == PLAIN else clean_tag(whole, self._clean)
            number = self._number(tag) if tag else NO_TAG
        else:
            number = self._number_of_part(whole, self._dialect)
        self[part] = number
        return number

    def _number_of_part(self, part: str, dialect: Dialect) -> int:
        """Number a part that is new: by its place among the readings, since it may turn out to stand in brackets."""
        tags, whole = dialect.read_part(part)
        if whole and not tags:
            return NO_TAG
        if dialect.flat:
            return self._number(tags[0].name)
        self._readings.append(tags if whole else None)
        return NO_TAG - len(self._readings)

    def _number(self, spelling: str) -> int:
        if self._aliases:
            spelling = self._aliases.get(self._key(spelling), spelling)
        number = self._number_of_spelling.setdefault(spelling, len(self.spellings))
        if number >= MOST_SPELLINGS:
            raise TagsError(f"more than {MOST_SPELLINGS:,} different tags; use fewer prompts")
        if number == len(self.spellings):
            self.spellings.append(spelling)
            key = self._key(spelling)
            self.tag_of_spelling.append(self.tag_of_key.setdefault(key, len(self.tag_of_key)))
        return number

    def _key(self, tag: str) -> str:
        return key_of(with_blanks(tag) if self._underscores else tag)

    def key(self, tag: str) -> str:
        """Return what the spellings of a tag, and what became it by an alias, share here."""
        key = self._key(tag)
        return self._key(self._aliases[key]) if key in self._aliases else key

    def intern(self, prompts: Iterable[str], *, head: bool) -> tuple[SmallInts, SmallInts]:
        """Return the spelling numbers of all T tags one after the other, and how many each of the P prompts has.

        With `head` each prompt's first part is left out.
        """
        numbers: list[int] = []
        parts_in: list[int] = []
        number_of = self.__getitem__
        if self._dialect is not None:
            for prompt in prompts:
                found = self._numbers_of(prompt, self._dialect)
                parts_in.append(len(found))
                numbers.extend(found)
            return _without_empty(np.array(numbers, dtype=np.int32), np.array(parts_in, dtype=np.int64))
        clean = self._clean
        whole = clean.parameters or clean.brackets or clean.weights
        for prompt in prompts:
            line = undress(prompt, clean) if whole else prompt
            if not line.isascii():
                line = line.replace("，", ",").replace("；", ",").replace("、", ",")
            parts = line.replace(";", ",").replace("|", ",").split(",")
            if head:
                del parts[0]
            parts_in.append(len(parts))
            numbers.extend(map(number_of, parts))
        return _without_empty(np.array(numbers, dtype=np.int32), np.array(parts_in, dtype=np.int64))

    def _numbers_of(self, prompt: str, dialect: Dialect) -> list[int]:
        start, end = dialect.body(prompt)
        body = prompt if end - start == len(prompt) else prompt[start:end]
        parts, heads = dialect.parts(body), int(dialect.has_head)
        if heads and self._is_one_tag(parts[0], dialect):  # subjects are many, and not worth remembering
            body, heads = body[len(parts.pop(0)) + 1 :], 0
        found = list(map(self.__getitem__, parts))
        if not heads and min(found, default=NO_TAG) >= NO_TAG:
            return found
        read = {place: self._readings[NO_TAG - 1 - number] for place, number in enumerate(found) if number < NO_TAG}
        if heads or any(reading is None or len(reading) > 1 for reading in read.values()):
            return self._spread(found, parts, body, dialect, heads)
        for place, reading in read.items():
            found[place] = self._emitted(reading[0], parts[place]) if reading else NO_TAG
        return found

    def _spread(self, found: list[int], parts: list[str], body: str, dialect: Dialect, heads: int) -> list[int]:
        """Return the numbers of all tags where some are new, stand with others in a part, or in brackets over several.

        What is a tag by itself gets its number here, and the next time at once.
        """
        tags: list[tuple[Tag | int, str]] = []
        place = start = 0
        while place < len(found):
            number, end = found[place], start + len(parts[place])
            last = min(place + _LONGEST_GROUP, len(found))
            while (reading := self._reading(number)) is None and (place := place + 1) < last:  # to the bracket's end
                end += 1 + len(parts[place])
                number = self[body[start:end]]
            if reading is None:
                tags = [(tag, "") for tag in dialect.read_part(whole_text(body))[0]]
                break
            alone = body[start:end] if len(reading) == 1 else ""
            tags += [(tag, alone) for tag in reading]
            start, place = end + 1, place + 1
        return [number for tag, alone in tags[heads:] if (number := self._emitted(tag, alone)) != NO_TAG]

    @staticmethod
    def _is_one_tag(part: str, dialect: Dialect) -> bool:
        if part.replace(" ", "").isalnum():
            return True
        tags, whole = dialect.read_part(part)
        return whole and len(tags) == 1

    def _reading(self, number: int) -> list[Tag] | list[int] | None:
        """Return what a part's number stands for: tags, the number of one, nothing; None is half of some brackets."""
        if number < NO_TAG:
            return self._readings[NO_TAG - 1 - number]
        return [number] if number != NO_TAG else []

    def _emitted(self, tag: Tag | int, alone: str) -> int:
        if isinstance(tag, int):
            return tag
        if tag.category == "network":
            self.networks[tag.name] += 1
            return NO_TAG
        number = self._number(tag.name)
        if alone:
            self[alone] = number
        return number


def _without_empty(numbers: SmallInts, parts_in: Ints) -> tuple[SmallInts, SmallInts]:
    is_tag = numbers != NO_TAG
    before = np.concatenate(([0], np.cumsum(is_tag)))
    ends = np.cumsum(parts_in)
    return numbers[is_tag], (before[ends] - before[ends - parts_in]).astype(np.int32)

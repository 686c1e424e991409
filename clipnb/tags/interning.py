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
    from clipnb.prompts.dialects.base import Dialect

Ints = npt.NDArray[np.int64]
SmallInts = npt.NDArray[np.int32]

NO_TAG = -1
MOST_SPELLINGS = 5_000_000  # half a kilobyte each


_COMMAS = str.maketrans(dict.fromkeys("，；、", ","))


class Interner(dict[str, int]):
    """Maps a part of a prompt, as it stands between two separators, to the number of its spelling.

    A part seen before costs one look-up; stripping, cleaning and casefolding happen once a distinct part.

    Attributes:
        spellings: the distinct spellings of tags, in the order of their appearance.
        tag_of_spelling: for each spelling the number of its tag; spellings that differ in case share it.
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
        self._aliases = {self.key(tag): other for tag, other in checked_aliases(aliases or {}).items()}
        self.spellings: list[str] = []
        self.tag_of_spelling: list[int] = []
        self.tag_of_key: dict[str, int] = {}
        self._number_of_spelling: dict[str, int] = {}
        self._clean = clean

    def __missing__(self, part: str) -> int:
        whole = whole_text(part)
        tag = whole.strip() if self._clean == PLAIN else clean_tag(whole, self._clean)
        tag = self._aliases.get(self.key(tag), tag) if self._aliases else tag
        number = self._number(tag) if tag else NO_TAG
        self[part] = number
        return number

    def _number(self, spelling: str) -> int:
        number = self._number_of_spelling.setdefault(spelling, len(self.spellings))
        if number >= MOST_SPELLINGS:
            raise TagsError(f"more than {MOST_SPELLINGS:,} different tags; use fewer prompts")
        if number == len(self.spellings):
            self.spellings.append(spelling)
            key = self.key(spelling)
            self.tag_of_spelling.append(self.tag_of_key.setdefault(key, len(self.tag_of_key)))
        return number

    def key(self, tag: str) -> str:
        """Return what the spellings of a tag share here."""
        return key_of(with_blanks(tag) if self._underscores else tag)

    def intern(self, prompts: Iterable[str], *, head: bool) -> tuple[SmallInts, SmallInts]:
        """Return the spelling numbers of all T tags one after the other, and how many each of the P prompts has.

        With `head` each prompt's first part is left out.
        """
        numbers: list[int] = []
        parts_in: list[int] = []
        number_of = self.__getitem__
        clean = self._clean
        whole = clean.parameters or clean.brackets or clean.weights
        for prompt in prompts:
            if self._dialect is not None:
                parts = self._tags_of(prompt, self._dialect)
            else:
                line = undress(prompt, clean) if whole else prompt
                line = line if line.isascii() else line.translate(_COMMAS)
                parts = line.replace(";", ",").replace("|", ",").split(",")
                if head:
                    del parts[0]
            parts_in.append(len(parts))
            numbers.extend(map(number_of, parts))
        return _without_empty(np.array(numbers, dtype=np.int32), np.array(parts_in, dtype=np.int64))

    def _tags_of(self, prompt: str, dialect: Dialect) -> list[str]:
        tags = dialect.split(prompt).tags
        self.networks.update(tag.name for tag in tags if tag.category == "network")
        return [tag.name for tag in tags if tag.category != "network"]


def _without_empty(numbers: SmallInts, parts_in: Ints) -> tuple[SmallInts, SmallInts]:
    is_tag = numbers != NO_TAG
    before = np.concatenate(([0], np.cumsum(is_tag)))
    ends = np.cumsum(parts_in)
    return numbers[is_tag], (before[ends] - before[ends - parts_in]).astype(np.int32)

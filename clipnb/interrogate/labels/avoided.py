"""Words and names that nothing which is chosen may contain: found whole, whatever case, accents and underscores."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from clipnb.errors import quoted
from clipnb.interrogate.labels.word_lists import TABLES, load_labels
from clipnb.interrogate.settings import SettingsError, Wish

_FILES = (".txt", ".csv", ".tsv", ".json")
_WORD = re.compile(r"[^\W_]+")
_BYLINE = re.compile(r"(?:^|[^\w\s])\s*by\s", re.IGNORECASE)
_ARTISTS = "artists"


class Avoided:
    """What is avoided; empty where nothing is.

    >>> avoided = Avoided(["cat", "Greg Rutkowski"])
    >>> [avoided.find(text) for text in ("a category", "a Cat's eye", "by greg_rutkowski", "by Greg")]
    [None, 'cat', 'Greg Rutkowski', None]
    """

    def __init__(self, entries: Iterable[str], *, bylines: bool = False) -> None:
        """Take words, phrases and names; with `bylines` also whatever begins with "by", such as "by jake parker".

        Raises:
            SettingsError: an entry has no letter and no digit.
        """
        self._by_first: dict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
        self._bylines = bylines
        for entry in entries:
            words = words_of(entry)
            if not words:
                raise SettingsError(f"avoid: {quoted(entry)} holds no word; give words, a file, or a table's name")
            self._by_first[words[0]].setdefault(words, entry)
        self._longest = {first: max(map(len, known)) for first, known in self._by_first.items()}

    @classmethod
    def of(cls, wishes: Sequence[Wish], listed: Callable[[str], Iterable[str]]) -> Avoided:
        """Resolve what `Settings.avoid` has.

        Args:
            wishes: words, files, and names of tables.
            listed: returns a table's entries.

        Raises:
            LabelsError: a file cannot be read.
            SettingsError: something holds no word.
        """
        entries: list[str] = []
        for wish in wishes:
            if isinstance(wish, Path) or wish.lower().endswith(_FILES):
                entries += (entry for labels in load_labels(wish).values() for entry in labels)
            elif wish in TABLES:
                entries += listed(wish)
            else:
                entries.append(wish)
        return cls(entries, bylines=_ARTISTS in wishes)

    def __bool__(self) -> bool:
        return bool(self._by_first)

    @property
    def entries(self) -> list[str]:
        """What is avoided, sorted."""
        return sorted(entry for known in self._by_first.values() for entry in known.values())

    def find(self, text: str) -> str | None:
        """Return the first avoided entry in a text; None where there is none."""
        if not self._by_first:
            return None
        words = words_of(text)
        for start, first in enumerate(words):
            for length in range(1, self._longest.get(first, 0) + 1):
                entry = self._by_first[first].get(words[start : start + length])
                if entry is not None:
                    return entry
        return "by ..." if self._bylines and _BYLINE.search(text) else None

    def allows(self, text: str) -> bool:
        """Return whether a text holds nothing that is avoided."""
        return self.find(text) is None


def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words without case and accents.

    >>> words_of("Paul Cézanne, long_hair")
    ('paul', 'cezanne', 'long', 'hair')
    """
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return tuple(_WORD.findall(text.casefold()))


def contains(text: str, phrase: str) -> bool:
    """Return whether a text contains a phrase, as whole words.

    >>> contains("a red hat", "Red Hat"), contains("a red hatch", "red hat")
    (True, False)
    """
    words, wanted = words_of(text), words_of(phrase)
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words) - len(wanted) + 1))

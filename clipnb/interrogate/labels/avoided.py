"""Words and names that nothing which is chosen may contain: found whole, whatever case, accents and underscores.

Words come in their usual English forms too, singular, plural, -ed and -ing; names of tables' entries as they are.
"""

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
_SHORTEST = 3  # letters of a word that has forms
_SINGULARS = ((re.compile("[^sui]s$"), 1, ""), (re.compile("ies$"), 3, "y"), (re.compile("(?:[sxz]|ch|sh)es$"), 2, ""))
_HISSING, _AFTER_CONSONANT = re.compile("(?:[sxz]|ch|sh)$"), re.compile("[^aeiou]y$")
_DOUBLED, _VOWELS = re.compile("[^aeiou][aeiou][^aeiouwxy]$"), re.compile("[aeiou]+")


class Avoided:
    """What is avoided; empty where nothing is.

    >>> avoided = Avoided(["cat", "blur"], ["Greg Rutkowski"])
    >>> [avoided.find(text) for text in ("a category", "a Cat's eye", "two cats", "blurred", "by greg_rutkowski")]
    [None, 'cat', 'cat', 'blur', 'Greg Rutkowski']
    """

    def __init__(self, entries: Iterable[str], names: Iterable[str] = (), *, bylines: bool = False) -> None:
        """Take words and phrases, the last word of each in its usual forms, and names, which have none.

        With `bylines` also whatever begins with "by" is avoided, such as "by jake parker".

        Raises:
            SettingsError: an entry has no letter and no digit.
        """
        self._by_first: dict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
        self._bylines = bylines
        for entry, is_name in [*((entry, False) for entry in entries), *((name, True) for name in names)]:
            *words, last = words_of(entry) or ("",)
            if not last:
                raise SettingsError(f"avoid: {quoted(entry)} holds no word; give words, a file, or a table's name")
            for form in {last} if is_name else forms_of(last):
                whole = (*words, form)
                self._by_first[whole[0]].setdefault(whole, entry)
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
        names: list[str] = []
        for wish in wishes:
            if isinstance(wish, Path) or wish.lower().endswith(_FILES):
                entries += (entry for labels in load_labels(wish).values() for entry in labels)
            elif wish in TABLES:
                names += listed(wish)
            else:
                entries.append(wish)
        return cls(entries, names, bylines=_ARTISTS in wishes)

    def __bool__(self) -> bool:
        return bool(self._by_first)

    @property
    def entries(self) -> list[str]:
        """What is avoided, sorted."""
        return sorted({entry for known in self._by_first.values() for entry in known.values()})

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


def forms_of(word: str) -> set[str]:
    """Return an English word with its plural or singular, and its forms in -ed and -ing.

    >>> sorted(forms_of("blur")), "sky" in forms_of("skies"), "caring" in forms_of("car")
    (['blur', 'blurred', 'blurring', 'blurs'], True, False)
    """
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return {word}
    singular = {word[:-cut] + end for ending, cut, end in _SINGULARS if ending.search(word)}
    return {word, *singular, *(form for one in singular or {word} for form in _grown(one))}


def _grown(word: str) -> set[str]:
    if _AFTER_CONSONANT.search(word):
        return {f"{word[:-1]}ies", f"{word[:-1]}ied", f"{word}ing"}
    stems = {word.removesuffix("e")}
    if _DOUBLED.search(word):  # "blurred", but "lighted"; of longer words either, "opened" and "regretted"
        stems = {word + word[-1], *([word] if len(_VOWELS.findall(word)) > 1 else [])}
    plural = word + ("es" if _HISSING.search(word) else "s")
    return {plural, *(stem + ending for stem in stems for ending in ("ed", "ing"))}


def contains(text: str, phrase: str) -> bool:
    """Return whether a text contains a phrase, as whole words.

    >>> contains("a red hat", "Red Hat"), contains("a red hatch", "red hat")
    (True, False)
    """
    words, wanted = words_of(text), words_of(phrase)
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words) - len(wanted) + 1))

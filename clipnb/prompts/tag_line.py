"""A caption as a row of tags that can be changed one by one, while everything else in its text stays as it is."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from clipnb.prompts import spelling

_SEPARATOR = re.compile(r"(?<!\s)\s*(?:[,，、]\s*|[\r\n]+\s*)+")  # a run of blanks is tried once, from its start
_SEPARATORS = re.compile(f"({_SEPARATOR.pattern})")
_BRACKETS = re.compile(r"[(\[{]")
_GROUP = re.compile(r"\\.|(?<![^\s(\[{,，、])[(\[{]|[)\]}]", re.DOTALL)  # `:(` opens nothing
_CLOSES = {")": "(", "]": "[", "}": "{"}
_SPACES = re.compile(r"[\s_]+")
_EDGES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + ",，、"
_BETWEEN = ", "


@lru_cache(maxsize=2**16)
def key_of(tag: str) -> str:
    r"""Return the key that the spellings of a caption's tag share: `spelling.key_of`, with `_` and escaped brackets.

    >>> key_of("Saber_\\(Fate\\)") == key_of("saber  (fate)")
    True
    """
    plain = tag.replace("\\(", "(").replace("\\)", ")")
    return spelling.key_of(_SPACES.sub(" ", plain).strip() or plain)


@dataclass(frozen=True)
class TagLine:
    """A caption taken apart at commas and line breaks that stand outside brackets.

    Attributes:
        tags: the tags, stripped, none empty.
        leads: what stands before each of them: separators and blanks.
        tail: what stands behind the last one.
    """

    tags: tuple[str, ...]
    leads: tuple[str, ...]
    tail: str = ""

    @classmethod
    def parse(cls, text: str) -> TagLine:
        """Take a caption apart; `str` of the result is the same text.

        >>> TagLine.parse("1girl, (red, blue:1.2), ;)").tags
        ('1girl', '(red, blue:1.2)', ';)')
        """
        start = len(text) - len(text.lstrip(_EDGES))
        end = len(text.rstrip(_EDGES))
        if start >= end:
            return cls((), (), text)
        if not _BRACKETS.search(text):
            parts = _SEPARATORS.split(text[start:end])
            return cls(tuple(parts[::2]), (text[:start], *parts[1::2]), text[end:])
        tags, leads, lead = [], [], text[:start]
        place, groups = start, outermost(_GROUP.finditer(text))
        for found in _SEPARATOR.finditer(text, start, end):
            if is_inside(groups, found.start()):
                continue
            tags.append(text[place : found.start()])
            leads.append(lead)
            lead, place = found.group(), found.end()
        return cls((*tags, text[place:end]), (*leads, lead), text[end:])

    def __str__(self) -> str:
        return "".join(lead + tag for lead, tag in zip(self.leads, self.tags, strict=True)) + self.tail

    def mapped(self, change: Callable[[str], str | None]) -> TagLine:
        """Return the caption with each tag changed; None removes it with the separator in front of it."""
        kept = [(lead, new) for lead, tag in zip(self.leads, self.tags, strict=True) if (new := change(tag))]
        return self._of(kept)

    def unique(self) -> TagLine:
        """Return the caption with each tag where it stands first."""
        seen: set[str] = set()
        return self.mapped(lambda tag: None if (key := key_of(tag)) in seen else seen.add(key) or tag)  # type: ignore[func-returns-value]

    def arranged(self, tags: Iterable[str]) -> TagLine:
        """Return the caption with its tags in another order; the separators stay where they are."""
        return TagLine(tuple(tags), self.leads, self.tail)

    def with_tags(self, tags: Iterable[str], place: int) -> TagLine:
        """Return the caption with more tags, in front of the one at a place."""
        rows = list(zip(self.leads, self.tags, strict=True))
        first = rows[0][0] if rows else ""
        rows = [(_BETWEEN if number == 0 else lead, tag) for number, (lead, tag) in enumerate(rows)]
        return self._of([*rows[:place], *((_BETWEEN, tag) for tag in tags), *rows[place:]], first)

    def _of(self, rows: list[tuple[str, str]], first: str | None = None) -> TagLine:
        lead = first if first is not None else (self.leads[0] if self.leads else "")
        leads = (lead, *(lead for lead, _ in rows[1:])) if rows else ()
        return TagLine(tuple(tag for _, tag in rows), leads, self.tail)


def outermost(tokens: Iterable[re.Match[str]]) -> list[tuple[int, int]]:
    """Return the outermost matched brackets among tokens, as where they begin and end; other tokens do not matter."""
    opened: list[tuple[str, int]] = []
    groups: list[tuple[int, int]] = []
    for found in tokens:
        symbol = found.group()
        if symbol in "([{":
            opened.append((symbol, found.start()))
        elif opened and opened[-1][0] == _CLOSES.get(symbol):
            start = opened.pop()[1]
            while groups and groups[-1][0] > start:
                groups.pop()
            groups.append((start, found.start()))
    return groups


def is_inside(groups: Sequence[tuple[int, int]], place: int) -> bool:
    """Return whether a place is between outermost brackets."""
    before = bisect_left(groups, (place, 0)) - 1
    return before >= 0 and groups[before][1] > place


_FACE = re.compile(r"[^_]{1,3}_[^_]{1,3}")


def with_blanks(tag: str) -> str:
    """Return a tag with blanks in the place of `_`; faces such as `^_^` and `o_o`, networks and wildcards stay.

    >>> with_blanks("long_hair"), with_blanks("^_^"), with_blanks("__colour__")
    ('long hair', '^_^', '__colour__')
    """
    return tag if _stays(tag) else tag.replace("_", " ").strip() or tag


def with_underscores(tag: str) -> str:
    """Return a tag with `_` in the place of single blanks, as danbooru writes it.

    >>> with_underscores("long hair")
    'long_hair'
    """
    return tag if _stays(tag) else re.sub(r"(?<=\S) (?=\S)", "_", tag)


def _stays(tag: str) -> bool:
    if "__" in tag or tag.startswith("<"):
        return True
    return bool(_FACE.fullmatch(tag)) and all(sum(map(str.isalnum, side)) < 2 for side in tag.split("_"))

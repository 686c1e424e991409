"""Phrases: the parts of a prompt, how they are joined, and how a prompt is cut to fit an encoder."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipnb.interrogate.labels.avoided import contains

if TYPE_CHECKING:
    from clipnb.interrogate.labels.table import RankedLabel

SEPARATOR = ", "
OPENING = ("trigger", "caption", "required")
"""Origins of what a prompt opens with, before phrases of tables."""


@dataclass(frozen=True)
class Phrase:
    """One part of a prompt."""

    text: str
    origin: str  # "caption" or a table's name
    separator: str = SEPARATOR  # joins it to the part before

    @classmethod
    def of(cls, ranked: RankedLabel, separator: str = SEPARATOR) -> Phrase:
        return cls(ranked.label, ranked.table, separator)


def join(phrases: Sequence[Phrase]) -> str:
    """Return phrases as one prompt.

    >>> join([Phrase("a cat", "caption"), Phrase("a photo", "mediums"), Phrase("by X", "artists", " ")])
    'a cat, a photo by X'
    """
    return "".join(phrase.text if i == 0 else phrase.separator + phrase.text for i, phrase in enumerate(phrases))


def beginnings(phrases: Sequence[Phrase]) -> list[str]:
    """Return the prompts of the first one, two, ... of the phrases; as many as there are phrases."""
    return [join(phrases[:count]) for count in range(1, len(phrases) + 1)]


def opening(caption: str, trigger: str, required: Sequence[str], fits: Callable[[str], bool]) -> tuple[Phrase, ...]:
    """Return what a prompt begins with: the trigger, the caption, and the required words that it does not have.

    Where they do not fit together the caption is cut, and left out where not even its first word fits.
    """
    front = [Phrase(trigger, "trigger")] if trigger else []

    def assembled(text: str, words: Sequence[str]) -> tuple[Phrase, ...]:
        middle = [Phrase(text, "caption")] if text else []
        return (*front, *middle, *(Phrase(one, "required") for one in words))

    whole = assembled(caption, [one for one in required if not contains(caption, one)])
    if not (front or required) or fits(join(whole)):
        return cut_to_fit(whole, fits)
    cut = _longest(" ".join, caption.split(), lambda text: fits(join(assembled(text, required))))
    return assembled(cut.rstrip(",;:"), required)


def cut_to_fit(phrases: Sequence[Phrase], fits: Callable[[str], bool]) -> tuple[Phrase, ...]:
    """Return as many leading phrases as fit together.

    The first one is kept in any case, cut at a word if it must be, and inside the first word where even that does not
    fit, as in languages that write no spaces. What begins a fitting text must fit, too.
    """
    prompts = beginnings(phrases)
    if not phrases or fits(prompts[-1]):  # as short prompts do; counting tokens is what costs here
        return tuple(phrases)
    kept = bisect_left(prompts[:-1], True, key=lambda prompt: not fits(prompt))
    return tuple(phrases[:kept]) or (_cut(phrases[0], fits),)


def _cut(phrase: Phrase, fits: Callable[[str], bool]) -> Phrase:
    words = phrase.text.split()
    text = _longest(" ".join, words, fits) or _longest("".join, phrase.text, fits)
    return Phrase(text.rstrip(",;:"), phrase.origin, phrase.separator)


def _longest(join: Callable[[Sequence[str]], str], parts: Sequence[str], fits: Callable[[str], bool]) -> str:
    kept = bisect_left(range(1, len(parts) + 1), True, key=lambda count: not fits(join(parts[:count])))
    return join(parts[:kept])

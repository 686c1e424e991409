"""One prompt taken apart: the head is the subject, what follows are tags; their dressing can be stripped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

from clipnb.errors import TagsError, nearest

_SEPARATOR = re.compile(r"[;|,，；、]")
_BRACKET = re.compile(r"\\.|[()\[\]{}]")
_PARAMETERS = re.compile(r"(?:^|\s)--(?=[A-Za-z])")
_NUMBER = r"\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*"
# In front of a closing bracket, or as `::2`; what would be left of the tag must not be nothing.
_WEIGHT = re.compile(rf"(?<=[^\s;|,(\[{{:])(?::{_NUMBER}(?=[)\]}}])|::{_NUMBER}(?=[;|,\s)\]}}]|$))")
_WEIGHED_NEIGHBOURS = re.compile(rf"(:{_NUMBER}[)\]}}])\s*(?=[(\[{{])")  # `(red:1.1) (blue:1.2)` are two
_OPENING_RUN = re.compile(r"(?:^|[;|,])[\s(\[{]*")
_CLOSING_RUN = re.compile(r"(?:^|[;|,])(?:[\s)\]}]|[0-9.]+[-+]?\s*:)*")  # read backwards: `)2.1:` ends a tag too
_ESCAPED = re.compile(r"\\([()\[\]{}])")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "„": "“", "«": "»"}


@dataclass(frozen=True)
class Cleaning:
    r"""What is stripped from prompts before tags are counted; nothing by default.

    Attributes:
        quotes: quotation marks around a tag.
        brackets: `(tag)`, `[tag]`, `{tag}`, also around several tags; `\(` is a bracket of the text.
        weights: attention weights, `(tag:1.2)` and `tag::2`; `ratio 16:9` and `at 5:30` have none.
        parameters: everything from the first ` --word` on, such as ` --ar 16:9 --no text`.
    """

    quotes: bool = False
    brackets: bool = False
    weights: bool = False
    parameters: bool = False

    @classmethod
    def everything(cls) -> Cleaning:
        """Return a cleaning that strips all that can be stripped."""
        return cls(quotes=True, brackets=True, weights=True, parameters=True)

    @classmethod
    def named(cls, names: Iterable[str]) -> Cleaning:
        """Return the cleaning of some names, such as `["quotes", "weights"]`.

        Raises:
            TagsError: a name that is none of the attributes.

        >>> Cleaning.named(["brackets"]).brackets
        True
        """
        known = [field.name for field in fields(cls)]
        wanted = [name.strip() for name in names]
        for name in wanted:
            if name not in known:
                raise TagsError(f"nothing called {name!r} can be stripped; there is {nearest(name, known)}")
        return cls(**dict.fromkeys(wanted, True))


PLAIN = Cleaning()
"""Tags as they are written."""


def split_prompt(prompt: str, maxsplit: int = 0) -> list[str]:
    """Split a prompt at any of `;` `|` `,` (or `，` `；` `、`) and strip every part.

    Args:
        prompt: one line.
        maxsplit: split this often at most; 0 is no limit.

    Returns:
        The parts, empty ones included; at least one.

    >>> split_prompt("a forest ; VRay | 3D, high detail")
    ['a forest', 'VRay', '3D', 'high detail']
    >>> split_prompt("a forest ; VRay | 3D", maxsplit=1)
    ['a forest', 'VRay | 3D']
    """
    return [part.strip() for part in _SEPARATOR.split(prompt, maxsplit=maxsplit)]


def extract_tags(prompt: str, *, head: bool = True, clean: Cleaning = PLAIN) -> list[str]:
    """Return the tags of a prompt in their order, repeated ones included, empty parts left out.

    Args:
        prompt: one line.
        head: the first part is the subject and no tag; False when the line is tags only.
        clean: what to strip from the tags.

    Returns:
        The tags, stripped of surrounding blanks.

    >>> extract_tags(".imagine sunset in a forest ; VRay ; 3D ;; high detail")
    ['VRay', '3D', 'high detail']
    >>> extract_tags("a cat, (oil paint, ink:1.2), [blurry] --ar 16:9", clean=Cleaning.everything())
    ['oil paint', 'ink', 'blurry']
    """
    if clean == PLAIN:
        return [part for part in split_prompt(prompt)[head:] if part]
    parts = split_prompt(undress(prompt, clean))[head:]
    return [tag for tag in (clean_tag(part, clean) for part in parts) if tag]


def undress(prompt: str, clean: Cleaning) -> str:
    """Strip what spans a whole prompt: trailing parameters, weights, and brackets around one or several tags.

    >>> undress("a ruin (old), ((b, c):1.3) --v 5", Cleaning.everything())
    'a ruin (old),   b, c  '
    """
    if clean.parameters and (found := _PARAMETERS.search(prompt)):
        prompt = prompt[: found.start()]
    if clean.weights:
        prompt = _WEIGHED_NEIGHBOURS.sub(r"\1, ", prompt)
        prompt = _WEIGHT.sub("", prompt)
    return _without_brackets(prompt) if clean.brackets else prompt


def clean_tag(tag: str, clean: Cleaning) -> str:
    """Strip what belongs to one tag: its quotes, backslashes before brackets.

    >>> clean_tag('"oil paint"', Cleaning.everything())
    'oil paint'
    """
    if clean.brackets:
        tag = _ESCAPED.sub(r"\1", tag)
    tag = tag.strip()
    if clean.quotes and len(tag) > 1 and _QUOTES.get(tag[0]) == tag[-1]:
        tag = tag[1:-1].strip()
    return tag


def _without_brackets(prompt: str) -> str:
    """Blank out matched brackets that begin where a tag begins and end where a tag ends."""
    begins = _places(_OPENING_RUN, prompt)
    ends = {len(prompt) - 1 - place for place in _places(_CLOSING_RUN, prompt[::-1])}
    text = list(prompt)
    unmatched: list[tuple[str, int]] = []
    for found in _BRACKET.finditer(prompt):
        symbol, place = found.group(), found.start()
        if symbol in "([{":
            unmatched.append((symbol, place))
        elif unmatched and unmatched[-1][0] == _CLOSES.get(symbol):
            start = unmatched.pop()[1]
            if start in begins and place in ends:
                text[start] = text[place] = " "
    return "".join(text)


def _places(runs: re.Pattern[str], text: str) -> set[int]:
    return {place for run in runs.finditer(text) for place in range(*run.span())}


def whole_text(text: str) -> str:
    r"""Replace halves of surrogate pairs, which no file and no table can hold, by U+FFFD.

    >>> whole_text("half \ud800 pair")
    'half � pair'
    """
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

"""Dynamic prompts: choices and wildcards, counted as they stand or expanded with a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from clipnb.errors import PromptsError
from clipnb.prompts.dialects.weighted import A1111, TOKENS
from clipnb.prompts.tag_line import is_inside, outermost

_TOKEN = re.compile(r"\\.|[{}|,，、\n]|(?P<comment>(?:^|(?<=\s))\#[^\n]*)", re.DOTALL)
_WILDCARD = re.compile(r"__([^\W_][\w*/.-]*?)__")
_COUNT = re.compile(r"\s*(?:([0-9]{1,3})?(-)?([0-9]{1,3})?\$\$(?:([^{}|$]*)\$\$)?)")
_WEIGHT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,30})?|\.[0-9]{1,30})::")  # bounded: finite, and found in linear time
DEEPEST_CHOICES = 20  # choices in choices, wildcards in wildcards
MOST_EXPANDED = 2_000_000  # characters that are gone through, those of choices in choices again


class Dynamic(A1111):
    """Dynamic prompts and wildcard files: as A1111, with `{a|b}`, `{2$$, $$a|b|c}`, `{0.5::a|b}`, `__colour__`."""

    name = "dynamic"
    title = "dynamic prompts: as a1111, with {a|b}, {2$$a|b}, {0.5::a|b}, __wildcard__"
    example = ("a {red|blue} hat, __colour__, {2$$a|b, c} # why", ("a {red|blue} hat", "__colour__", "{2$$a|b, c}"))
    evidence = re.compile(r"\{(?:[^{}|$]|\$(?!\$))*(?:\||\$\$)[^{}]*\}|(?<!\w)__[\w*/.-]+__(?!\w)")
    rank = 3
    tokens = re.compile(rf"{TOKENS}|(?P<wildcard>{_WILDCARD.pattern})|[()\[\]{{}}|:]")
    opaque = True


def expand(prompt: str, seed: int, wildcards: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return a dynamic prompt with one of each of its choices.

    Args:
        prompt: a prompt with `{a|b}`, `{2$$, $$a|b|c}` (two of them, joined by a comma), `{0.5::a|b}` (a half as
            often), `__name__`.
        seed: the same seed makes the same choices.
        wildcards: the entries of each wildcard; those that are not there stay as they are.

    Raises:
        PromptsError: choices lie more than 20 deep, wildcards name each other without end, or there is too much of
            all (2,000,000 characters).

    >>> expand("a {red|red} __animal__", 1, {"animal": ["cat"]})
    'a red cat'
    """
    return _Expansion(random.Random(seed), wildcards or {}).expand(_without_comments(prompt), 0)  # noqa: S311 - no secret


def _without_comments(prompt: str) -> str:
    return _TOKEN.sub(lambda found: "" if found.lastgroup else found.group(), prompt)


class _Expansion:
    """Makes choices; all texts that it goes through, one in another, are counted."""

    def __init__(self, choose: random.Random, wildcards: Mapping[str, Sequence[str]]) -> None:
        self._choose, self._wildcards, self._spent = choose, wildcards, 0

    def expand(self, text: str, depth: int) -> str:
        self._spend(len(text) + 1)
        if depth > DEEPEST_CHOICES:
            raise PromptsError(f"choices or wildcards of a dynamic prompt lie more than {DEEPEST_CHOICES} deep")
        out, place = [], 0
        for start, end in outermost(_TOKEN.finditer(text)):
            out += [text[place:start], self._chosen(text[start + 1 : end], depth)]
            place = end + 1
        return self._wild("".join([*out, text[place:]]), depth)

    def _spend(self, characters: int) -> None:
        self._spent += characters
        if self._spent > MOST_EXPANDED:
            raise PromptsError(f"a dynamic prompt grows beyond {MOST_EXPANDED:,} characters")

    def _wild(self, text: str, depth: int) -> str:
        def entry(found: re.Match[str]) -> str:
            entries = self._wildcards.get(found[1])
            return self.expand(self._choose.choice(entries), depth + 1) if entries else found.group()

        return _WILDCARD.sub(entry, text)

    def _chosen(self, body: str, depth: int) -> str:
        count = _COUNT.match(body)
        body = body[count.end() :] if count else body
        options, place = [], 0
        inner = outermost(_TOKEN.finditer(body))
        for token in _TOKEN.finditer(body):
            if token.group() == "|" and not is_inside(inner, token.start()):
                options.append(body[place : token.start()])
                place = token.end()
        options.append(body[place:])
        given = [_WEIGHT.match(option) for option in options]
        weights = [float(found[1]) if found else 1.0 for found in given]
        texts = [option[found.end() :] if found else option for option, found in zip(options, given, strict=True)]
        low = int(count[1] or (0 if count[2] else 1)) if count else 1
        high = int(count[3] or (len(texts) if count[2] else low)) if count else 1
        amount = self._choose.randint(min(low, high), max(low, high))
        picked = []
        for _ in range(min(amount, len(texts))):
            place = self._choose.choices(range(len(texts)), weights if sum(weights) > 0 else None)[0]
            weights.pop(place)
            picked.append(self.expand(texts.pop(place), depth + 1).strip())
        between = (count[4] if count else None) or ", "
        self._spend(len(between) * len(picked))
        return between.join(picked)

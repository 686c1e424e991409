"""Dynamic prompts: choices and wildcards, counted as they stand or expanded with a seed."""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from clipnb.errors import PromptsError
from clipnb.prompts.dialects.base import BLANKS, Builder, Dialect, SplitPrompt, stripped

_TOKEN = re.compile(r"\\.|[{}|,，、\n]|(?P<comment>(?:^|(?<=\s))\#[^\n]*)", re.DOTALL)
_WILDCARD = re.compile(r"__([\w*/.-]+?)__")
_COUNT = re.compile(r"\s*(?:([0-9]{1,3})?(-)?([0-9]{1,3})?\$\$(?:([^{}|$]*)\$\$)?)")
_WEIGHT = re.compile(r"\s*([0-9]*\.?[0-9]+)::")
_DEEPEST, _LONGEST = 20, 100_000  # of what is expanded: choices in choices, and characters


class Dynamic(Dialect):
    """Dynamic prompts and wildcard files: `{a|b}`, `{2$$, $$a|b|c}`, `{0.5::a|b}`, `__colour__`, `# comment`."""

    name = "dynamic"
    title = "dynamic prompts: {a|b}, {2$$a|b}, {0.5::a|b}, __wildcard__, # comment"
    example = ("a {red|blue} hat, __colour__, {2$$a|b, c} # why", ("a {red|blue} hat", "__colour__", "{2$$a|b, c}"))
    evidence = re.compile(r"\{[^{}]*(?:\||\$\$)[^{}]*\}|(?<!\w)__[\w*/.-]+__(?!\w)")

    def split(self, prompt: str) -> SplitPrompt:
        builder, place, depth = Builder(prompt), 0, 0
        closing = prompt.count("}")
        cuts = []
        for found in _TOKEN.finditer(prompt):
            symbol = found.group()
            if symbol == "{":
                depth += depth < closing
            elif symbol == "}":
                closing, depth = closing - 1, max(0, depth - 1)
            elif found.lastgroup or (symbol in ",，、\n" and not depth):
                cuts.append(found.span())
        for end, after in [*cuts, (len(prompt), len(prompt))]:
            start, stop = stripped(prompt, place, end)
            if start < stop:
                name = BLANKS.sub(" ", prompt[start:stop])
                category = "wildcard" if _WILDCARD.fullmatch(name) else "choice" if "{" in name else "tag"
                builder.add(start, stop, name, category=category)
            place = after
        return builder.result(self)


def expand(prompt: str, seed: int, wildcards: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return a dynamic prompt with one of each of its choices.

    Args:
        prompt: a prompt with `{a|b}`, `{2$$, $$a|b|c}` (two of them, joined by a comma), `{0.5::a|b}` (a half as
            often), `__name__`.
        seed: the same seed makes the same choices.
        wildcards: the entries of each wildcard; those that are not there stay as they are.

    Raises:
        PromptsError: choices lie more than 20 deep, wildcards name each other without end, or the result is longer
            than 100,000 characters.

    >>> expand("a {red|red} __animal__", 1, {"animal": ["cat"]})
    'a red cat'
    """
    return _expand(_without_comments(prompt), random.Random(seed), wildcards or {}, 0)  # noqa: S311 - no secret


def _without_comments(prompt: str) -> str:
    return _TOKEN.sub(lambda found: "" if found.lastgroup else found.group(), prompt)


def _expand(text: str, choose: random.Random, wildcards: Mapping[str, Sequence[str]], depth: int) -> str:
    if depth > _DEEPEST or len(text) > _LONGEST:
        raise PromptsError(
            f"a dynamic prompt lies more than {_DEEPEST} choices deep or grows longer than {_LONGEST:,} characters"
        )
    out, place = [], 0
    for start, end in _outer(text):
        out += [text[place:start], _chosen(text[start + 1 : end], choose, wildcards, depth)]
        place = end + 1

    def wild(found: re.Match[str]) -> str:
        entries = wildcards.get(found[1])
        return _expand(choose.choice(entries), choose, wildcards, depth + 1) if entries else found.group()

    return _WILDCARD.sub(wild, "".join([*out, text[place:]]))


def _outer(text: str) -> list[tuple[int, int]]:
    """Return the outermost matched braces."""
    opened: list[int] = []
    groups: list[tuple[int, int]] = []
    for found in _TOKEN.finditer(text):
        if found.group() == "{":
            opened.append(found.start())
        elif found.group() == "}" and opened:
            start = opened.pop()
            while groups and groups[-1][0] > start:
                groups.pop()
            groups.append((start, found.start()))
    return groups


def _chosen(body: str, choose: random.Random, wildcards: Mapping[str, Sequence[str]], depth: int) -> str:
    count = _COUNT.match(body)
    body = body[count.end() :] if count else body
    options, place = [], 0
    inner = _outer(body)
    for token in _TOKEN.finditer(body):
        before = bisect_left(inner, (token.start(), 0)) - 1
        if token.group() == "|" and (before < 0 or inner[before][1] < token.start()):
            options.append(body[place : token.start()])
            place = token.end()
    options.append(body[place:])
    given = [_WEIGHT.match(option) for option in options]
    weights = [float(found[1]) if found else 1.0 for found in given]
    texts = [_WEIGHT.sub("", option, count=1) for option in options]
    low = int(count[1] or (0 if count[2] else 1)) if count else 1
    high = int(count[3] or (len(texts) if count[2] else low)) if count else 1
    amount = choose.randint(min(low, high), max(low, high))
    picked = []
    for _ in range(min(amount, len(texts))):
        place = choose.choices(range(len(texts)), weights if sum(weights) > 0 else None)[0]
        weights.pop(place)
        picked.append(_expand(texts.pop(place), choose, wildcards, depth + 1).strip())
    return ((count[4] if count else None) or ", ").join(picked)

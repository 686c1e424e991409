"""Prompts of A1111 and its forks and of ComfyUI: brackets that weigh, schedules, networks."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from clipnb.prompts.dialects.base import BLANKS, Builder, Dialect, SplitPrompt

_TOKEN = re.compile(
    r"\\.|(?P<network><(?:lora|lyco|lycoris|locon|hypernet)\s*:[^<>]*>)|(?P<comment>(?:^|(?<=\s))\#[^\n]*)"
    r"|(?P<part>[,，、\n]|\b(?:BREAK|AND)\b)|[()\[\]{}|:]",
    re.DOTALL | re.MULTILINE,
)
_NUMBER = re.compile(r":\s*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*$")
_NETWORK = re.compile(r"<\s*\w+\s*:\s*([^:<>]*)(?::\s*([-+]?[0-9.]+))?")
_ESCAPED = re.compile(r"\\([()\[\]{}:\\])")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_LONGEST_NUMBER, _STRONGEST = 32, 1e6


@dataclass
class _Group:
    """A pair of brackets: where it is, how much it weighs, where its number begins, and whether it lists choices."""

    kind: str
    start: int
    end: int = -1
    factor: float = 1.0
    suffix: int = -1
    lists: bool = False


class A1111(Dialect):
    """A1111, Forge, SD.Next: `(x:1.2)`, `[x]`, `[a:b:0.5]`, `[a|b]`, `<lora:name:0.8>`, `BREAK`, `AND`."""

    name = "a1111"
    title = "A1111 and forks: weights in brackets, schedules, networks, BREAK and AND"
    example: ClassVar[tuple[str, tuple[str, ...]]] = (
        "(red:1.1) (blue:1.2), [fur:scales:0.5] BREAK <lora:ink:0.8>",
        ("red", "blue", "fur", "scales", "ink"),
    )
    evidence = re.compile(
        r"<(?:lora|lyco|hypernet):|\([^()]*:\s*[0-9.]+\s*\)|\(\([^()]|\bBREAK\b|\[[^\[\]]*:[0-9.]+\]|\[[^\[\]|]*\|[^\[\]]*\]"
    )
    brackets = "([)]"

    def split(self, prompt: str) -> SplitPrompt:
        groups = {group.start: group for group in _groups(prompt, self.brackets)}
        builder, weigh = Builder(prompt), _Weights(list(groups.values()))
        place = 0
        hidden: deque[tuple[int, int]] = deque()
        for start, end, network in [*_cuts(prompt, groups, hidden), (len(prompt), len(prompt), False)]:
            _add(builder, weigh, hidden, place, start)
            if network and (found := _NETWORK.match(prompt, start)):
                builder.add(start, end, found[1].strip(), _number(found[2]), "network")
            place = end
        return builder.result(self)


class ComfyUI(A1111):
    """ComfyUI: as A1111, with choices such as `{a|b}` and `embedding:name`."""

    name = "comfyui"
    title = "ComfyUI: as a1111, with {a|b} choices and embedding:name"
    example = ("a {red|blue} cat, embedding:fur, (soft:1.2)", ("a", "red", "blue", "cat", "fur", "soft"))
    evidence = re.compile(r"\bembedding:\w")
    brackets = "([{)]}"


def _groups(prompt: str, brackets: str) -> list[_Group]:
    """Return the matched brackets in the order in which they open."""
    opened: list[_Group] = []
    groups: list[_Group] = []
    for found in _TOKEN.finditer(prompt):
        symbol = found.group()
        if symbol == "|" and opened:
            opened[-1].lists = True
        if symbol not in brackets:
            continue
        if symbol in "([{":
            opened.append(_Group(symbol, found.start()))
        elif opened and opened[-1].kind == _CLOSES[symbol]:
            group = opened.pop()
            group.end = found.start()
            _weigh(prompt, group)
            groups.append(group)
    return sorted(groups, key=lambda group: group.start)


def _weigh(prompt: str, group: _Group) -> None:
    first = max(group.start + 1, group.end - _LONGEST_NUMBER)
    number = _NUMBER.search(prompt[first : group.end])
    if number and first + number.start() > group.start + 1:
        group.suffix = first + number.start()
    if group.kind == "[":
        group.lists = group.lists or group.suffix >= 0
        group.factor = 1.0 if group.lists else 1 / 1.1
    elif group.kind == "(":
        group.factor, group.lists = (_number(number[1]) if number and group.suffix >= 0 else 1.1), False


def _cuts(prompt: str, groups: dict[int, _Group], hidden: deque[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """Yield what parts tags: where it begins and ends, and whether it is a network; note what belongs to no name."""
    ends = {group.end: group for group in groups.values()}
    inside: list[_Group] = []
    closed = -1
    for found in _TOKEN.finditer(prompt):
        start, end = found.span()
        if start in groups:
            if closed >= 0 and not prompt[closed:start].strip():
                yield closed, start, False
            inside.append(groups[start])
            hidden.append((start, end))
            if inside[-1].kind == "{":
                yield start, end, False
        elif start in ends:
            group = inside.pop()
            hidden.append((group.suffix if group.suffix >= 0 else start, end))
            if group.kind == "{":
                yield start, end, False
            closed = end
        elif found.lastgroup:
            yield start, end, found.lastgroup == "network"
        elif inside and inside[-1].lists and found.group() in "|:" and start != inside[-1].suffix:
            yield start, end, False


def _add(builder: Builder, weigh: _Weights, hidden: deque[tuple[int, int]], start: int, end: int) -> None:
    """Add what stands between two cuts, where there is anything but what is hidden (taken off up to there)."""
    text, place, pieces = builder.prompt, start, []
    while hidden and hidden[0][0] < end:
        left, right = hidden.popleft()
        pieces.append((place, left))
        place = max(place, right)
    pieces.append((place, end))
    pieces = [(a, b) for a, b in pieces if text[a:b].strip()]
    if not pieces:
        return
    first = pieces[0][1] - len(text[slice(*pieces[0])].lstrip())
    last = pieces[-1][0] + len(text[slice(*pieces[-1])].rstrip())
    name = BLANKS.sub(" ", _ESCAPED.sub(r"\1", "".join(text[a:b] for a, b in _between(pieces, first, last))))
    category = "tag"
    if name.lower().startswith("embedding:") and name[10:].strip():
        category, name = "embedding", name[10:].strip()
    builder.add(first, last, name, weigh(first, last), category)


def _between(pieces: list[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    return ((max(a, first), min(b, last)) for a, b in pieces)


class _Weights:
    """The product of the brackets around a text; asked for texts from left to right."""

    def __init__(self, groups: list[_Group]) -> None:
        self._coming = groups[::-1]
        self._ends: list[int] = []  # of the brackets that are open, the outermost first, negative so that they rise
        self._factors: list[float] = [1.0]

    def __call__(self, first: int, last: int) -> float:
        while self._coming and self._coming[-1].start < first:
            group = self._coming.pop()
            self._close(group.start)
            self._ends.append(-group.end)
            self._factors.append(min(self._factors[-1] * group.factor, _STRONGEST))
        self._close(first)
        return self._factors[bisect_left(self._ends, -last + 1)]

    def _close(self, place: int) -> None:
        while self._ends and -self._ends[-1] < place:
            self._ends.pop()
            self._factors.pop()


def _number(text: str | None) -> float:
    try:
        return max(-_STRONGEST, min(float(text or 1.0), _STRONGEST))
    except ValueError:
        return 1.0

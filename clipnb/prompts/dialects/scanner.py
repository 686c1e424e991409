"""One pass over a prompt with brackets: what parts its tags, what weighs them, what is left of each as its name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from clipnb.prompts.dialects.base import BLANKS, Builder, stripped

SEPARATOR = "[,，、；\n]"
NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_NUMBER = re.compile(rf"\s*{NUMBER}\s*")
_BLANK = re.compile(r"\s*")
_ESCAPED = re.compile(r"\\([()\[\]{}:\\])")
_NETWORK = re.compile(rf"<\s*\w+\s*:\s*([^:<>]*)(?::\s*({NUMBER})\s*(?=[:>]))?")
_EMBEDDING = "embedding:"
_OPENS = {")": "(", "]": "[", "}": "{"}
_STRONGEST = 1e6


class Kind(Enum):
    """What is not simply text of a name."""

    CUT = 0
    OPEN = 1
    CLOSE = 2
    NETWORK = 3
    TEXT = 4


class Mark(NamedTuple):
    """Something between two places: for OPEN a factor, for TEXT a category; `spans` tells of several tags inside."""

    start: int
    end: int
    kind: Kind
    factor: float = 1.0
    category: str = "tag"
    spans: bool = False


@dataclass
class _Open:
    """A bracket that is not closed yet, or a part of the prompt that may get a weight at its end."""

    symbol: str
    start: int
    mark: int  # its place among the marks
    cuts: int  # how many there were before it
    bars: list[tuple[int, int]] = field(default_factory=list)  # places in the text and among the marks
    colons: list[tuple[int, int]] = field(default_factory=list)


class Scanner:
    """Finds marks from left to right; a place that may become one is kept as None until its bracket is closed.

    The tokens are brackets, `|`, `:` and escapes, and groups of these names: `cut`; `comment`; `both` (A1111's `AND`,
    which may follow a weight); `weight` (`::2`, of all since the last one); `network`; any other is a category of tags.

    Attributes:
        whole: the text reads the same with other such texts before and behind it, between separators.
    """

    def __init__(self, builder: Builder, tokens: re.Pattern[str], *, opaque: bool = False) -> None:
        self._builder, self._text, self._tokens = builder, builder.prompt, tokens
        self._opaque = opaque  # what is in braces stays as it stands
        self._marks: list[Mark | None] = []
        self._cuts = 0
        self._open: list[_Open] = []
        self.whole = True

    def scan(self, start: int, end: int) -> None:
        """Add the tags between two places to the builder."""
        if not self._tokens.search(self._text, start, end):
            left, right = stripped(self._text, start, end)
            if left < right:
                self._builder.add(left, right, _name(self._text[left:right]))
            return
        self._begin_segment(start)
        both = False
        for found in self._tokens.finditer(self._text, start, end):
            left, right, kind = found.start(), found.end(), found.lastgroup
            if kind is None:
                self._symbol(self._text[left], left)
            elif kind == "network":
                self._cut(left, right, Kind.NETWORK)
            elif kind == "weight":
                number = found["number"]
                self._end_segment(left, left, right, _number(number) if number else 1.0)
            elif kind == "both":
                both, self.whole = True, False
                self._weigh_segment(left)
                self._cut(left, right)
                self._begin_segment(right)
            elif kind in ("cut", "comment"):
                self.whole = self.whole and kind == "cut"
                self._cut(left, right)
            else:
                self._marks.append(Mark(left, right, Kind.TEXT, category=kind))
        if both:
            self._weigh_segment(end)
        self.whole = self.whole and len(self._open) == 1
        _add_tags(self._builder, [mark for mark in self._marks if mark], start, end)

    def _cut(self, left: int, right: int, kind: Kind = Kind.CUT) -> None:
        self._marks.append(Mark(left, right, kind))
        self._cuts += 1

    def _symbol(self, symbol: str, place: int) -> None:
        if symbol in "([{":
            self._open.append(_Open(symbol, place, len(self._marks), self._cuts))
            self._marks.append(None)
        elif symbol in ")]}":
            if self._open[-1].symbol == _OPENS[symbol]:
                self._close(self._open.pop(), place)
            else:
                self.whole = False
        elif symbol in "|:":
            top = self._open[-1]
            (top.bars if symbol == "|" else top.colons).append((place, len(self._marks)))
            self._marks.append(None)

    def _close(self, group: _Open, place: int) -> None:
        if group.symbol == "{" and self._opaque:
            del self._marks[group.mark :]
            self._cuts = group.cuts
            self._marks.append(Mark(group.start, place + 1, Kind.TEXT, category="choice"))
            return
        factor, closing, cuts = 1.0, place, group.bars
        number = self._number_before(group, place)
        if group.symbol == "(":
            cuts = []
            factor = 1.1 if number is None else _number(self._text[number + 1 : place])
            closing = place if number is None else number
        elif group.symbol == "[" and not group.bars:
            if number is not None and len(group.colons) <= 2:
                cuts, closing = group.colons[:-1], number
            else:
                factor = 1 / 1.1
        for left, mark in cuts:
            self._marks[mark] = Mark(left, left + 1, Kind.CUT)
        self._cuts += len(cuts)
        spans = self._cuts > group.cuts
        self._marks[group.mark] = Mark(group.start, group.start + 1, Kind.OPEN, factor, spans=spans)
        self._marks.append(Mark(closing, place + 1, Kind.CLOSE, spans=spans))

    def _number_before(self, group: _Open, place: int) -> int | None:
        """Return where the last colon is, when a number stands between it and a place, and something before it."""
        if not group.colons:
            return None
        colon = group.colons[-1][0]
        inside = group.start + len(group.symbol)
        if _BLANK.fullmatch(self._text, inside, colon) or not _NUMBER.fullmatch(self._text, colon + 1, place):
            return None
        return colon

    def _begin_segment(self, place: int) -> None:
        if len(self._open) <= 1:
            self._open[:] = [_Open("", place, len(self._marks), self._cuts)]
            self._marks.append(None)

    def _weigh_segment(self, place: int) -> None:
        if len(self._open) == 1 and (colon := self._number_before(self._open[0], place)) is not None:
            self._end_segment(colon, colon, place, _number(self._text[colon + 1 : place]))

    def _end_segment(self, place: int, left: int, right: int, factor: float) -> None:
        if len(self._open) == 1:
            segment = self._open[0]
            self._marks[segment.mark] = Mark(segment.start, segment.start, Kind.OPEN, factor, spans=True)
            self._marks.append(Mark(place, place, Kind.CLOSE, spans=True))
        self._cut(left, right)
        self._begin_segment(right)


class _Part:
    """The tag that is being collected: its pieces of text, and how few brackets are around one of them."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.first = self.last = -1
        self.opened: list[int] = []  # brackets that opened in this part and are not closed
        self.bare = False  # some of it is in no bracket that opened in this part
        self.depth, self.weight, self.category = -1, 1.0, "tag"


def _add_tags(builder: Builder, marks: list[Mark], start: int, end: int) -> None:
    walk, place = _Walk(builder), start
    for mark in marks:
        walk.text(place, mark.start)
        walk.mark(mark)
        place = mark.end
    walk.text(place, end)
    walk.finish()


class _Walk:
    """Goes along the marks and adds the tags between them."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._weights = [1.0]
        self._part = _Part()

    def mark(self, mark: Mark) -> None:
        part = self._part
        if mark.kind is Kind.OPEN:
            if mark.spans or (part.first >= 0 and not part.opened and not part.bare):  # `(red:1.1) (blue:1.2)`
                self.finish()
            if not mark.spans:
                self._part.opened.append(mark.start)
            self._weights.append(_bounded(self._weights[-1] * mark.factor))
        elif mark.kind is Kind.CLOSE:
            self._weights.pop()
            if mark.spans:
                self.finish()
            elif part.opened:
                part.opened.pop()
                part.last = mark.end if part.first >= 0 else -1
        elif mark.kind is Kind.TEXT:
            if mark.category == part.category == "embedding":
                self.finish()
            self.text(mark.start, mark.end)
            self._part.category = mark.category
        else:
            self.finish()
            if mark.kind is Kind.NETWORK and (found := _NETWORK.match(self._builder.prompt, mark.start)):
                weight = _number(found[2]) if found[2] else 1.0
                self._builder.add(mark.start, mark.end, found[1].strip() or found[0], weight, "network")

    def text(self, start: int, end: int) -> None:
        if start >= end:
            return
        part, piece = self._part, self._builder.prompt[start:end]
        part.pieces.append(piece)
        inner = piece.strip()
        if not inner:
            return
        left = start + piece.find(inner[0])
        if part.first < 0:
            part.first = part.opened[0] if part.opened else left
        part.last = left + len(inner)
        part.bare = part.bare or not part.opened
        if part.depth < 0 or len(self._weights) < part.depth:
            part.depth, part.weight = len(self._weights), self._weights[-1]

    def finish(self) -> None:
        part, self._part = self._part, _Part()
        if part.first < 0:
            return
        name = _name("".join(part.pieces))
        if part.category == "embedding" and name.lower().startswith(_EMBEDDING):
            name = name[len(_EMBEDDING) :].strip() or name
        self._builder.add(part.first, part.last, name, part.weight, part.category)


def _name(text: str) -> str:
    return BLANKS.sub(" ", _ESCAPED.sub(r"\1", text)).strip()


def _number(text: str) -> float:
    return _bounded(float(text.strip()))  # of more blanks than `float` knows, such as \x1f


def _bounded(weight: float) -> float:
    return max(-_STRONGEST, min(weight, _STRONGEST))

"""What a dialect is: how it takes a prompt apart so that putting it together gives the same prompt."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from clipnb.errors import PromptsError, nearest

DIALECTS: dict[str, Dialect] = {}
"""The dialects by name."""
BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Tag:
    """One part of a prompt.

    Attributes:
        name: the tag without brackets, weight and escapes.
        weight: how much it counts: 1 unless it says otherwise.
        category: `tag`, `network` (a LoRA and its like), `embedding`, `wildcard` or `choice`.
        written: as it stands in the prompt.
    """

    name: str
    weight: float = 1.0
    category: str = "tag"
    written: str = ""


@dataclass(frozen=True)
class SplitPrompt:
    """A prompt taken apart.

    Attributes:
        subject: what the prompt is about, where the dialect has a head; else empty.
        tags: its parts in their order, repeated ones included.
        negative: what it asks to leave out.
        parameters: settings that stand in the prompt, by name.
        dialect: the dialect that was used.
        layout: the whole prompt, its tags as their places in `tags`.
    """

    subject: str
    tags: tuple[Tag, ...]
    negative: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    dialect: str = "plain"
    layout: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else self.tags[part].written for part in self.layout)


class Dialect(ABC):
    """A way of writing prompts; a subclass registers an instance of itself under its name.

    Attributes:
        name: what people call it by.
        title: what it is, in a few words.
        example: a prompt and the names of its tags.
        evidence: what shows in a prompt that it is of this dialect; None where nothing does.
        threshold: the share of prompts with evidence from which a collection may be of this dialect.
        rank: of several such dialects the highest is chosen, since it understands the others' signs too.
        has_head: the first part is the subject and no tag.
        flat: parts never stand in brackets, and each is one tag.
        separators: characters besides the comma between which parts can be counted by themselves.
        tokens: what makes a part more than a name, backslashes apart; None where `read` alone can tell.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    example: ClassVar[tuple[str, tuple[str, ...]]]
    evidence: ClassVar[re.Pattern[str] | None] = None
    threshold: ClassVar[float] = 0.05
    rank: ClassVar[int] = 0
    has_head: ClassVar[bool] = False
    flat: ClassVar[bool] = False
    separators: ClassVar[str] = "，、；\n"
    tokens: ClassVar[re.Pattern[str] | None] = None

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            DIALECTS[cls.name] = cls()

    @abstractmethod
    def read(self, builder: Builder, start: int, end: int) -> bool:
        """Add the tags between two places of a prompt; the head is the first of them.

        Returns:
            Whether this text gives the same tags when others stand before and behind it, between separators.
        """

    def split(self, prompt: str) -> SplitPrompt:
        """Take a prompt apart; `str` of the result is the prompt again."""
        builder = Builder(prompt)
        self.read(builder, 0, len(prompt))
        return builder.result(self)

    def body(self, prompt: str) -> tuple[int, int]:
        """Return between which places the head and the tags stand."""
        return 0, len(prompt)

    def parts(self, prompt: str) -> list[str]:
        """Cut what `body` names where separators stand, quickly, brackets or not; `read_part` tells which can stay."""
        for separator in self.separators:
            if separator in prompt:
                prompt = prompt.replace(separator, ",")
        return prompt.split(",")

    def read_part(self, part: str) -> tuple[list[Tag], bool]:
        """Return the tags of a text, its head among them, and what `read` returns."""
        if (
            self.tokens and "\\" not in part and not self.tokens.search(part)
        ):  # most are: subjects, of which all are new
            name = " ".join(part.split())
            return [Tag(name, written=part.strip())] if name else [], True
        builder = Builder(part)
        whole = self.read(builder, 0, len(part))
        return builder.tags, whole


class Builder:
    """Collects a prompt's parts from left to right."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.tags: list[Tag] = []
        self.layout: list[str | int] = []
        self._place = 0

    def add(self, start: int, end: int, name: str, weight: float = 1.0, category: str = "tag") -> None:
        """Add the tag that stands between two places; what is in front of it becomes layout."""
        if start > self._place:
            self.layout.append(self.prompt[self._place : start])
        self.layout.append(len(self.tags))
        self.tags.append(Tag(name, weight, category, self.prompt[start:end]))
        self._place = end

    def result(
        self, dialect: Dialect, *, negative: str = "", parameters: Mapping[str, str] | None = None
    ) -> SplitPrompt:
        """Return the prompt taken apart; with a head the first tag becomes the subject."""
        tags, layout = self.tags, [*self.layout, self.prompt[self._place :]]
        subject = ""
        if dialect.has_head and tags:
            subject = tags[0].name
            written = {0: tags[0].written} | {place: place - 1 for place in range(1, len(tags))}
            layout = [written[part] if isinstance(part, int) else part for part in layout]
            tags = tags[1:]
        return SplitPrompt(subject, tuple(tags), negative, parameters or {}, dialect.name, tuple(layout))


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the places between which a piece of a text stands without blanks around it."""
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return left, max(left, start + len(piece.rstrip()))


def find_dialect(name: str) -> Dialect:
    """Return a dialect by name.

    Raises:
        PromptsError: there is none of that name.
    """
    if name not in DIALECTS:
        raise PromptsError(f"no dialect {name!r}; there is {nearest(name, ['auto', *DIALECTS], 10)}")
    return DIALECTS[name]

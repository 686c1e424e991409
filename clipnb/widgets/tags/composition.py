"""A prompt made of a subject and tags, as traits that always say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from clipnb.tags.interning import key_of
from clipnb.tags.splitting import split_prompt

Spell = Callable[[str], "str | None"]


class Composition(traitlets.HasTraits):
    """Holds a prompt twice: whole, and in its parts.

    Attributes:
        selected: the tags in order, each once; setting it selects others.
        subject: what the prompt shows, before its tags.
        prompt: subject and tags; setting it takes a prompt apart into both.
    """

    selected: Any = traitlets.List(traitlets.Unicode())
    subject: Any = traitlets.Unicode()
    prompt: Any = traitlets.Unicode()

    _composing = False

    def spelling(self, tag: str) -> str | None:
        """Give the collection's spelling of a tag, in any case; None when it does not have the tag."""
        raise NotImplementedError

    def toggle(self, tag: str) -> None:
        """Select a tag, or take it out."""
        without = [other for other in self.selected if key_of(other) != key_of(tag)]
        self.selected = without if len(without) < len(self.selected) else [*self.selected, tag]

    @traitlets.validate("selected")
    def _once_each(self, proposal: dict[str, Any]) -> list[str]:
        tags: dict[str, str] = {}
        for tag in proposal["value"]:
            name = self.spelling(tag) or " ".join(tag.split())
            tags.setdefault(key_of(name), name)
        return [tag for tag in tags.values() if tag]

    @traitlets.observe("selected", "subject")
    def _compose(self, change: dict[str, Any]) -> None:
        del change
        if not self._composing:
            self._composed(self.subject, self.selected)

    @traitlets.observe("prompt")
    def _take_apart(self, change: dict[str, Any]) -> None:
        if not self._composing:
            self._composed(*parted_prompt(change["new"], self.spelling))

    def _composed(self, subject: str, tags: Sequence[str]) -> None:
        self._composing = True
        try:
            self.subject, self.selected = subject, list(tags)
            self.prompt = joined_prompt(self.subject, self.selected)
        finally:
            self._composing = False


def joined_prompt(subject: str, tags: Sequence[str]) -> str:
    """Write a prompt.

    >>> joined_prompt("a lighthouse", ["oil painting", "stormy"])
    'a lighthouse, oil painting, stormy'
    """
    return ", ".join(part for part in (subject.strip(), *tags) if part)


def parted_prompt(prompt: str, spelling: Spell) -> tuple[str, list[str]]:
    """Take a prompt apart: its first part is the subject, unless the collection knows it as a tag.

    Args:
        prompt: one or more lines.
        spelling: tells how a tag is spelled; None when it is not known.

    Returns:
        The subject, which may be empty, and the tags.

    >>> parted_prompt("a lighthouse; stormy", lambda tag: None)
    ('a lighthouse', ['stormy'])
    """
    first, *rest = (" ".join(part.split()) for part in split_prompt(prompt))
    tags = [part for part in rest if part]
    return ("", [first, *tags]) if first and spelling(first) is not None else (first, tags)

"""What edits do to the tags of one caption; tags are known by their keys, in any case and with `_` for a blank."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from clipnb.errors import PromptsError, reason
from clipnb.files import read_text
from clipnb.prompts.tag_line import TagLine, key_of

Tags = str | Iterable[str]
Edit = Callable[[TagLine], TagLine]
_MOST_LIST_BYTES = 16 * 2**20  # of a file of tags


def named_tags(tags: Tags) -> dict[str, str]:
    """Return tags by their keys, in their order."""
    texts = (tags,) if isinstance(tags, str) else tags
    return {key_of(tag): tag for text in texts for tag in TagLine.parse(text).tags}


def wanted_tags(tags: Tags) -> dict[str, str]:
    """Return tags by their keys; `PromptsError` where none are named."""
    named = named_tags(tags)
    if not named:
        raise PromptsError("no tags are named; give one or several, such as 'long hair, hat'")
    return named


def read_tag_list(path: Path) -> list[str]:
    """Return the lines of a file that name tags; `PromptsError` where it cannot be read."""
    try:
        lines = read_text(path, _MOST_LIST_BYTES).splitlines()
    except OSError as error:
        raise PromptsError(f"cannot read {path}: {reason(error)}") from error
    return [line for line in lines if line.strip() and not line.startswith("#")]


def replacing(pairs: Mapping[str, str]) -> Edit:
    """Put new tags in the places of old ones; where a new one is there already, the old one goes.

    Raises:
        PromptsError: nothing to replace one with, or one spelling has two replacements.
    """
    known: dict[str, tuple[str, ...]] = {}
    for one, other in pairs.items():
        parts = TagLine.parse(other).tags
        if not one.strip() or not parts:
            raise PromptsError(f"replacing {one!r} by {other!r}: both must be tags; remove() takes tags out")
        if known.setdefault(key_of(one), parts) != parts:
            raise PromptsError(f"{one!r} would be replaced by {', '.join(known[key_of(one)])!r} and by {other!r}")

    def edit(line: TagLine) -> TagLine:
        keys = set(map(key_of, line.tags))
        if known.keys().isdisjoint(keys):
            return line
        there = keys.difference(known)

        def becomes(tag: str) -> str | None:
            if (parts := known.get(key_of(tag))) is None:
                return tag
            lacking = {key: part for part in parts if (key := key_of(part)) not in there}
            there.update(lacking)
            return ", ".join(lacking.values())

        return line.mapped(becomes)

    return edit


def removing(tags: Mapping[str, str]) -> Edit:
    """Take tags out."""
    return lambda line: line.mapped(lambda tag: None if key_of(tag) in tags else tag)


def appending(tags: Mapping[str, str]) -> Edit:
    """Add the tags that a caption lacks at its end."""
    return lambda line: _with(line, tags, len(line.tags))


def prepending(tags: Mapping[str, str], in_front: tuple[str, ...]) -> Edit:
    """Add the tags that a caption lacks in front, behind the triggers."""
    return lambda line: _with(line, tags, _leading(line, in_front))


def sorting(in_front: tuple[str, ...]) -> Edit:
    """Sort tags by name, behind the triggers."""

    def edit(line: TagLine) -> TagLine:
        first = _leading(line, in_front)
        return line.arranged((*line.tags[:first], *sorted(line.tags[first:], key=key_of)))

    return edit


def fronting(in_front: tuple[str, ...]) -> Edit:
    """Move triggers to the front, in their order."""

    def edit(line: TagLine) -> TagLine:
        front = sorted(
            (tag for tag in line.tags if key_of(tag) in in_front), key=lambda tag: in_front.index(key_of(tag))
        )
        return line.arranged((*front, *(tag for tag in line.tags if key_of(tag) not in in_front)))

    return edit


def _with(line: TagLine, tags: Mapping[str, str], place: int) -> TagLine:
    there = set(map(key_of, line.tags))
    new = [tag for key, tag in tags.items() if key not in there]
    return line.with_tags(new, place) if new else line


def _leading(line: TagLine, in_front: tuple[str, ...]) -> int:
    places = enumerate(line.tags)
    return next((place for place, tag in places if key_of(tag) not in in_front), len(line.tags))

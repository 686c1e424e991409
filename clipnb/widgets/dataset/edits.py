"""Edits of many captions, and what they changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from clipnb.prompts.caption_preview import Change, Preview
from clipnb.prompts.caption_set import CaptionSet


class EditKind(NamedTuple):
    """An edit of many captions: what its fields are called, and what makes it of their texts."""

    fields: tuple[str, ...]
    make: Callable[[CaptionSet, Sequence[str], Sequence[str]], Preview]


EDITS: Mapping[str, EditKind] = MappingProxyType(
    {
        "replace a tag": EditKind(("tag", "by"), lambda c, texts, on: c.replace(*texts, images=on)),
        "remove tags": EditKind(("tags",), lambda c, texts, on: c.remove(texts[0], images=on)),
        "append tags": EditKind(("tags",), lambda c, texts, on: c.append(texts[0], images=on)),
        "prepend tags": EditKind(("tags",), lambda c, texts, on: c.prepend(texts[0], images=on)),
        "keep tags in front": EditKind(("tags",), lambda c, texts, on: c.triggers(texts[0], images=on)),
        "sort tags": EditKind((), lambda c, _, on: c.sort(images=on)),
        "remove repeated tags": EditKind((), lambda c, _, on: c.unique(images=on)),
        "blanks to underscores": EditKind((), lambda c, _, on: c.underscores(True, images=on)),
        "underscores to blanks": EditKind((), lambda c, _, on: c.underscores(False, images=on)),
    }
)


class Edit(NamedTuple):
    """What an edit that is not saved yet has changed, and which triggers were kept in front before it."""

    name: str
    changes: Sequence[Change]
    in_front: tuple[str, ...]

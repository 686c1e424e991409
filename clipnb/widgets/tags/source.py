"""Where the tag panel's prompts come from: given, at paths, uploaded or pasted; and how their lines are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clipnb.errors import PromptsError
from clipnb.tags.counts import TagCounts
from clipnb.tags.prompts import Prompts, load_prompts, prompts_of
from clipnb.tags.splitting import PLAIN, Cleaning

Given = Iterable[str] | str | os.PathLike[str] | TagCounts | None


@dataclass(frozen=True)
class Reading:
    """How a line becomes tags.

    Attributes:
        head: the first part is the subject and no tag.
        clean: strip quotes, brackets, attention weights and trailing parameters.
        column: where prompts stand in tables and JSON lines.
    """

    head: bool = True
    clean: bool = False
    column: str = "prompt"


@dataclass(frozen=True)
class Source:
    """Prompts that may still have to be read; exactly one of the first three is there.

    Attributes:
        lines: prompts that are here.
        paths: files, folders, globs.
        uploads: contents of files by name.
        counts: made already, used as long as lines are read as they were.
    """

    lines: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    counts: TagCounts | None = None

    def read(self, reading: Reading) -> tuple[Iterable[str], str]:
        """Read the prompts.

        Returns:
            The prompts, and a word on where they are from.

        Raises:
            PromptsError: a file or folder that is missing, broken or of another kind.
        """
        if self.paths or self.uploads:
            read = load_prompts(self.paths, reading.column) if self.paths else prompts_of(self.uploads, reading.column)
            return read, _said(read)
        prompts = self.lines if self.counts is None else self.counts.prompts
        return prompts, f"{len(prompts):,} prompts"

    def count(self, prompts: Iterable[str], reading: Reading) -> TagCounts:
        """Count the tags of prompts that were read."""
        clean = Cleaning.everything() if reading.clean else PLAIN
        if self.counts is not None and (self.counts.head, self.counts.clean) == (reading.head, clean):
            return self.counts
        return TagCounts(prompts, head=reading.head, clean=clean)


def source_of(given: Given) -> Source:
    """Take what a person gave: prompts, a path or several, counts, or nothing.

    A list is paths when everything in it is there on the disk, or a `Path`; else it is prompts.

    Raises:
        PromptsError: something in it is no text.
    """
    if given is None:
        return Source()
    if isinstance(given, TagCounts):
        return Source(counts=given)
    if isinstance(given, (str, os.PathLike)):
        return Source(paths=(os.fspath(given),))
    items = list(given)
    if any(not isinstance(item, (str, os.PathLike)) for item in items):
        wrong = next(item for item in items if not isinstance(item, (str, os.PathLike)))
        raise PromptsError(f"prompts are texts, and paths are texts or Paths; this is neither: {wrong!r:.80}")
    if items and all(_is_path(item) for item in items):
        return Source(paths=tuple(os.fspath(item) for item in items))
    return Source(lines=tuple(str(item).strip() for item in items if str(item).strip()))


def paths_in(text: str) -> tuple[str, ...]:
    """Take the paths out of a field: one, or several with `;` between.

    >>> paths_in("prompts/*.txt; more")
    ('prompts/*.txt', 'more')
    """
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _is_path(item: str | os.PathLike[str]) -> bool:
    if isinstance(item, os.PathLike):
        return True
    try:
        return len(item) < 1_000 and Path(item).exists()
    except (OSError, ValueError):
        return False


def _said(read: Prompts) -> str:
    word = f"{len(read):,} prompts of {len(read.files):,} file{'s' if len(read.files) != 1 else ''}"
    return f"{word}; {read.replaced:,} bytes were no UTF-8" if read.replaced else word

"""Prompts as caption files of their images: beside them or in a mirrored folder, in one save that can be undone."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipnb.errors import PromptsError, counted, nearest, printable, quoted, reason
from clipnb.files import cache_folder, expanded, read_bytes
from clipnb.images import is_url
from clipnb.interrogate.folder.image_files import ImageFile
from clipnb.interrogate.folder.rows import Output, Row
from clipnb.interrogate.folder.text_rows import JsonLines
from clipnb.interrogate.settings import LONGEST_CAPTION as LONGEST_ADDITION
from clipnb.interrogate.settings import SettingsError
from clipnb.prompts.caption_files import (
    LONGEST_CAPTION,
    SUFFIXES,
    beside,
    caption_name,
    caption_problem,
    checked_suffix,
    decoded,
    encoded_caption,
)
from clipnb.prompts.caption_log import CaptionLog, Rewrite
from clipnb.prompts.records import Skipped
from clipnb.prompts.tag_line import TagLine, key_of

_EXISTING = ("skip", "append", "replace")
_A_SAVE = 100_000  # captions; what one undo takes back
_NAMED = 5  # images of each kind in a report


@dataclass(frozen=True)
class CaptionOptions:
    """How prompts become captions of their images.

    Attributes:
        suffix: of the files, such as ".txt"; ".txt" for new ones, and ".caption" counts too, when None.
        prepend: what each caption begins with, such as a trigger word; a comma parts it from the prompt.
        append: what each caption ends with.
        existing: what becomes of captions that are there: "skip" does not even interrogate their images; "append"
            adds the prompt behind what is there, and of `prepend` and `append` what it lacks; "replace" writes anew.
        folder: for the captions, with the folders of the images in it; None is beside the images.

    Raises:
        PromptsError: the suffix is none.
        SettingsError: another word for what exists, or texts that cannot stand in a caption.
    """

    suffix: str | None = None
    prepend: str = ""
    append: str = ""
    existing: Literal["skip", "append", "replace"] = "skip"
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        if self.suffix is not None:
            object.__setattr__(self, "suffix", checked_suffix(self.suffix))
        if self.existing not in _EXISTING:
            near = nearest(str(self.existing), _EXISTING)
            raise SettingsError(f"existing captions: {quoted(self.existing)} is not known; use {near}")
        for name in ("prepend", "append"):
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > LONGEST_ADDITION:
                raise SettingsError(f"{name} is a text of at most {LONGEST_ADDITION} characters, not {quoted(text)}")
            try:
                encoded_caption(text)
            except PromptsError as error:
                raise SettingsError(f"{name}: {error}") from None

    def text(self, prompt: str, before: str = "") -> str:
        """Return the caption of an image: the new one, or what becomes of the one before.

        >>> CaptionOptions(prepend="sks").text("a cat, fur")
        'sks, a cat, fur'
        >>> CaptionOptions(prepend="sks", existing="append").text("a cat, fur", "sks, 1cat")
        'sks, 1cat, a cat, fur'
        """
        if self.existing != "append" or not before.strip():
            return _joined(self.prepend, prompt, self.append)
        if _says(before, prompt):
            return before
        there = {key_of(tag) for tag in TagLine.parse(before).tags}
        front, back = (
            ", ".join(tag for tag in TagLine.parse(some).tags if key_of(tag) not in there)
            for some in (self.prepend, self.append)
        )
        return _joined(front, before, prompt, back)


@dataclass(frozen=True)
class CaptionsWritten:
    """What became of the captions of a run.

    Attributes:
        written: number of captions that are new or changed.
        kept: number of images that were left alone because they have a caption.
        skipped: images that got none, with the reason.
        folders: where they are, as `CaptionSet(folder).undo()` takes them.
    """

    written: int
    kept: int = 0
    skipped: tuple[Skipped, ...] = ()
    folders: tuple[Path, ...] = ()

    def __str__(self) -> str:
        lines = [f"{counted(self.written, 'caption')} written"]
        lines[0] += f", {counted(self.kept, 'image')} had one already" if self.kept else ""
        if self.skipped:
            lines[0] += f"; {counted(len(self.skipped), 'image')} got none:"
            lines += [f"  {one.source}: {one.why}" for one in self.skipped[:_NAMED]]
            lines += [f"  and {len(self.skipped) - _NAMED:,} more"] * (len(self.skipped) > _NAMED)
        return printable("\n".join(lines))


@dataclass(frozen=True)
class _Place:
    """Where an image's caption is: its log's folder, its file below that, and whether there is one."""

    root: Path
    file: str
    exists: bool


class Captions:
    """The captions of the images of a run."""

    def __init__(self, options: CaptionOptions, paths: Sequence[str | Path], images: Iterable[ImageFile]) -> None:
        """Look for the captions that are there; what a killed save left half done is finished first.

        Raises:
            PromptsError: an image has no place for a caption, or a folder cannot be read.
        """
        self._options = options
        self._logs: dict[Path, CaptionLog] = {}
        self._suffixes = SUFFIXES if options.suffix is None else (options.suffix,)
        self._there: dict[str, dict[str, str]] = {}  # captions by folder
        self._roots = [os.path.abspath(one) for path in paths if os.path.isdir(one := expanded(path))]  # noqa: PTH100, PTH112
        self._places = {file.image: self._place(file) for file in images if not file.error}
        self._kept = 0

    def scratch(self) -> Output:
        """Return a place of ours for the rows of this run, so that it can be gone on with when it was killed."""
        where = json.dumps([sorted({str(place.root) for place in self._places.values()}), self._roots])
        output = JsonLines(cache_folder("interrogations", f"{hashlib.sha256(where.encode()).hexdigest()[:16]}.jsonl"))
        output.is_scratch = True
        return output

    def wanted(self, images: Sequence[ImageFile]) -> list[ImageFile]:
        """Leave out the images whose captions stay as they are."""
        if self._options.existing != "skip":
            return list(images)
        rest = [file for file in images if not (file.image in self._places and self._places[file.image].exists)]
        self._kept = len(images) - len(rest)
        return rest

    def write(self, rows: Iterable[Row], *, quiet: bool = True) -> CaptionsWritten:
        """Write the captions of rows that have a prompt.

        Raises:
            OutputError: nothing can be written there, or another program saves captions into the same folder.
        """
        skipped: list[Skipped] = []
        rewrites: dict[Path, dict[str, tuple[str, Rewrite]]] = {}
        for row in rows:
            why = row.error or self._plan(row, rewrites)
            skipped += [Skipped(row.image, why)] if why else []
        count, kept = 0, self._kept
        for root, planned in rewrites.items():
            changed = [one for one in planned.values() if one[1].before != one[1].after]
            kept += len(planned) - len(changed)
            for start in range(0, len(changed), _A_SAVE):
                part = changed[start : start + _A_SAVE]
                written = self._logs[root].save([rewrite for _, rewrite in part], quiet=quiet)
                images = {rewrite.file: image for image, rewrite in part}
                skipped += [Skipped(images.get(one.source, one.source), one.why) for one in written.skipped]
                count += written.count
        return CaptionsWritten(count, kept, tuple(skipped), tuple(self._logs))

    def _plan(self, row: Row, rewrites: dict[Path, dict[str, tuple[str, Rewrite]]]) -> str:
        """Plan what is written for one row; return why nothing is."""
        place = self._places[row.image]
        if not self._options.text(row.prompt).strip():
            return "nothing was found that could stand in its caption"
        planned = rewrites.setdefault(place.root, {})
        if place.file in planned:
            return f"its caption would be that of {planned[place.file][0]}, {place.file}"
        if any(part.startswith(".") for part in place.file.split("/")):
            return "hidden files get no captions"
        path = place.root / place.file
        try:
            before = read_bytes(path, LONGEST_CAPTION) if os.path.lexists(path) else None
            if before is not None and self._options.existing == "skip":
                return "it has got a caption meanwhile"
            old = decoded(before) if before is not None and self._options.existing == "append" else ""
            after = encoded_caption(self._options.text(row.prompt, old), before or b"")
        except (OSError, UnicodeError) as error:
            return f"its caption cannot be read: {caption_problem(error)}"
        except PromptsError as error:
            return str(error)
        planned[place.file] = row.image, Rewrite(place.file, before, after)
        return ""

    def _place(self, file: ImageFile) -> _Place:
        if is_url(file.source):
            raise PromptsError(f"{file.source} has no folder for a caption; download it first, or write a table by -o")
        source = os.path.abspath(file.source)  # noqa: PTH100 - of a million images
        root = next((one for one in self._roots if source.startswith(one.rstrip(os.sep) + os.sep)), None)
        root = root or os.path.dirname(source)  # noqa: PTH120
        image = os.path.relpath(source, root).replace(os.sep, "/")
        apart = self._options.folder
        captions = Path(root) if apart is None else Path(os.path.abspath(expanded(apart)))  # noqa: PTH100
        if captions not in self._logs:
            self._logs[captions] = CaptionLog(captions, self._suffixes)
            self._logs[captions].resume()
        here, name = os.path.split(image)
        known = beside(name, self._captions(os.path.join(captions, here)), self._suffixes)  # noqa: PTH118
        caption = os.path.join(here, known or caption_name(name, self._suffixes[0]))  # noqa: PTH118
        return _Place(captions, caption.replace(os.sep, "/"), known is not None)

    def _captions(self, folder: str) -> Mapping[str, str]:
        """List the files of a folder by their names with the suffix in lower case."""
        if folder not in self._there:
            try:
                names = sorted(os.listdir(folder), reverse=True)  # noqa: PTH208 - of a million names
            except FileNotFoundError:
                names = []
            except OSError as error:
                raise PromptsError(f"cannot look for captions in {folder}: {reason(error)}") from error
            pairs = ((os.path.splitext(name), name) for name in names)  # noqa: PTH122
            self._there[folder] = {stem + end.lower(): name for (stem, end), name in pairs if end}
        return self._there[folder]


def _joined(*parts: str) -> str:
    text = ""
    for part in (part.strip() for part in parts):
        if text and part:
            between = " " if text.endswith((",", ".", "!", "?", "\n")) else ", "
            text += between + part
        else:
            text += part
    return text


def _says(caption: str, prompt: str) -> bool:
    """Return whether a prompt stands in a caption as a whole, so that it is not appended again."""
    pattern = r"(?:^|[,.!?\n]\s*)" + re.escape(prompt.strip()) + r"\s*(?:,|$|\n)"
    return not prompt.strip() or re.search(pattern, caption) is not None

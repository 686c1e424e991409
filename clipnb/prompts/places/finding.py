"""Files that may hold prompts: in folders, by globs, by name; which of them are captions of pictures beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from clipnb.errors import PromptsError, reason, shortened
from clipnb.files import expanded
from clipnb.prompts.caption_files import PICTURES, SUFFIXES, paired, walk
from clipnb.prompts.places.reading import Reading

TEXT = "auto text"  # lines of text, or a dump of records: its content tells
PathLike = str | os.PathLike[str]


@dataclass
class Found:
    """What there is to read.

    Attributes:
        files: text files and tables, each with its kind.
        captions: texts that describe pictures, each with the picture, or None where that is missing.
        pictures: that may hold prompts.
        uncaptioned: pictures among others that have captions.
    """

    files: dict[Path, str] = field(default_factory=dict)
    captions: dict[Path, Path | None] = field(default_factory=dict)
    pictures: dict[Path, None] = field(default_factory=dict)
    uncaptioned: dict[Path, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files) + len(self.captions) + len(self.pictures)


class Finder:
    """Finds what is to be read in one reading.

    Args:
        kind: `auto`, or what all files are.
        suffixes: the kind of a file by the ending of its name, without `.gz`.
    """

    def __init__(self, reading: Reading, kind: str, suffixes: Mapping[str, str]) -> None:
        self._found = Found()
        self._further: dict[Path, Path] = {}  # captions of pictures that have one by which they are read
        self._reading, self._kind, self._suffixes = reading, kind, suffixes
        self._pairs_in: Callable[[str], _Pairs] = cache(self._read_pairs)

    def found(self) -> Found:
        """Return what was found; of a picture's captions the first alone."""
        for path, first in self._further.items():
            if first in self._found.captions and self._found.captions.pop(path, None):
                self._reading.skip(str(path), f"its picture has the caption {first.name}")
        for picture in filter(None, self._found.captions.values()):  # is here for its caption
            self._found.pictures.pop(picture, None)
        return self._found

    def add(self, given: PathLike) -> None:
        """Find what a path, a folder or a glob names.

        Raises:
            PromptsError: there is nothing.
        """
        try:
            path = expanded(os.fspath(given))
            if path.is_dir():
                self._add_folder(path)
            elif path.exists():  # what is no regular file is refused when it is opened
                self._add_file(path)
            else:
                self._add_glob(path)
        except (OSError, RuntimeError, ValueError) as error:  # too long a name, a glob that is none
            if isinstance(error, PromptsError):
                raise
            raise PromptsError(f"cannot read {shortened(str(given), 300)}: {reason(error)}") from error

    def add_names(self, names: Sequence[str]) -> None:
        """Take files whose contents are here."""
        self._sort("", names, _Pairs(names, self._kind))

    def add_input(self, path: Path) -> None:
        """Take what has no name that tells its kind: lines of text, unless it is said to be something else."""
        self._put(path, TEXT if self._kind == "auto" else self._kind)

    def _add_folder(self, path: Path) -> None:
        found, before, pictures = self._found, len(self._found), Found()
        folders = walk(path, lambda folder, why: self._reading.skip(str(path / folder), why))
        for folder, names in sorted(folders, key=lambda one: one[0].split("/")):
            self._sort(str(path / folder), sorted(names), _Pairs(names, self._kind), pictures)
        if len(found) == before:  # pictures beside prompts are passed over
            found.pictures |= pictures.pictures
        elif pictures.pictures and not found.captions:
            number = len(pictures.pictures)
            self._reading.notes.append(f'the prompts inside of {number:,} pictures are not read; kind="images" does')
        if len(found) == before:
            raise PromptsError(f"no prompts in the folder {path}: it has no {', '.join(self._suffixes)} file")

    def _add_glob(self, path: Path) -> None:
        anchor = Path(path.anchor)
        files = sorted(file for file in anchor.glob(str(path.relative_to(anchor))) if file.is_file())
        if not files:
            raise PromptsError(f"no prompts at {path}: no such file or folder")
        for file in files:
            self._add_file(file)

    def _add_file(self, path: Path) -> None:
        self._sort(str(path.parent), [path.name], self._pairs_in(str(path.parent)))

    def _read_pairs(self, folder: str) -> _Pairs:
        try:
            return _Pairs(os.listdir(folder), self._kind)  # noqa: PTH208 - names are wanted, of a hundred thousand files
        except OSError:  # its files can be opened, but not listed
            return _Pairs([], self._kind)

    def _put(self, path: Path, kind: str) -> None:
        if kind == "captions":
            self._found.captions[path] = None
        elif kind == "images":
            self._found.pictures[path] = None
        else:
            self._found.files[path] = kind

    def _sort(self, folder: str, names: Iterable[str], pairs: _Pairs, passed_over: Found | None = None) -> None:
        """Sort files of a folder by what they are.

        Args:
            folder: where they are.
            names: which of its files.
            pairs: the pictures and captions among all of them.
            passed_over: where pictures go that may be passed over; None where the files are asked for by name, so that
                any is taken whose kind is known.
        """
        captioned = False
        for name in names:
            path = Path(folder, name)
            if pairs.is_caption(name):
                captioned = True
                picture = pairs.picture_of(name)
                self._found.captions[path] = Path(folder, picture) if picture else None
                if picture and (first := pairs.captions.get(picture, name)) != name:
                    self._further[path] = Path(folder, first)
            elif name.lower().endswith(PICTURES) and self._kind in ("auto", "images"):
                found = self._found if passed_over is None or self._kind == "images" else passed_over
                found.pictures[path] = None
            elif kind := self._kind_of(path, named=passed_over is None):
                self._put(path, kind)
        if captioned and passed_over is not None:
            for path in (Path(folder, name) for name in pairs.pictures if name not in pairs.captions):
                self._found.uncaptioned[path] = None
                passed_over.pictures.pop(path, None)

    def _kind_of(self, path: Path, *, named: bool) -> str:
        suffix = Path(path.name.lower().removesuffix(".gz")).suffix
        kind = self._suffixes.get(suffix, "")
        if self._kind != "auto":
            return self._kind if named or kind else ""
        if kind == TEXT and "wildcards" in map(str.lower, path.parts[:-1]):
            return "wildcards"
        if not kind and named:
            known = ", ".join(self._suffixes)
            self._reading.skip(str(path), f"cannot read prompts from {path}: clipnb reads {known}, also gzipped")
        return kind


class _Pairs:
    """The pictures of a folder and the captions beside them.

    Text files are captions where at least half of them have the name of a picture; else those alone that have it.

    Attributes:
        pictures: all of them, sorted.
        captions: the caption of each picture that has one.
    """

    def __init__(self, names: Sequence[str], kind: str) -> None:
        self._kind = kind
        self.pictures = sorted(name for name in names if name.lower().endswith(PICTURES))
        self.captions = paired(self.pictures, names)[0]
        self._picture_of: dict[str, str] = {}  # by the names that its captions may have, without their suffixes
        for name in self.pictures:
            self._picture_of.setdefault(name.rpartition(".")[0], name)
            self._picture_of[name] = name
        texts = [name for name in names if name.lower().endswith(SUFFIXES[0])]
        have_one = sum(self.picture_of(name) is not None for name in texts)
        self._all = have_one > 0 and 2 * have_one >= len(texts)

    def is_caption(self, name: str) -> bool:
        if self._kind not in ("auto", "captions") or not name.lower().endswith(SUFFIXES):
            return False
        is_sure = self._kind == "captions" or self._all or not name.lower().endswith(SUFFIXES[0])
        return is_sure or self.picture_of(name) is not None

    def picture_of(self, name: str) -> str | None:
        return self._picture_of.get(name.rpartition(".")[0])

"""Files that may hold prompts: in folders, by globs, by name; which of them are captions of pictures beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from clipnb.errors import PromptsError, reason, shortened
from clipnb.files import expanded
from clipnb.prompts.places.reading import Reading

MOST_ENTRIES = 2_000_000  # of a folder, with all below it
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".jxl", ".heic")
CAPTIONS = (".txt", ".caption")
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
        self.found = Found()
        self._reading, self._kind, self._suffixes = reading, kind, suffixes
        self._pairs_in: Callable[[str], _Pairs] = cache(self._read_pairs)

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
                self._sort(str(path.parent), [path.name], self._pairs_in(str(path.parent)), named=True)
            else:
                self._add_glob(path)
        except (OSError, RuntimeError, ValueError) as error:  # too long a name, a glob that is none
            if isinstance(error, PromptsError):
                raise
            raise PromptsError(f"cannot read {shortened(str(given), 300)}: {reason(error)}") from error

    def _add_folder(self, path: Path) -> None:
        before, pictures = len(self.found), Found()
        for folder, names in sorted(self._below(str(path)), key=lambda one: Path(one[0]).parts):
            self._sort(folder, names, _Pairs(names, self._kind), named=False, pictures=pictures)
        if len(self.found) == before:  # pictures beside prompts are passed over
            self.found.pictures |= pictures.pictures
        elif pictures.pictures and not self.found.captions:
            number = len(pictures.pictures)
            self._reading.notes.append(f'the prompts inside of {number:,} pictures are not read; kind="images" does')
        if len(self.found) == before:
            raise PromptsError(f"no prompts in the folder {path}: it has no {', '.join(self._suffixes)} file")

    def _add_glob(self, path: Path) -> None:
        anchor = Path(path.anchor)
        files = sorted(file for file in anchor.glob(str(path.relative_to(anchor))) if file.is_file())
        if not files:
            raise PromptsError(f"no prompts at {path}: no such file or folder")
        for file in files:
            self._sort(str(file.parent), [file.name], self._pairs_in(str(file.parent)), named=True)

    def _read_pairs(self, folder: str) -> _Pairs:
        try:
            return _Pairs(os.listdir(folder), self._kind)  # noqa: PTH208 - names are wanted, of a hundred thousand files
        except OSError:  # its files can be opened, but not listed
            return _Pairs([], self._kind)

    def _below(self, path: str) -> Iterator[tuple[str, list[str]]]:
        folders, seen = [path], 0
        while folders:
            folder, names = folders.pop(), []
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        seen += 1
                        if seen > MOST_ENTRIES:
                            raise PromptsError(
                                f"cannot read {path}: it holds more than {MOST_ENTRIES:,} files and folders; "
                                "name a part of it"
                            )
                        if entry.name.startswith("."):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        elif entry.is_file():
                            names.append(entry.name)
            except OSError as error:
                if folder == path:
                    raise
                self._reading.skip(folder, f"the folder cannot be read: {reason(error)}")
            yield folder, sorted(names)

    def add_names(self, names: Sequence[str]) -> None:
        """Take files whose contents are here."""
        self._sort("", names, _Pairs(names, self._kind), named=True)
        for picture in filter(None, self.found.captions.values()):  # is here for its caption
            self.found.pictures.pop(picture, None)

    def add_input(self, path: Path) -> None:
        """Take what has no name that tells its kind: lines of text, unless it is said to be something else."""
        self._put(path, TEXT if self._kind == "auto" else self._kind)

    def _put(self, path: Path, kind: str) -> None:
        if kind == "captions":
            self.found.captions[path] = None
        elif kind == "images":
            self.found.pictures[path] = None
        else:
            self.found.files[path] = kind

    def _sort(
        self, folder: str, names: Sequence[str], pairs: _Pairs, *, named: bool, pictures: Found | None = None
    ) -> None:
        """Sort files of a folder by what they are.

        Args:
            folder: where they are.
            names: which of its files.
            pairs: all its files.
            named: they are asked for by name, so that any is taken whose kind is known.
            pictures: where pictures go that may be passed over.
        """
        captioned = set()
        for name in names:
            path = Path(folder, name)
            if pairs.is_caption(name):
                picture = pairs.picture_of(name)
                captioned.add(picture)
                self.found.captions[path] = Path(folder, picture) if picture else None
            elif name.lower().endswith(PICTURES) and self._kind in ("auto", "images"):
                (self.found if named or self._kind == "images" or pictures is None else pictures).pictures[path] = None
            elif kind := self._kind_of(path, named=named):
                self._put(path, kind)
        if captioned and not named:
            missing = [name for name in names if name.lower().endswith(PICTURES) and name not in captioned]
            self.found.uncaptioned |= dict.fromkeys(Path(folder, name) for name in missing)
            if pictures is not None:
                for name in missing:
                    pictures.pictures.pop(Path(folder, name), None)

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
    """

    def __init__(self, names: Iterable[str], kind: str) -> None:
        self._kind = kind
        self._pictures: dict[str, str] = {}
        texts = []
        for name in names:
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a hundred thousand of them
            if suffix.lower() in PICTURES:
                self._pictures.setdefault(stem, name)
                self._pictures.setdefault(name, name)  # `a.png.txt`
            elif suffix.lower() == ".txt":
                texts.append(stem)
        paired = sum(stem in self._pictures for stem in texts)
        self._all = paired > 0 and 2 * paired >= len(texts)

    def is_caption(self, name: str) -> bool:
        if self._kind not in ("auto", "captions") or not name.lower().endswith(CAPTIONS):
            return False
        is_sure = self._kind == "captions" or self._all or name.lower().endswith(".caption")
        return is_sure or self.picture_of(name) is not None

    def picture_of(self, name: str) -> str | None:
        return self._pictures.get(name.rpartition(".")[0])

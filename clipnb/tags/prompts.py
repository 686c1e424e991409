"""Prompts from files and folders: text, tables, JSON lines, plain or gzipped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from clipnb.errors import PromptsError
from clipnb.tags.formats import SUFFIXES, Content, read_bytes, read_file

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Prompts(Sequence[str]):
    """Distinct prompts in alphabetical order; a sequence of texts that knows where they came from.

    Attributes:
        lines: the prompts, stripped, none blank.
        files: the files that were read, in order.
        replaced: number of bytes that were no UTF-8 and stand as U+FFFD now.
    """

    lines: tuple[str, ...]
    files: tuple[Path, ...] = field(default=(), repr=False)
    replaced: int = 0

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self.lines[index]

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)


def load_prompts(path: PathLike | Iterable[PathLike], column: str = "prompt") -> Prompts:
    """Read prompts, one a line.

    Args:
        path: a file, a folder (with all below it, hidden ones left out), a glob such as `prompts/*.txt`, or
            several of these. Read are `.txt`, `.csv`, `.jsonl` (each also with `.gz`) and `.parquet`.
        column: where the prompts stand in tables and JSON lines.

    Returns:
        The distinct prompts, sorted.

    Raises:
        PromptsError: nothing there, a kind of file that is not read, a column that is not there, a broken
            file, or not a single prompt.

    >>> from clipnb.files import shipped
    >>> len(load_prompts(shipped("prompts"))) > 100
    True
    """
    given = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    files = tuple(dict.fromkeys(file for one in given for file in _find_files(one)))
    contents = (read_file(file, column) for file in files)
    return _gathered(contents, files, ", ".join(map(str, given)) or "nothing")


def prompts_of(uploads: Mapping[str, bytes], column: str = "prompt") -> Prompts:
    """Read the prompts of files whose contents are here already, such as uploads.

    Args:
        uploads: contents by name; the name tells the kind of file.
        column: where the prompts stand in tables and JSON lines.

    Returns:
        The distinct prompts, sorted.

    Raises:
        PromptsError: as `load_prompts`.

    >>> list(prompts_of({"mine.txt": b"a cat, fur"}))
    ['a cat, fur']
    """
    files = tuple(Path(name) for name in uploads)
    contents = (read_bytes(data, file, column) for file, data in zip(files, uploads.values(), strict=True))
    return _gathered(contents, files, ", ".join(uploads) or "nothing")


def _gathered(contents: Iterable[Content], files: tuple[Path, ...], named: str) -> Prompts:
    lines: set[str] = set()
    replaced = 0
    for content in contents:
        lines.update(line.strip() for line in content.lines)
        replaced += content.replaced
    lines.discard("")
    if not lines:
        raise PromptsError(f"no prompts in {named}: every line is blank")
    return Prompts(tuple(sorted(lines)), files, replaced)


def _find_files(given: PathLike) -> list[Path]:
    path = Path(given).expanduser()
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if _is_wanted(file, path))
        if not found:
            raise PromptsError(f"no prompts in the folder {path}: it has no {', '.join(SUFFIXES)} file")
        return found
    if path.is_file():
        return [path]
    anchor = Path(path.anchor)
    found = sorted(file for file in anchor.glob(str(path.relative_to(anchor))) if file.is_file())
    if not found:
        raise PromptsError(f"no prompts at {path}: no such file or folder")
    return found


def _is_wanted(file: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    return not hidden and file.name.lower().removesuffix(".gz").endswith(SUFFIXES) and file.is_file()

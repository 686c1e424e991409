"""Prompts from files and folders: text, tables, JSON lines, plain or gzipped; read piece by piece, within limits."""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, overload

from clipnb.errors import PromptsError, first_line, nearest, reason, shortened
from clipnb.files import open_file, size_in_words
from clipnb.prompts.splitting import whole_text

PathLike = str | os.PathLike[str]
_Binary = BinaryIO | gzip.GzipFile

MOST_BYTES = 2**30  # of all files that are read at a time, decompressed
MOST_LINES = 20_000_000  # of all of them, blank ones included
LONGEST_LINE = 16 * 2**20  # bytes
LONGEST_PROMPT = 1_000_000  # characters
MOST_COLUMNS = 10_000  # of a table
MOST_ENTRIES = 2_000_000  # of a folder, with all below it
_BLOCK = 2**20
_TEXT_TYPES = ("string", "large_string", "dictionary<values=string", "dictionary<values=large_string")  # of Arrow


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
    """Load prompts, one a line.

    Args:
        path: a file, a folder (with all below it, hidden ones left out), a glob such as `prompts/*.txt`, or
            several of these. Read are `.txt`, `.csv`, `.jsonl` (each also with `.gz`) and `.parquet`, at most 1 GiB
            of text in 20,000,000 lines at a time, and prompts of up to 1,000,000 characters.
        column: where the prompts stand in tables and JSON lines.

    Returns:
        The distinct prompts, sorted.

    Raises:
        PromptsError: nothing there, a kind of file that is not read, a column that is not there, a broken
            file, too much text, or not a single prompt.

    >>> from clipnb.files import shipped
    >>> len(load_prompts(shipped("prompts"))) > 100
    True
    """
    given = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    files = tuple(dict.fromkeys(file for one in given for file in _find_files(one)))
    load = _Load(column)
    for file in files:
        load.read(file)
    return load.result(files, ", ".join(map(str, given)))


def prompts_of(uploads: Mapping[str, bytes], column: str = "prompt") -> Prompts:
    """Load the prompts of files whose contents are here already, by name, such as uploads.

    >>> list(prompts_of({"mine.txt": b"a cat, fur"}))
    ['a cat, fur']
    """
    load = _Load(column)
    for name, content in uploads.items():
        load.read(Path(name), io.BytesIO(content))
    return load.result(tuple(map(Path, uploads)), ", ".join(uploads))


def _find_files(given: PathLike) -> list[Path]:
    try:
        path = Path(given).expanduser()
        if path.is_dir():
            found = sorted(file for file in _below(path) if _is_wanted(file, path))
            missing = f"no prompts in the folder {path}: it has no {', '.join(SUFFIXES)} file"
        elif path.exists():  # what is no regular file is refused when it is opened
            return [path]
        else:
            anchor = Path(path.anchor)
            found = sorted(file for file in anchor.glob(str(path.relative_to(anchor))) if file.is_file())
            missing = f"no prompts at {path}: no such file or folder"
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, ~nobody, a glob that is none
        raise PromptsError(f"cannot read {shortened(str(given), 300)}: {reason(error)}") from error
    if not found:
        raise PromptsError(missing)
    return found


def _below(folder: Path) -> Iterator[Path]:
    for number, file in enumerate(folder.rglob("*")):
        if number >= MOST_ENTRIES:
            raise OSError(f"it holds more than {MOST_ENTRIES:,} files and folders; name a part of it")
        yield file


def _is_wanted(file: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    return not hidden and file.name.lower().removesuffix(".gz").endswith(SUFFIXES) and file.is_file()


class _Load:
    """Reads files into one set of prompts; ends as soon as there is too much."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._prompts: set[str] = set()
        self._bytes = self._lines = self._replaced = 0

    def result(self, files: tuple[Path, ...], named: str) -> Prompts:
        self._prompts.discard("")
        if not self._prompts:
            raise PromptsError(f"no prompts in {shortened(named, 300) or 'nothing'}: every line is blank")
        return Prompts(tuple(sorted(self._prompts)), files, self._replaced)

    def read(self, path: Path, content: BinaryIO | None = None) -> None:
        """Read a file by the ending of its name, from the disk unless its content is here."""
        name = path.name.lower()
        reader = _READERS.get(Path(name.removesuffix(".gz")).suffix)
        if reader is None:
            raise PromptsError(f"cannot read prompts from {path}: clipnb reads {', '.join(SUFFIXES)}, also gzipped")
        try:
            with content or open_file(path) as file:
                plain = gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file
                reader(self, plain, path)
        except (OSError, EOFError, zlib.error) as error:
            raise PromptsError(f"cannot read {path}: {reason(error)}") from error

    def read_text(self, file: _Binary, path: Path) -> None:
        for text in self._decoded(file, path):
            self._add(_lines_of(text), path)

    def read_csv(self, file: _Binary, path: Path) -> None:
        import pandas as pd

        pieces = self._decoded(file, path)
        first = next(pieces, "")
        if _lines_of(first)[0].count(",") >= MOST_COLUMNS:
            raise PromptsError(f"{path} has more than {MOST_COLUMNS:,} columns; save it with the prompts alone")
        try:
            self._check_column(pd.read_csv(io.StringIO(first), nrows=0, dtype=str).columns, str(path))
            cells = {"usecols": [self._column], "dtype": str, "keep_default_na": False, "chunksize": 2**16}
            for table in pd.read_csv(_Text(chain([first], pieces)), **cells):  # type: ignore[call-overload]
                self._add_cells(table[self._column].tolist(), path)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise PromptsError(f"cannot read {path} as CSV: {first_line(error)}") from error

    def read_jsonl(self, file: _Binary, path: Path) -> None:
        number = 0
        for text in self._decoded(file, path):
            lines = _lines_of(text)
            self._add_cells([self._cell(line, path, number + n) for n, line in enumerate(lines, 1)], path)
            number += len(lines)

    def _cell(self, line: str, path: Path, number: int) -> object:
        if not line.strip():
            return None
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PromptsError(f"{path}, line {number} is no JSON: {error}") from error
        if isinstance(record, dict):
            self._check_column(record, f"{path}, line {number}")
            return record[self._column]
        return record

    def read_parquet(self, file: _Binary, path: Path) -> None:
        try:
            import pyarrow  # type: ignore[import-not-found, unused-ignore]
            import pyarrow.parquet  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise PromptsError(f"cannot read {path}: Parquet needs pyarrow; pip install pyarrow") from error
        if isinstance(file, gzip.GzipFile):
            file = io.BytesIO(file.read(MOST_BYTES + 1))  # one that can be sought in
            self._spend(len(file.getbuffer()), path)
        try:
            table = pyarrow.parquet.ParquetFile(file, thrift_container_size_limit=MOST_COLUMNS * 10)
            self._check_column(table.schema_arrow.names, str(path))
            if not str(table.schema_arrow.field(self._column).type).startswith(_TEXT_TYPES):
                return
            # As a dictionary, or a few long texts that are repeated a million times would be written out.
            table = pyarrow.parquet.ParquetFile(file, read_dictionary=[self._column])
            self._spend(_uncompressed(table.metadata, self._column), path)
            for batch in table.iter_batches(columns=[self._column]):
                cells = batch.column(0)
                if isinstance(cells, pyarrow.DictionaryArray):
                    cells = cells.dictionary.take(cells.indices.unique().drop_null())
                self._count(len(batch) - len(cells), path)
                self._add_cells(cells.to_pylist(), path)
        except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
            if isinstance(error, PromptsError):
                raise
            raise PromptsError(f"cannot read {path} as Parquet: {first_line(error)}") from error

    def _decoded(self, file: _Binary, path: Path) -> Iterator[str]:
        """Decode UTF-8 in pieces of whole lines; each bad byte sequence becomes U+FFFD and is counted."""
        rest, encoding = b"", "utf-8-sig"
        while block := file.read(_BLOCK):
            self._spend(len(block), path)
            if b"\0" in block:
                raise PromptsError(f"{path} is no text: it holds zero bytes; text must be UTF-8")
            block = rest + block
            end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1  # a last \r may be half a line break
            whole, rest = block[:end], block[end:]
            if len(rest) > LONGEST_LINE:
                raise PromptsError(f"cannot read {path}: a line is longer than {size_in_words(LONGEST_LINE)}")
            if whole:
                yield self._decode(whole, encoding)
                encoding = "utf-8"
        if rest:
            yield self._decode(rest, encoding)

    def _decode(self, data: bytes, encoding: str) -> str:
        text = data.decode(encoding, errors="replace")
        self._replaced += text.count("\ufffd") - data.count("\ufffd".encode())
        return text

    def _add_cells(self, cells: Sequence[object], path: Path) -> None:
        """Add one line of each cell that holds a text; half a surrogate pair, which JSON can spell, is replaced."""
        lines = []
        for cell in cells:
            if isinstance(cell, str):
                whole = whole_text(cell)
                self._replaced += whole.count("\ufffd") - cell.count("\ufffd")
                lines.append(" ".join(whole.splitlines()))
        self._count(len(cells) - len(lines), path)
        self._add(lines, path)

    def _add(self, lines: Sequence[str], path: Path) -> None:
        self._count(len(lines), path)
        prompts = {line.strip() for line in lines}
        longest = max(map(len, prompts), default=0)
        if longest > LONGEST_PROMPT:
            raise PromptsError(
                f"cannot read {path}: a line has {longest:,} characters, and a prompt {LONGEST_PROMPT:,} at most"
            )
        self._prompts |= prompts

    def _count(self, lines: int, path: Path) -> None:
        self._lines += lines
        if self._lines > MOST_LINES:
            raise PromptsError(f"cannot read {path}: more than {MOST_LINES:,} lines at a time; read fewer files")

    def _spend(self, amount: int, path: Path) -> None:
        self._bytes += amount
        if self._bytes > MOST_BYTES:
            raise PromptsError(
                f"cannot read {path}: more than {size_in_words(MOST_BYTES)} at a time, decompressed; "
                "read fewer or smaller files"
            )

    def _check_column(self, columns: Iterable[object], where: str) -> None:
        if self._column not in columns:
            names = nearest(self._column, map(str, columns)) or "none"
            raise PromptsError(f"no column {shortened(self._column)!r} in {where}; there is {names}")


class _Text:
    """Pieces of text as a file that pandas can read."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)

    def read(self, size: int = -1) -> str:
        del size
        return next(self._pieces, "")

    def __iter__(self) -> Iterator[str]:
        return self._pieces


def _lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _uncompressed(metadata: object, column: str) -> int:
    """Bytes of a column's pages, as the file declares them."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))  # type: ignore[attr-defined]
    parts = (group.column(place) for group in groups for place in range(group.num_columns))
    return sum(part.total_uncompressed_size for part in parts if part.path_in_schema == column)


_READERS: dict[str, Callable[[_Load, _Binary, Path], None]] = {
    ".txt": _Load.read_text,
    ".csv": _Load.read_csv,
    ".parquet": _Load.read_parquet,
    ".jsonl": _Load.read_jsonl,
}
SUFFIXES = tuple(_READERS)
"""The kinds of files that are read."""

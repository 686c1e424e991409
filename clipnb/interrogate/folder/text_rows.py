"""Rows as a file of text that grows, one record a row: comma-separated values, or lines of JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from clipnb.errors import OutputError
from clipnb.files import open_file, open_for_writing, write_atomically
from clipnb.interrogate.folder.rows import COLUMNS, NOT_A_ROW, NUMBERS, VARIANTS, Output, Row, errors_in_words
from clipnb.spreadsheet import guard, unguard

_LONGEST = 4 * 2**20  # bytes of a record: several times what the longest caption and path take
_LONGEST_CELL = 131_072  # characters; whatever the process has made the parser's limit
_SYNCED = 1.0  # seconds that a crash of the machine costs at most; waiting for the disk after each batch costs more
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DELIMITERS = ",;\t"
_BOTH = "\r\n"  # ends a record while it is written, since only the characters of that end are quoted in values


class TextOutput(Output):
    """Rows as lines of text, one record a row."""

    headers: tuple[bytes, ...] = (b"",)
    has_quotes = False  # inside which a record goes on in the next line

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file: BinaryIO | None = None
        self._synced = 0.0

    @property
    def header(self) -> bytes:
        """The first line, of the columns that are going to be written."""
        return self.headers[0]

    @abstractmethod
    def encode(self, row: Row) -> bytes:
        """Return a record, line break included."""

    @abstractmethod
    def decode(self, record: bytes) -> Row:
        """Return the row of a record; raises one of `NOT_A_ROW` where it is none."""

    @property
    def sidecar(self) -> Path:
        return self.path.with_name(f"{self.path.name}.settings.json")

    def exists(self) -> bool:
        return self.path.exists() and (not self.path.is_file() or self.path.stat().st_size > 0)

    def read(self) -> Iterator[Row]:
        foreign = self.saved_elsewhere()
        if foreign is not None:
            yield from foreign
            return
        for record, _ in self._records():
            with suppress(*NOT_A_ROW):
                yield self.decode(record)

    def saved_elsewhere(self) -> Iterator[Row] | None:
        """Return the rows of a file that another program has saved in its own form, None where it is in ours."""
        return None

    def open(self) -> None:
        with errors_in_words("write", self.path):
            foreign = self.saved_elsewhere()
            if foreign is not None:
                self.replace(list(foreign))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_for_writing(self.path)
            whole = self._file.read(len(self.header)) == self.header
            end = max((end for _, end in self._records()), default=len(self.header) if whole else 0)
            self._file.truncate(end)
            self._file.seek(end)
            if not whole:
                self._write(self.header)

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows by one write, after which nothing but a crash of the machine takes them away."""
        if rows:
            self._write(b"".join(map(self.encode, rows)))

    def close(self) -> None:
        if self._file:
            with errors_in_words("write", self.path), closing(self._file) as file:
                self._file = None
                os.fsync(file.fileno())

    def replace(self, rows: Sequence[Row]) -> None:
        self.close()
        with write_atomically(Path(os.path.realpath(self.path))) as temporary:  # a link stays one
            temporary.write_bytes(self.header + b"".join(map(self.encode, rows)))

    def _write(self, content: bytes) -> None:
        file = self._file
        if file is None:
            raise OutputError(f"{self.path} is not open")
        before = file.tell()
        with errors_in_words("write", self.path):
            try:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]
                if monotonic() - self._synced > _SYNCED:
                    os.fsync(file.fileno())
                    self._synced = monotonic()
            except OSError:
                file.truncate(before)  # so that no row is cut in two
                file.seek(before)
                raise

    def _records(self) -> Iterator[tuple[bytes, int]]:
        """Yield whole records after the header, with the place in the file where each ends."""
        if not self.exists():
            return
        with errors_in_words("read", self.path), open_file(self.path) as file:
            start = file.read(max(map(len, self.headers)))
            header = next((one for one in self.headers if start.startswith(one)), None)
            if header is None:
                if not any(one.startswith(start) for one in self.headers):  # killed while it wrote its first line
                    raise OutputError(f"{self.path} has other columns than {', '.join(COLUMNS)}; choose another name")
                return
            file.seek(len(header))
            end, lines, size, is_quoted = len(header), [], 0, False
            while line := file.readline(_LONGEST):
                lines.append(line)
                size += len(line)
                if size >= _LONGEST:
                    raise OutputError(f"{self.path} has a record of more than {_LONGEST} bytes; choose another name")
                is_quoted ^= self.has_quotes and line.count(b'"') % 2 == 1
                if line.endswith(b"\n") and not is_quoted:
                    end += size
                    yield b"".join(lines), end
                    lines, size = [], 0


class JsonLines(TextOutput):
    """One JSON object a line."""

    def encode(self, row: Row) -> bytes:
        return (json.dumps(row.values(), ensure_ascii=False, allow_nan=False) + "\n").encode()

    def decode(self, record: bytes) -> Row:
        return Row.read(json.loads(record.decode("utf-8-sig")))


class Csv(TextOutput):
    """Comma-separated values; a value with line breaks is quoted, and none is a formula for spreadsheets.

    Earlier versions wrote values as they are. They read the same, but for texts that begin like a guarded formula.
    """

    headers = tuple((",".join(names) + "\n").encode() for names in VARIANTS)
    has_quotes = True

    @property
    def header(self) -> bytes:
        return self.headers[VARIANTS.index(self.columns)]

    def saved_elsewhere(self) -> Iterator[Row] | None:
        """Return the rows of a table that a spreadsheet has saved: with a byte order mark, `;`, or other line ends."""
        if not self.exists():
            return None
        with errors_in_words("read", self.path), open_file(self.path) as file:
            first = file.readline(_LONGEST)
        encoding = next((name for mark, name in _MARKS.items() if first.startswith(mark)), "")
        if first in self.headers or len(first) == _LONGEST or not (encoding or first.endswith(b"\n")):
            return None
        encoding = encoding or _without_mark(self.path)
        for delimiter in _DELIMITERS:
            with suppress(csv.Error, UnicodeDecodeError, StopIteration):
                names = next(csv.reader(_lines(self.path, encoding), delimiter=delimiter))
                if tuple(names) in VARIANTS:
                    return self._of_spreadsheet(encoding, delimiter)
        return None

    def _of_spreadsheet(self, encoding: str, delimiter: str) -> Iterator[Row]:
        records = csv.reader(_lines(self.path, encoding), delimiter=delimiter)
        names = next(records)
        while True:
            with suppress(*NOT_A_ROW, csv.Error):
                values = next(records, None)
                if values is None:
                    return
                row = dict(zip(names, map(unguard, values), strict=True))
                row |= {name: row[name].replace(",", ".") for name in NUMBERS if name in row}  # as some countries do
                yield Row.read(row)

    def encode(self, row: Row) -> bytes:
        text = io.StringIO(newline="")
        cells = [guard(value) if isinstance(value, str) else value for value in row.values().values()]
        csv.writer(text, lineterminator=_BOTH).writerow(cells)
        return text.getvalue().removesuffix(_BOTH).encode() + b"\n"

    def decode(self, record: bytes) -> Row:
        try:
            (values,) = csv.reader(io.StringIO(record.decode(), newline=""), strict=True)
        except csv.Error as error:
            raise ValueError(str(error)) from error
        if max(map(len, values)) > _LONGEST_CELL:
            raise ValueError("a cell is longer than any of ours")
        names = next((names for names in VARIANTS if len(names) == len(values)), COLUMNS)
        row = Row.read(dict(zip(names, map(unguard, values), strict=True)))
        self.is_outdated = self.is_outdated or self.encode(row) != record
        return row


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with errors_in_words("read", path), open_file(path) as file:
        text = io.TextIOWrapper(file, encoding, "replace", newline="")
        while line := text.readline(_LONGEST):
            yield line


def _without_mark(path: Path) -> str:
    """Return the encoding of a table without a byte order mark: some spreadsheets save what the system has."""
    with errors_in_words("read", path), open_file(path) as file:
        try:
            for line in iter(lambda: file.readline(_LONGEST), b""):
                line.decode()
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"

"""Tables in text: the delimiter is found by the heading, and every row must have as many fields as that."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from clipnb.errors import PromptsError
from clipnb.prompts.collection import Part, Rows
from clipnb.prompts.places.reading import (
    LONGEST_LINE,
    MOST_COLUMNS,
    Cells,
    File,
    Reading,
    check_column,
    no_text,
)
from clipnb.prompts.places.roles import roles_in

_DELIMITERS = (",", ";", "\t", "|")
_NONE = "\x1f"  # a delimiter that no text has: the file has one column
_SAYS_DELIMITER = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # the first line of a file for spreadsheets
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?")
_CHUNK = 2**14
_SAMPLED = 100  # rows that tell which columns hold texts


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let fields be as long as lines: the parser's own limit, which is one of the process, refuses long prompts."""
    before = csv.field_size_limit(max(LONGEST_LINE, csv.field_size_limit()))
    try:
        yield
    finally:
        csv.field_size_limit(before)


class _Table:
    """The rows of a table, one after the other; those of another number of fields are skipped."""

    def __init__(self, reading: Reading, file: File, opened: BinaryIO) -> None:
        self._reading, self._path = reading, file.path
        pieces = reading.pieces(opened, file.path)
        self._lines = (line for piece in pieces for line in io.StringIO(piece))
        self.row = 1  # of the file, as a spreadsheet counts
        heading = next((line for line in self._lines if line.strip()), None)
        if heading is None:
            raise PromptsError(f"cannot read {file.path} as CSV: it is empty")
        said = _SAYS_DELIMITER.fullmatch(heading)
        if said:
            heading, self.row = next(self._lines, ""), 2
        if max(map(heading.count, _DELIMITERS)) >= MOST_COLUMNS:
            raise PromptsError(f"{file.path} has more than {MOST_COLUMNS:,} columns; save it with the prompts alone")
        self.headings, delimiter = _headings(heading, reading.column, said[1] if said else "")
        self._reader = csv.reader(self._recorded(), delimiter=delimiter, skipinitialspace=True, strict=True)
        self._single = delimiter == _NONE
        self._last = ""

    def _recorded(self) -> Iterator[str]:
        for line in self._lines:
            self._last = line
            yield line

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        size = len(self.headings)
        while True:
            before = self._reader.line_num
            try:
                for fields in self._reader:
                    self.row += 1
                    if len(fields) == size:
                        yield self.row, fields
                    elif fields:
                        self._skip(f"it has {len(fields)} fields, and the heading {size}; quote texts that hold commas")
                    before = self._reader.line_num
                return
            except csv.Error as error:
                self.row += 1
                lines = self._reader.line_num - before
                if self._single and lines == 1 and "unexpected end" not in str(error):
                    yield self.row, [self._last.strip()]  # with one column there is nothing to be mistaken
                    continue
                over = f", over {lines} lines" if lines > 1 else ""
                self._skip(f"its quotes do not match{over}: {error}")

    def _skip(self, why: str) -> None:
        self._reading.skip(f"{self._path}, row {self.row}", why)


def _headings(line: str, column: str, delimiter: str) -> tuple[list[str], str]:
    """Return the names of the columns, and what parts them: that by which the wanted one is found, else most are."""
    found = []
    for candidate in [delimiter] if delimiter else [*_DELIMITERS, _NONE]:
        try:
            names = next(csv.reader([line], delimiter=candidate, skipinitialspace=True, strict=True), [])
        except csv.Error:
            continue
        names = [name.strip() for name in names]
        found.append((column in names, len(names), names, candidate if len(names) > 1 else _NONE))
    if not found:
        raise PromptsError("the quotes of its heading do not match")
    best = max(found, key=lambda one: one[:2])
    return best[2], best[3]


@_long_fields()
def read_csv(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read the prompts in a column of a table."""
    table = _Table(reading, file, opened)
    check_column(reading.column, table.headings, str(file.path))
    if table.headings.count(reading.column) > 1:
        raise PromptsError(f"{file.path} has {table.headings.count(reading.column)} columns {reading.column!r}")
    place = table.headings.index(reading.column)
    cells = Cells(reading, file.path, "row")
    sample: list[list[str]] = []
    chunk: list[str] = []
    rows: list[int] = []
    before = reading.skips
    for row, fields in table.rows():
        chunk.append(fields[place])
        rows.append(row)
        if len(sample) < _SAMPLED:
            sample.append(fields)
        if len(chunk) == _CHUNK:
            cells.extend(chunk, rows)
            chunk, rows = [], []
    cells.extend(chunk, rows)
    if not sample and reading.skips > before:
        raise PromptsError(f"cannot read {file.path} as CSV: no row fits its heading; {_first(reading, before)}")
    if cells.texts and all(map(_NUMBER.fullmatch, cells.texts)):
        raise no_text(reading.column, file.path, "numbers", _text_columns(table.headings, sample))

    again = reading.again()

    def column(name: str) -> list[str]:
        return _column(again.again(), file, name, cells.rows)

    others = [name for name in dict.fromkeys(table.headings) if name and name != reading.column]
    return Rows(
        cells.texts,
        cells.rows,
        cells.where,
        cells.wholes,
        lambda: others,
        column,
        lambda: roles_in(others, reading.column),
    )


def _first(reading: Reading, before: int) -> str:
    return reading.skipped[before].why if before < len(reading.skipped) else ""


def _text_columns(headings: list[str], sample: list[list[str]]) -> list[str]:
    columns = zip(*sample, strict=True)
    return [
        name
        for name, cells in zip(headings, columns, strict=True)
        if any(cell.strip() and not _NUMBER.fullmatch(cell.strip()) for cell in cells)
    ]


@_long_fields()
def _column(again: Reading, file: File, name: str, rows: Sequence[int]) -> list[str]:
    """Read a column for some rows."""
    known: dict[str, str] = {}  # cells of the same text are one
    cells: list[str] = []
    with file.reopen() as opened:
        table = _Table(again, file, opened)
        place = table.headings.index(name)
        for row, fields in table.rows():
            if len(cells) < len(rows) and row == rows[len(cells)]:
                cells.append(known.setdefault(fields[place], fields[place]))
    return cells

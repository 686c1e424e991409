"""JSON: lines of records, or arrays of them, read record by record; keys may be nested, as `meta.prompt`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain, islice
from typing import BinaryIO

from clipnb.errors import PromptsError, first_line, listed, shortened
from clipnb.prompts.collection import Part, Rows
from clipnb.prompts.places.reading import LONGEST_LINE, MOST_COLUMNS, Cells, File, Reading, as_text, check_column
from clipnb.prompts.places.roles import roles_in

Records = Iterator[tuple[int, object]]
_MISSING = object()
_MARK = re.compile(r"[^ \t\n\r]")
_DEEPEST = 8  # nested keys that become columns
_CHUNK = 2**14
_NAMED = 1_000  # keys that are looked at for the message that no record has the wanted one


def read_json_lines(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read a record a line: an object that holds the prompt, or a text."""
    return _read(reading, file, opened, _lines, "line")


def read_json(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read arrays of objects or texts, or objects one after the other."""
    return _read(reading, file, opened, _elements, "record")


def _read(
    reading: Reading, file: File, opened: BinaryIO, records: Callable[[Reading, File, BinaryIO], Records], word: str
) -> Part:
    cells = Cells(reading, file.path, word)
    chunk: list[object] = []
    rows: list[int] = []
    others: dict[str, int] = {}  # keys of the first records without the wanted one, and where they are
    for number, record in records(reading, file, opened):
        cell = _value(record, reading.column) if isinstance(record, dict) else record
        if cell is _MISSING and isinstance(record, dict):
            if len(others) < _NAMED:
                others |= dict.fromkeys(islice(_flat(record), _NAMED), number)
            keys = shortened(listed(list(map(str, record)))) or "none"
            why = f"it has no {shortened(reading.column)!r}, but {keys}"
            reading.skip(f"{file.path}, {word} {number}", why)
            cell = None
        chunk.append(cell)
        rows.append(number)
        if len(chunk) == _CHUNK:
            cells.extend(chunk, rows)
            chunk, rows = [], []
    cells.extend(chunk, rows)
    if others and not cells.texts:
        check_column(reading.column, others, f"{file.path}, {word} {min(others.values())}")

    again = reading.again()

    @cache
    def columns() -> Mapping[str, Mapping[int, str]]:
        return _columns(again.again(), file, cells.rows, records)

    @cache
    def roles() -> Mapping[str, str]:
        return roles_in(columns(), reading.column)

    def read(name: str) -> list[str]:
        column = columns()[name]
        return [column.get(place, "") for place in range(len(cells.rows))]

    return Rows(cells.texts, cells.rows, cells.where, cells.wholes, columns, read, roles)


def _columns(
    reading: Reading, file: File, rows: Iterable[int], records: Callable[[Reading, File, BinaryIO], Records]
) -> Mapping[str, Mapping[int, str]]:
    """Read everything that stands beside the prompts: for each name, what the places have that have it."""
    columns: dict[str, dict[int, str]] = {}
    wanted, done = iter(rows), 0
    target = next(wanted, None)
    with file.reopen() as opened:
        for number, record in records(reading, file, opened):
            if number != target:
                continue
            for name, value in _flat(record).items() if isinstance(record, dict) else ():
                if name != reading.column and value:
                    columns.setdefault(name, {})[done] = value
            if len(columns) > MOST_COLUMNS:
                raise PromptsError(f"{file.path} has more than {MOST_COLUMNS:,} different keys")
            done, target = done + 1, next(wanted, None)
    return columns


def _flat(record: Mapping[str, object], before: str = "", depth: int = 0) -> dict[str, str]:
    """Return the values of a record by name; those of objects in it by `name.name`."""
    found: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value and depth < _DEEPEST:
            found |= _flat(value, f"{before}{name}.", depth + 1)
        elif isinstance(value, (dict, list)):
            found[before + name] = json.dumps(value, ensure_ascii=False) if _is_shallow(value) else "..."
        else:
            found[before + name] = as_text(value)
    return found


def _is_shallow(value: object, depth: int = 0) -> bool:
    if isinstance(value, (dict, list)):
        inside = value.values() if isinstance(value, dict) else value
        return depth < _DEEPEST * 4 and all(_is_shallow(one, depth + 1) for one in inside)
    return True


def _value(record: Mapping[str, object], column: str) -> object:
    if column in record:
        return record[column]
    first, dot, rest = column.partition(".")
    while dot:
        inside = record.get(first)
        if isinstance(inside, dict):
            return _value(inside, rest)
        more, dot, rest = rest.partition(".")
        first = f"{first}.{more}"
    return _MISSING


def _lines(reading: Reading, file: File, opened: BinaryIO) -> Records:
    lines = chain.from_iterable(reading.lines(opened, file.path))
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield number, None
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reading.skip(f"{file.path}, line {number}", f"line {number} is no JSON: {first_line(error)}")
            record = None
        yield number, record


def _elements(reading: Reading, file: File, opened: BinaryIO) -> Records:
    """Yield the elements of arrays, and what stands outside of them, by a window that moves over the text."""
    window = _Window(reading.pieces(opened, file.path, of_lines=False))
    inside, ended, number = False, True, 0
    while mark := window.next_mark():
        reading.count(1, file.path)
        if (mark == "[" and not inside) or (mark == "]" and inside):
            inside, ended = not inside, mark == "["
            window.place += 1
        elif mark == "," and inside and not ended:
            ended = True
            window.place += 1
        else:
            number, ended = number + 1, False
            try:
                yield number, window.value()
            except (ValueError, RecursionError) as error:
                raise PromptsError(f"{file.path}, record {number} is no JSON: {first_line(error)}") from error
    if inside:
        reading.skip(str(file.path), f"its array ends in the middle, after record {number:,}")


class _Window:
    def __init__(self, pieces: Iterator[str]) -> None:
        self.place = 0
        self._pieces, self._text = pieces, ""
        self._decode = json.JSONDecoder().raw_decode

    def next_mark(self) -> str:
        """Return the next character that is no white space, empty at the end."""
        while True:
            if mark := _MARK.search(self._text, self.place):
                self.place = mark.start()
                return mark[0]
            self.place = len(self._text)
            if not self._goes_on():
                return ""

    def value(self) -> object:
        """Return the value that begins here.

        Raises:
            ValueError, RecursionError: it is none, or too long.
        """
        while True:
            try:
                value, end = self._decode(self._text, self.place)
            except ValueError:
                if len(self._text) - self.place > LONGEST_LINE or not self._goes_on():
                    raise
                continue
            if end < len(self._text) or not self._goes_on():  # a number may go on in the next piece
                self.place = end
                return value

    def _goes_on(self) -> bool:
        piece = next(self._pieces, None)
        if piece is not None:
            self._text, self.place = self._text[self.place :] + piece, 0
        return piece is not None

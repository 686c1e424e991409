"""Text files: a prompt a line, wildcards with comments, and dumps of generation parameters."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import BinaryIO

from clipnb.prompts.collection import Part, Records, Rows
from clipnb.prompts.metadata import has_parameters, is_template, parse_dump, parse_parameters
from clipnb.prompts.places.reading import LONGEST_PROMPT, File, Reading, too_long
from clipnb.prompts.records import Prompt

_LONGEST_RECORD = 50  # lines of a dump for each that holds settings, on average


def read_text(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read a prompt a line; where lines of settings show that the file is a dump of records, read these."""
    lines = reading.lines(opened, file.path)
    first = list(islice(lines, 2))  # the last line stands alone where no line break ends it
    if _is_dump([line for piece in first for line in piece]):
        return _dump(reading, file, chain(first, lines))
    return _rows(reading, file, _without_settings(reading, file, chain(first, lines)))


def _is_dump(lines: list[str]) -> bool:
    """Return whether lines end with settings again and again, not only here and there."""
    marks = [has_parameters(line) for line in lines if line.strip() and not is_template(line)]
    behind = next((number for number, mark in enumerate(reversed(marks)) if mark), len(marks))
    return sum(marks) * _LONGEST_RECORD >= len(marks) and 2 * behind <= sum(marks)


def _without_settings(reading: Reading, file: File, pieces: Iterator[list[str]]) -> Iterator[list[str]]:
    """Leave the prompt alone in lines that hold settings, as when a list has a text of A1111 in it."""
    begin = 1
    for piece in pieces:
        for place, line in enumerate(piece):
            if has_parameters(line) or line.startswith("Negative prompt:"):
                piece[place] = parse_parameters(line).text
                if not piece[place]:
                    reading.skip(f"{file.path}, line {begin + place}", "settings of a generator, and no prompt")
        begin += len(piece)
        yield piece


def read_lines(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read a prompt a line, whatever it looks like."""
    return _rows(reading, file, reading.lines(opened, file.path))


def read_wildcards(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read an entry a line; lines that begin with `#` are comments."""
    return _rows(reading, file, reading.lines(opened, file.path), comments=True)


def read_dump(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read records of prompt, negative prompt and settings as A1111 and its forks write them."""
    return _dump(reading, file, reading.lines(opened, file.path))


def _rows(reading: Reading, file: File, lines: Iterator[list[str]], *, comments: bool = False) -> Rows:
    texts: list[str] = []
    rows = array("i")
    number = 0
    for piece in lines:
        for number, line in enumerate(piece, number + 1):  # noqa: B020 - goes on with the next piece
            text = line.strip()
            if not text or (comments and text.startswith("#")):
                continue
            if len(text) > LONGEST_PROMPT:
                reading.skip(f"{file.path}, line {number}", too_long(text))
                continue
            texts.append(text)
            rows.append(number)
    return Rows(texts, rows, f"{file.path}, line", keeps=False)


def _dump(reading: Reading, file: File, pieces: Iterator[list[str]]) -> Records:
    found: list[Prompt] = []
    for prompt in parse_dump(chain.from_iterable(pieces)):
        source = f"{file.path}, {prompt.source}"
        if len(prompt.text) > LONGEST_PROMPT:
            reading.skip(source, too_long(prompt.text))
        elif prompt.text.strip():
            found.append(replace(prompt, source=source))
        else:
            reading.skip(source, "a record without a prompt")
    return Records(found)

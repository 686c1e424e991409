"""Text files: a prompt a line, wildcards with comments, and dumps of generation parameters."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

from clipnb.prompts.collection import Part, Records, Rows
from clipnb.prompts.places.reading import LONGEST_PROMPT, File, Reading, too_long
from clipnb.prompts.records import Prompt

_STEPS = re.compile(r"^Steps: ?\d+(?:,|\s*$)", re.MULTILINE)  # the last line of an A1111 record
_RULE = re.compile(r"\s*[-=_*#~]*\s*")
_MOST_RECORD_LINES = 10_000


def read_text(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read a prompt a line; where lines of settings show that the file is a dump of records, read these."""
    lines = reading.lines(opened, file.path)
    first = next(lines, [])
    if any(map(_STEPS.match, first)):
        return _dump(reading, file, chain([first], lines))
    return _rows(reading, file, chain([first], lines), comments=False)


def read_lines(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read a prompt a line, whatever it looks like."""
    return _rows(reading, file, reading.lines(opened, file.path), comments=False)


def read_wildcards(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read an entry a line; lines that begin with `#` are comments."""
    return _rows(reading, file, reading.lines(opened, file.path), comments=True)


def read_dump(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read records of prompt, negative prompt and settings as A1111 and its forks write them."""
    return _dump(reading, file, reading.lines(opened, file.path))


def is_record(text: str) -> bool:
    """Whether a text is what A1111 and its forks write: a prompt and below it a line of settings."""
    return _STEPS.search(text) is not None


def parsed(text: str) -> Prompt:
    """Take apart a record of A1111."""
    from clipnb.prompts.metadata import parse_parameters

    return parse_parameters(text)


def _rows(reading: Reading, file: File, lines: Iterator[list[str]], *, comments: bool) -> Rows:
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
    record: list[str] = []
    begin, number = 1, 0
    for piece in pieces:
        for number, line in enumerate(piece, number + 1):  # noqa: B020 - goes on with the next piece
            if not record and _RULE.fullmatch(line):
                continue
            begin = begin if record else number
            record.append(line)
            if _STEPS.match(line) or len(record) > _MOST_RECORD_LINES:
                _take(reading, file, record, begin, found)
                record = []
    if record:
        _take(reading, file, record, begin, found)
    return Records(found)


def _take(reading: Reading, file: File, record: list[str], line: int, found: list[Prompt]) -> None:
    source = f"{file.path}, line {line}"
    prompt = parsed("\n".join(record))
    if len(prompt.text) > LONGEST_PROMPT:
        reading.skip(source, too_long(prompt.text))
    elif prompt.text.strip():
        found.append(replace(prompt, source=source))
    else:
        reading.skip(source, "a record without a prompt")

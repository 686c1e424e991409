"""Text files: a prompt a line, wildcards with comments, and dumps of generation parameters."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

from clipnb.prompts.collection import Part, Records, Rows
from clipnb.prompts.metadata import has_parameters, parse_dump
from clipnb.prompts.places.reading import LONGEST_PROMPT, File, Reading, too_long
from clipnb.prompts.records import Prompt


def read_text(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read a prompt a line; where lines of settings show that the file is a dump of records, read these."""
    lines = reading.lines(opened, file.path)
    first = next(lines, [])
    if any(map(has_parameters, first)):
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
    for prompt in parse_dump(chain.from_iterable(pieces)):
        source = f"{file.path}, {prompt.source}"
        if len(prompt.text) > LONGEST_PROMPT:
            reading.skip(source, too_long(prompt.text))
        elif prompt.text.strip():
            found.append(replace(prompt, source=source))
        else:
            reading.skip(source, "a record without a prompt")
    return Records(found)

"""The forms of label files: a label a line, a table with a column of labels, a list in JSON; others are refused."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from clipnb.errors import LabelsError, counted, listed, quoted, shortened
from clipnb.progress import log

SUFFIXES = (".txt", ".csv", ".tsv", ".json")
"""Of the files of a folder that are read as labels."""
COLUMNS = ("label", "labels", "name", "tag", "tags", "text", "phrase", "term", "prompt")
"""What a column of labels is called."""
MOST_COLUMNS = 1000
"""Most columns of a table."""
_SAMPLE = 200  # lines that are looked at
_NO_TEXT = 0.3  # of the characters of something that is no text are replaced or NUL
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*%?\s*")
_WEIGHTED = re.compile(r"\([^()]*:\s*[0-9.]+\s*\)|\(\(|<\w+:[^<>]*>")


def entries_of(text: str, suffix: str, origin: str) -> Iterable[str]:
    """Return the labels of a file's text, as they stand there.

    Args:
        text: its content.
        suffix: of its name, which says that it is a table or JSON; what it looks like counts besides.
        origin: names it in errors.

    Raises:
        LabelsError: it is no list of labels; the message says what it is taken for.
    """
    if (text.count("\ufffd") + text.count("\0")) > _NO_TEXT * len(text):
        raise LabelsError(f"{origin} is no text; write one label a line, as UTF-8")
    begin = text.lstrip()[:20].lower()
    if begin.startswith(("<!doctype", "<html", "<?xml")):
        raise LabelsError(f"{origin} is a page (HTML or XML), not a list of labels; write one label a line")
    if suffix == ".json" or re.match(r'\[\s*["\]]|\{\s*["}]', begin):
        return _of_json(text, origin)
    lines = text.splitlines()
    rows = _as_table(lines, suffix, origin)
    if rows is None:
        return _without_marks(lines, origin)
    return _of_table(rows, origin) if rows else ()


def _of_json(text: str, origin: str) -> Sequence[str]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelsError(f"{origin} is no JSON that can be read: {shortened(str(error), 200)}") from error
    if not isinstance(content, list) or not all(isinstance(one, str) for one in content):
        raise LabelsError(
            f"{origin} holds other JSON than one list of texts; write the lists of tables into a file each"
        )
    return content


def _as_table(lines: Sequence[str], suffix: str, origin: str) -> list[list[str]] | None:
    """Return the rows of a table; None for lines that are labels, commas in them or not."""
    sample = [line for line in lines[: 2 * _SAMPLE] if line.strip()][:_SAMPLE]
    is_named = suffix in (".csv", ".tsv")
    for between in ",;\t":
        found = _rows(sample, between, origin) if is_named or between in "".join(sample[:1]) else []
        widths = {len(row) for row in found}
        if found and len(widths) == 1 and max(widths) > 1 and (is_named or _numeric_columns(found)):
            return _rows(lines, between, origin)
    return _rows(lines, ",", origin) if is_named else None


def _rows(lines: Sequence[str], between: str, origin: str) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(lines, delimiter=between, skipinitialspace=True) if any(map(str.strip, row))]
    except csv.Error as error:
        raise LabelsError(f"{origin} is no table that can be read: {error}") from error
    return rows if max(map(len, rows), default=0) <= MOST_COLUMNS else []


def _numeric_columns(rows: Sequence[Sequence[str]]) -> set[int]:
    """Return the columns of numbers, but for the first row, which may have their names."""
    body = rows[1:] or rows
    return {place for place in range(len(rows[0])) if all(_NUMBER.fullmatch(row[place]) for row in body)}


def _of_table(rows: Sequence[Sequence[str]], origin: str) -> Iterator[str]:
    names = [name.strip().casefold() for name in rows[0]]
    called = next((name for name in COLUMNS if name in names), None)
    if called is not None:
        place, body = names.index(called), rows[1:]
    else:
        same = {len(row) for row in rows} == {len(names)}
        numeric = _numeric_columns(rows) if same else set()
        words = [place for place in range(len(names)) if place not in numeric]
        if len(words) != 1:
            shown = listed([quoted(name) for name in rows[0]])
            raise LabelsError(
                f"{origin} is a table of {counted(len(names), 'column')} ({shown}); "
                f"call the column of labels {listed(COLUMNS[:3], 3)}, or write one label a line"
            )
        place = words[0]
        named = bool(numeric) and not all(_NUMBER.fullmatch(rows[0][one]) for one in numeric)
        body = rows[1:] if named else rows
    if len(names) > 1:
        log.warning("%s: a table; its column %d is read as labels, the others are left alone", origin, place + 1)
    return (row[place] for row in body if len(row) > place)


def _without_marks(lines: Iterable[str], origin: str) -> Iterator[str]:
    """Yield lines without comments, and labels without weights and networks; say how many had such."""
    comments = weighted = 0
    for line in lines:
        if line.lstrip().startswith("#"):
            comments += 1
        elif _WEIGHTED.search(line):
            weighted += 1
            yield _without_weights(line)
        else:
            yield line
    told = {"comments (lines that begin with #)": comments, "labels' weights and networks": weighted}
    for what, number in told.items():
        if number:
            log.warning("%s: left out %d %s", origin, number, what)


def _without_weights(line: str) -> str:
    from clipnb.prompts.dialects import split

    return ", ".join(tag.name for tag in split(line, "a1111").tags if tag.category == "tag")

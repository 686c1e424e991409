"""Where rows go: the kind of output that a name means, and what counts of the rows in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from clipnb.errors import OutputError
from clipnb.files import expanded
from clipnb.interrogate.folder.output import Output
from clipnb.interrogate.folder.parquet import Shards
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.folder.text_rows import Csv, JsonLines

_KINDS: dict[str, Callable[[Path], Output]] = {".csv": Csv, ".jsonl": JsonLines, ".parquet": Shards}


def find_output(path: str | Path) -> Output:
    """Choose the kind of output by the suffix of its name.

    Raises:
        OutputError: the suffix means none.
    """
    place = expanded(path)
    if place.suffix.lower() not in _KINDS:
        problem = f"{place.suffix} is not known" if place.suffix else "the name has no suffix"
        raise OutputError(f"cannot write rows to {str(path)!r}: {problem}; use {', '.join(_KINDS)}")
    return _KINDS[place.suffix.lower()](place)


def last_rows(rows: Iterable[Row]) -> dict[str, Row]:
    """Keep the last row about each image, sorted by its name."""
    by_image = {row.image: row for row in rows}
    return {image: by_image[image] for image in sorted(by_image)}

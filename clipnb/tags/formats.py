"""The kinds of files that prompts are read from, one reader each."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from clipnb.errors import PromptsError, first_line, nearest, reason
from clipnb.tags.splitting import whole_text


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        lines: one prompt each, perhaps blank, none with a line break inside.
        replaced: number of bytes that were no UTF-8.
    """

    lines: list[str]
    replaced: int = 0


def read_file(path: Path, column: str) -> Content:
    """Read a file's prompts.

    Args:
        path: its name tells its kind; `.gz` at the end tells that it is gzipped.
        column: where the prompts stand in tables and JSON lines.

    Raises:
        PromptsError: the file cannot be read, is broken, of another kind, or has no such column.
    """
    _reader(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PromptsError(f"cannot read {path}: {reason(error)}") from error
    return read_bytes(data, path, column)


def read_bytes(data: bytes, path: Path, column: str) -> Content:
    """Read the prompts of a file whose content is here already, such as an upload.

    Args:
        data: the content.
        path: its name tells its kind; nothing is read from it.
        column: where the prompts stand in tables and JSON lines.

    Raises:
        PromptsError: as `read_file`.
    """
    reader = _reader(path)
    try:
        plain = gzip.decompress(data) if path.name.lower().endswith(".gz") else data
    except (OSError, EOFError, zlib.error) as error:
        raise PromptsError(f"cannot read {path}: {error}") from error
    return reader(plain, path, column)


def _reader(path: Path) -> Callable[[bytes, Path, str], Content]:
    reader = _READERS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    if reader is None:
        raise PromptsError(f"cannot read prompts from {path}: clipnb reads {', '.join(SUFFIXES)}, also gzipped")
    return reader


def _decode(data: bytes, path: Path) -> tuple[str, int]:
    """Decode UTF-8; each bad byte sequence becomes U+FFFD and is counted."""
    if b"\0" in data:
        raise PromptsError(f"{path} is no text: it holds zero bytes; text must be UTF-8")
    text = data.decode("utf-8-sig", errors="replace")
    return text, text.count("\ufffd") - data.count("\ufffd".encode())


def _read_text(data: bytes, path: Path, column: str) -> Content:  # noqa: ARG001 - every reader is called alike
    text, replaced = _decode(data, path)
    return Content(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), replaced)


def _read_csv(data: bytes, path: Path, column: str) -> Content:
    import pandas as pd

    text, replaced = _decode(data, path)
    try:
        columns = list(pd.read_csv(io.StringIO(text), nrows=0, dtype=str).columns)
        _check_column(column, columns, path)
        table = pd.read_csv(io.StringIO(text), usecols=[column], dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise PromptsError(f"cannot read {path} as CSV: {first_line(error)}") from error
    return _from_cells(table[column], replaced)


def _read_parquet(data: bytes, path: Path, column: str) -> Content:
    try:
        import pyarrow  # type: ignore[import-not-found, unused-ignore]
        import pyarrow.parquet  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise PromptsError(f"cannot read {path}: Parquet needs pyarrow; pip install pyarrow") from error
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        _check_column(column, file.schema_arrow.names, path)
        cells = file.read(columns=[column]).column(0).to_pylist()
    except pyarrow.ArrowException as error:
        raise PromptsError(f"cannot read {path} as Parquet: {first_line(error)}") from error
    return _from_cells(cells)


def _read_jsonl(data: bytes, path: Path, column: str) -> Content:
    text, replaced = _decode(data, path)
    cells = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PromptsError(f"{path}, line {number} is no JSON: {error}") from error
        if isinstance(record, dict):
            _check_column(column, record, f"{path}, line {number}")
            record = record[column]
        cells.append(record)
    return _from_cells(cells, replaced)


def _check_column(column: str, columns: Iterable[str], where: Path | str) -> None:
    names = [str(name) for name in columns]
    if column not in names:
        raise PromptsError(f"no column {column!r} in {where}; there is {nearest(column, names) or 'none'}")


def _from_cells(cells: Iterable[object], replaced: int = 0) -> Content:
    """One line of each cell that holds a text; half a surrogate pair, which JSON can spell, is replaced."""
    lines = []
    for cell in cells:
        if isinstance(cell, str):
            whole = whole_text(cell)
            replaced += whole.count("\ufffd") - cell.count("\ufffd")
            lines.append(" ".join(whole.splitlines()))
    return Content(lines, replaced)


_READERS: dict[str, Callable[[bytes, Path, str], Content]] = {
    ".txt": _read_text,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".jsonl": _read_jsonl,
}
SUFFIXES = tuple(_READERS)
"""The kinds of files that are read."""

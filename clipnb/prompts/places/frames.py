"""Tables that are in memory: of pandas, and of everything that speaks Arrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clipnb.errors import PromptsError
from clipnb.prompts.collection import Part, Rows
from clipnb.prompts.places.parquet_files import read_arrow
from clipnb.prompts.places.reading import Cells, File, Reading, as_text, check_column, no_text
from clipnb.prompts.places.roles import roles_in

_NAME = Path("the table")


def is_table(given: object) -> bool:
    return hasattr(given, "__dataframe__") or hasattr(given, "__arrow_c_stream__")


def read_table(reading: Reading, given: Any) -> Part:
    """Read the prompts in a column of a table."""
    if type(given).__module__.partition(".")[0] == "pandas":
        return _read_frame(reading, given)
    try:
        import pyarrow
    except ImportError as error:
        raise PromptsError("tables other than those of pandas need pyarrow; pip install pyarrow") from error
    try:
        return read_arrow(reading, File(_NAME), pyarrow.table(given))
    except (pyarrow.ArrowException, TypeError) as error:
        raise PromptsError(f"cannot read the table: {error}") from error


def _read_frame(reading: Reading, frame: Any) -> Part:
    names = [name for name in frame.columns if isinstance(name, str)]
    check_column(reading.column, names, str(_NAME))
    column = frame[reading.column]
    if getattr(column, "ndim", 1) != 1:
        raise PromptsError(f"{_NAME} has several columns {reading.column!r}")
    if str(column.dtype) not in ("object", "str", "category") and not str(column.dtype).startswith("string"):
        texts = [name for name in names if str(frame[name].dtype) in ("object", "str", "string")]
        raise no_text(reading.column, _NAME, f"the type {column.dtype}", texts)
    cells = Cells(reading, _NAME, "row")
    values = column.astype(object).where(column.notna(), None).tolist()
    reading.count(len(values), _NAME)
    cells.extend(values, range(1, len(values) + 1))

    def read(name: str) -> list[str]:
        other = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        return [as_text(other[row - 1]) for row in cells.rows]

    others = [name for name in names if name != reading.column]
    roles = roles_in(others, reading.column)
    return Rows(cells.texts, cells.rows, cells.where, cells.wholes, lambda: others, read, lambda: roles)

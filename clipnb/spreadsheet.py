"""Texts in CSV files: nothing in a cell is run by a spreadsheet, and reading gives the original text back.

All but null characters, which no reader of CSV takes and Python 3.10 does not write: they become U+FFFD.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_UNSEEN = r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffd]*"  # which some programs drop
_FORMULA = re.compile(rf"'*({_UNSEEN}[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")  # with the full-width forms


def guard(text: str) -> str:
    """Return a text as a CSV cell: what begins as formulas do gets an apostrophe in front.

    >>> print(guard("=1+1"), guard("oil"), guard("'=x"))
    '=1+1 oil ''=x
    """
    cell = f"'{text}" if _FORMULA.match(text) else text
    return cell.replace("\0", "\ufffd")


def unguard(cell: str) -> str:
    """Return the text that `guard` made a cell of.

    >>> unguard(guard("=1+1")), unguard("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def guarded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of a frame whose texts, names of rows and columns included, are guarded."""
    from pandas.api.types import is_numeric_dtype

    safe = frame.apply(lambda column: column if is_numeric_dtype(column) else column.map(_guard_text))
    renamed: pd.DataFrame = safe.rename(index=_guard_text, columns=_guard_text)
    return renamed


def write_frame(frame: pd.DataFrame, path: Path, *, index: bool = False) -> None:
    """Write a frame as CSV in UTF-8, its texts guarded.

    Raises:
        OSError: the file cannot be written.
    """
    line_end = "\r\n"  # cells that hold a character of it, a lone carriage return too, are quoted
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:  # pandas would expand a `~`
        guarded(frame).to_csv(file, index=index, lineterminator=line_end)


def _guard_text(value: object) -> object:
    return guard(value) if isinstance(value, str) else value

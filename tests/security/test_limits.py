"""The limits that SECURITY.md promises are those of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import clipnb

PAGE = Path(clipnb.__file__).parents[1] / "SECURITY.md"
if not PAGE.is_file():
    pytest.skip("not a checkout", allow_module_level=True)
UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
ROWS = re.findall(
    r"^\| .+ \| ([\d,.]+) ?(\w*) \| `([\w.]+)\.(\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(("number", "unit", "module", "name"), ROWS, ids=[".".join(row[2:]) for row in ROWS])
def test_promised_limit_is_that_of_the_code(number: str, unit: str, module: str, name: str) -> None:
    assert float(number.replace(",", "")) * UNITS[unit] == getattr(importlib.import_module(module), name)


def test_limits_are_found() -> None:
    assert len(ROWS) == PAGE.read_text(encoding="utf-8").count("| `clipnb.")
    assert len(ROWS) > 30

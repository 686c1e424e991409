"""The limits that SECURITY.md promises are those of the code, and are said on the command line."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from PIL import Image

import clipnb
from clipnb.cli import main
from clipnb.tags.payload import _LONGEST_NAME

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


def answer(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, str]:
    status = main([*command])
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def test_a_picture_of_ninety_million_pixels_is_refused_by_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("1", (10_000, 9_000)).save(tmp_path / "a.png")
    status, said = answer(capsys, "interrogate", str(tmp_path / "a.png"))
    assert (status, "10000 x 9000 pixels; at most 80 million are read" in said) == (2, True)


@pytest.mark.parametrize(
    ("yaml", "word"),
    [
        ("# " + "x" * 9 * 2**20, "larger than 8 MiB"),
        ("targets:\n- features: [" + "some words, " * 100_000 + "]", "at most 20000"),
        (f"targets:\n- features: [{'x' * 1_100_000}]", "at most 300000 characters"),
    ],
    ids=["file", "values", "characters"],
)
def test_yaml_of_more_than_a_megabyte_is_refused_by_number(
    yaml: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(yaml)
    status, said = answer(capsys, "optimise", str(tmp_path / "a.yaml"), "-o", str(tmp_path / "a.png"))
    assert (status, word in said) == (2, True), said


def test_tags_of_six_thousand_characters_are_counted_whole_and_cut_where_they_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("a cat, " + "x" * 6_000 + ", fur\na dog, fur, tail\n")
    for name in ("a.json", "a.html"):
        assert answer(capsys, "tags", "graph", str(tmp_path / "a.txt"), "-o", str(tmp_path / name))[0] == 0
    assert "x" * 6_000 in (tmp_path / "a.json").read_text()
    assert "x" * (_LONGEST_NAME + 1) not in (tmp_path / "a.html").read_text()


def test_a_graph_of_a_million_pairs_is_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["x, " + ", ".join(f"tag {group} {n}" for n in range(850)) for group in range(3)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    status, said = answer(capsys, "tags", "graph", str(tmp_path / "a.txt"), "-o", str(tmp_path / "a.html"))
    assert (status, "2,550 tags, 1,082,475 pairs" in said) == (0, True), said
    assert (tmp_path / "a.html").stat().st_size < 2**20

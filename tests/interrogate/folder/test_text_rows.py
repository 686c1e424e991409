"""Rows as lines of text: whatever a name holds comes back, and what is no row is passed over."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.folder.run import find_output

ODD = ["two\nlines", "carriage\rreturn", "both\r\n", '"', 'a,"b"\r', "tab\t", "line\u2028separator", ""]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_every_name_comes_back(name: str, tmp_path: Path) -> None:
    rows = [Row(image, "d", "a prompt", "fast", similarity=0.5) for image in ODD]
    place = find_output(tmp_path / name)
    place.open()
    place.append(rows[:3])
    place.append(rows[3:])
    place.close()
    assert list(find_output(tmp_path / name).read()) == rows
    place.replace(rows)
    assert list(find_output(tmp_path / name).read()) == rows


def test_other_readers_see_the_same_records(tmp_path: Path) -> None:
    find_output(tmp_path / "rows.csv").replace([Row(image) for image in ODD])
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        assert [record["image"] for record in csv.DictReader(file)] == ODD


@pytest.mark.parametrize("damage", [b'"x"y,,,,,,,,\n', b"\xff,,,,,,,,\n", b"a,b\n", b"a" * 200_000 + b",,,,,,,,\n"])
def test_a_damaged_record_is_left_out(damage: bytes, tmp_path: Path) -> None:
    good = Row("a.png", "d", "a prompt")
    place = find_output(tmp_path / "rows.csv")
    place.replace([good])
    with place.path.open("ab") as file:
        file.write(damage)
    place.open()
    place.append([replace(good, image="b.png")])
    place.close()
    assert [row.image for row in place.read()] == ["a.png", "b.png"]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_nul_and_nan_are_kept_out_of_rows(name: str, tmp_path: Path) -> None:
    place = find_output(tmp_path / name)
    place.open()
    place.append([Row("a.png", prompt="a\0b", similarity=float("nan"))])
    place.close()
    content = place.path.read_bytes().lower()
    assert not any(part in content for part in (b"\0", b"\\u0000", b"nan"))
    (row,) = place.read()
    assert (row.prompt, row.similarity) == ("a\ufffdb", None)

"""Label files of every form are read by it, or refused; none becomes labels that nobody wrote."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb.errors import LabelsError
from clipnb.interrogate import load_labels
from clipnb.interrogate.labels.label_files import entries_of

SOFT = {"flavors": ("soft light", "hard light")}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "label,score\nsoft light,.9\nhard light,.1\n"),
        ("a.txt", "label,score\nsoft light,.9\nhard light,.1\n"),
        ("a.csv", "soft light,.9\nhard light,.1\n"),
        ("a.txt", "soft light,.9\nhard light,.1\n"),
        ("a.csv", "words;share\nsoft light;90 %\nhard light;10 %\n"),
        ("a.tsv", "tag_id\tname\tcategory\tcount\n1\tsoft light\tx\t7\n2\thard light\ty\t5\n"),
        ("selected_tags.csv", "tag_id,name,category,count\n9,soft light,0,7\n8,hard light,0,5\n"),
        ("a.csv", "soft light\nhard light\n"),
        ("a.csv", 'Label\n"soft light"\nhard light\n'),
        ("a.json", '["soft light", "hard light"]'),
        ("a.txt", '[\n "soft light",\n "hard light"]'),
        ("a.txt", "# of light\nsoft light\n  # more\nhard light\n"),
        ("a.txt", "(soft light:1.2)\n((hard light)) <lora:lamp:0.8>\n<lora:lamp:1>\n"),
        ("a.txt", "soft light\nSoft Light\nHARD LIGHT\nhard light\n"),
    ],
)
def test_a_file_is_read_by_its_form(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    found = load_labels(tmp_path / name)
    assert {table: tuple(map(str.lower, labels)) for table, labels in found.items()} == SOFT


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "style,mood,score\nbaroque,soft,3\ncubist,hard,4\n", r"a table of 3 columns \('style', 'mood'"),
        ("a.txt", "style,mood,score\nbaroque,soft,3\ncubist,hard,4\n", "call the column of labels label, labels, name"),
        ("a.json", '{"flavors": ["soft"]}', "other JSON than one list of texts"),
        ("a.json", "[1, 2]", "other JSON than one list"),
        ("a.json", '["soft"', "no JSON that can be read"),
        ("a.json", "[" * 100_000, "no JSON that can be read"),
        ("a.txt", "<!DOCTYPE html>\n<html>soft</html>", "is a page"),
        ("a.txt", "\0\1\2\0\0soft\0\0", "is no text"),
        ("a.csv", "label,score\n", "holds no labels"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(name: str, content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(LabelsError, match=words):
        load_labels(tmp_path / name)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(LabelsError, match="is no text"):
        load_labels(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "content", ["cat, dog\nred, blue\n", "a cat, on a table\nfog\n", "8k, 4k\nsoft, 35mm\n", "x\n"]
)
def test_commas_inside_labels_stay(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(content)
    assert load_labels(tmp_path / "a.txt") == {"flavors": tuple(content.splitlines())}


def test_what_is_left_out_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.txt").write_text("# one\n(soft:1.2)\n")
    (tmp_path / "b.csv").write_text("name,score\nhard,1\n")
    with caplog.at_level(logging.WARNING, "clipnb"):
        assert load_labels(tmp_path) == {"flavors": ("soft", "hard")}
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "left out 1 comments" in said
    assert "left out 1 labels' weights" in said
    assert "its column 1 is read as labels" in said


def test_packages_are_read_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "hash_lists" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("")
    (data / "flavors.txt").write_text("#pixelart\n(fog:1.2)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_labels("package:hash_lists") == {"flavors": ("#pixelart", "(fog:1.2)")}


@settings(max_examples=200)
@given(st.text(max_size=80), st.sampled_from([".txt", ".csv", ".tsv", ".json", ""]))
def test_any_text_is_labels_or_an_error_in_words(text: str, suffix: str) -> None:
    with suppress(LabelsError):
        assert all(isinstance(entry, str) for entry in entries_of(text, suffix, "it"))

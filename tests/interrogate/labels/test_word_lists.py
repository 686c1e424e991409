"""Lists of labels: built in, a user's own, other packages', and everything odd that can be in them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from clipnb.errors import LabelsError
from clipnb.interrogate.labels.word_lists import LONGEST_LABEL, TABLES, builtin_labels, load_labels, table_labels

LEAST = {
    "mediums": 95,
    "movements": 200,
    "artists": 1000,
    "trendings": 18,
    "flavors": 5000,
    "negative": 40,
    "objects": 500,
}


@pytest.mark.parametrize("table", TABLES)
def test_builtin_lists_are_long_enough_and_clean(table: str) -> None:
    labels = builtin_labels(table)
    assert len(labels) >= LEAST[table]
    assert len(set(labels)) == len(labels)
    assert all(label == label.strip() and label for label in labels)


def test_sites_and_artists_have_their_forms() -> None:
    sites = builtin_labels("trendings")
    assert len(sites) == 18
    assert len(table_labels("trendings", sites)) == 72
    assert f"{sites[0]} contest winner" in table_labels("trendings", sites)
    assert table_labels("flavors", ["soft light"]) == ("soft light",)


def test_a_file_is_the_table_that_its_name_says(tmp_path: Path) -> None:
    for name, table in (("medium.txt", "mediums"), ("Movements.txt", "movements"), ("mine.txt", "flavors")):
        (tmp_path / name).write_text("one\n\n two \none\n")
        assert load_labels(tmp_path / name) == {table: ("one", "two")}


def test_a_folder_gives_its_tables(tmp_path: Path) -> None:
    (tmp_path / "artists.txt").write_text("Hokusai\n")
    (tmp_path / "a.txt").write_text("soft\n")
    (tmp_path / "b.txt").write_text("soft\nhard\n")
    assert load_labels(str(tmp_path)) == {"artists": ("Hokusai",), "flavors": ("soft", "hard")}


def test_odd_bytes_become_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(b"\xef\xbb\xbfwith mark\r\nlatin \xe9\r\n\x00nul\x07bell\n\tsp  aces \n")
    assert load_labels(path) == {"flavors": ("with mark", "latin \ufffd", "nul bell", "sp aces")}


def test_bytes_that_were_replaced_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "latin.txt").write_bytes("café\nnoir\n".encode("latin-1"))
    (tmp_path / "good.txt").write_text("café \ufffd\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING, "clipnb"):
        load_labels(tmp_path / "latin.txt")
        load_labels(tmp_path / "good.txt")
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "1 characters are no UTF-8 and were replaced; save the file as UTF-8"
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_a_file_that_says_its_encoding_is_read_by_it(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""  # the two others write it themselves
    (tmp_path / "mine.txt").write_bytes(f"{mark}café\r\nnoir\r\n".encode(encoding))
    assert load_labels(tmp_path / "mine.txt") == {"flavors": ("café", "noir")}


def test_lists_of_the_same_table_are_joined() -> None:
    assert load_labels({"medium": ["a", "b"], "mediums": ["b", "c"]}) == {"mediums": ("a", "b", "c")}


def test_overlong_labels_are_left_out_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "long.txt"
    path.write_text(f"short\n{'x' * 10_000}\n{'y ' * 300}\n")
    with caplog.at_level(logging.WARNING, "clipnb"):
        labels = load_labels(path)["flavors"]
    assert [len(label) for label in labels] == [5, 599]
    assert str(LONGEST_LABEL) in caplog.text
    assert "entry 2" in caplog.text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "holds no labels"),
        (["", "  "], "holds no labels"),
        (["good", 3], "entry 2 is int"),
        ({"flavours": ["x"]}, "use flavors"),
        ("no/such/file.txt", "there is no label file"),
        ("package:no_such_package", "pip install --no-deps no-such-package"),
        ("package:", "is not installed"),
        ({"mediums": "a photo"}, "list 'mediums' is str; give a list"),
        (5, "the list is int; give a list"),
        ({3: ["x"]}, "there is no label table 3"),
    ],
)
def test_what_cannot_be_used_says_why(source: object, words: str) -> None:
    with pytest.raises(LabelsError, match=words):
        load_labels(source)  # type: ignore[arg-type]


def test_a_mistyped_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "flavors.txt").write_text("x")
    with pytest.raises(LabelsError, match=r"near it: flavors\.txt"):
        load_labels(tmp_path / "flavrs.txt")


def test_an_empty_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(LabelsError, match="holds no label files"):
        load_labels(tmp_path / "sub")
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(LabelsError, match="holds no labels"):
        load_labels(tmp_path / "empty.txt")


def test_an_installed_package_gives_its_lists_without_being_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "some_lists" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise RuntimeError('was run')")
    (data / "mediums.txt").write_text("a fresco\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_labels("package:some_lists") == {"mediums": ("a fresco",)}
    assert load_labels("package:some-lists") == {"mediums": ("a fresco",)}

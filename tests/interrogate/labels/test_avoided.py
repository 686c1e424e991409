"""What is avoided is found as whole words and their usual forms, in whatever way it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import LabelsError
from clipnb.interrogate.labels.avoided import Avoided, contains
from clipnb.interrogate.settings import SettingsError


@pytest.mark.parametrize(
    ("entry", "text", "banned"),
    [
        ("cat", "a cat", True),
        ("cat", "a category", False),
        ("cat", "cats", True),
        ("cats", "a cat", True),
        ("blur", "blurred, blurry", True),
        ("smile", "a smiling man", True),
        ("red hat", "two red hats", True),
        ("red hat", "reds hat", False),
        ("skies", "a sky", True),
        ("movies", "a movie", True),
        ("car", "caring", False),
        ("car", "care", False),
        ("bus", "bu", False),
        ("glass", "glasses", True),
        ("Cat", "THE CAT'S eye", True),
        ("long hair", "long_hair", True),
        ("long_hair", "very long, hair", True),
        ("dali", "by Salvador Dalí", True),
        ("greg rutkowski", "by greg  rutkowski and others", True),
        ("greg rutkowski", "greg the rutkowski", False),
        ("猫", "猫", True),
    ],
)
def test_whole_words_are_found(entry: str, text: str, banned: bool) -> None:
    assert (Avoided([entry]).find(text) == entry) is banned


def test_a_longer_entry_is_found_behind_a_shorter_one_of_the_same_first_word() -> None:
    avoided = Avoided(["red sky", "red"])
    assert avoided.find("a red hat") == "red"
    assert Avoided(["red sky at night"]).find("red sky, red sky at night") == "red sky at night"


def test_artists_are_avoided_with_what_begins_with_by() -> None:
    avoided = Avoided.of(["artists"], lambda table: ["Hokusai"])
    assert not avoided.allows("style of hokusai")
    assert not avoided.allows("by jake parker")
    assert not avoided.allows("night. by somebody")
    assert avoided.allows("surrounded by flowers")
    assert Avoided([], ["Park"]).allows("a parking lot"), "names have no forms"
    assert Avoided(["Hokusai"]).allows("by jake parker")


def test_words_come_from_files_and_tables(tmp_path: Path) -> None:
    (tmp_path / "banned.txt").write_text("fog\nheavy rain\n")
    for source in (tmp_path / "banned.txt", str(tmp_path / "banned.txt")):
        assert Avoided.of([source, "sun"], lambda table: []).entries == ["fog", "heavy rain", "sun"]
    assert Avoided.of(["movements"], lambda table: [f"{table} a"]).entries == ["movements a"]


def test_what_holds_no_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'!\?' holds no word"):
        Avoided(["!?"])
    with pytest.raises(LabelsError, match="there is no label file"):
        Avoided.of([str(tmp_path / "none.txt")], lambda table: [])


@given(st.lists(st.text(max_size=12), max_size=6), st.text(max_size=40))
def test_finding_is_containing(entries: list[str], text: str) -> None:
    known = [entry for entry in entries if any(c.isalnum() for c in entry)]
    try:
        avoided = Avoided(known)
    except SettingsError:
        return
    found = avoided.find(text)
    assert (found is not None) == any(contains(text, entry) for entry in known)
    assert found is None or contains(text, found)

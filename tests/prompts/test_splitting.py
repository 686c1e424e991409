"""Prompts taken apart: separators, heads, cleaning; nothing slow or lost on hostile lines."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import TagsError
from clipnb.prompts.splitting import PLAIN, Cleaning, extract_tags, split_prompt

ALL = Cleaning.everything()


@given(st.text())
def test_parts_are_stripped_and_hold_no_separator(prompt: str) -> None:
    parts = split_prompt(prompt)
    assert len(parts) == 1 + len(re.findall("[;|,，；、]", prompt))
    assert all(part == part.strip() and not re.search("[;|,，；、]", part) for part in parts)


@given(st.text())
def test_splitting_loses_nothing_but_blanks_and_separators(prompt: str) -> None:
    assert re.sub(r"\s", "", "".join(split_prompt(prompt))) == re.sub(r"[;|,，；、\s]", "", prompt)


@given(st.text(), st.integers(1, 5))
def test_maxsplit_limits_the_parts(prompt: str, maxsplit: int) -> None:
    assert len(split_prompt(prompt, maxsplit)) <= maxsplit + 1


@given(st.text(alphabet="ab ()[]{}\\:1.2;|,-\"'"))
def test_cleaning_ends_and_gives_no_empty_tag(prompt: str) -> None:
    assert all(tag and tag == tag.strip() for tag in extract_tags(prompt, clean=ALL))


@given(st.lists(st.text(alphabet="abcdef ", min_size=1).map(str.strip).filter(bool)))
def test_undressed_tags_are_what_was_dressed(tags: list[str]) -> None:
    dressed = ["x", *(f'("{tag}":1.2)' for tag in tags)]
    assert extract_tags(", ".join(dressed) + " --ar 16:9 --no text, hands", clean=ALL) == tags


@pytest.mark.parametrize(
    ("prompt", "tags"),
    [
        (".imagine sunset in a forest ; VRay ; 3D ; high detail", ["VRay", "3D", "high detail"]),
        ("only a head", []),
        ("", []),
        (";|,;", []),
        ("; first", ["first"]),
        ("x, a,, a", ["a", "a"]),
    ],
)
def test_the_head_is_no_tag(prompt: str, tags: list[str]) -> None:
    assert extract_tags(prompt) == tags


def test_without_a_head_every_part_is_a_tag() -> None:
    assert extract_tags("a, b", head=False) == ["a", "b"]


@pytest.mark.parametrize(
    ("prompt", "tags"),
    [
        ("x, (tag:1.2)", ["tag"]),
        ("x, ((very))", ["very"]),
        ("x, [weak], {curly}", ["weak", "curly"]),
        ("x, (a, b:1.3), c", ["a", "b", "c"]),
        ("x, ((a, b):1.3)", ["a", "b"]),
        ("x, castle (ruin)", ["castle (ruin)"]),
        (r"x, name \(series\)", ["name (series)"]),
        ("x, smile :)", ["smile :)"]),
        ("x, ratio 16:9", ["ratio 16:9"]),
        ("x, at 5:30", ["at 5:30"]),
        ("x, :3", [":3"]),
        ("x, storm::2", ["storm"]),
        ("x, (red:1.1) (blue:1.2)", ["red", "blue"]),
        ("x, “quoted”, 'single', it's", ["quoted", "single", "it's"]),
        ("x, a --ar 16:9", ["a"]),
        ("x, semi-flat --v 5 --no text, hands", ["semi-flat"]),
        ("x, a (b", ["a (b"]),
    ],
)
def test_cleaning(prompt: str, tags: list[str]) -> None:
    assert extract_tags(prompt, clean=ALL) == tags


def test_nothing_is_cleaned_unasked() -> None:
    assert extract_tags('x, ("a":1.2) --ar 1') == ['("a":1.2) --ar 1']
    assert extract_tags("x, (a:1.2)", clean=Cleaning(weights=True)) == ["(a)"]
    assert Cleaning.named([]) == PLAIN


def test_an_unknown_cleaning_names_the_known() -> None:
    with pytest.raises(TagsError, match="brackets"):
        Cleaning.named(["bracket"])


@pytest.mark.parametrize("piece", ["(", ")", "(a", ":1", ": ", "1", " ", '"', "a, ", "[(", "--", "\\("])
def test_long_lines_take_linear_time(piece: str) -> None:
    line = piece * (1_000_000 // len(piece))
    start = time.process_time()
    extract_tags(line, clean=ALL)
    assert time.process_time() - start < 6

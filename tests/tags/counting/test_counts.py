"""Counting and filtering, against plain Python."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import TagsError
from clipnb.prompts.splitting import Cleaning, extract_tags
from clipnb.tags.counting.count_filter import CountFilter
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.hints import hints
from clipnb.tags.graph import build_graph

PROMPTS = st.lists(st.text(alphabet="aAbBßéSs ,;|", max_size=30), max_size=30)


@given(PROMPTS, st.booleans())
def test_counts_are_those_of_a_plain_loop(prompts: list[str], head: bool) -> None:
    counts = TagCounts(prompts, head=head)
    plain = Counter(tag.casefold() for prompt in prompts for tag in extract_tags(prompt, head=head))
    assert {name.casefold(): count for name, count in counts.most_common()} == plain
    assert counts.total == plain.total()
    assert len(counts) == len(plain)
    assert sum(counts.rank(name) for name in counts.names) == pytest.approx(1.0 if plain else 0.0)


@given(PROMPTS)
def test_the_shown_spelling_is_the_most_frequent_first_seen(prompts: list[str]) -> None:
    spellings = Counter(tag for prompt in prompts for tag in extract_tags(prompt))
    for name in TagCounts(prompts).names:
        alike = [spelling for spelling in spellings if spelling.casefold() == name.casefold()]
        assert name == max(alike, key=lambda spelling: spellings[spelling])


@given(PROMPTS, PROMPTS)
def test_adding_in_pieces_is_adding_at_once(first: list[str], second: list[str]) -> None:
    pieces = TagCounts(first)
    pieces.most_common()
    pieces.add(second)
    assert pieces.most_common() == TagCounts(first + second).most_common()


def test_ids_are_the_order_of_appearance() -> None:
    counts = TagCounts(["x, b, a", "x, a, c"])
    assert counts.names == ["b", "a", "c"]
    assert counts.id_of("A") == 1
    assert counts.most_common() == [("a", 2), ("b", 1), ("c", 1)]
    assert counts.most_common(1) == [("a", 2)]


def test_two_objects_share_nothing() -> None:
    first, second = TagCounts(["x, a"]), TagCounts()
    assert first.count("a") == 1
    assert second.count("a") == 0
    assert second.total == 0
    assert second.most_common() == []
    assert second.rank("a") == 0.0


def test_frame_and_prompts_with() -> None:
    counts = TagCounts(["x, b", "y, a, A", "z, a"])
    frame = counts.to_frame()
    assert list(frame.columns) == ["id", "tag", "count", "rank"]
    assert frame["tag"].tolist() == ["a", "b"]
    assert frame["id"].tolist() == [1, 0]
    assert frame["rank"].sum() == pytest.approx(1)
    assert counts.prompts_with("a") == ["y, a, A", "z, a"]
    assert len(TagCounts().to_frame()) == 0


def test_prompts_are_found_across_many_pieces() -> None:
    counts = TagCounts(f"x{i}, t{i % 1000}" for i in range(70_000))
    assert len(counts.prompts_with("t7")) == 70
    assert counts.prompts_with("t999")[-1] == "x69999, t999"


def test_an_unknown_tag_names_the_nearest() -> None:
    with pytest.raises(TagsError, match="there is oil painting"):
        TagCounts(["x, oil painting, ink"]).prompts_with("oil paintin")


def test_one_text_is_no_list() -> None:
    with pytest.raises(TagsError, match="list"):
        TagCounts("a, b")


def test_cleaning_joins_what_differs_in_dress_only() -> None:
    counts = TagCounts(['x, ("ink":1.2)', "x, ink --ar 1"], clean=Cleaning.everything())
    assert counts.most_common() == [("ink", 2)]


def test_a_line_of_ten_megabytes_takes_seconds_not_minutes() -> None:
    start = time.process_time()
    counts = TagCounts(["x, " + "a" * 10_000_000, ",".join(f"t{i % 50}" for i in range(2_500_000))])
    assert time.process_time() - start < 10
    assert len(counts) == 51
    assert counts.count("a" * 10_000_000) == 1


@given(st.sampled_from(["=", "==", ">", "<", ">=", "<="]), st.integers(0, 10**9), st.integers(0, 10**9))
def test_filters_compare(sign: str, number: int, count: int) -> None:
    python = "==" if sign == "=" else sign
    for text in (f"{sign}{number}", f"  {sign} \t{number} "):
        wanted = {"==": count == number, ">": count > number, "<": count < number, ">=": count >= number}
        assert CountFilter.parse(text)(count) == wanted.get(python, count <= number)


@pytest.mark.parametrize(
    "text", ["=1x", "", "5", ">", "=>5", "> =5", ">-1", ">1.5", "≥5", "=²", ">=5 and", "=" + "9" * 9999]
)
def test_a_filter_is_a_sign_and_a_number_and_nothing_else(text: str) -> None:
    with pytest.raises(TagsError, match="cannot read the filter"):
        TagCounts(["x, a"]).filter(text)


@given(st.text())
def test_any_other_text_is_refused_not_misread(text: str) -> None:
    try:
        parsed = CountFilter.parse(text)
    except TagsError:
        return
    assert "".join(text.split()) == f"{parsed.sign}{''.join(text.split())[len(parsed.sign) :]}"
    assert int("".join(text.split())[len(parsed.sign) :]) == parsed.number


def test_filtering() -> None:
    counts = TagCounts(["x, a, b", "y, a, c"])
    assert counts.filter("<= 1") == [("b", 1), ("c", 1)]
    assert counts.filter(CountFilter("==", 2)) == [("a", 2)]


@pytest.mark.parametrize("aliases", [{"grey hair": "gray hair"}, {"grey_hair": "gray_hair"}])
def test_aliases_reach_spellings_with_underscores(aliases: dict[str, str]) -> None:
    captions = ["grey_hair, a", "grey hair, b", "Gray hair"]
    counts = TagCounts(captions, dialect="tags", underscores=True, aliases=aliases)
    assert counts.count("gray hair") == counts.count("gray_hair") == 3


def test_prompts_that_are_not_kept_are_counted_alike() -> None:
    prompts = ["x, a, b", "y, a", "z"]
    kept, passed = TagCounts(prompts), TagCounts((text for text in prompts), keep=False)
    assert passed.most_common() == kept.most_common()
    assert (passed.prompts, passed.number_of_prompts) == ([], 3)
    assert repr(passed) == repr(kept)
    assert build_graph(passed).to_frame().equals(build_graph(kept).to_frame())
    assert hints(passed) == []
    with pytest.raises(TagsError, match="keep=True"):
        passed.prompts_with("a")

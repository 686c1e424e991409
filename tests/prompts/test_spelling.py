"""One tag under several spellings: folded, merged by a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import PromptsError, TagsError
from clipnb.prompts.spelling import checked_aliases, key_of, read_aliases
from clipnb.prompts.splitting import Cleaning
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.graph import build_graph
from clipnb.tags.relations import suggest


@given(st.text())
def test_the_key_of_a_key_is_itself(tag: str) -> None:
    assert key_of(key_of(tag)) == key_of(tag)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café", "cafe\u0301"),
        ("a  b", "a b"),
        ("long\u00a0hair", "long hair"),
        ("fur.", "fur"),
        ("VRay", "vray"),
    ],
)
def test_spellings_of_one_tag_count_together(one: str, other: str) -> None:
    counts = TagCounts([f"x, {one}", f"x, {other}", f"x, {other}"])
    assert counts.most_common() == [(other, 3)]


def test_underscores_are_blanks_where_wished() -> None:
    prompts = ["x, long_hair", "x, long hair", "x, ^_^"]
    assert len(TagCounts(prompts)) == 3
    counts = TagCounts(prompts, underscores=True)
    assert (counts.count("long_hair"), counts.count("^_^"), len(counts)) == (2, 1, 2)


def test_aliases_merge_tags(tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text("# merges\ntag,becomes\ngrey hair, gray hair\nGray Hair,silver\n", encoding="utf-8")
    counts = TagCounts(["x, grey  hair", "x, gray hair", "x, silver"], aliases=read_aliases(file))
    assert counts.most_common() == [("silver", 3)]


@pytest.mark.parametrize(
    ("text", "said"), [("a,b\nb,a\n", "circle"), ("a,b\na,c\n", "both"), ("a\n", "two texts"), ("a,b,c\n", "two texts")]
)
def test_aliases_that_contradict_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PromptsError, match=said):
        read_aliases(tmp_path / "a.csv")


def test_long_chains_of_aliases_end() -> None:
    chain = checked_aliases({f"t{number}": f"t{number + 1}" for number in range(100_000)})
    assert set(chain.values()) == {"t100000"}


def test_tags_are_found_by_what_became_of_them() -> None:
    counts = TagCounts(["1girl, long_hair, grey_hair"], dialect="tags", aliases={"grey hair": "silver"})
    assert counts.names == ["1girl", "long hair", "silver"]
    assert [counts.count(tag) for tag in ("long_hair", "grey_hair", "silver")] == [1, 1, 1]
    assert build_graph(counts).find("long_hair") == 1


def test_tags_have_blanks_for_underscores_always() -> None:
    with pytest.raises(TagsError, match="blank"):
        TagCounts(["long_hair"], dialect="tags", underscores=False)


def test_networks_are_counted_apart() -> None:
    counts = TagCounts(["cat, (fur:1.2), <lora:ink:0.8>", "cat, <lora:ink:1>"], dialect="a1111")
    assert counts.most_common() == [("cat", 2), ("fur", 1)]
    assert counts.networks == [("ink", 2)]


def test_the_dialect_is_chosen_and_told() -> None:
    counts = TagCounts(["sks, 1girl, long_hair", "sks, solo"], dialect="auto")
    assert (counts.dialect, counts.count("sks"), counts.count("long hair")) == ("tags", 2, 1)


def test_cleaning_belongs_to_plain_prompts() -> None:
    with pytest.raises(TagsError, match="plain"):
        TagCounts(["a"], dialect="a1111", clean=Cleaning(weights=True))


def test_suggestions_divide_by_prompts_where_one_repeats_a_tag() -> None:
    graph = build_graph(["x, a, a, b", "y, c"])
    assert suggest(graph, ["a"])["share"].tolist() == [1.0]


def test_long_tags_that_become_two_others_are_cut_in_the_message() -> None:
    with pytest.raises(PromptsError, match="becomes both") as caught:
        checked_aliases([("grey", "x" * 50_000), ("grey", "y" * 50_000)])
    assert len(str(caught.value)) < 500

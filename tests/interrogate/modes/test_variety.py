"""Phrases that say the same, second mediums and puns are not chosen together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import skimage.data

from clipnb.interrogate import Interrogator, Settings
from clipnb.interrogate.modes.variety import content_words, is_medium
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]


def chosen(lite: DualEncoder, flavors: list[str], caption: str, count: int = 99, **changes: object) -> list[str]:
    """Return the flavors of a prompt for a photograph of a cat that are chosen, in order of their similarity."""
    worker = Interrogator(lite, labels={"flavors": flavors}, settings=Settings(quiet=True, tolerance=None, **changes))
    found = worker.interrogate(skimage.data.chelsea(), "fast", caption, max_flavors=count)
    return [reason.phrase for reason in found.reasons[1:]]


def test_lantern_phrases_that_share_words_are_chosen_once(lite: DualEncoder) -> None:
    flavors = ["surrounded by floating lanterns", "floating lanterns", "paper lanterns", "a rainy street"]
    kept = chosen(lite, flavors, "a cat")
    assert sum("lantern" in phrase for phrase in kept) == 1
    assert "a rainy street" in kept
    assert sorted(chosen(lite, flavors, "a cat", diverse=False)) == sorted(flavors)


def test_near_duplicates_without_a_word_in_common_are_chosen_once(lite: DualEncoder) -> None:
    others = [f"{thing} on a table" for thing in ("a violin", "bread", "a lamp")] + ["stormy sea", "city at night"]
    kept = chosen(lite, ["hyperrealism", "hyperrealistic", *others], "a cat")
    assert sum("hyper" in phrase for phrase in kept) == 1


def test_a_word_that_merely_begins_with_a_cat_is_a_pun(lite: DualEncoder) -> None:
    kept = chosen(lite, ["in a catacomb", "on a catwalk", "striped cats"], "a cat")
    assert "in a catacomb" not in kept
    assert "on a catwalk" in kept
    assert "in a catacomb" in chosen(lite, ["in a catacomb", "on a catwalk"], "a dog")


def test_an_abbreviation_that_reads_as_a_word_is_a_pun(lite: DualEncoder) -> None:
    flavors = ["PET scan", "a pet", "HDR photo"]
    assert chosen(lite, flavors, "an animal, whiskers") == ["a pet", "HDR photo"]
    assert "PET scan" in chosen(lite, flavors, "an animal, whiskers", diverse=False)


@pytest.mark.parametrize("caption", ["a photo of a cat", "a pencil sketch of a cat", "an oil painting"])
def test_a_caption_that_has_a_medium_gets_no_other(lite: DualEncoder, caption: str) -> None:
    flavors = ["copperplate engraving", "blue eyes"]
    assert is_medium(caption)
    assert "copperplate engraving" not in chosen(lite, flavors, caption)
    assert "copperplate engraving" in chosen(lite, flavors, "a cat on a sofa")


def test_classic_adds_no_medium_to_a_caption_that_has_one(small: Make) -> None:
    worker = small(tolerance=None)
    with_one = worker.interrogate(skimage.data.coffee(), "classic", "a pencil sketch of a cup")
    without = worker.interrogate(skimage.data.coffee(), "classic", "a cup")
    assert "mediums" not in {reason.origin for reason in with_one.reasons}
    assert "mediums" in {reason.origin for reason in without.reasons}


def test_phrases_of_the_next_rank_take_the_place_of_duplicates(lite: DualEncoder) -> None:
    flavors = ["cat eyes", "cat eye", "eyes of a cat", "green grass", "old books"]
    assert len(chosen(lite, flavors, "an animal", count=3)) == 3


def test_an_empty_table_of_one_label_has_directions(small: Make) -> None:
    query_table = small().tables.open("mediums")
    assert query_table.directions(list(query_table.labels)).norm(dim=-1).tolist() == pytest.approx([1.0] * 3)


def test_endings_and_little_words_make_no_difference() -> None:
    assert content_words("Floating Lanterns") == content_words("the floating of a lantern")

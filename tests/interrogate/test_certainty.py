"""Captions and labels say how certain they are, less where that is little, and nothing where nothing fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
import skimage.data
from PIL import Image

from clipnb.interrogate import Interrogator, Settings, interrogate_folder, interrogate_set
from clipnb.interrogate.certainty import certainty_in_words
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]
THINGS = ["an espresso", "a cat", "a bobsled", "a football helmet", "bubbles", "an earthworm", "a lighthouse"]
LABELS = {"objects": THINGS, "flavors": ["surrounded by bubbles", "glow-worm light", "soft light", "warm colours"]}


@pytest.fixture(scope="module")
def worker(lite: DualEncoder) -> Interrogator:
    return Interrogator(lite, labels=LABELS, settings=Settings(quiet=True))


def test_a_fitting_thing_is_said_with_its_certainty(worker: Interrogator) -> None:
    found = worker.interrogate(skimage.data.chelsea(), "classic")
    assert found.caption == "a photo of a cat"
    assert found.certainty is not None
    assert found.certainty > 0.5
    assert f"certainty: {certainty_in_words(found.certainty)}" in str(found)
    assert "certainty" in found._repr_html_()
    assert type(found._repr_html_()) is str, "marimo shows no other"
    assert found.to_dict()["certainty"] == found.certainty
    cat = next(label for label in found.ranked["objects"] if label.label == "a cat")
    assert cat.certainty is not None
    assert cat.certainty > 0.5
    frame = found.to_frame().set_index("label")["certainty"]
    assert frame["a cat"] == pytest.approx(cat.certainty)
    assert frame["bubbles"] < 0.1


@pytest.mark.parametrize("photo", ["coins", "hubble_deep_field", "moon"])
@pytest.mark.parametrize("mode", ["classic", "fast", "best"])
def test_a_picture_that_no_label_describes_gets_no_pun(worker: Interrogator, photo: str, mode: str) -> None:
    found = worker.interrogate(getattr(skimage.data, photo)(), mode)
    assert found.prompt == "a photo"
    assert found.certainty is not None
    assert found.certainty < 0.25
    assert any("fits well" in note and "no idea" in note for note in found.notes)


def test_the_astronaut_is_a_person_and_no_bobsled(worker: Interrogator) -> None:
    found = worker.interrogate(skimage.data.astronaut(), "classic")
    assert found.prompt == "a portrait of a person"


def test_the_upper_class_is_said_where_lower_ones_disagree(lite: DualEncoder) -> None:
    labels = {"objects": ["a lighthouse", "a bobsled"], "flavors": ["soft light"]}
    found = Interrogator(lite, labels=labels, settings=Settings(quiet=True)).interrogate(skimage.data.chelsea())
    assert found.caption == "a photo of a cat"  # of five classes, none of which has half of the probability


def test_of_several_pictures_is_said_what_most_of_them_show(worker: Interrogator) -> None:
    cats = [Image.fromarray(skimage.data.chelsea()).crop((0, 0, 420 + 9 * i, 300)) for i in range(3)]
    alike = interrogate_set(cats, interrogator=worker)
    assert alike.prompt.startswith("a photo of a cat")
    assert alike.certainty is not None
    assert alike.certainty > 0.5
    assert alike.ranked["objects"][0].certainty is not None
    most = interrogate_set([*cats, skimage.data.coffee()], interrogator=worker)
    assert "a cat" in most.prompt
    assert most.certainty is not None
    assert most.certainty < alike.certainty


@pytest.mark.parametrize("by", ["mean", "worst"])
def test_of_unlike_pictures_nothing_is_said(worker: Interrogator, by: Literal["mean", "worst"]) -> None:
    unlike = [getattr(skimage.data, name)() for name in ("coffee", "rocket", "coins", "hubble_deep_field")]
    found = interrogate_set(unlike, by, interrogator=worker)
    assert found.prompt == "a photo"
    assert any("fits all of them well" in note for note in found.notes)
    own = interrogate_set(unlike, by, "four pictures", interrogator=worker)
    assert (own.prompt, own.certainty) == ("four pictures", None)


def test_with_no_least_certainty_all_is_said(lite: DualEncoder) -> None:
    settings = Settings(quiet=True, least_certainty=0)
    found = Interrogator(lite, labels=LABELS, settings=settings).interrogate(skimage.data.coins(), "classic")
    assert found.caption != "a photo"
    assert found.certainty is not None
    assert found.certainty < 0.25


def test_nothing_is_known_of_given_captions_and_of_other_encoders(worker: Interrogator, small: Make) -> None:
    given = worker.interrogate(skimage.data.coffee(), "classic", "a cup")
    other = small().interrogate(skimage.data.coffee(), "classic")
    assert given.certainty is None
    assert other.certainty is None
    assert "certainty" not in str(other)
    assert math.isnan(other.to_frame()["certainty"][0])


def test_rows_of_a_folder_have_a_column(worker: Interrogator, tmp_path: Path) -> None:
    for name in ("chelsea", "coins"):
        Image.fromarray(getattr(skimage.data, name)()).save(tmp_path / f"{name}.png")
    for suffix in ("csv", "jsonl"):
        run = interrogate_folder(tmp_path, tmp_path / f"rows.{suffix}", "classic", interrogator=worker)
        certainty = run.to_frame().set_index("image")["certainty"]
        assert certainty["chelsea.png"] > 0.5
        assert certainty["coins.png"] < 0.25
    assert "certainty" in pd.read_csv(tmp_path / "rows.csv").columns


@pytest.mark.parametrize(("number", "words"), [(1.0, "1.00, sure"), (0.5, "0.50, likely"), (0.3, "0.30, doubtful")])
def test_a_certainty_has_a_word(number: float, words: str) -> None:
    assert certainty_in_words(number) == words

"""Mode tags: what stands out for an image, by a threshold that means the same for every image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from clipnb.errors import OutputError
from clipnb.interrogate import Interrogator, Settings, SettingsError, interrogate_folder
from clipnb.interrogate.modes.tags import tag_of
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]


@pytest.fixture(scope="module")
def by_lite(lite: DualEncoder) -> Make:
    return lambda **changes: Interrogator(lite, settings=Settings(quiet=True).changed(**changes))


def test_what_is_shown_stands_out_and_what_no_label_describes_has_no_tag(by_lite: Make, photo: Image.Image) -> None:
    worker = by_lite()
    pictures = skimage.data.chelsea(), photo, skimage.data.coins()
    cat, coffee, coins = (worker.interrogate(picture, "tags") for picture in pictures)
    assert {"cat", "tabby cat", "stray cat"} <= {tag.text for tag in cat.tags}
    assert "cup of coffee" in coffee.prompt.split(", ")
    assert {tag.table for tag in coffee.tags} == {"objects", "flavors"}
    assert all(tag.score >= worker.settings.tag_thresholds[tag.table] for tag in coffee.tags)
    scores = [tag.score for tag in cat.tags]
    assert scores == sorted(scores, reverse=True)
    assert (coins.prompt, coins.tags) == ("", ())
    assert coins.to_dict()["similarity"] is None
    assert any("0 tags, chosen from 3," in note for note in coins.notes)


def test_scores_do_not_depend_on_what_else_is_in_a_list(lite: DualEncoder, by_lite: Make, photo: Image.Image) -> None:
    wide = {tag.text: tag.score for tag in by_lite().interrogate(photo, "tags").tags}
    own = Interrogator(lite, labels={"objects": ["a cup of coffee", "a dog"]}, settings=Settings(quiet=True))
    (one,) = (tag for tag in own.interrogate(photo, "tags").tags if tag.table == "objects")
    assert one.text == "cup of coffee"
    assert one.score == pytest.approx(wide["cup of coffee"], abs=1e-3)


def test_thresholds_choose_tables(by_lite: Make, photo: Image.Image) -> None:
    few = by_lite(tag_thresholds={"objects": 5.0}).interrogate(photo, "tags")
    more = by_lite(tag_thresholds={"objects": 4.0}).interrogate(photo, "tags")
    assert {tag.table for tag in more.tags} == {"objects"}
    assert set(few.tags) == {tag for tag in more.tags if tag.score >= 5}
    assert set(few.tags) < set(more.tags)
    with pytest.raises(SettingsError, match="tag_thresholds is a dict of numbers for some of mediums"):
        Settings(tag_thresholds={"things": 4.0})


@pytest.mark.parametrize(
    ("label", "plain", "danbooru"),
    [
        ("a cup of coffee", "cup of coffee", "cup_of_coffee"),
        ("The Thinker (statue)", "Thinker (statue)", r"thinker_\(statue\)"),
        ("an", "an", "an"),
        ("another day", "another day", "another_day"),
        ("a ", "a ", "a "),
    ],
)
def test_forms_of_tags(label: str, plain: str, danbooru: str) -> None:
    assert tag_of(label) == plain
    assert tag_of(label, "danbooru") == danbooru


def test_tags_become_captions_of_training_data(by_lite: Make, photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "coffee.png")
    Image.fromarray(skimage.data.coins()).save(tmp_path / "coins.png")
    worker = by_lite(tag_form="danbooru", tag_thresholds={"objects": 5.0})
    run = interrogate_folder(tmp_path, tmp_path / "rows.csv", "tags", captions=".txt", interrogator=worker)
    caption = (tmp_path / "coffee.txt").read_text()
    assert "cup_of_coffee" in caption.split(", ")
    assert run.to_frame().set_index("image")["prompt"].to_dict() == {"coffee.png": caption, "coins.png": ""}
    assert np.isnan(run.to_frame()["similarity"][1])
    assert not (tmp_path / "coins.txt").exists()
    assert "coins.png: nothing was found" in str(run)
    with pytest.raises(OutputError, match="tag_form was"):
        interrogate_folder(tmp_path, tmp_path / "rows.csv", "tags", interrogator=by_lite())

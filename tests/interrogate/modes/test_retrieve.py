"""Mode retrieve: the nearest prompts of a collection, and a second encoder that drops some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from clipnb.interrogate import Interrogator, SettingsError, interrogate_folder
from clipnb.models.encoder import DualEncoder

PROMPTS = ("a cup of coffee on a table, photo, warm light", "a cat, fur, close-up", "a red car, road, 4k")


@pytest.fixture
def by_lite(lite: DualEncoder, tmp_path: Path) -> Callable[..., Interrogator]:
    from clipnb.interrogate import Settings

    def make(**changes: object) -> Interrogator:
        settings = Settings(quiet=True, cache_path=tmp_path, collection=PROMPTS).changed(**changes)
        return Interrogator(lite, labels={"objects": ["a cat"]}, settings=settings)

    return make


def test_the_nearest_prompt_is_found(by_lite: Callable[..., Interrogator], photo: Image.Image) -> None:
    found = by_lite().interrogate(photo, "retrieve")
    assert found.prompt == PROMPTS[0]
    assert found.ranked["collection"][0].label == PROMPTS[0]
    assert len(found.candidates) == 3
    assert any("3 prompts of a list" in note for note in found.notes)


def test_a_second_encoder_drops_what_it_does_not_see(
    by_lite: Callable[..., Interrogator], photo: Image.Image, tiny_clip: str
) -> None:
    all_dropped = by_lite(second_model_name=tiny_clip, second_threshold=1.0).interrogate(photo, "retrieve")
    assert all_dropped.prompt == ""
    assert any("dropped 3 of 3" in note for note in all_dropped.notes)
    none = by_lite(second_model_name=tiny_clip, second_threshold=-1.0).interrogate(photo, "retrieve")
    assert none.prompt == PROMPTS[0]


def test_the_encoder_is_no_second_one(by_lite: Callable[..., Interrogator], photo: Image.Image) -> None:
    with pytest.raises(SettingsError, match="can only agree"):
        by_lite(second_model_name="lite").interrogate(photo, "retrieve")


def test_rows_depend_on_the_collection(
    by_lite: Callable[..., Interrogator], photo: Image.Image, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    photo.save(tmp_path / "in" / "coffee.png")
    rows = interrogate_folder(tmp_path / "in", tmp_path / "out.csv", "retrieve", interrogator=by_lite()).to_frame()
    assert rows["prompt"].tolist() == [PROMPTS[0]]
    from clipnb.errors import OutputError

    with pytest.raises(OutputError, match="collection was"):
        interrogate_folder(
            tmp_path / "in", tmp_path / "out.csv", "retrieve", interrogator=by_lite(collection=("a dog",))
        )

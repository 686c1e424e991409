"""Prompts do not get worse as they grow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import skimage.data

from clipnb.interrogate import Interrogator, Settings
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]
PHOTOS = "astronaut camera coffee chelsea rocket brick grass page gravel coins moon hubble_deep_field retina"


@pytest.fixture(scope="module")
def worker(lite: DualEncoder) -> Interrogator:
    flavors = "warm light,stormy sea,helmet,stack of paper,coffee cup,a cat,grey stone,soft focus,in space,soap bubble"
    return Interrogator(lite, labels={"flavors": flavors.split(",")}, settings=Settings(quiet=True))


@pytest.mark.parametrize("photo", PHOTOS.split())
def test_fast_is_never_less_similar_than_its_caption(photo: str, worker: Interrogator) -> None:
    found = worker.interrogate(getattr(skimage.data, photo)(), "fast")
    assert found.reasons[0].phrase == found.caption
    assert found.similarity >= found.reasons[0].similarity
    assert all(reason.added >= 0 for reason in found.reasons)


@pytest.mark.parametrize("mode", ["classic", "fast"])
@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.1])
def test_no_phrase_lowers_the_whole_by_more_than_the_tolerance(mode: str, tolerance: float, small: Make) -> None:
    found = small(tolerance=tolerance).interrogate(skimage.data.coffee(), mode, "a red balloon")
    for before, after in pairwise(found.reasons):
        assert after.similarity >= before.similarity - tolerance


def test_without_a_tolerance_phrases_stay_and_nothing_is_noted(small: Make) -> None:
    photo = skimage.data.coffee()
    every, rising = (small(tolerance=one).interrogate(photo, "fast", "a red balloon") for one in (None, 0.0))
    assert min(reason.added for reason in every.reasons) < 0
    assert len(rising.reasons) < len(every.reasons)
    lost = len(every.reasons) - len(rising.reasons)
    assert any(note.startswith(f"left out {lost} phrase") for note in rising.notes)
    assert not any("left out" in note for note in every.notes)


def test_a_batch_makes_the_prompts_that_single_images_get(small: Make) -> None:
    photos = [skimage.data.coffee(), skimage.data.chelsea(), skimage.data.rocket()]
    worker = small()
    for mode in ("classic", "fast"):
        together = worker.interrogate_batch(photos, mode, ["a red balloon"] * 3, reasons=False)
        assert [one.prompt for one in together] == [
            worker.interrogate(photo, mode, "a red balloon").prompt for photo in photos
        ]

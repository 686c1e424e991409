"""How certain the embedded encoder is of what it sees: with a fitting class, and without one."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from clipnb.models.lite.encoder import LiteEncoder
from clipnb.models.lite.sight import upper_classes
from clipnb.models.load import load_model
from clipnb.models.sight import Sight


@pytest.fixture(scope="module")
def lite() -> LiteEncoder:
    encoder = load_model("lite", device="cpu", precision="fp32")
    assert isinstance(encoder, LiteEncoder)
    return encoder


def seen(lite: LiteEncoder, name: str) -> Sight:
    picture = Image.fromarray(getattr(skimage.data, name)())
    (sight,) = lite.look(lite.preprocess(picture)[None])[1]
    assert sight is not None
    return sight


def test_looking_embeds_as_encoding_does(lite: LiteEncoder) -> None:
    pixels = torch.rand(3, 3, 60, 80, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(lite.look(pixels)[0], lite.encode_image(pixels), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "camera"])
def test_pictures_with_a_fitting_class_are_certain(lite: LiteEncoder, name: str) -> None:
    assert seen(lite, name).certainty > 0.5


@pytest.mark.parametrize("name", ["astronaut", "coins", "hubble_deep_field", "moon", "retina", "horse", "text"])
def test_pictures_that_no_class_fits_are_not(lite: LiteEncoder, name: str) -> None:
    assert seen(lite, name).certainty < 0.25


def test_labels_are_certain_where_they_name_the_thing(lite: LiteEncoder) -> None:
    texts = ["a cat", "an animal", "a cup of coffee", "a bobsled"]
    certainties = seen(lite, "chelsea").certainties(texts, lite.encode_text(texts))
    assert min(certainties[:2]) > 0.5
    assert max(certainties[2:]) < 0.1


def test_a_kind_of_the_thing_that_its_upper_class_names_is_no_better_for_it(lite: LiteEncoder) -> None:
    texts = ["an animal", "a cartoon animal"]
    named, other = seen(lite, "chelsea").certainties(texts, lite.encode_text(texts))
    assert other < named / 2


def test_noise_and_plain_pictures_are_nothing(lite: LiteEncoder) -> None:
    noise = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    for pixels in (noise, torch.zeros_like(noise), torch.full_like(noise, 0.5)):
        (sight,) = lite.look(pixels)[1]
        assert sight is not None
        assert 0 <= sight.certainty < 0.5
        assert all(np.isfinite(certainty) for _, certainty in sight.things())


def test_a_face_is_found_in_the_astronaut_and_none_in_coffee(lite: LiteEncoder) -> None:
    assert seen(lite, "astronaut").portrait > 0.5
    assert seen(lite, "coffee").portrait == 0


def test_without_scikit_image_no_face_is_found(lite: LiteEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    sight = seen(lite, "astronaut")
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    assert sight.portrait == 0


def test_upper_classes_hold_classes_of_imagenet(lite: LiteEncoder) -> None:
    upper = dict(upper_classes())
    assert lite.classes.index("tabby cat") in upper["a cat"]
    assert set(upper["a cat"]) < set(upper["a mammal"]) < set(upper["an animal"])
    assert lite.classes.index("football helmet") in upper["headgear"]
    for name, rows in upper.items():
        assert 2 <= len(rows) == len(set(rows)), name
        assert all(0 <= row < 1000 for row in rows), name
    sizes = [len(rows) for _, rows in upper_classes()]
    assert sizes == sorted(sizes)

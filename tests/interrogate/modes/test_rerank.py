"""Mode rerank: a captioner proposes, the encoder chooses."""

from __future__ import annotations

import pytest
from PIL import Image

from clipnb.interrogate import Interrogator, SettingsError
from clipnb.models.encoder import DualEncoder


class Proposing:
    """A captioner with several ideas, the right one not first."""

    name, device = "proposing", None

    def prepare(self, image: Image.Image) -> Image.Image:
        return image

    def caption(self, images: list[Image.Image]) -> list[str]:
        return ["a dog" for _ in images]

    def propose(self, image: Image.Image, count: int, *, sampling: bool) -> list[str]:
        return ["a dog", "a cup of\ncoffee", "a tractor", "", "a dog"][:count]

    def move(self, device: object) -> None:
        pass


class Single(Proposing):
    name, propose = "single", None


def test_the_encoder_chooses(lite: DualEncoder, photo: Image.Image) -> None:
    found = Interrogator(lite, captioner=Proposing()).interrogate(photo, "rerank")
    assert found.prompt == "a cup of coffee"
    assert found.candidates[0].prompt == "a cup of coffee"
    assert len(found.candidates) == 3
    assert "chosen from 3 captions" in found.notes


def test_composed_captions_compete_where_there_is_no_captioner(lite: DualEncoder, photo: Image.Image) -> None:
    worker = Interrogator(lite, labels={"objects": ["a dog", "a cup of coffee", "a tractor"]})
    assert worker.interrogate(photo, "rerank").prompt == "a photo of a cup of coffee"


def test_a_captioner_of_one_caption_is_refused(lite: DualEncoder, photo: Image.Image) -> None:
    with pytest.raises(SettingsError, match="single makes one caption"):
        Interrogator(lite, captioner=Single()).interrogate(photo, "rerank")

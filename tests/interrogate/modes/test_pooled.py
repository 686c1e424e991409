"""Mode pooled: an embedding of many candidates, with weights as they are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clipnb.interrogate import Interrogator, Settings, SettingsError, interrogate_folder
from clipnb.interrogate.kaggle.execute import write_submission
from clipnb.models.encoder import DualEncoder
from clipnb.models.sentences import load_sentence_encoder

Make = Callable[..., Interrogator]
PROMPTS = ("a cup of coffee on a table, photo, warm light", "a cat, fur, close-up")
OBJECTS = ["a cup of coffee", "a cat", "a lighthouse"]


@pytest.fixture
def pooling(lite: DualEncoder, tmp_path: Path) -> Make:
    def make(**changes: object) -> Interrogator:
        settings = Settings(quiet=True, cache_path=tmp_path, collection=PROMPTS).changed(**changes)
        return Interrogator(lite, labels={"objects": OBJECTS, "flavors": ["soft light"]}, settings=settings)

    return make


def test_the_embedding_is_its_definition(pooling: Make, photo: Image.Image) -> None:
    weights = {"objects": 1.0, "templates": 0.5, "collection": 0.25}
    worker = pooling(pooled_weights=weights, pooled_power=2.0)
    found = worker.interrogate(photo, "pooled")
    image, embed = worker.encode(photo), load_sentence_encoder(device="cpu").embed

    def mean(texts: list[str], measured: list[str]) -> torch.Tensor:
        similarities = (worker.encoder.encode_text(measured) @ image).clamp(min=0)
        return torch.nn.functional.normalize((embed(texts) * similarities[:, None] ** 2).sum(0), dim=-1)

    parts = [
        mean(OBJECTS, OBJECTS),
        mean([f"a photo of {one}" for one in OBJECTS], OBJECTS),
        mean(list(PROMPTS), list(PROMPTS)),
    ]
    expected = sum(weight * part for weight, part in zip(weights.values(), parts, strict=True))
    expected = expected / expected.norm()  # type: ignore[union-attr]
    assert float(expected @ torch.tensor(found.embedding)) > 0.999
    assert np.linalg.norm(found.embedding) == pytest.approx(1, abs=1e-5)


def test_the_words_are_the_nearest_whole_prompt(pooling: Make, photo: Image.Image) -> None:
    found = pooling().interrogate(photo, "pooled")
    assert "coffee" in found.prompt
    assert any("pooled: 3 objects, 3 templates, 2 collection" in note for note in found.notes)
    assert len(found.to_dict()["embedding"]) == 384


def test_a_given_caption_counts_and_a_composed_one_does_not(pooling: Make, photo: Image.Image) -> None:
    worker = pooling()
    (lighthouse,) = load_sentence_encoder(device="cpu").embed(["a lighthouse by the sea"])
    composed = torch.tensor(worker.interrogate(photo, "pooled").embedding) @ lighthouse
    given = torch.tensor(worker.interrogate(photo, "pooled", "a lighthouse by the sea").embedding) @ lighthouse
    assert given > composed + 0.1


def test_the_caption_is_left_where_nothing_has_a_weight(pooling: Make, photo: Image.Image) -> None:
    found = pooling(pooled_weights={"objects": 0.0}).interrogate(photo, "pooled", "a red car")
    (expected,) = load_sentence_encoder(device="cpu").embed(["a red car"])
    assert torch.allclose(torch.tensor(found.embedding), expected, atol=1e-5)
    assert found.prompt == "a red car"


@pytest.mark.parametrize("wrong", [{"object": 1.0}, {"objects": -1.0}, {"objects": float("nan")}, "objects"])
def test_weights_that_mean_nothing_are_refused(wrong: object) -> None:
    with pytest.raises(SettingsError, match="pooled_weights is a dict of numbers of at least 0 for some of objects"):
        Settings(pooled_weights=wrong)


def test_nothing_that_is_avoided_is_pooled(pooling: Make, photo: Image.Image) -> None:
    found = pooling(avoid=("coffee", "a photo")).interrogate(photo, "pooled")
    assert "coffee" not in found.prompt
    assert any("pooled: 2 objects, 1 collection" in note for note in found.notes)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("known", [False, True])
def test_a_folder_becomes_a_submission(
    pooling: Make, photo: Image.Image, tmp_path: Path, suffix: str, known: bool
) -> None:
    (tmp_path / "in").mkdir()
    photo.save(tmp_path / "in" / "coffee.png")
    (tmp_path / "in" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    options = {"interrogator": pooling(), "known": known}
    for made in (2, 0):  # the second time it goes on
        run = interrogate_folder(tmp_path / "in", tmp_path / f"out{suffix}", "pooled", **options)
        assert run.made == made
    frame = run.to_frame()
    assert frame["embedding"][1] is None
    assert np.allclose(frame["embedding"][0], pooling().interrogate(photo, "pooled").embedding, atol=2e-6)
    file = write_submission(frame["embedding"][:1].tolist(), frame["image"][:1].tolist(), tmp_path / "submission.csv")
    assert file.read_text().splitlines()[1].startswith("coffee_0,")


def test_labels_are_the_words_where_there_is_no_whole_prompt(pooling: Make, photo: Image.Image) -> None:
    assert pooling(pooled_weights={"objects": 1.0}, avoid=("of",)).interrogate(photo, "pooled").prompt in OBJECTS

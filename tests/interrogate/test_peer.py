"""Beside clip-interrogator's own code, where it is installed: the same model and labels give the same prompts."""

from __future__ import annotations

import warnings
from typing import Any

import open_clip
import pytest
import skimage.data
from PIL import Image
from torchvision.transforms import Normalize

from clipnb.interrogate import Interrogator, Settings, load_labels
from clipnb.models.encoder import DualEncoder

peer_module = pytest.importorskip(
    "clip_interrogator.clip_interrogator", reason="pip install --no-deps clip-interrogator==0.6.0"
)
CAPTION = "a cup of coffee on a table"


@pytest.fixture(scope="module")
def lists() -> dict[str, tuple[str, ...]]:
    return {
        name: labels[:: max(1, len(labels) // 60)] for name, labels in load_labels("package:clip_interrogator").items()
    }


@pytest.fixture(scope="module")
def peer(
    encoder: DualEncoder, tiny_clip: str, lists: dict[str, tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp("peer")
    for name, labels in lists.items():
        (folder / f"{name}.txt").write_text("\n".join(labels), encoding="utf-8")
    config = peer_module.Config(
        caption_model_name=None,
        clip_model_name="ViT-B-32/openai",
        data_path=str(folder),
        cache_path=str(folder / "cache"),
        download_cache=False,
        device="cpu",
        quiet=True,
        flavor_intermediate_count=200,
    )
    config.clip_model = open_clip.create_model(tiny_clip).eval()
    normalise = Normalize(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    config.clip_preprocess = lambda image: normalise(encoder.preprocess(image))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peer_module.Interrogator(config)


@pytest.fixture(scope="module")
def ours(
    encoder: DualEncoder, lists: dict[str, tuple[str, ...]], peer: Any, tmp_path_factory: pytest.TempPathFactory
) -> Interrogator:
    settings = Settings(
        quiet=True,
        lazy=False,
        tolerance=None,
        diverse=False,
        scoring="full",
        flavor_intermediate_count=200,
        cache_path=tmp_path_factory.mktemp("tables"),
    )
    return Interrogator(encoder, labels={**lists, "trendings": peer.trendings.labels[:18]}, settings=settings)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("photo", ["coffee", "chelsea", "rocket"])
@pytest.mark.parametrize("mode", ["classic", "fast", "best"])
def test_the_same_prompt_or_a_more_similar_one(mode: str, photo: str, ours: Interrogator, peer: Any) -> None:
    picture = Image.fromarray(getattr(skimage.data, photo)())
    method = {"classic": peer.interrogate_classic, "fast": peer.interrogate_fast, "best": peer.interrogate}[mode]
    theirs = method(picture, caption=CAPTION)
    found = ours.interrogate(picture, mode, CAPTION)
    similarity = peer.similarity(peer.image_to_features(picture), theirs)
    assert found.prompt == theirs or found.similarity > similarity, (found.similarity, similarity)
    if found.prompt == theirs:
        assert found.similarity == pytest.approx(similarity, abs=1e-5)

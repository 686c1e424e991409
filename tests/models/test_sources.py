"""Weights that lie in a folder or file of the user's, or in the bundle in use, are loaded without asking anyone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import open_clip
import pytest

from clipnb.errors import ModelUnavailableError, UnknownModelError
from clipnb.models.load import load_model
from clipnb.models.local import cached_checkpoint
from clipnb.models.sources import find_source
from tests.conftest import TINY_CONFIG


@pytest.fixture
def folder(tiny_clip: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_clip.removeprefix("local-dir:"), tmp_path / "weights"))


@pytest.fixture
def architecture(tmp_path: Path) -> str:
    """The small model's shape under a name of open_clip's kind."""
    (tmp_path / "tiny-for-tests.json").write_text(json.dumps(TINY_CONFIG))
    open_clip.add_model_config(tmp_path / "tiny-for-tests.json")
    return "tiny-for-tests"


def test_a_file_a_folder_with_one_file_and_a_described_folder_are_the_same_model(
    folder: Path, architecture: str, tmp_path: Path
) -> None:
    described = load_model("any name", "cpu", weights=folder)
    (tmp_path / "bare").mkdir()
    file = Path(shutil.copy(folder / "open_clip_model.safetensors", tmp_path / "bare"))
    by_file, by_folder = (load_model(architecture, "cpu", weights=place) for place in (file, file.parent))
    texts = ["a cat", "a lighthouse in a storm"]
    assert by_file.encode_text(texts).equal(described.encode_text(texts))
    assert by_folder.encode_text(texts).equal(described.encode_text(texts))
    assert load_model(architecture, "cpu", weights=str(file)) is by_file


@pytest.mark.parametrize(
    ("name", "place", "word"),
    [
        ("ViT-B-32", "nowhere.pt", "there is no file"),
        ("ViT-B-32", "empty", "holds no weights"),
        ("ViT-B-32", "two", "a.pt, b.pt: name one of them"),
        ("ViT-B-16-SigLIP", "two/a.pt", "tokenizer"),
        ("hf-hub:someone/something", "empty", "open_clip_config.json"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, name: str, place: str, word: str) -> None:
    for made in ("empty", "two"):
        (tmp_path / made).mkdir()
    for made in ("a.pt", "b.pt"):
        (tmp_path / "two" / made).touch()
    with pytest.raises(ModelUnavailableError, match=word):
        load_model(name, "cpu", weights=tmp_path / place)


def test_the_architecture_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="ViT-B"):
        load_model("ViT-B-33", "cpu", weights=tmp_path)


def test_a_bundle_is_looked_into_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle"
    monkeypatch.setenv("CLIPNB_BUNDLE", str(bundle))
    assert cached_checkpoint("ViT-B-32", "openai") is None
    place = bundle / "models" / "ViT-B-32"
    place.mkdir(parents=True)
    shutil.copy(folder / "open_clip_model.safetensors", place / "openai.safetensors")
    assert cached_checkpoint("ViT-B-32", "openai") == place / "openai.safetensors"
    assert find_source("ViT-B-32/openai").quick_gelu
    shutil.copytree(folder, bundle / "models" / "hf-hub" / "someone" / "bundled")
    assert load_model("hf-hub:someone/bundled", "cpu").dim == TINY_CONFIG["embed_dim"]

"""The files that go into a bundle are those that are loaded from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clipnb.errors import ModelUnavailableError, UnknownModelError
from clipnb.models import local, sources
from clipnb.models.captioner import captioner_files, load_captioner
from clipnb.models.sources import encoder_files
from tests.models.test_captioner import KINDS


@pytest.fixture
def hub(tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub, with links as the hub's client makes them, and a bundle in use that is empty."""
    import huggingface_hub.constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(cache), raising=False)
    monkeypatch.setenv("CLIPNB_BUNDLE", str(tmp_path / "bundle"))
    folder = Path(tiny_clip.removeprefix("local-dir:"))
    save(cache, "someone/tiny", folder)
    model, parts = KINDS["blip"]()
    for part in (model, *parts):
        part.save_pretrained(tmp_path / "blip")
    save(cache, "Salesforce/blip-image-captioning-base", tmp_path / "blip")
    return cache


def save(cache: Path, repository: str, folder: Path) -> None:
    home = cache / f"models--{repository.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folder, home / "blobs")
    (home / "snapshots" / ("0" * 40)).mkdir(parents=True)
    for blob in (home / "blobs").iterdir():
        (home / "snapshots" / ("0" * 40) / blob.name).symlink_to(blob)


def bundle(files: list[tuple[Path, Path]], root: Path) -> None:
    for source, place in files:
        (root / "models" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, root / "models" / place)


def test_a_model_of_the_hub_is_found_again(hub: Path, tmp_path: Path) -> None:
    bundle([*encoder_files("hf-hub:someone/tiny")], tmp_path / "bundle")
    shutil.rmtree(hub)
    found = sources.find_source("hf-hub:someone/tiny")
    assert found.architecture == f"local-dir:{tmp_path / 'bundle/models/hf-hub/someone/tiny'}"
    assert not [path for path in (tmp_path / "bundle").rglob("*") if path.is_symlink()]


def test_a_captioner_is_found_again(hub: Path, tmp_path: Path) -> None:
    bundle([*captioner_files("blip-base")], tmp_path / "bundle")
    shutil.rmtree(hub)
    assert load_captioner("blip-base", "cpu").caption([]) == []


def test_weights_are_found_again(tiny_clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Path(tiny_clip.removeprefix("local-dir:")) / "open_clip_model.safetensors"
    cached = local.cached_checkpoint
    monkeypatch.setattr(local, "cached_checkpoint", lambda *parts: cached(*parts) or weights)
    files = encoder_files("ViT-B/32")
    monkeypatch.setattr(local, "cached_checkpoint", cached)
    monkeypatch.setenv("CLIPNB_BUNDLE", str(tmp_path / "bundle"))
    assert local.local_weights("ViT-B-32/openai") is None
    bundle([*files], tmp_path / "bundle")
    assert local.local_weights("ViT-B-32/openai") == tmp_path / "bundle/models/ViT-B-32/openai.safetensors"


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("name", "error", "word"),
    [
        ("ViT-B-32/openai", ModelUnavailableError, "load it once here"),
        ("hf-hub:someone/other", ModelUnavailableError, "load it once here"),
        ("ViT-B-32/opnai", UnknownModelError, "ViT-B-32/openai"),
        ("lit", UnknownModelError, "lite"),
    ],
)
def test_what_is_not_here_cannot_be_bundled(name: str, error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word):
        encoder_files(name)


def test_captioners_that_are_not_here() -> None:
    with pytest.raises(ModelUnavailableError, match="blip-large"):
        captioner_files("blip-lrage")
    with pytest.raises(ModelUnavailableError, match=r"^'microsoft/git-large-coco' is not .* load it once here"):
        captioner_files("git-large-coco")
    assert encoder_files("lite") == []

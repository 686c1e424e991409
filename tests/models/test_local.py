"""What is on this machine: models in the hub's cache and in a bundle, and why others cannot be had."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from clipnb.errors import ModelUnavailableError, UnknownModelError
from clipnb.models import local, sources
from clipnb.models.captioner import captioner_files, load_captioner
from clipnb.models.load import load_model
from clipnb.models.sources import encoder_files
from tests.models.test_captioner import KINDS


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])


def no_address(*_: object) -> None:
    raise socket.gaierror("no such host")


@pytest.mark.usefixtures("online")
def test_a_hub_that_can_be_asked_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local.why_missing("org/repo") is None
    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    assert local.why_missing("org/repo") == "org/repo is not in the local cache, and the model hub cannot be reached"
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert local.why_missing("org/repo") is None


def test_what_is_no_name_is_not_there() -> None:
    assert local.find_in_cache("org/repo", "config.json") is None
    assert local.find_in_cache("a b/c?d", "config.json") is None
    assert "a b/c?d" in (local.why_missing("a b/c?d") or "")


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (load_captioner, "blip-large"),
        (load_captioner, "someone/something"),
        (load_model, "hf-hub:someone/something"),
        (load_model, "ViT-B-32/laion2b_s34b_b79k"),
    ],
)
def test_it_is_said_once_that_a_model_is_not_in_the_cache(
    load: Callable[..., object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailableError) as caught:
        load(name, "cpu")
    assert len(re.findall("local cache", str(caught.value))) == 1
    assert "HF_HUB_OFFLINE is set" in str(caught.value)


def test_an_odd_name_is_refused_in_words() -> None:
    with pytest.raises(ModelUnavailableError, match="a b"):
        load_model("hf-hub:a b/c?d", "cpu")


@pytest.fixture
def cache_of_hub(tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> Path:
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


def test_a_model_of_the_hub_is_found_again(cache_of_hub: Path, tmp_path: Path) -> None:
    bundle([*encoder_files("hf-hub:someone/tiny")], tmp_path / "bundle")
    shutil.rmtree(cache_of_hub)
    found = sources.find_source("hf-hub:someone/tiny")
    assert found.architecture == f"local-dir:{tmp_path / 'bundle/models/hf-hub/someone/tiny'}"
    assert not [path for path in (tmp_path / "bundle").rglob("*") if path.is_symlink()]


def test_a_captioner_is_found_again(cache_of_hub: Path, tmp_path: Path) -> None:
    bundle([*captioner_files("blip-base")], tmp_path / "bundle")
    shutil.rmtree(cache_of_hub)
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


@pytest.mark.usefixtures("cache_of_hub")
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

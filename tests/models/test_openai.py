"""OpenAI's own files hold code beside the weights: only what they published is opened, and only for its weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from clipnb.errors import ModelUnavailableError
from clipnb.files import sha256_of
from clipnb.models import openai
from clipnb.models.load import load_model
from clipnb.models.sources import find_source


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, tiny_clip: str) -> Path:
    """The small model as OpenAI stored theirs: traced, with the three numbers beside the weights."""
    import open_clip

    model = open_clip.create_model(tiny_clip).eval()
    for name in ("input_resolution", "context_length", "vocab_size"):
        if hasattr(model, name):
            delattr(model, name)
        model.register_buffer(name, torch.tensor(32))
    path = tmp_path_factory.mktemp("openai") / "tiny.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace_module(model, {"encode_image": torch.rand(1, 3, 32, 32)}, check_trace=False).save(str(path))
    return path


def test_a_published_file_gives_its_weights(archive: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    published = sha256_of(archive)
    monkeypatch.setattr(openai, "published_digest", lambda architecture: published)
    plain = openai.plain_weights(archive, "tiny")
    expected = load_file(Path(tiny_clip.removeprefix("local-dir:")) / "open_clip_model.safetensors")
    found = load_file(plain)
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    made = plain.stat().st_mtime_ns
    assert openai.plain_weights(archive, "tiny").stat().st_mtime_ns == made


def test_it_is_run_with_the_activation_that_it_was_trained_with(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = sha256_of(archive)
    monkeypatch.setattr(openai, "published_digest", lambda architecture: published)
    for source in (find_source("ViT-B-32", archive), find_source(f"ViT-B-32/{archive}")):
        assert source.quick_gelu
        assert source.checkpoint
        assert source.checkpoint.suffix == ".safetensors"


def test_a_foreign_archive_is_not_opened(archive: Path) -> None:
    assert openai.is_torchscript(archive)
    with pytest.raises(ModelUnavailableError, match="nothing foreign is run"):
        load_model("ViT-B-32", "cpu", weights=archive)


def test_plain_files_are_no_archives(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "plain.pt")
    (tmp_path / "text.pt").write_text("no archive")
    assert not openai.is_torchscript(tmp_path / "plain.pt")
    assert not openai.is_torchscript(tmp_path / "text.pt")
    assert not openai.is_torchscript(tmp_path / "missing.pt")


def test_the_digests_are_known() -> None:
    assert openai.published_digest("ViT-B-32") == "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
    assert openai.published_digest("ViT-H-14") is None

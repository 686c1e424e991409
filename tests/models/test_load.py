"""Names of models, what `auto` means, and errors that say what to do."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from clipnb.errors import ModelUnavailableError, UnknownModelError
from clipnb.models import load, local, sources


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    load.announce_lite.cache_clear()
    monkeypatch.delenv("CLIPNB_MODEL", raising=False)


def test_a_model_is_loaded_once_and_let_go(tiny_clip: str) -> None:
    first = load.load_model(tiny_clip, device="cpu")
    assert load.load_model(tiny_clip, device="cpu") is first
    load.unload(tiny_clip)
    assert load.load_model(tiny_clip, device="cpu") is not first


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("vit-b-32/openai", "ViT-B-32/openai"),
        ("ViT-B/31", "ViT-B/32"),
        ("lit", "lite"),
        ("ViT-B-32/opnai", "ViT-B-32/openai"),
        ("ViT-B-32", "ViT-B-32/laion2b_s34b_b79k"),
        ("weights.pt", "ARCHITECTURE/PATH"),
        ("", "auto, lite"),
    ],
)
def test_unknown_names_get_the_nearest_ones(wrong: str, near: str) -> None:
    with pytest.raises(UnknownModelError, match=near):
        load.load_model(wrong)


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "ViT-B/32", "hf-hub:someone/something", "local-dir:/nowhere"])
def test_weights_that_cannot_be_had_say_what_works(name: str) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        load.load_model(name)
    assert "lite' works now" in str(caught.value) or "open_clip_config.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_openai_names_mean_openai_weights() -> None:
    for name in sources.OPENAI_NAMES:
        canonical = sources.canonical_name(name)
        assert canonical.endswith("/openai")
        assert canonical in sources.all_names()


def test_weights_of_the_original_activation_are_run_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    monkeypatch.setattr(local, "cached_checkpoint", lambda *_: file)
    assert sources.find_source("ViT-B-32/openai").quick_gelu
    assert not sources.find_source("ViT-B-32/laion2b_s34b_b79k").quick_gelu
    assert sources.find_source("ViT-B-16-SigLIP/webli").preparation.settings["mean"] == (0.5, 0.5, 0.5)


def test_auto_is_the_embedded_one_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "clipnb"):
        assert load.choose_automatically() == "lite"
        assert load.choose_automatically() == "lite"
    assert len(caplog.records) == 1
    assert "ViT-B-32/openai" in caplog.text


def test_in_a_notebook_the_embedded_one_is_told_in_no_red_box(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert load.choose_automatically() == "lite"
    assert not caplog.records
    assert "ViT-B-32/openai" in capsys.readouterr().out


def test_auto_takes_a_real_one_that_is_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants
    from open_clip import get_pretrained_cfg

    repository = get_pretrained_cfg("ViT-B-32", "openai")["hf_hub"].rpartition("/")[0]
    snapshot = tmp_path / f"models--{repository.replace('/', '--')}" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert load.choose_automatically() == "lite"
    (snapshot / "open_clip_model.safetensors").write_bytes(b"weights")
    assert load.choose_automatically() == "ViT-B-32/openai"


def test_auto_asks_for_openais_own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(local, "cached_checkpoint", lambda *_: Path("/somewhere"))
    assert load.choose_automatically() == "lite"
    own = tmp_path / ".cache" / "clip" / "ViT-B-32.pt"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"weights")
    assert load.choose_automatically() == "ViT-B-32/openai"


def test_auto_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPNB_MODEL", "ViT-L/14")
    assert load.choose_automatically() == "ViT-L-14/openai"


def test_cached_weights_are_found_without_asking_anyone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    def found(repository: str, filename: str) -> str | None:
        return str(tmp_path / filename) if filename.endswith(".safetensors") else None

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", found)
    path = local.cached_checkpoint("ViT-B-32", "laion2b_s34b_b79k")
    assert path is not None
    assert path.suffix == ".safetensors"


def test_the_list_has_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import open_clip

    monkeypatch.setattr(open_clip, "list_models", lambda: ["RN50", "ViT-B-32", "roberta-ViT-B-32"])
    seen: list[tuple[int, int]] = []
    frame = load.list_models(lambda done, total: seen.append((done, total)))
    assert list(frame.columns) == ["name", "parameters", "resolution", "context", "here"]
    assert frame.name.iloc[0] == "lite"
    assert frame.here.iloc[0]
    assert len(frame) > 150
    assert seen[-1] == (3, 3)
    by_name = frame.set_index("name")
    assert by_name.parameters["ViT-B-32/openai"] == pytest.approx(151.3, abs=0.1)  # the published size
    assert by_name.resolution["ViT-L-14-336/openai"] == 336
    load.list_models(lambda *_: pytest.fail("the second time comes from the cache"))


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_devices_by_name_or_object(tiny_clip: str, device: str) -> None:
    assert load.load_model(tiny_clip, device=device).device == torch.device("cpu")

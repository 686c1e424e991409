"""Pictures are prepared as a name, the files or the architecture say it, and the encoder tells which."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
from safetensors.torch import save_file

from clipnb.errors import ModelUnavailableError
from clipnb.models.load import load_model
from clipnb.models.preparation import find_preparation
from tests.conftest import MEAN, TINY_CONFIG, save_open_clip

HALF = (0.5, 0.5, 0.5)
SIGLIP = {"mean": HALF, "std": HALF, "interpolation": "bicubic", "resize_mode": "squash"}


def described(folder: Path, preparation: object, architecture: str | None = None) -> Path:
    model = open_clip.get_model_config(architecture) if architecture else TINY_CONFIG
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": preparation}))
    return folder


@pytest.mark.parametrize("architecture", ["ViT-B-16-SigLIP", "ViT-B-16-SigLIP2", "ViT-SO400M-14-SigLIP2"])
@pytest.mark.parametrize("given", ["architecture", "folder"])
def test_siglip_from_disk_is_prepared_as_siglip(tmp_path: Path, architecture: str, given: str) -> None:
    found = find_preparation(None, architecture)
    if given == "folder":
        found = find_preparation(described(tmp_path, {}, architecture))
    assert found.settings == SIGLIP
    assert "do not say" in found.note
    assert "SigLIP" in found.note


@pytest.mark.parametrize(("architecture", "tag"), [("ViT-B-32", "openai"), ("MobileCLIP-S1", "datacompdr")])
def test_weights_with_a_name_are_prepared_as_their_name_says(architecture: str, tag: str) -> None:
    named = open_clip.get_pretrained_cfg(architecture, tag)
    found = find_preparation(None, architecture, named)
    assert found.settings == {key: named[key] for key in found.settings}
    assert not found.note


def test_where_weights_of_an_architecture_disagree_it_is_said_what_is_assumed() -> None:
    found = find_preparation(None, "ViT-L-14")
    assert found.settings["mean"] == MEAN
    assert found.told_by == {
        "mean": "open_clip's default",
        "std": "open_clip's default",
        "interpolation": "other weights of ViT-L-14",
        "resize_mode": "other weights of ViT-L-14",
    }


def test_what_the_files_say_comes_before_the_architecture(tmp_path: Path) -> None:
    said = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
    found = find_preparation(described(tmp_path, said, "ViT-B-16-SigLIP"))
    assert found.settings == SIGLIP | said
    assert "mean 0.1 0.2 0.3, std 0.4 0.5 0.6 (from open_clip_config.json)" in str(found)
    assert not found.note


@pytest.mark.parametrize(("cropped", "mode"), [(True, "shortest"), (False, "squash")])
def test_the_description_of_transformers_is_read(tmp_path: Path, cropped: bool, mode: str) -> None:
    said = {"image_mean": HALF, "image_std": HALF, "resample": 2, "do_center_crop": cropped}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    found = find_preparation(tmp_path, "ViT-B-32")
    assert found.settings == {"mean": HALF, "std": HALF, "interpolation": "bilinear", "resize_mode": mode}
    assert not found.note


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"std": [0, 0, 0]}, "std"),
        ({"mean": [0.5]}, "mean"),
        ({"mean": "grey"}, "mean"),
        ({"resize_mode": "stretch"}, "resize_mode"),
        ({"interpolation": 3}, "interpolation"),
        (["mean"], "preprocess_cfg"),
    ],
)
def test_impossible_values_are_refused_by_name(tmp_path: Path, said: object, word: str) -> None:
    with pytest.raises(ModelUnavailableError, match=f"{word}.* is impossible"):
        find_preparation(described(tmp_path, said))


def test_a_damaged_description_is_refused(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(ModelUnavailableError, match="cannot be read"):
        find_preparation(tmp_path, "ViT-B-32")


def test_a_folder_and_a_file_in_it_are_run_as_the_description_says(tmp_path: Path) -> None:
    name = save_open_clip(tmp_path / "model", TINY_CONFIG)
    described(tmp_path / "model", SIGLIP)
    (tmp_path / "tiny-preparation.json").write_text(json.dumps(TINY_CONFIG))
    open_clip.add_model_config(tmp_path / "tiny-preparation.json")
    by_folder = load_model(name, "cpu")
    by_file = load_model("tiny-preparation", "cpu", weights=tmp_path / "model" / "open_clip_model.safetensors")
    assert by_folder.digest == by_file.digest
    assert by_folder.preparation == by_file.preparation
    assert "resize_mode squash (from open_clip_config.json)" in by_folder.preparation
    assert not by_folder.note
    bare = tmp_path / "bare.safetensors"
    save_file({key: value.contiguous() for key, value in by_file.model.state_dict().items()}, bare)
    assert "open_clip's default" in load_model("tiny-preparation", "cpu", weights=bare).note

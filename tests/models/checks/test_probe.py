"""Planted faults are told, good encoders are left in peace, and a machine looks at weights once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import NoReturn

import open_clip
import pytest
import torch
from torch import nn

from clipnb.models import sources
from clipnb.models.checks.probe import Verdict, probe, probe_once
from clipnb.models.encoder import DualEncoder
from clipnb.models.lite.bridge import BridgeSettings
from clipnb.models.lite.encoder import LiteEncoder
from clipnb.models.load import load_model, unload
from tests.conftest import MEAN, STD, TINY_CONFIG


def towers(encoder: DualEncoder) -> list[nn.Module]:
    return sorted(
        (part for part in vars(encoder).values() if isinstance(part, nn.Module)), key=lambda x: type(x).__name__
    )


def spoil(index: int, change: Callable[[torch.Tensor], torch.Tensor], every: int = 1) -> Callable[[DualEncoder], None]:
    def plant(encoder: DualEncoder) -> None:
        matrices = [weights for weights in towers(encoder)[index].parameters() if weights.ndim > 1]
        for weights in matrices[::every]:
            weights.data = change(weights.data)

    return plant


def shuffled(weights: torch.Tensor) -> torch.Tensor:
    order = torch.randperm(weights.numel(), generator=torch.Generator().manual_seed(0))
    return weights.flatten()[order].view_as(weights)


def not_finite(weights: torch.Tensor) -> torch.Tensor:
    return weights.clone().index_fill_(0, torch.tensor([0]), float("nan"))


CHANGES = {"shuffled": shuffled, "zeroed": torch.zeros_like, "reversed": lambda x: x.flip(0), "broken": not_finite}
FAULTS = {
    f"{name} {part} {tower}": spoil(index, change, every)
    for index, tower in enumerate(("first tower", "second tower"))
    for name, change in CHANGES.items()
    for part, every in (("whole", 1), ("half", 2))
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_told(fault: str) -> None:
    encoder = deepcopy(load_model("lite", "cpu"))
    FAULTS[fault](encoder)
    assert probe(encoder).problems


def changed(change: Callable[[torch.Tensor], torch.Tensor], where: str) -> Callable[[LiteEncoder], None]:
    """Change pixels where a picture becomes a tensor, or where it is embedded."""

    def plant(encoder: LiteEncoder) -> None:
        whole = getattr(encoder, where)
        setattr(encoder, where, lambda given: whole(change(given)) if torch.is_tensor(given) else change(whole(given)))

    return plant


def statistics(mean: tuple[float, float, float], std: tuple[float, float, float]) -> Callable[[LiteEncoder], None]:
    def plant(encoder: LiteEncoder) -> None:
        known = encoder.trained_with
        DualEncoder.__init__(encoder, mean, std)
        encoder.trained_with = known

    return plant


def in_the_tower(encoder: LiteEncoder) -> None:
    encoder.image_tower.register_forward_pre_hook(lambda _, given: (given[0].flip(1),))


SUBTLE = {
    "channels of a picture": (changed(lambda x: x.flip(-3), "preprocess"), "blue, green, red"),
    "channels of a batch": (changed(lambda x: x.flip(-3), "encode_image"), "blue, green, red"),
    "channels in the tower": (in_the_tower, "blue, green, red"),
    "channels by one": (changed(lambda x: x.roll(1, -3), "preprocess"), "blue, red, green"),
    "upside down": (changed(lambda x: x.flip(-2), "preprocess"), "upside down"),
    "mirrored": (changed(lambda x: x.flip(-1), "encode_image"), "mirrored"),
    "transposed": (changed(lambda x: x.transpose(-1, -2), "encode_image"), "transposed"),
    "turned": (changed(lambda x: x.rot90(1, (-2, -1)), "preprocess"), "transposed and upside down"),
    "CLIP's statistics": (statistics(MEAN, STD), "mean 0.481 0.458 0.408 and std 0.269 0.261 0.276, while"),
    "statistics of ImageNet": (statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "mean 0.485 0.456 0.406"),
    "no statistics": (statistics((0, 0, 0), (1, 1, 1)), "mean 0 0 0 and std 1 1 1"),
    "negatives": (changed(lambda x: 1 - x, "preprocess"), "std -0.5"),
    "contrast": (changed(lambda x: x.square(), "preprocess"), "beyond recognition"),
}


@pytest.mark.parametrize("fault", SUBTLE)
def test_what_photographs_do_not_show_is_told_in_words(fault: str) -> None:
    encoder = deepcopy(load_model("lite", "cpu"))
    assert isinstance(encoder, LiteEncoder)
    plant, words = SUBTLE[fault]
    plant(encoder)
    assert words in " ".join(probe(encoder).problems)


def test_weights_with_red_and_blue_swapped_are_told_by_plain_colours() -> None:
    encoder = deepcopy(load_model("lite", "cpu"))
    assert isinstance(encoder, LiteEncoder)
    see = encoder.bridge.picture
    encoder.bridge.picture = lambda logits, pixels: see(logits, pixels.flip(1))  # behind the first layer
    assert probe(encoder).problems == ["this encoder takes red for blue and yellow for cyan: red and blue are swapped"]


def siglip(folder: Path, mean: object, std: object) -> str:
    """Make a folder that says what its weights were trained with, of the architecture of SigLIP."""
    config = open_clip.get_model_config("ViT-B-16-SigLIP")
    config["text_cfg"] = TINY_CONFIG["text_cfg"]
    config["embed_dim"] = TINY_CONFIG["embed_dim"]
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {"mean": mean, "std": std}})
    )
    return f"local-dir:{folder}"


@pytest.mark.parametrize("wrong", [False, True])
def test_a_folder_that_says_other_statistics_than_all_weights_of_its_architecture_is_told(
    tmp_path: Path, wrong: bool
) -> None:
    said = (MEAN, STD) if wrong else ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    preparation = sources.find_source(siglip(tmp_path, *said)).preparation
    assert preparation
    encoder = deepcopy(load_model("lite", "cpu"))
    statistics(*(preparation.settings[key] for key in ("mean", "std")))(encoder)
    encoder.trained_with = preparation.usual["mean"], preparation.usual["std"]
    assert bool(probe(encoder).problems) is wrong


GOOD = {
    "fp32": (torch.float32, BridgeSettings()),
    "bf16": (torch.bfloat16, BridgeSettings()),
    "no colours": (torch.float32, BridgeSettings(colours_weight=0.0)),
    "words only": (torch.float32, BridgeSettings(words_weight=0.9)),
}


@pytest.mark.parametrize("form", GOOD)
def test_good_encoders_are_not_accused(form: str) -> None:
    verdict = probe(LiteEncoder(torch.device("cpu"), *GOOD[form]))
    assert (verdict.right, verdict.problems) == (verdict.of, [])


def test_random_weights_are_told_in_words_and_looked_at_once(
    tiny_clip: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CLIPNB_PROBE", "1")
    unload(tiny_clip)
    encoder = load_model(tiny_clip, "cpu")
    assert "does not tell things apart" in caplog.text
    assert "does not tell things apart" in encoder.note
    files = sources.find_source(tiny_clip).files()
    with monkeypatch.context() as patched:
        patched.setattr("clipnb.models.checks.probe.probe", lambda _: pytest.fail("it was kept"))
        patched.setattr(type(encoder), "digest", property(lambda _: pytest.fail("it takes long")))
        assert probe_once(encoder, files).problems
    os.utime(files[-1], (1e9, 1e9))  # as if it was loaded anew
    monkeypatch.setattr("clipnb.models.checks.probe.probe", lambda _: Verdict(right=9, problems=[]))
    assert not probe_once(encoder, files).problems
    unload(tiny_clip)


def test_weights_that_memory_is_too_small_to_look_at_are_loaded_nevertheless(
    tiny_clip: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def full(*_: object) -> NoReturn:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setenv("CLIPNB_PROBE", "1")
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path))  # where no verdict is
    monkeypatch.setattr(DualEncoder, "encode_image", full)
    unload(tiny_clip)
    assert load_model(tiny_clip, "cpu").note == ""
    assert "were not looked at: the memory of the device is not enough for photographs" in caplog.text
    unload(tiny_clip)

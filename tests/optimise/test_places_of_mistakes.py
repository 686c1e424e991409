"""What is found wrong while a run begins or goes on is told with file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clipnb.errors import ClipnbError, ConfigError
from clipnb.optimise.engine import Optimisation, optimise
from clipnb.optimise.language.config import ExperimentConfig
from tests.optimise.conftest import PlainEncoder

TARGET = "targets: [{features: [a]}]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("targets: [{features: [{image: torn.png}]}]", "line 1: targets[0].features[0].image (target 'target'): "),
        ("init: {image: torn.png}\n" + TARGET, "line 1: init.image: "),
        ("targets: [{features: [a], constraints: [{like: {image: torn.png}}]}]", "constraints[0].like.image (target "),
        ("targets: [{features: [a], region: torn.png}]", "line 1: targets[0].region: "),
    ],
)
def test_pictures_that_cannot_be_read(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG no more")
    (tmp_path / "e.yaml").write_text(text)
    config = ExperimentConfig.from_files(tmp_path / "e.yaml").changed(epochs=1, resolution=16)
    with pytest.raises(ClipnbError) as caught:
        optimise(config, PlainEncoder())
    assert "e.yaml, line 1: " in str(caught.value)
    assert told in str(caught.value)
    assert "torn.png" in str(caught.value).replace("e.yaml", "", 1)


def test_views_that_are_too_large() -> None:
    text = "resolution: 16\ntargets:\n- features: [a]\n  transforms:\n  - pad: 100000\n"
    with pytest.raises(ClipnbError, match=r"step 0: the YAML text, line 4: targets\[0\]\.transforms: .* 32 million"):
        optimise(ExperimentConfig.from_yaml(text), PlainEncoder())


def test_a_film_without_its_first_frame_is_refused() -> None:
    with pytest.raises(ClipnbError, match=r"line 2: frames: the first frame is made by epochs, which is 0"):
        ExperimentConfig.from_yaml("epochs: 0\nframes: {count: 2}\n" + TARGET)


@pytest.mark.parametrize("given", ["a cat", {"epochs": 1}, None])
def test_what_is_no_experiment(given: Any) -> None:
    run = Optimisation(ExperimentConfig.from_dict({"targets": [{"features": ["a"]}]}), PlainEncoder())
    for use in (optimise, Optimisation, run.update):
        with pytest.raises(ConfigError, match=r"an experiment is an ExperimentConfig, not .*from_text"):
            use(given)


@pytest.mark.parametrize("given", [3, None, ["a", "b"]])
def test_what_is_no_text(given: Any) -> None:
    with pytest.raises(ConfigError, match="a text is needed, not"):
        ExperimentConfig.from_text(given)
    with pytest.raises(ConfigError, match="an experiment is a dict"):
        ExperimentConfig.from_dict(given)


@pytest.mark.parametrize("given", [Image.new("RGB", (4, 4)), np.zeros((3, 4, 4)), torch.zeros(3, 0, 4), "a.png"])
def test_what_is_no_picture_to_begin_with(given: Any) -> None:
    with pytest.raises(ValueError, match=r"image must be .*float \[3, H, W\]"):
        Optimisation(ExperimentConfig(), PlainEncoder(), image=given)


def test_numbers_of_numpy_and_paths_are_read(tmp_path: Path) -> None:
    raw = {"epochs": np.int64(3), "learnrate": torch.tensor(0.5), "output": tmp_path, "resolution": [np.int32(8), 4]}
    plain = {"epochs": 3, "learnrate": 0.5, "output": str(tmp_path), "resolution": [8, 4]}
    assert ExperimentConfig.from_dict(raw).as_dict() == ExperimentConfig.from_dict(plain).as_dict()

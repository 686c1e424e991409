"""What is found wrong while a run begins or goes on is told with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipnb.errors import ClipnbError
from clipnb.optimise.engine import optimise
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

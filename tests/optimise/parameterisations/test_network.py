from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ConfigError
from clipnb.images import to_tensor
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.results import save_result
from tests.optimise.conftest import PlainEncoder, experiment
from tests.optimise.parameterisations.test_parameterisations import CPU, photograph


def run_of(picture: Tensor | None = None, **changes: object) -> Optimisation:
    return Optimisation(experiment(**{"pixels": "network", **changes}), PlainEncoder(), image=picture)


def test_the_large_picture_is_the_same_in_more_detail(tmp_path: Path) -> None:
    run = run_of(resolution="48 32", pixels={"network": {"large": 192, "detail": 2}}, init={"std": 0.2})
    *_, step = run.steps()
    saved = save_result(run, step, tmp_path / "a.png")
    large = Image.open(tmp_path / "a-large.png")
    assert large.size == (192, 128)
    shrunk = F.interpolate(to_tensor(large)[None], (32, 48), mode="area")[0]
    assert (shrunk - to_tensor(Image.open(saved))).abs().mean() < 0.01
    assert to_tensor(large).std() > 0.05


def test_what_is_not_saved_beside_a_picture_is_told(tmp_path: Path) -> None:
    run = run_of(symmetry="x")
    *_, step = run.steps()
    saved = save_result(run, step, tmp_path / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.yaml"]
    assert (
        "# no -large.png beside it: symmetry, tile or keep change what network makes"
        in saved.with_suffix(".yaml").read_text()
    )
    assert run_of().left_out() == ""


def test_without_a_large_picture_there_is_no_file(tmp_path: Path) -> None:
    run = run_of(pixels={"network": {"large": 0}})
    *_, step = run.steps()
    assert run.extra_files(step) == {}
    save_result(run, step, tmp_path / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.yaml"]


def test_steps_of_the_past_have_no_large_picture(tmp_path: Path) -> None:
    run = run_of()
    first, *_ = run.steps()
    save_result(run, first, tmp_path / "a.png")
    assert not (tmp_path / "a-large.png").exists()


def test_a_larger_resolution_draws_the_same_network() -> None:
    pixels = {"network": {"detail": 2}}
    changes = {"resolution": "24 if t < .5 else 96", "epochs": 2, "learnrate": 0, "init": {"std": 0.2}}
    steps = list(run_of(pixels=pixels, **changes).steps())
    assert [step.image.shape[-1] for step in steps] == [24, 96]
    shrunk = F.interpolate(steps[1].image[None], (24, 24), mode="area")[0]
    assert (shrunk - steps[0].image).abs().mean() < 0.02


def test_a_picture_to_begin_with_is_learned() -> None:
    image = F.interpolate(photograph(32, 32)[None], (16, 16), mode="area")[0]
    assert (run_of(image).image - image).square().mean() < 1e-3


def test_noise_begins_with_the_wanted_mean_and_spread() -> None:
    image = run_of(resolution=64, init={"mean": [0.3, 0.5, 0.6], "std": 0.05}).image
    assert image.mean((1, 2)).tolist() == pytest.approx([0.3, 0.5, 0.6], abs=0.02)
    assert image.std((1, 2)).tolist() == pytest.approx([0.05] * 3, rel=0.25)
    assert not torch.equal(image, run_of(resolution=64, seed=2, init={"mean": [0.3, 0.5, 0.6], "std": 0.05}).image)


def test_detail_is_the_number_of_waves() -> None:
    coarse, fine = (
        run_of(resolution=64, init={"std": 0.1}, pixels={"network": {"detail": detail}}).image for detail in (2, 20)
    )
    assert coarse.diff(dim=-1).abs().mean() < 0.5 * fine.diff(dim=-1).abs().mean()


def test_large_pictures_are_drawn_in_parts_with_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    from clipnb.optimise.parameterisations import network

    gradients = []
    for pixels in (network.AT_ONCE, 100):
        monkeypatch.setattr(network, "AT_ONCE", pixels)
        parameters = PARAMETERISATIONS["network"]().build((16, 20), CPU)
        parameters().square().sum().backward()
        gradients.append([parameter.grad for parameter in parameters.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert one is not None
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        ({"large": 100_000}, ["large", "at most 4096"]),
        ({"large": -1}, ["large", "at least 0"]),
        ({"detail": 0}, ["detail", "at least 1"]),
    ],
)
def test_impossible_networks_are_refused_in_words(pixels: object, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_dict({"pixels": {"network": pixels}})
    for word in words:
        assert word in str(caught.value)


def test_the_large_picture_has_all_pixels_of_its_side() -> None:
    run = run_of(resolution="7 3", pixels={"network": {"large": 100}})
    *_, step = run.steps()
    assert Image.open(io.BytesIO(run.extra_files(step)["-large.png"]())).size == (100, 43)

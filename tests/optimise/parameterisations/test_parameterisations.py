from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clipnb.images import save_image
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from tests.optimise.conftest import PIXELWISE, PlainEncoder

CPU = torch.device("cpu")


def photograph(height: int, width: int) -> torch.Tensor:
    from skimage import data

    from clipnb.images import open_image, to_tensor

    return to_tensor(open_image(data.chelsea()).resize((width, height)))


@pytest.mark.parametrize("size", [(16, 16), (15, 22), (7, 3), (1, 1)])
@pytest.mark.parametrize("name", PIXELWISE)
def test_a_picture_is_reproduced(name: str, size: tuple[int, int]) -> None:
    image = photograph(*size)
    parameters = PARAMETERISATIONS[name]().build(size, CPU)
    parameters.assign(image)
    assert parameters().shape == (3, *size)
    assert (parameters() - image).abs().mean() < 2 / 255
    black_and_white = (image > 0.5).float()
    parameters.assign(black_and_white)
    assert (parameters() - black_and_white).abs().mean() < 2 / 255


@pytest.mark.parametrize("name", sorted(PARAMETERISATIONS))
def test_the_gradient_reaches_the_numbers_and_the_range_is_kept(name: str) -> None:
    parameters = PARAMETERISATIONS[name]().build((12, 10), CPU)
    parameters.assign_noise(torch.full((3,), 0.5), torch.full((3,), 0.1), Randomness(1, CPU))
    parameters().square().mean().backward()
    for parameter in parameters.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
    with torch.no_grad():
        for parameter in parameters.parameters():
            parameter.add_(100 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    assert parameters().min() >= 0
    assert parameters().max() <= 1


@pytest.mark.parametrize("name", PIXELWISE)
def test_noise_begins_with_the_wanted_mean_and_spread(name: str) -> None:
    parameters = PARAMETERISATIONS[name]().build((48, 48), CPU)
    parameters.assign_noise(torch.tensor([0.3, 0.5, 0.6]), torch.full((3,), 0.05), Randomness(1, CPU))
    image = parameters().detach()
    assert image.mean((1, 2)).tolist() == pytest.approx([0.3, 0.5, 0.6], abs=0.02)
    assert image.std((1, 2)).tolist() == pytest.approx([0.05] * 3, rel=0.2)
    again = PARAMETERISATIONS[name]().build((48, 48), CPU)
    again.assign_noise(torch.tensor([0.3, 0.5, 0.6]), torch.full((3,), 0.05), Randomness(1, CPU))
    assert torch.equal(again().detach(), image)


def test_waves_that_are_moved_alike_differ_little_in_colour() -> None:
    parameters = PARAMETERISATIONS["fourier"]().build((64, 64), CPU)
    (waves,) = parameters.parameters()
    with torch.no_grad():
        waves.copy_(0.01 * torch.randn(waves.shape, generator=torch.Generator().manual_seed(1)))
    logits = parameters().detach().logit()
    brightness = logits.mean(0)
    assert (logits - brightness).std() < 0.2 * brightness.std()  # with equal shares .3


@pytest.mark.parametrize("name", PIXELWISE)
def test_init_image_is_scaled_cropped_and_reproduced(name: str, tmp_path: Path, plain: PlainEncoder) -> None:
    source = photograph(24, 40)
    save_image(source, tmp_path / "in.png")
    config = ExperimentConfig.from_dict(
        {"resolution": 24, "pixels": name, "init": {"image": str(tmp_path / "in.png")}, "epochs": 1}
    )
    image = Optimisation(config, plain).image
    assert (image - source[:, :, 8:32]).abs().mean() < 2 / 255
    darker = ExperimentConfig.from_dict(
        {**config.as_dict(), "init": {**config.as_dict()["init"], "std": 0.5, "mean": 0.1}}
    )
    assert (Optimisation(darker, plain).image - (source[:, :, 8:32] * 0.5 + 0.1)).abs().mean() < 2 / 255


@pytest.mark.parametrize("name", PIXELWISE)
def test_init_tensor_and_noise_of_another_size(name: str, plain: PlainEncoder) -> None:
    pixels = photograph(8, 8)
    given = {"resolution": 8, "pixels": name, "init": {"image_tensor": pixels.tolist()}}
    assert (Optimisation(ExperimentConfig.from_dict(given), plain).image - pixels).abs().mean() < 2 / 255
    coarse = {"resolution": 32, "pixels": name, "init": {"resolution": "2 2", "std": 0.2}, "seed": 1}
    image = Optimisation(ExperimentConfig.from_dict(coarse), plain).image
    fine = Optimisation(ExperimentConfig.from_dict({**coarse, "init": {"std": 0.2}}), plain).image
    assert image.shape == (3, 32, 32)
    assert image.diff(dim=-1).abs().mean() < fine.diff(dim=-1).abs().mean()


@pytest.mark.parametrize("name", sorted(PARAMETERISATIONS))
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_the_resolution_may_change_while_running(name: str, interpolation: str, plain: PlainEncoder) -> None:
    config = ExperimentConfig.from_dict(
        {
            "epochs": 4,
            "resolution": "12 if t < .5 else 24, 16 if t < .5 else 20",
            "interpolation": interpolation,
            "pixels": name,
            "seed": 1,
            "learnrate": 0.001,
            "targets": [{"features": [{"text": "a"}]}],
        }
    )
    shapes, means = [], []
    for step in Optimisation(config, plain).steps():
        shapes.append(tuple(step.image.shape))
        means.append(float(step.image.mean()))
        assert step.image.isfinite().all()
    assert shapes == [(3, 16, 12)] * 2 + [(3, 20, 24)] * 2
    assert max(means) - min(means) < (0.01 if name in PIXELWISE else 0.03)

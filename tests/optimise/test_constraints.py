from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.functional import gaussian_blur

from clipnb.optimise.constraints import CONSTRAINTS, Constraint
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.manual.reference import markdown
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.likeness import Likeness
from clipnb.optimise.losses import labels_of
from tests.optimise.test_transforms import scope_of

OF_VIEWS = sorted(name for name, cls in CONSTRAINTS.items() if not issubclass(cls, Likeness))


def made(name: str, given: dict[str, object]) -> Constraint:
    return ExperimentConfig.from_dict({"targets": [{"constraints": [{name: given}]}]}).targets[0].constraints[0]


def scope(views: int) -> Scope:
    return scope_of(views).extended({"similarity": 0.0})


def losses(name: str, given: dict[str, object], views: Tensor) -> Tensor:
    return made(name, given).losses(views, scope(len(views)))


@pytest.fixture
def views() -> Tensor:
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def example(name: str) -> dict[str, object]:
    given: dict[str, object] = CONSTRAINTS[name].example_item()[name]
    return given


@pytest.mark.parametrize("loss", ["l1", "l2"])
@pytest.mark.parametrize("name", OF_VIEWS)
def test_the_example_of_every_constraint_pulls(name: str, loss: str) -> None:
    coarse = torch.rand(3, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    given = F.interpolate(coarse, (48, 48), mode="bilinear").requires_grad_()
    result = losses(name, {**example(name), "loss": loss}, given)
    assert result.shape == (3,)
    assert (result > 0).all()
    result.sum().backward()
    assert given.grad is not None
    assert given.grad.isfinite().all()
    assert given.grad.abs().sum() > 0
    assert torch.equal(result.detach(), losses(name, {**example(name), "loss": loss}, given.detach()))


@pytest.mark.parametrize("name", OF_VIEWS)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_pictures_have_finite_gradients(name: str, level: float) -> None:
    flat = torch.full((2, 3, 8, 8), level, requires_grad=True)
    losses(name, example(name), flat).sum().backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


@pytest.mark.parametrize("name", ["mean", "std", "saturation", "contrast", "edge_mean"])
def test_thresholds_are_one_sided(name: str, views: Tensor) -> None:
    measured = made(name, {"above": 0}).measure(views, scope(3))  # type: ignore[attr-defined]
    below, above = float(measured.min()) - 0.01, float(measured.max()) + 0.01
    assert losses(name, {"above": below}, views).abs().max() == 0
    assert losses(name, {"below": above}, views).abs().max() == 0
    assert (losses(name, {"above": above}, views) > 0).all()
    assert (losses(name, {"below": below}, views) > 0).all()


def test_factors_are_those_of_the_language(views: Tensor) -> None:
    mean = views.mean((2, 3))
    assert torch.allclose(losses("mean", {"above": 1}, views), 100 * (1 - mean).square().mean(1), atol=1e-3)
    assert torch.allclose(losses("mean", {"above": 1, "loss": "l1"}, views), 100 * (1 - mean).mean(1), atol=1e-3)
    assert made("contrast", {"above": 1}).factor == 1
    assert made("normalize", {}).factor == 10
    assert torch.allclose(losses("noise", {"std": 0.2}, views), torch.tensor(4.0), rtol=0.3)


def stretched(views: Tensor) -> Tensor:
    low, high = views.amin((2, 3), keepdim=True), views.amax((2, 3), keepdim=True)
    return 0.2 + (views - low) / (high - low) * 0.5


def framed(views: Tensor) -> Tensor:
    result = torch.full_like(views, 0.3)
    result[..., 1:-1, 2:-2] = views[..., 1:-1, 2:-2]
    return result


DIFFERENCES = {
    "blur": ({"kernel_size": 5}, 100, lambda v: v - gaussian_blur(v, [5, 5])),
    "border": ({"size": "2 1", "color": 0.3}, 100, lambda v: v - framed(v)),
    "normalize": ({"min": 0.2, "max": 0.7}, 10, lambda v: v - stretched(v)),
    "tv": ({}, 100, lambda v: torch.cat((v.diff(dim=3).flatten(1), v.diff(dim=2).flatten(1)), 1)),
    "std": ({"above": 1}, 100, lambda v: 1 - v.std((2, 3), correction=0)),
    "saturation": ({"above": 1}, 100, lambda v: 1 - (v - v.mean(1, keepdim=True)).abs().mean((2, 3))),
    "edge_mean": ({"above": 1}, 100, lambda v: 1 - (v - gaussian_blur(v, [3, 3])).abs().mean((2, 3))),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_losses_are_the_mean_absolute_or_squared_difference_times_the_factor(name: str, views: Tensor) -> None:
    given, factor, difference = DIFFERENCES[name]
    wanted = difference(views).flatten(1)
    l1, l2 = (losses(name, {**given, "loss": loss}, views) for loss in ("l1", "l2"))
    assert torch.allclose(l1, factor * wanted.abs().mean(1), rtol=1e-4)
    assert torch.allclose(l2, factor * wanted.square().mean(1), rtol=1e-4)


def test_the_number_of_a_total_variation_is_its_weight() -> None:
    target = ExperimentConfig.from_dict({"targets": [{"constraints": [{"tv": 0.1}]}]}).targets[0]
    assert (target.constraints[0].weight, target.constraints[0].scale) == (0.1, (1.0, 1.0, 1.0))  # type: ignore[attr-defined]
    assert labels_of(target) == ["tv(scale=1.0)"]


def test_both_sides_of_a_threshold_are_added(views: Tensor) -> None:
    both = losses("mean", {"above": 0.5, "below": 0.5}, views)
    assert torch.allclose(both, losses("mean", {"above": 0.5}, views) + losses("mean", {"below": 0.5}, views))


def test_contrast_measures_bright_minus_dark() -> None:
    halves = torch.zeros(1, 3, 4, 4)
    halves[..., 2:] = 0.8
    assert torch.allclose(made("contrast", {"above": 0}).measure(halves, scope(1)), torch.tensor(0.8))


def test_normalize_is_content_with_the_full_range() -> None:
    full = torch.linspace(0, 1, 16).view(1, 1, 4, 4).expand(1, 3, 4, 4)
    assert losses("normalize", {}, full).abs().max() < 1e-6
    assert losses("normalize", {}, full * 0.5).min() > 0


def test_defaults_are_those_of_the_language() -> None:
    assert CONSTRAINTS["border"]().color == (0, 0, 0)  # type: ignore[attr-defined]
    assert CONSTRAINTS["edge_mean"](above=1).kernel_size == (3, 3)  # type: ignore[attr-defined]


def test_a_constraint_of_ones_own_is_one_of_them(views: Tensor) -> None:
    class Darkness(Constraint):
        """Makes the picture dark."""

        name = "darkness_test"

        def differences(self, views: Tensor, scope: Scope) -> Tensor:
            del scope
            return views

    try:
        assert torch.allclose(losses("darkness_test", {}, views), 100 * views.square().mean((1, 2, 3)))
        assert "### `darkness_test`" in markdown()
    finally:
        del CONSTRAINTS[Darkness.name]

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clipnb.optimise.constraints import CONSTRAINTS, Constraint
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Scope
from tests.optimise.test_transforms import scope_of

EXAMPLES: dict[str, dict[str, object]] = {
    "mean": {"above": 0.6}, "std": {"above": 0.5}, "saturation": {"below": 0.1}, "contrast": {"above": 0.8},
    "edge_mean": {"below": 0.01}, "blur": {"kernel_size": 5}, "border": {"size": 2}, "noise": {"std": 0.1},
    "normalize": {"min": 0.2, "max": 0.7}, "tv": {},
}  # fmt: skip


def made(name: str, given: dict[str, object]) -> Constraint:
    return ExperimentConfig.from_dict({"targets": [{"constraints": [{name: given}]}]}).targets[0].constraints[0]


def scope(views: int) -> Scope:
    return scope_of(views).extended({"similarity": 0.0})


def losses(name: str, given: dict[str, object], views: Tensor) -> Tensor:
    return made(name, given).losses(views, scope(len(views)))


@pytest.fixture
def views() -> Tensor:
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_every_constraint_has_an_example() -> None:
    assert EXAMPLES.keys() == CONSTRAINTS.keys()


@pytest.mark.parametrize("loss", ["l1", "l2"])
@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_shape_gradient_seed(name: str, loss: str, views: Tensor) -> None:
    given = views.clone().requires_grad_()
    result = losses(name, {**EXAMPLES[name], "loss": loss}, given)
    assert result.shape == (3,)
    assert (result > 0).all()
    result.sum().backward()
    assert given.grad is not None
    assert given.grad.isfinite().all()
    assert given.grad.abs().sum() > 0
    assert torch.equal(result.detach(), losses(name, {**EXAMPLES[name], "loss": loss}, views))


@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_pictures_have_finite_gradients(name: str, level: float) -> None:
    flat = torch.full((2, 3, 8, 8), level, requires_grad=True)
    losses(name, EXAMPLES[name], flat).sum().backward()
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
    assert torch.allclose(losses("mean", {"above": 2}, views), 100 * (2 - mean).square().mean(1), atol=1e-3)
    assert torch.allclose(losses("mean", {"above": 2, "loss": "l1"}, views), 100 * (2 - mean).mean(1), atol=1e-3)
    assert made("contrast", {"above": 1}).factor == 1
    assert made("normalize", {}).factor == 10
    assert torch.allclose(losses("noise", {"std": 0.2}, views), torch.tensor(4.0), rtol=0.3)


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

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from clipnb.images import save_image
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.losses import TargetViews, fair_factors
from clipnb.optimise.step import Step
from tests.optimise.conftest import PlainEncoder, experiment, target


@pytest.mark.parametrize("select", ["all", "best", "worst", "mix"])
def test_selection(select: str, plain: PlainEncoder) -> None:
    features = [{"text": "a"}, {"text": "b"}, {"text": "zz", "weight": 0.5}]
    config = experiment(
        epochs=25, **target(features=features, select=select, batch_size=2, transforms=[{"noise": 0.01}])
    )
    steps = list(Optimisation(config, plain).steps())
    counts = {line.label: line.count for line in steps[-1].statistics.lines}
    if select in ("all", "mix"):
        assert set(counts.values()) == {50}
    else:
        assert sum(counts.values()) == 50
    similar = steps[-1].similarities
    if select == "best":
        assert max(counts.values()) == 50
        assert similar[max(counts, key=lambda label: counts[label])] == max(similar.values())
    if select == "worst":
        assert min(counts.values()) > 0


def one_step(encoder: PlainEncoder, image: Tensor, **changes: Any) -> Step:
    return next(Optimisation(experiment(learnrate=0, **target(**changes)), encoder, image=image).steps())


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        ("cosine", lambda a, b: 1 - (a * b).sum()),
        ("l1", lambda a, b: 100 * (a - b).abs().mean()),
        ("mae", lambda a, b: 100 * (a - b).abs().mean()),
        ("l2", lambda a, b: 100 * ((a - b) ** 2).mean()),
        ("mse", lambda a, b: 100 * ((a - b) ** 2).mean()),
    ],
)
def test_the_formula_of_each_loss(loss: str, formula: Callable[[Tensor, Tensor], Tensor], plain: PlainEncoder) -> None:
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    step = one_step(plain, image, features=[{"text": "a", "loss": loss, "weight": 3}], weight=2)
    expected = formula(plain.encode_image(image[None])[0], plain.encode_text(["a"])[0])
    assert step.loss == pytest.approx(6 * float(expected), rel=1e-5)
    assert step.statistics.lines[0].loss.mean == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("loss", ["cosine", "l1"])
def test_mix_pulls_towards_the_weighted_mean_of_the_features(loss: str, plain: PlainEncoder) -> None:
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    features = [{"text": "a", "weight": 3, "loss": loss}, {"text": "b", "weight": -0.5}, {"text": "c", "start": 1}]
    embedded, (a, b) = plain.encode_image(image[None])[0], plain.encode_text(["a", "b"])
    mean = torch.nn.functional.normalize(3 * a - 0.5 * b, dim=0)
    expected = 1 - embedded @ mean if loss == "cosine" else 100 * (embedded - mean).abs().mean()
    assert one_step(plain, image, features=features, select="mix").loss == pytest.approx(float(expected), rel=1e-5)


def test_all_adds_up_the_weighted_losses(plain: PlainEncoder) -> None:
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    cosines = plain.encode_text(["a", "b"]) @ plain.encode_image(image[None])[0]
    expected = 3 * (1 - cosines[0]) - 0.5 * (1 - cosines[1])
    features = [{"text": "a", "weight": 3}, {"text": "b", "weight": -0.5}]
    assert one_step(plain, image, features=features).loss == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("select", ["best", "worst"])
def test_fair_scaling_lets_features_of_any_similarity_be_selected(
    select: str, plain: PlainEncoder, tmp_path: Path
) -> None:
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    near, far = tmp_path / "near.png", tmp_path / "far.png"
    save_image(image, near)
    save_image((image + torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(2))) / 2, far)
    changes = {
        "features": [{"image": str(near)}, {"image": str(far)}],
        "select": select,
        "batch_size": 32,
        "transforms": [{"noise": 0.2}],
    }
    counts = {
        scale: [line.count for line in one_step(plain, image, feature_scale=scale, **changes).statistics.lines]
        for scale in ("equal", "fair")
    }
    assert counts["equal"] == ([32, 0] if select == "best" else [0, 32])
    assert min(counts["fair"]) > 4


def test_fair_factors_make_similarities_equal(plain: PlainEncoder) -> None:
    config = experiment(**target(features=[{"text": "a"}, {"text": "b"}, {"text": "away"}]))
    embedded = torch.nn.functional.normalize(torch.rand(4, 48), dim=-1)
    wanted = torch.nn.functional.normalize(torch.rand(3, 48), dim=-1)
    wanted[2] *= -1
    factors = fair_factors(TargetViews(config.targets[0], torch.rand(4, 3, 8, 8), [embedded], [wanted], torch.tensor))
    scaled = (embedded @ wanted.T).mean(0) * factors
    assert scaled[0] == pytest.approx(float(scaled[1]))
    assert factors[2] == 1


def test_fair_factors_are_found_once_and_again_for_other_targets(
    plain: PlainEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[TargetViews] = []
    monkeypatch.setattr("clipnb.optimise.objective.fair_factors", lambda views: found.append(views) or torch.ones(1))
    run = Optimisation(experiment(**target(feature_scale="fair")), plain)
    steps = run.steps()
    for _ in range(2):
        next(steps)
    assert len(found) == 1
    run.update(experiment(**target(feature_scale="fair", weight=2)))
    next(steps)
    run.update(experiment(**target(feature_scale="fair", weight=2), learnrate=2))
    next(steps)
    assert len(found) == 2


def test_negative_weights_lead_away(plain: PlainEncoder) -> None:
    steps = list(Optimisation(experiment(epochs=20, **target(features=[{"text": "a", "weight": -1}])), plain).steps())
    assert steps[-1].similarities["a"] < steps[0].similarities["a"]


@pytest.mark.parametrize("loss", ["cosine", "l1", "mae", "l2", "mse"])
def test_feature_losses_fall(loss: str, plain: PlainEncoder) -> None:
    steps = list(Optimisation(experiment(epochs=15, **target(features=[{"text": "a", "loss": loss}])), plain).steps())
    assert steps[-1].loss < steps[0].loss


def test_weights_may_use_the_similarity_of_their_feature(plain: PlainEncoder) -> None:
    features = [{"text": "a", "weight": "sim"}, {"text": "b", "weight": "2 if sim > -101 else 1", "scale": "1 + sim"}]
    config = experiment(
        **target(
            features=features, weight="1 + sim * 0", constraints=[{"blur": {"kernel_size": 3, "weight": "sim * 0 + 3"}}]
        )
    )
    step = next(Optimisation(config, plain).steps())
    weights = {line.label: line.weight for line in step.statistics.lines}
    assert weights["a"] == pytest.approx(100 * step.similarities["a"], abs=1e-3)
    assert weights["b"] == 2
    assert weights["blur(kernel_size=3)"] == 3

from __future__ import annotations

import pytest
import torch

from clipnb.optimise.engine import Optimisation, optimise
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


def test_fair_scaling_makes_the_first_step_equal(plain: PlainEncoder) -> None:
    from clipnb.optimise.losses import TargetViews, fair_factors

    config = experiment(**target(features=[{"text": "a"}, {"text": "b"}], feature_scale="fair", select="best"))
    embedded = torch.nn.functional.normalize(torch.rand(4, 48), dim=-1)
    wanted = torch.nn.functional.normalize(torch.rand(2, 48), dim=-1)
    factors = fair_factors(TargetViews(config.targets[0], torch.rand(4, 3, 8, 8), [embedded], [wanted]))
    scaled = (embedded @ wanted.T).mean(0) * factors
    assert scaled[0] == pytest.approx(float(scaled[1]))
    assert optimise(config, plain).loss > 0


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

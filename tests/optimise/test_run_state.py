from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from clipnb.errors import ConfigError
from clipnb.optimise import run_state
from clipnb.optimise.engine import Optimisation, OptimisationError
from clipnb.optimise.optimisers import OPTIMISERS
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.run_state import RunState
from clipnb.optimise.step import Step
from tests.optimise.conftest import PlainEncoder, experiment, target

RANDOM = {
    "transforms": [{"random_rotate": "-20 20"}, {"noise": "uniform(0, .1)"}],
    "constraints": [{"tv": 0.1}],
    "features": ["a", {"text": "b", "weight": "random()"}],
    "feature_scale": "fair",
    "batch_size": 2,
}


def steps_of(run: Optimisation, count: int = 100) -> list[Step]:
    return list(islice(run.steps(), count))


def gone_on(run: Optimisation, path: Path) -> Optimisation:
    run.state().save(path)
    return Optimisation.from_state(RunState.load(path), PlainEncoder())


@pytest.mark.parametrize("optimizer", sorted(OPTIMISERS))
@pytest.mark.parametrize("pixels", sorted(PARAMETERISATIONS))
def test_a_run_that_goes_on_makes_the_same_pixels(tmp_path: Path, pixels: str, optimizer: str) -> None:
    config = experiment(**target(**RANDOM), pixels=pixels, optimizer=optimizer, epochs=9, learnrate="1 - .5 * t")
    whole = Optimisation(config, PlainEncoder())
    run = Optimisation(config, PlainEncoder())
    expected, found = steps_of(whole), steps_of(run, 2)
    for count in (3, 4):
        run = gone_on(run, tmp_path / "state.safetensors")
        found += steps_of(run, count)
    assert [step.index for step in found] == list(range(9))
    for one, other in zip(expected, found, strict=True):
        assert torch.equal(one.image, other.image)
        assert one.similarities == other.similarities
    assert whole.statistics == run.statistics


def test_a_state_keeps_the_size_that_the_picture_has_then(tmp_path: Path) -> None:
    config = experiment(**target(**RANDOM), resolution="[8 + 4 * epoch, 12]")
    expected = steps_of(Optimisation(config, PlainEncoder()))
    run = Optimisation(config, PlainEncoder())
    steps_of(run, 2)
    found = steps_of(gone_on(run, tmp_path / "state"))
    assert [tuple(step.image.shape[1:]) for step in found] == [(12, 16), (12, 20), (12, 24)]
    assert torch.equal(found[-1].image, expected[-1].image)


def test_pixels_that_stay_stay(tmp_path: Path, plain: PlainEncoder) -> None:
    picture = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    run = Optimisation(experiment(keep="left"), plain, image=picture)
    steps_of(run, 2)
    other = gone_on(run, tmp_path / "state")
    assert torch.equal(steps_of(other)[-1].image, steps_of(run)[-1].image)
    assert torch.equal(other.image[:, :, :4], picture[:, :, :4])


def test_a_run_without_a_seed_keeps_the_one_it_drew(tmp_path: Path, plain: PlainEncoder) -> None:
    run = Optimisation(experiment(seed=None), plain)
    steps_of(run, 2)
    other = gone_on(run, tmp_path / "state")
    assert other.seed == run.seed == other.config.seed
    assert torch.equal(steps_of(other)[-1].image, steps_of(run)[-1].image)


def test_a_state_does_not_change_with_the_run(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(), plain)
    steps_of(run, 1)
    state = run.state()
    before = {name: tensor.clone() for name, tensor in state.tensors.items()}
    steps_of(run)
    assert all(torch.equal(before[name], tensor) for name, tensor in state.tensors.items())


def test_a_changed_experiment_goes_on_with_the_picture(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(), plain)
    picture = steps_of(run, 3)[-1].image
    other = Optimisation.from_state(run.state(), plain)
    other.update(experiment(pixels="fourier", optimizer="sgd", learnrate=0.0))
    (step, _) = steps_of(other)
    assert step.index == 3
    assert (step.image - picture).abs().max() < 0.01


def test_a_broken_step_has_no_state(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(learnrate="1 / (2 - epoch)"), plain)
    with pytest.raises(ConfigError):
        steps_of(run)
    with pytest.raises(OptimisationError, match="step 2 was begun"):
        run.state()


def test_another_model_is_told(plain: PlainEncoder, caplog: pytest.LogCaptureFixture) -> None:
    run = Optimisation(experiment(), plain)
    steps_of(run, 2)
    steps_of(Optimisation.from_state(run.state(), plain), 1)
    assert not caplog.records
    steps_of(Optimisation.from_state(run.state(), PlainEncoder("other")), 1)
    assert "may differ from those of a run without a break: model other was none" in caplog.text


@pytest.fixture
def saved(tmp_path: Path, plain: PlainEncoder) -> Path:
    run = Optimisation(experiment(), plain)
    steps_of(run, 2)
    run.state().save(tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def about(path: Path) -> dict[str, object]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        found: dict[str, object] = json.loads(file.metadata()["clipnb"])
        return found


def test_a_state_of_another_version_is_told(saved: Path) -> None:
    changed = {**about(saved), "version": 99, "clipnb": "7.0"}
    save_file(load_file(saved), saved, {"clipnb": json.dumps(changed)})
    with pytest.raises(ConfigError, match=r"saved by clipnb 7\.0 in layout 99, this one reads layout 1"):
        RunState.load(saved)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("facts", {}, "not those of a run"),
        ("facts", None, "not those of a run"),
        ("experiment", {"epochz": 3}, "unknown key"),
        ("experiment", [], "damaged"),
    ],
)
def test_damaged_facts_are_told(saved: Path, key: str, value: object, words: str) -> None:
    save_file(load_file(saved), saved, {"clipnb": json.dumps({**about(saved), key: value})})
    with pytest.raises(ConfigError, match=words):
        RunState.load(saved)


@pytest.mark.parametrize("wrong", [{"verdict": 3}, {"looks": [{"text": "a"}]}, {"looks": "a"}, {"looks": None}])
def test_damaged_looks_of_judges_are_told(saved: Path, wrong: dict[str, object]) -> None:
    facts = {**about(saved)["facts"], **wrong}
    save_file(load_file(saved), saved, {"clipnb": json.dumps({**about(saved), "facts": facts})})
    with pytest.raises(ConfigError, match="not those of a run"):
        RunState.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"picture.planes": torch.zeros(3, 2, 2)},
        {"optimiser.exp_avg.planes": torch.zeros(5)},
        {"optimiser.exp_avg.nothing": torch.zeros(5)},
        {"random.scalars": torch.zeros(5, dtype=torch.uint8)},
        {"random.scalars": torch.zeros(5056)},
        {"fair.x": torch.zeros(5)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_tensors_that_do_not_fit_are_told(saved: Path, change: dict[str, torch.Tensor], plain: PlainEncoder) -> None:
    state = RunState.load(saved)
    run = Optimisation.from_state(replace(state, tensors={**state.tensors, **change}), plain)
    with pytest.raises(ConfigError, match="does not fit its experiment, or is damaged"):
        steps_of(run)


def test_files_that_are_no_state_are_told(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = saved.read_bytes()
    for content in (b"", whole[:100], whole[:-10], b"{}" * 50):
        saved.write_bytes(content)
        with pytest.raises(ConfigError, match="is no state of a run, or damaged"):
            RunState.load(saved)
    save_file({"a": torch.zeros(2)}, saved)
    with pytest.raises(ConfigError, match="it holds something else"):
        RunState.load(saved)
    with pytest.raises(ConfigError, match=r"cannot read the state .*: it is a folder"):
        RunState.load(saved.parent)
    monkeypatch.setattr(run_state, "MAX_BYTES", 20)
    with pytest.raises(ConfigError, match="it is larger than 20 bytes"):
        RunState.load(saved)

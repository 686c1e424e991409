from __future__ import annotations

import itertools
import logging
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb.errors import ConfigError, ImageError, UnknownModelError
from clipnb.images import save_image
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.engine import Optimisation, OptimisationError, optimise
from clipnb.optimise.image_state import ImageState
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.fields import is_active
from clipnb.optimise.optimisers import OPTIMISERS
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.parameterisations.rgb import Rgb
from clipnb.optimise.statistics import Entry, Range, Record
from tests.optimise.conftest import PIXELWISE, PlainEncoder, experiment, target


@pytest.mark.parametrize("pixels", sorted(PARAMETERISATIONS))
@pytest.mark.parametrize("optimizer", sorted(OPTIMISERS))
def test_each_optimiser_and_parameterisation_approaches_the_text(
    optimizer: str, pixels: str, plain: PlainEncoder
) -> None:
    config = experiment(optimizer=optimizer, pixels=pixels, epochs=12, init={"std": 0.05})
    steps = list(Optimisation(config, plain).steps())
    assert steps[-1].similarities["a"] > steps[0].similarities["a"] + 0.01
    assert steps[-1].image.isfinite().all()


def test_steps_tell_what_happens(tiny: DualEncoder) -> None:
    steps = list(Optimisation(experiment(), tiny).steps())
    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert {step.total for step in steps} == {5}
    assert steps[-1].is_last
    assert steps[0].image.shape == (3, 16, 16)
    assert not steps[0].image.requires_grad
    assert steps[0].image.min() >= 0
    assert steps[0].image.max() <= 1
    assert -1 <= steps[0].similarities["a"] <= 1
    assert steps[-1].loss == pytest.approx(3 * (1 - steps[-1].similarities["a"]), abs=1e-5)
    assert not torch.equal(steps[0].image, steps[1].image)


@pytest.mark.parametrize("pixels", sorted(PARAMETERISATIONS))
def test_the_same_seed_gives_the_same_picture(pixels: str, tiny: DualEncoder) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    transforms = [{"random_rotate": "-9 9"}, {"noise": "uniform(0, .1)"}, {"random_erase": ".1 .2"}]
    config = experiment(pixels=pixels, **target(batch_size=2, transforms=transforms))
    first, second = optimise(config, tiny), optimise(config, tiny)
    other = optimise(config.changed(seed=2), tiny)
    assert torch.equal(first.image, second.image)
    assert not torch.equal(first.image, other.image)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_one_is_chosen_that_gives_the_picture_again(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(seed=None), plain)
    *_, last = run.steps()
    assert torch.equal(optimise(experiment(seed=run.seed), plain).image, last.image)


def test_texts_are_embedded_once_and_views_go_in_one_batch(plain: PlainEncoder) -> None:
    targets = [
        {"features": [{"text": "a"}, {"text": "b"}], "batch_size": 4, "transforms": [{"noise": 0.1}]},
        {"features": [{"text": "b"}], "transforms": [{"center_crop": 8}], "batch_size": 7},
    ]
    list(Optimisation(experiment(targets=targets), plain).steps())
    assert sorted(plain.texts) == ["a", "b"]
    assert plain.batches == [5] * 5


def test_a_random_expression_makes_views_differ(plain: PlainEncoder) -> None:
    for degree in ("uniform(-9, 9)", "9 * t"):
        optimise(experiment(epochs=1, **target(batch_size=3, transforms=[{"rotate": degree}])), plain)
    assert plain.batches == [3, 1]


def test_a_beginning_may_be_drawn(plain: PlainEncoder) -> None:
    drawn = [
        Optimisation(experiment(seed=seed, init={"mean": "uniform(.2, .8)", "std": 0}), plain).image
        for seed in (1, 1, 2)
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_a_learning_rate_beyond_all_numbers_is_told(plain: PlainEncoder) -> None:
    with pytest.raises(ConfigError, match="step 0: learnrate x learnrate_scale is inf"):
        optimise(experiment(learnrate=1e200, learnrate_scale=1e200), plain)


def test_stop_and_go_on(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(), plain)
    assert [step.index for step in itertools.islice(run.steps(), 2)] == [0, 1]
    *_, last = run.steps()
    assert last.index == 4
    assert torch.equal(last.image, optimise(experiment(), plain).image)
    assert list(run.steps()) == []


def test_a_change_while_running_keeps_picture_and_step(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(epochs=8), plain)
    first = next(run.steps())
    run.update(experiment(epochs=3))
    run.update(experiment(epochs=6, learnrate=0, pixels="fourier", **target(features=[{"text": "other"}])))
    steps = list(run.steps())
    assert [step.index for step in steps] == [1, 2, 3, 4, 5]
    assert (steps[0].image - first.image).abs().mean() < 2 / 255
    assert list(steps[-1].similarities) == ["other"]
    assert plain.texts == ["a", "other"]


def test_a_change_that_cannot_be_used_leaves_the_run_as_it_was(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(), plain)
    next(run.steps())
    run.update(experiment(**target(features=[{"image": "nowhere.png"}])))
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        next(run.steps())
    assert next(run.steps()).index == 1


def test_schedules_of_targets_features_and_transforms(plain: PlainEncoder) -> None:
    targets = [
        {"name": "early", "end": 1, "features": [{"text": "a"}]},
        {"name": "late", "start": "50%", "features": [{"text": "b"}, {"text": "c", "start": 4}]},
        {"name": "off", "active": False, "features": [{"text": "d"}]},
    ]
    steps = list(Optimisation(experiment(targets=targets), plain).steps())
    assert [sorted(step.similarities) for step in steps] == [["a"], ["a"], ["b", "c"], ["b", "c"], ["b", "c"]]
    counts = {line.label: line.count for line in steps[-1].statistics.lines}
    assert counts == {"a": 2, "b": 3, "c": 1}
    assert "d" not in plain.texts


def test_learnrate_and_resolution_are_variables(plain: PlainEncoder) -> None:
    config = experiment(
        learnrate="2 * width / 16",
        learnrate_scale=".5",
        **target(transforms=[{"mul": "lr * lrs"}, {"add": "height - 16"}]),
    )
    assert next(Optimisation(config, plain).steps()).learnrate == 1


def test_postprocessing_changes_the_picture_itself(plain: PlainEncoder) -> None:
    painted = {"border": {"size": 2, "color": "1 0 0"}, "start": 1}
    steps = list(Optimisation(experiment(learnrate=0, postproc=[painted, {"active": False, "mul": 0}]), plain).steps())
    assert not steps[0].image[0, 0].eq(1).all()
    assert steps[1].image[0, 0].eq(1).all()
    assert steps[1].image[1, 0].eq(0).all()


def test_a_target_of_constraints_alone_needs_no_encoder() -> None:
    config = experiment(
        model="no-such-model", targets=[{"constraints": [{"mean": {"above": 0.9}}]}], epochs=30, learnrate=2
    )
    assert optimise(config).image.mean() > 0.7


def test_without_targets_postprocessing_alone_changes_the_picture(plain: PlainEncoder) -> None:
    *_, last = Optimisation(experiment(targets=[], postproc=[{"mul": 0}]), plain).steps()
    assert not last.image.any()


REACHLESS = {
    "no targets": ({"targets": []}, "there are no targets"),
    "no features": ({"targets": [{}]}, "has no features"),
    "inactive": (target(active=False), "is not active"),
    "weight 0": (target(weight=0), "has weight 0"),
    "all weights 0": (target(features=[{"text": "a", "weight": 0}]), "features[0] has weight 0"),
    "start after end": (target(start=0.5, end=0.2), "counts in no step from start 0.5 to end 0.2"),
    "after the run": (target(start=500), "counts in no step"),
    "before the run": ({**target(end=2), "start_epoch": 3}, "counts in no step"),
    "feature beyond its target": (
        target(end=0.5, features=[{"text": "a", "start": 0.8}]),
        "features[0] counts in no step",
    ),
    "constraint of weight 0": ({"targets": [{"constraints": [{"tv": {"weight": 0}}]}]}, "its tv has weight 0"),
    "postproc too late": ({"targets": [], "postproc": [{"mul": 0.5, "start": 100}]}, "there are no targets"),
}


@pytest.mark.parametrize("case", REACHLESS)
def test_an_experiment_in_which_nothing_can_count_is_refused_before_anything_is_loaded(case: str) -> None:
    changes, words = REACHLESS[case]
    with pytest.raises(ConfigError, match="nothing in this experiment can change the picture") as caught:
        next(Optimisation(experiment(model="ViT-B-33/never", **changes)).steps())
    assert words in str(caught.value)


@given(
    st.integers(1, 12), st.integers(0, 12), st.integers(0, 12) | st.floats(0, 1), st.integers(0, 12) | st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_what_is_refused_is_what_counts_in_no_step(epochs: int, first: int, start: float, end: float) -> None:
    config = experiment(epochs=epochs, start_epoch=first, **target(start=start, end=end))
    counts = any(is_active(start, end, epoch, epoch / max(1, epochs - 1)) for epoch in range(first, epochs))
    with suppress(ConfigError) if first < epochs and not counts else nullcontext():
        list(itertools.islice(Optimisation(config, PlainEncoder()).steps(), 1))
        assert counts or first >= epochs, "it should have been refused"


def test_a_change_to_what_cannot_count_is_refused(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(), plain)
    steps = run.steps()
    next(steps)
    run.update(experiment(targets=[]))
    with pytest.raises(ConfigError, match="there are no targets"):
        next(steps)
    assert run.config == experiment()


def test_texts_that_left_the_experiment_leave_the_statistics(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(epochs=100), plain)
    steps = run.steps()
    for number in range(50):
        run.update(experiment(epochs=100, **target(features=[{"text": f"text {number}"}], constraints=["tv"])))
        step = next(steps)
    assert [line.label for line in step.statistics.lines] == ["text 49", "tv(scale=1.0)"]


def test_an_image_feature(tmp_path: Path, plain: PlainEncoder) -> None:
    save_image(torch.rand(3, 16, 16), tmp_path / "like.png")
    steps = list(
        Optimisation(experiment(epochs=20, **target(features=[{"image": str(tmp_path / "like.png")}])), plain).steps()
    )
    label = str(tmp_path / "like.png")
    assert steps[-1].similarities[label] > steps[0].similarities[label]


def test_several_encoders_and_a_targets_own(tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: PlainEncoder(name) for name in ("one", "two", "own")}
    monkeypatch.setattr("clipnb.optimise.target_encoders.load_model", lambda name, device: made[name])
    targets = [{"features": [{"text": "a"}]}, {"features": [{"text": "b"}], "model": "own"}]
    run = Optimisation(experiment(models=["one", "two"], targets=targets))
    list(run.steps())
    assert made["one"].texts == made["two"].texts == ["a"]
    assert made["own"].texts == ["b"]
    assert made["one"].batches == made["own"].batches == [1] * 5
    assert run.models() == {name: f"digest of {name}" for name in made}


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_picture(plain: PlainEncoder) -> None:
    targets = [
        {"name": "bad", "features": [{"text": "a", "weight": "1e200 if t > .4 else 1", "loss": "l2"}], "weight": 1e200}
    ]
    run = Optimisation(experiment(targets=targets), plain)
    seen = []
    with pytest.raises(OptimisationError, match=r"'bad' \(targets\[0\]\)"):
        seen.extend(run.steps())
    assert run.image.isfinite().all()


def test_an_expression_that_fails_is_told_with_its_step(plain: PlainEncoder) -> None:
    with pytest.raises(ConfigError, match=r"step 2: learnrate: '1/\(epoch - 2\)' cannot be computed"):
        list(Optimisation(experiment(learnrate="1/(epoch - 2)"), plain).steps())


@pytest.mark.parametrize(
    ("yaml", "place"),
    [
        ("learnrate: 1/(epoch-1)\ntargets: [{features: [a]}]", "a.yaml, line 1: learnrate: "),
        (
            "targets:\n- name: n\n  features: [a]\n  transforms:\n  - noise: 1/(epoch-1)\n",
            "a.yaml, line 5: targets[0].transforms[0].noise.std (target 'n'): ",
        ),
        (
            "targets:\n- features:\n  - text: a\n    weight: '[1, 2] if epoch else 1'\n",
            "a.yaml, line 4: targets[0].features[0].weight (target 'target'): '[1, 2] if epoch else 1' gives",
        ),
        ("targets: [{features: [a]}]\npostproc:\n- mul: sqrt(-epoch)\n", "a.yaml, line 3: postproc[0].mul.color: "),
    ],
)
def test_an_expression_that_fails_is_told_with_target_key_and_line(yaml: str, place: str, plain: PlainEncoder) -> None:
    config = ExperimentConfig.from_yaml(f"{yaml}\n", "a.yaml").changed(resolution=8, epochs=4)
    with pytest.raises(ConfigError) as caught:
        list(Optimisation(config, plain).steps())
    assert f"step 1: {place}" in str(caught.value)


def test_too_little_memory_splits_the_batch_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    config = experiment(**target(batch_size=8, transforms=[{"add": "epoch * 0"}, {"random_shift": "0 0"}]))
    small, large = PlainEncoder(most=3), PlainEncoder()
    with caplog.at_level(logging.WARNING, "clipnb"):
        split = optimise(config, small)
    assert torch.allclose(split.image, optimise(config, large).image, atol=1e-4)
    assert sum("not enough memory" in record.message for record in caplog.records) == 1
    assert small.batches.count(8) == 1


@pytest.mark.parametrize(
    ("transform", "told"), [({"clamp": ".5 .5"}, 1), ({"mul": 0}, 1), ({"border": "900 900"}, 1), ({"noise": 0.1}, 0)]
)
def test_transforms_that_leave_nothing_of_the_picture_are_told_once(
    transform: dict[str, object], told: int, plain: PlainEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "clipnb"):
        optimise(experiment(**target(transforms=[transform])), plain)
    assert sum("nothing of the picture" in record.message for record in caplog.records) == told


def test_start_epoch_begins_later(plain: PlainEncoder) -> None:
    assert [step.index for step in Optimisation(experiment(start_epoch=3), plain).steps()] == [3, 4]


@pytest.mark.parametrize("pixels", PIXELWISE)
def test_it_goes_on_from_a_given_picture_at_a_given_step(pixels: str, plain: PlainEncoder) -> None:
    config = experiment(pixels=pixels, learnrate=0, start_epoch=1, init={"image": "nowhere.png"})
    picture = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    run = Optimisation(config, plain, image=picture, index=3)
    assert (run.image - picture).abs().mean() < 1 / 255
    assert [step.index for step in run.steps()] == [3, 4]
    assert (run.image - picture).abs().mean() < 1 / 255
    assert run.config == config


def test_a_given_picture_is_cropped_to_fit_and_left_as_it_is(plain: PlainEncoder) -> None:
    picture = torch.zeros(3, 16, 32, dtype=torch.float64)
    picture[:, :, 8:24] = 0.5
    before = picture.clone()
    run = Optimisation(experiment(learnrate=5), plain, image=picture)
    assert run.image.eq(0.5).all()
    list(run.steps())
    assert torch.equal(picture, before)
    assert not run.image.eq(0.5).all()


def test_what_is_no_picture_or_no_step_is_refused(plain: PlainEncoder) -> None:
    for wrong in (torch.zeros(1, 3, 8, 8), torch.zeros(4, 8, 8), torch.zeros(3, 8, 8, dtype=torch.uint8)):
        with pytest.raises(ValueError, match=r"float \[3, H, W\]"):
            Optimisation(experiment(), plain, image=wrong)
    with pytest.raises(ValueError, match="-1 is none"):
        Optimisation(experiment(), plain, index=-1)


def test_unknown_models_are_told_before_the_first_step() -> None:
    with pytest.raises(UnknownModelError):
        next(Optimisation(experiment(model="vit-b-99/none")).steps())


def test_gradients_reach_nothing_but_the_image(tiny: DualEncoder) -> None:
    list(itertools.islice(Optimisation(experiment(), tiny).steps(), 2))
    assert all(p.grad is None for p in tiny.model.parameters())  # type: ignore[attr-defined]


REFERENCES = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "sgd": lambda p: torch.optim.SGD(p, lr=10.0),
    "sparse_adam": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=20.0),
    "rmsprob": lambda p: torch.optim.RMSprop(p, lr=0.003, centered=True, momentum=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.003, centered=True, momentum=0.1),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_steps_as_torch_does_at_its_base_rate(name: str) -> None:
    image = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1)) / 2 + 0.25
    expected = torch.nn.Parameter(image.clone())
    reference = REFERENCES[name]([expected])
    parameters = Rgb().build((4, 4), torch.device("cpu"))
    parameters.assign(image)
    state = ImageState(Rgb(), parameters, name)
    for _ in range(3):
        reference.zero_grad()
        (expected**3).mean().backward()
        reference.step()
        state.backpropagate((state.image**3).mean())
        state.step(1.0)
    assert torch.allclose(state.detached, expected.detach().clamp(0, 1), atol=1e-6)


def test_the_step_of_a_parameterisation_scales_the_learning_rate() -> None:
    moved = []
    for step in (1.0, 0.25):
        state = ImageState(Rgb(), Rgb(step=step).build((4, 4), torch.device("cpu")), "sgd")
        state.backpropagate(state.image.mean())
        state.step(0.1)
        moved.append(float(0.5 - state.detached.mean()))
    assert moved[1] == pytest.approx(moved[0] / 4, rel=1e-3)


def test_the_planes_are_kept_in_range_after_a_step() -> None:
    parameters = Rgb().build((4, 4), torch.device("cpu"))
    state = ImageState(Rgb(), parameters, "sgd")
    state.backpropagate(-state.image.sum())
    state.step(100.0)
    assert all(plane.eq(1).all() for plane in parameters.parameters())


def test_another_optimiser_is_used_from_the_next_step(plain: PlainEncoder) -> None:
    images = []
    for name in ("adam", "rmsprop"):
        run = Optimisation(experiment(**target()), plain)
        steps = run.steps()
        next(steps)
        run.update(experiment(**target(), optimizer=name))
        images.append(next(steps).image)
    assert not torch.allclose(*images, atol=1e-3)


def test_statistics_are_of_the_last_thirty_steps(plain: PlainEncoder) -> None:
    record = Record()
    for value in range(40):
        record.add(value, {(0, 0): Entry("t", "a", 1.0, value % 2, 1, value, -value)})
    statistics = record.statistics()
    assert statistics.loss == Range(24.5, 10, 39)
    assert statistics.lines[0].similarity == Range(-24.5, -39, -10)
    assert statistics.lines[0].loss == Range(20, 1, 39)  # of those in which it counted
    assert (statistics.steps, statistics.lines[0].count, statistics.lines[0].share) == (40, 20, 0.5)
    step = next(Optimisation(experiment(), plain).steps())
    similarity = step.statistics.lines[0].similarity
    assert similarity is not None
    assert similarity.mean == pytest.approx(100 * step.similarities["a"])

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from clipnb.errors import ConfigError
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.film.camera import motion_of, moved
from clipnb.optimise.film.plan import moment_of, total_steps, with_scenes
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import time_values
from clipnb.optimise.parameterisations.motion import Motion
from clipnb.optimise.run_state import RunState
from clipnb.optimise.step import Step
from tests.optimise.conftest import PlainEncoder, experiment, target

STILL = {"count": 3, "steps": 2}
MOVING = {"zoom": 1.1, "rotate": 5, "shift": [0.1, 0]}


def film(**changes: Any) -> ExperimentConfig:
    return experiment(**{"epochs": 4, "frames": {**STILL, "camera": MOVING}, **changes})


def steps_of(config: ExperimentConfig) -> list[Step]:
    return list(Optimisation(config, PlainEncoder()).steps())


def test_a_film_has_the_steps_of_its_frames() -> None:
    steps = steps_of(film())
    assert [(step.index, step.frame) for step in steps] == [
        (0, None), (1, None), (2, None), (3, 0), (4, None), (5, 1), (6, None), (7, 2),
    ]  # fmt: skip
    assert {step.total for step in steps} == {8} == {total_steps(film())}
    assert [step.is_last for step in steps] == [False] * 7 + [True]


def test_without_a_film_no_step_ends_a_frame() -> None:
    assert {step.frame for step in steps_of(experiment())} == {None}


def test_the_first_frame_is_the_picture_without_a_film() -> None:
    first = next(step for step in steps_of(film()) if step.frame == 0)
    assert torch.equal(first.image, steps_of(experiment(epochs=4))[-1].image)


def test_time_counts_in_a_frame_and_the_film_has_its_own() -> None:
    moments = [moment_of(film(), index) for index in range(8)]
    assert [(m.frame, m.epoch, m.epochs, m.time) for m in moments[3:]] == [
        (0, 3, 4, 1.0), (1, 0, 2, 0.0), (1, 1, 2, 1.0), (2, 0, 2, 0.0), (2, 1, 2, 1.0),
    ]  # fmt: skip
    rates = [step.learnrate for step in steps_of(film(learnrate="1 + frame + ft / 2", learnrate_scale="1 + t"))]
    assert rates == pytest.approx([1, 4 / 3, 5 / 3, 2, 2.25, 4.5, 3.5, 7])


def moves(**changes: Any) -> list[torch.Tensor]:
    """Return the frames of a film that nothing but the camera changes, of a picture with four colours."""
    points = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1))
    picture = torch.nn.functional.interpolate(points[None], (32, 32), mode="bicubic")[0].clamp(0, 1)
    config = film(epochs=1, resolution=32, learnrate=0, frames={"count": 3, "steps": 1, **changes})
    run = Optimisation(config, PlainEncoder(), image=picture)
    return [picture, *(step.image for step in run.steps())][1:]


def test_a_camera_that_stands_still_changes_nothing() -> None:
    first, *others = moves()
    assert all(torch.equal(first, other) for other in others)


def test_a_shift_moves_to_the_right_and_down_and_wraps() -> None:
    first, second, third = moves(camera={"shift": [0.25, 0.5]}, infill="wrap")
    assert torch.allclose(second, first.roll((16, 8), (1, 2)), atol=0.03)
    assert torch.allclose(third, first.roll((32, 16), (1, 2)), atol=0.03)


def test_a_quarter_turn_is_counter_clockwise() -> None:
    first, second, _ = moves(camera={"rotate": 90})
    assert torch.allclose(second, first.rot90(1, (1, 2)), atol=0.03)


def test_a_zoom_comes_nearer() -> None:
    first, second, _ = moves(camera={"zoom": 2})
    middle = torch.nn.functional.avg_pool2d(second, 2)
    assert (middle - first[:, 8:24, 8:24]).abs().max() < 0.05


@pytest.mark.parametrize("infill", ["wrap", "mirror", "noise", "blur"])
def test_what_comes_into_view_is_filled(infill: str) -> None:
    first, second, _ = moves(camera={"zoom": 0.5}, infill=infill)
    border = torch.ones(32, 32, dtype=torch.bool)
    border[8:24, 8:24] = False
    assert second[:, border].min() >= 0
    assert second[:, border].std() > (0.005 if infill == "blur" else 0.03)
    assert (second[:, border].mean() - first.mean()).abs() < 0.2


def test_a_hundred_moves_neither_sharpen_nor_blur_a_picture_away() -> None:
    grain = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(2))
    picture = torch.nn.functional.avg_pool2d(grain, 3, 1, 1)
    config = film(resolution=64, frames={"count": 2, "camera": {"rotate": 1, "shift": [0.01, 0]}, "infill": "wrap"})
    assert config.frames is not None
    cpu = torch.device("cpu")
    image, scope = picture, Scope(time_values(0, 2), Randomness(1, cpu), cpu)
    for _ in range(100):
        image = moved(image, motion_of(config.frames.camera, scope), config.frames.infill, scope.randomness)
    before, after = ((one[:, :, 1:] - one[:, :, :-1]).abs().mean() for one in (picture, image))
    assert 0.3 * before < after < 1.3 * before
    assert image.std() < 1.2 * picture.std()


def test_mirrored_surroundings_are_the_picture_mirrored() -> None:
    first, second, _ = moves(camera={"shift": [0.25, 0]}, infill="mirror")
    assert torch.allclose(second[:, :, 8:], first[:, :, :24], atol=0.03)
    assert torch.allclose(second[:, :, :8], first[:, :, :8].flip(2), atol=0.03)


@pytest.mark.parametrize("pixels", ["network", {"strokes": {"count": 40, "width": 12}}])
@pytest.mark.parametrize("motion", [Motion(1.2, 0.1, -0.05, 0.1), Motion(1.0, -0.2, 0.15), Motion(angle=-0.3)])
def test_lines_and_waves_are_moved_as_their_pixels_would_be(pixels: Any, motion: Motion) -> None:
    cpu = torch.device("cpu")
    parameters = experiment(pixels=pixels).pixels.build((64, 96), cpu)
    parameters.assign_noise(torch.full((3,), 0.5), torch.full((3,), 0.2), Randomness(3, cpu))
    before = parameters().detach()
    expected = moved(before, motion, "mirror", Randomness(1, cpu))
    assert parameters.move(motion, Randomness(1, cpu))
    middle = (slice(None), slice(20, 44), slice(30, 66))
    error = (parameters().detach() - expected).abs()[middle].mean()
    assert error < 0.3 * (before - expected).abs()[middle].mean()


def test_strokes_that_leave_the_picture_come_back_where_it_is_uncovered() -> None:
    cpu = torch.device("cpu")
    parameters = experiment(pixels={"strokes": {"count": 100}}).pixels.build((64, 64), cpu)
    for _ in range(20):
        assert parameters.move(Motion(right=0.1), Randomness(1, cpu))
    assert (parameters()[:, :, :16] < 0.9).any()


def test_the_camera_follows_the_time_of_the_film() -> None:
    first, second, third = moves(camera={"shift": "[.25 if t < 1 else -.25, 0]"}, infill="wrap")
    assert torch.allclose(second, first.roll(8, 2), atol=0.03)
    assert torch.allclose(third, first, atol=0.06)


SCENES = [{"text": "a:2 | c", "frames": 3}, {"text": "b", "frames": 4, "fade": 1}, {"text": "d", "frames": 2}]


def test_scenes_take_turns_and_fade() -> None:
    config = experiment(epochs=1, frames={"steps": 1, "scenes": SCENES}, **target(features=[]))
    steps = steps_of(config)
    weights = {
        label: [next(line.weight for line in step.statistics.lines if line.label == label) for step in steps]
        for label in "abcd"
    }
    assert weights["a"] == pytest.approx([2, 2, 2, 1, 0, 0, 0, 0, 0])
    assert weights["c"] == pytest.approx([1, 1, 1, 0.5, 0, 0, 0, 0, 0])
    assert weights["b"] == pytest.approx([0, 0, 0, 0.5, 1, 1, 1, 0, 0])
    assert weights["d"] == pytest.approx([0, 0, 0, 0, 0, 0, 0, 1, 1])


def test_scenes_go_into_targets_without_features_alone() -> None:
    targets = [{"features": ["x"]}, {"transforms": [{"noise": 0.1}]}, {"constraints": ["tv"]}]
    config = experiment(frames={"scenes": SCENES}, targets=targets)
    found = [[feature.text for feature in one.features] for one in with_scenes(config).targets]
    assert found == [["x"], ["a", "c", "b", "d"], []]
    assert ExperimentConfig.from_dict(config.as_dict()) == config


@pytest.mark.parametrize("pixels", ["rgb", "fourier"])
def test_a_film_that_goes_on_has_the_same_frames(tmp_path: Path, pixels: str) -> None:
    camera = {"zoom": "uniform(1, 1.1)", "rotate": 3}
    config = film(pixels=pixels, frames={**STILL, "camera": camera, "infill": "noise"})
    expected = steps_of(config)
    run = Optimisation(config, PlainEncoder())
    found = list(islice(run.steps(), 3))
    for count in (2, 1, 9):
        run.state().save(tmp_path / "state")
        run = Optimisation.from_state(RunState.load(tmp_path / "state"), PlainEncoder())
        found += islice(run.steps(), count)
    assert [step.frame for step in found] == [step.frame for step in expected]
    assert all(torch.equal(one.image, other.image) for one, other in zip(expected, found, strict=True))


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ("frames: {}", "e.yaml, line 2: frames: a film needs frames: give count, such as count: 300, or scenes"),
        ("frames:\n  count: 0", "e.yaml, line 3: frames.count: 0 is too small; at least 1"),
        ("frames:\n  count: 200000", "e.yaml, line 3: frames.count: 200000 is too large; at most 100000"),
        ("frames:\n  steps: 3", "a film needs frames"),
        ("frames:\n  count: 3\n  camera:\n    zom: 2", "line 5: frames.camera.zom: unknown key 'zom'; nearest: zoom"),
        ("frames:\n  count: 3\n  camera:\n    zoom: 0", "line 5: frames.camera.zoom: 0 is too small"),
        ("frames:\n  count: 3\n  camera:\n    zoom: sim", "line 5: frames.camera.zoom: unknown variable 'sim'"),
        ("frames:\n  count: 3\n  infill: black", "frames.infill: 'black' is not allowed; one of: wrap, mirror"),
        ("frames:\n  scenes:\n  - frames: 3", "line 4: frames.scenes[0].text: a value is needed here"),
        ("frames:\n  scenes:\n  - {frames: 3, text: ''}", "frames.scenes[0].text: "),
        ("frames:\n  scenes:\n  - text: a", "frames.scenes[0].frames: a value is needed here"),
        ("frames:\n  scenes:\n  - {text: a, frames: 3, fade: 1}", "frames: the first scene has none before it"),
        ("frames:\n  scenes:\n  - {text: a, frames: 3}\n  - {text: b, frames: 2, fade: 3}", "cannot fade in over 3"),
        ("frames:\n  count: 4\n  scenes:\n  - {text: a, frames: 3}", "count is 4, the scenes have 3 frames together"),
        ("frames:\n  scenes:\n  - {text: a, frames: 3}", "scenes: no target takes their texts"),
        ("start_epoch: 3\nframes:\n  count: 3", "a film begins with its first frame"),
        ("frames: 300", "frames: a map such as 'count: 300' is needed"),
    ],
)
def test_mistakes_in_a_film_are_told(tmp_path: Path, frames: str, words: str) -> None:
    (tmp_path / "e.yaml").write_text(f"targets: [{{features: [a]}}]\n{frames}\n")
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_files(tmp_path / "e.yaml")
    assert words in str(caught.value)

"""Waves first, of whose picture another parameterisation is made then."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clipnb.errors import ConfigError
from clipnb.optimise.engine import Optimisation, optimise
from clipnb.optimise.run_state import RunState
from tests.optimise.conftest import PlainEncoder, experiment

SKETCHED = [
    {"palette": {"cells": 4, "colours": 3, "sketch": 0.5}},
    {"strokes": {"count": 5, "sketch": 0.5}},
    {"network": {"large": 8, "sketch": 0.5}},
]


def extras(pixels: object, plain: PlainEncoder, epochs: int = 6, **more: object) -> list[bool]:
    """Make a picture; return of each step whether there is what is saved beside the parameterisation's own."""
    run = Optimisation(experiment(pixels=pixels, epochs=epochs, **more), plain)
    return [bool(run.extra_files(step)) for step in run.steps()]


@pytest.mark.parametrize("pixels", SKETCHED, ids=lambda pixels: next(iter(pixels)))
def test_waves_are_moved_for_a_share_of_the_steps(pixels: dict[str, object], plain: PlainEncoder) -> None:
    assert extras(pixels, plain) == [False] * 3 + [True] * 3
    assert extras(pixels, plain, epochs=1) == [True], "the last step is always the parameterisation's own"
    film = extras(pixels, plain, frames={"count": 3, "steps": 2})
    assert film == [False] * 3 + [True] * 7, "only the first frame is sketched"


def test_the_picture_of_the_waves_is_what_is_gone_on_with(plain: PlainEncoder) -> None:
    pixels = {"palette": {"cells": 16, "colours": 200, "sketch": 0.5}}
    images = [step.image for step in Optimisation(experiment(pixels=pixels, learnrate=0), plain).steps()]
    assert (images[-1] - images[0]).abs().mean() < 0.02
    assert not torch.equal(images[-1], images[0])


@pytest.mark.parametrize("made", [1, 3, 4])
@pytest.mark.parametrize("pixels", SKETCHED, ids=lambda pixels: next(iter(pixels)))
def test_a_run_goes_on_before_and_after_a_sketch_is_done(
    pixels: dict[str, object], made: int, tmp_path: Path, plain: PlainEncoder
) -> None:
    config = experiment(pixels=pixels, epochs=6)
    run = Optimisation(config, plain)
    for step in run.steps():
        if step.index + 1 == made:
            break
    run.state().save(tmp_path / "state")
    *_, last = Optimisation.from_state(RunState.load(tmp_path / "state"), plain).steps()
    assert torch.equal(last.image, optimise(config, plain).image)


@pytest.mark.parametrize("sketch", [-0.1, 1, "t"])
def test_a_sketch_takes_a_share_of_the_steps(sketch: object) -> None:
    with pytest.raises(ConfigError, match="sketch"):
        experiment(pixels={"strokes": {"sketch": sketch}})
    with pytest.raises(ConfigError, match="sketch"):
        experiment(pixels={"fourier": {"sketch": 0.5}})

"""The plan of a film: which frame a step is of, and what is wanted in it."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, NamedTuple

from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.frames import SceneConfig, takes_scenes
from clipnb.optimise.language.shorthand import features_of
from clipnb.optimise.language.target import FeatureConfig
from clipnb.optimise.language.variables import time_values
from clipnb.optimise.parameterisations import Parameterisation


class Moment(NamedTuple):
    """When a step is.

    Attributes:
        frame: number of the film's frame, from 0; 0 where there is no film.
        frames: how many there are; 1 where there is no film.
        epoch: number of the step in the frame.
        epochs: steps of that frame.
    """

    frame: int
    frames: int
    epoch: int
    epochs: int

    @property
    def time(self) -> float:
        """The step as share of its frame, from 0 to 1."""
        return self.epoch / max(1, self.epochs - 1)

    @property
    def ends_frame(self) -> bool:
        return self.epoch + 1 == self.epochs

    def variables(self) -> dict[str, Any]:
        """Return the variables of the group "time"."""
        return time_values(self.epoch, self.epochs, self.frame, self.frames)


def moment_of(config: ExperimentConfig, index: int) -> Moment:
    """Return when a step is; steps are counted from 0 through the whole film."""
    film, first = config.frames, config.epochs
    if film is None:
        return Moment(0, 1, index, first)
    if index < first:
        return Moment(0, film.length, index, first)
    frame, epoch = divmod(index - first, film.steps)
    return Moment(frame + 1, film.length, epoch, film.steps)


def total_steps(config: ExperimentConfig) -> int:
    """Return the number of steps of a whole run."""
    return config.epochs + (0 if config.frames is None else (config.frames.length - 1) * config.frames.steps)


def stage_of(config: ExperimentConfig, index: int) -> Parameterisation:
    """Return what a step changes: the experiment's parameterisation, or what it has before it in the first frame."""
    moment = moment_of(config, index)
    return config.pixels if moment.frame else config.pixels.stage((moment.epoch + 1) / max(1, moment.epochs))


def with_scenes(config: ExperimentConfig) -> ExperimentConfig:
    """Return the experiment with the texts of the scenes as features, each weighted by the number of the frame."""
    if config.frames is None or not config.frames.scenes:
        return config
    features = tuple(_features(config.frames.scenes))
    targets = tuple(
        target.model_copy(update={"features": features}) if takes_scenes(target) else target
        for target in config.targets
    )
    return config.model_copy(update={"targets": targets})


def _features(scenes: tuple[SceneConfig, ...]) -> list[FeatureConfig]:
    starts = [0, *accumulate(scene.frames for scene in scenes)]
    rises = [
        "1",
        *(f"max(0, min(1, (frame - {b} + 1) / {s.fade + 1}))" for b, s in zip(starts[1:], scenes[1:], strict=False)),
    ]
    features = []
    for number, scene in enumerate(scenes):
        share = rises[number] + (f" - {rises[number + 1]}" if number + 1 < len(scenes) else "")
        for feature in features_of(scene.text):
            weight = f"({share}) * {feature.get('weight', 1.0)}"
            features.append(FeatureConfig.model_validate({"text": feature["text"], "weight": weight}))
    return features

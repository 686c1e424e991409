"""The widgets for single keys of an experiment: each shows what the YAML has, and writes into it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as w
import torch

from clipnb.models.lite.weights import CLASSIFIERS
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.judge import JudgeConfig, names_in
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.widgets.common.controls import FULL, model_chooser
from clipnb.widgets.common.frontend import Choice

_SIZES = ("128 x 128", "192 x 192", "256 x 256", "320 x 320", "384 x 256", "256 x 384", "512 x 512", "1024 x 1024")
_SIZE = re.compile(r"\s*(\d{1,9})(?:\s*[x×,\s]\s*(\d{1,9}))?\s*")


@dataclass(frozen=True)
class Control:
    """A widget for one key of an experiment; `from_config` returns None for what the widget cannot show."""

    label: str
    widget: Any
    from_config: Callable[[ExperimentConfig], Any]
    for_yaml: Callable[[Any], object] = lambda value: value

    def show(self, config: ExperimentConfig) -> None:
        value = self.from_config(config)
        self.widget.disabled = value is None
        if value is not None:
            self.widget.value = value


def make_controls() -> dict[str, Control]:
    """Return the controls by their keys."""
    gpus = tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    device = Choice(options=("auto", *gpus, *mps, "cpu"), layout=FULL)
    size = w.Combobox(options=_SIZES, ensure_option=False, continuous_update=False, layout=FULL)
    pixels = Choice(options=tuple(PARAMETERISATIONS), layout=FULL)
    judge = w.Combobox(options=("", *CLASSIFIERS), ensure_option=False, continuous_update=False, layout=FULL)
    steps = w.BoundedIntText(min=0, max=1_000_000, layout=FULL)
    rate = w.FloatLogSlider(
        base=10, min=-2, max=1, step=0.05, readout_format=".2f", continuous_update=False, layout=FULL
    )
    return {
        "model": Control("model", model_chooser(), lambda config: config.model),
        "device": Control("device", device, lambda config: _offered(device, config.device)),
        "resolution": Control("size in pixels", size, _size_of, _size_for_yaml),
        "pixels": Control("parameterisation", pixels, lambda config: config.pixels.name),
        "epochs": Control("steps", steps, lambda config: config.epochs),
        "judge": Control("judge, only looks", judge, _judges_of, names_in),
        "learnrate": Control("learning rate", rate, _rate_of, lambda value: float(f"{value:.3g}")),
    }


def _judges_of(config: ExperimentConfig) -> str | None:
    return ", ".join(config.judge.models) if config.judge.every == JudgeConfig().every else None


def _offered(widget: Any, value: str) -> str:
    """Offer a value that is allowed but was not thought of."""
    if value not in widget.options:
        widget.options = (*widget.options, value)
    return value


def _size_for_yaml(text: str) -> object:
    found = _SIZE.fullmatch(text)
    return [int(found[1]), int(found[2] or found[1])] if found else text


def _size_of(config: ExperimentConfig) -> str | None:
    sides = [str(side) for side in config.resolution]
    return " x ".join(sides) if all(side.isdecimal() for side in sides) else None


def _rate_of(config: ExperimentConfig) -> float | None:
    rate = config.learnrate
    return float(rate) if isinstance(rate, (int, float)) and 0.01 <= rate <= 10 else None

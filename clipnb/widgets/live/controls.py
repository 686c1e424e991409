"""Controls that stand for one key of an experiment each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as w
import torch

from clipnb.models.sources import OPENAI_NAMES
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.parameterisations.pixels import PIXELS
from clipnb.widgets.common.controls import labelled

_SIZES = ("128 x 128", "192 x 192", "256 x 256", "320 x 320", "384 x 256", "256 x 384", "512 x 512", "1024 x 1024")
_SIZE = re.compile(r"\s*(\d+)(?:\s*[x×,\s]\s*(\d+))?\s*")


@dataclass(frozen=True)
class Control:
    """A widget and the key that it stands for.

    Attributes:
        key: at the top of the experiment.
        label: for people.
        widget: with a `value`.
        for_yaml: from the widget's value to the YAML's.
        from_config: from an experiment to the widget's value; None where the widget cannot say it.
        wide: whether it needs the width of two.
    """

    key: str
    label: str
    widget: Any
    for_yaml: Callable[[Any], object]
    from_config: Callable[[ExperimentConfig], Any]
    wide: bool = False

    @property
    def labelled(self) -> Any:
        """The widget under its label."""
        box = labelled(self.label, self.widget)
        return box.add_class("clipnb-wide") if self.wide else box

    def show(self, config: ExperimentConfig) -> None:
        """Say what the experiment says; where the widget cannot, such as of a schedule, leave it to the YAML."""
        value = self.from_config(config)
        self.widget.disabled = value is None
        if value is not None:
            self.widget.value = value


def make_controls() -> list[Control]:
    """Make the controls for what is changed most."""
    full = {"width": "100%"}
    models = ("auto", "lite", *OPENAI_NAMES)
    model = w.Combobox(options=models, ensure_option=False, continuous_update=False, layout=full)
    size = w.Combobox(options=_SIZES, ensure_option=False, continuous_update=False, layout=full)
    device = w.Dropdown(options=_devices(), layout=full)
    pixels = w.Dropdown(options=tuple(PIXELS), layout=full)
    steps = w.BoundedIntText(min=0, max=1_000_000, layout=full)
    rate = w.FloatLogSlider(
        base=10, min=-2, max=1, step=0.05, readout_format=".2f", continuous_update=False, layout=full
    )
    return [
        Control("model", "model", model, str, lambda config: config.model),
        Control("device", "device", device, str, lambda config: _offered(device, config.device)),
        Control("resolution", "size in pixels", size, _size_for_yaml, _size_of),
        Control("pixels", "parameterisation", pixels, str, lambda config: config.pixels.name),
        Control("epochs", "steps", steps, int, lambda config: config.epochs),
        Control("learnrate", "learning rate", rate, lambda v: float(f"{v:.3g}"), _rate_of),
    ]


def _devices() -> tuple[str, ...]:
    gpus = tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return ("auto", *gpus, *mps, "cpu")


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
    return " x ".join(sides) if all(side.isdigit() for side in sides) else None


def _rate_of(config: ExperimentConfig) -> float | None:
    rate = config.learnrate
    return float(rate) if isinstance(rate, (int, float)) and 0.01 <= rate <= 10 else None

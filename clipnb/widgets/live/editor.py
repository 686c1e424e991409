"""An experiment under edit: a quick text, controls and YAML that always agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets as w
import torch

from clipnb import html
from clipnb.errors import ClipnbError, ConfigError, listed
from clipnb.models.lite.weights import CLASSIFIERS
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.judge import JudgeConfig
from clipnb.optimise.language.recipes import RECIPES, for_text
from clipnb.optimise.language.shorthand import features_of, line_of
from clipnb.optimise.language.target import FeatureConfig
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.preview import Preview, preview
from clipnb.optimise.results import to_yaml
from clipnb.widgets.common.controls import FULL, labelled, model_chooser
from clipnb.widgets.common.frontend import Choice
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.live.material import difference, with_parameterisation
from clipnb.widgets.live.yaml_editor import Reactions, make_yaml_field
from clipnb.widgets.live.yaml_text import text_at, with_value

_HERE = Path()
_KEEP = "as written"
_FEATURES = ("targets", 0, "features")
_TEXT_PLACES = ((*_FEATURES, 0, "text"), (*_FEATURES, 0))
_A_TOP_LEVEL_KEY = re.compile(rf"\s*(#|(?:{'|'.join(ExperimentConfig.model_fields)})\s*:)")
_SIZES = ("128 x 128", "192 x 192", "256 x 256", "320 x 320", "384 x 256", "256 x 384", "512 x 512", "1024 x 1024")
_SIZE = re.compile(r"\s*(\d{1,9})(?:\s*[x×,\s]\s*(\d{1,9}))?\s*")


def as_yaml(given: str | ExperimentConfig, encoder: str = "auto") -> str:
    """Return what was given as YAML: a text becomes the recipe for an encoder, YAML stays as it is.

    >>> "- text: a lighthouse" in as_yaml("a lighthouse")
    True
    """
    if isinstance(given, ExperimentConfig):
        return to_yaml(given.as_dict(defaults=False))
    if "\n" in given or _A_TOP_LEVEL_KEY.match(given):
        return given
    return to_yaml(for_text(given, models=[encoder]))


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


class ExperimentEditor:
    """Edits one experiment; holds no run.

    Attributes:
        config: the experiment as it is written now, or None while the YAML has a mistake.
    """

    def __init__(
        self,
        panel: Panel,
        given: str | ExperimentConfig,
        changed: Callable[[bool], None],
        folder: Path = _HERE,
        encoder: str | None = None,
        *,
        apply: Callable[[], None] = lambda: None,
        step: Callable[[], int | None] = lambda: None,
        done: Callable[[], int] = lambda: 0,
    ) -> None:
        """Begin with a text, YAML or an experiment; its pictures are looked for in `folder` first.

        `encoder` is the name of the one that is used whatever the experiment names.

        `apply` is called when the editor's keys for that are pressed, `step` returns the number of the present step,
        `done` how many a run has made that is on.

        `changed` is called after every change, with whether it was whole (a control, the quick text) or is being
        typed as YAML.
        """
        self.config: ExperimentConfig | None = None
        self._panel, self._changed, self._mirrors, self._folder = panel, changed, False, folder
        self._encoder, self._step, self._done = encoder, step, done
        self._sound = ExperimentConfig()  # the newest without a mistake
        self.text = w.Text(
            placeholder="what should be seen; Enter. Several: a lighthouse:2 | storm | blurry:-0.5",
            continuous_update=False,
            layout={"width": "auto", "flex": "1 1 auto"},
        )
        self.controls = _controls()
        self.recipe = Choice(options=(_KEEP, *RECIPES), layout=FULL)
        self.yaml: Any = make_yaml_field(panel, as_yaml(given, encoder or "auto"), Reactions(apply, self._look))
        self.problem = w.HTML()
        labels = [("recipe", self.recipe), *((one.label, one.widget) for one in self.controls.values())]
        grid = w.Box([labelled(label, widget) for label, widget in labels])
        self.widget = w.VBox([grid.add_class("clipnb-controls"), self.yaml.add_class("clipnb-yaml"), self.problem])
        self._read()
        panel.on_value(self.text, self._take_text)
        panel.on_value(self.yaml, self._take_yaml)
        panel.on_value(self.recipe, self._take_recipe)
        for key in self.controls:
            panel.on_value(self.controls[key].widget, lambda value, key=key: self._take_control(key, value))  # type: ignore[misc]

    def checked(self) -> ExperimentConfig:
        """Return the experiment.

        Raises:
            ConfigError: the YAML has a mistake, which is shown below it.
        """
        if self.config is None:
            raise ConfigError("the YAML has a mistake, shown below it; mend it first")
        return self.config

    def write(self, *path: str | int, value: object) -> None:
        """Write a value into the YAML, as a control does.

        Raises:
            ConfigError: the YAML has a mistake.
        """
        self._replace(with_value(self.yaml.value, path, value))

    def _replace(self, text: str) -> None:
        with self._mirroring():
            self.yaml.value = text
        self._read()
        self._changed(True)

    def _take_text(self, value: str) -> None:
        text = value.strip()
        if self._mirrors:
            return
        if not text:
            self._panel.show_notice("the field for a text is empty; the experiment stays as it is written below")
            return
        try:
            self._write_features(text)
        except ClipnbError as error:
            self.problem.value = html.problem(str(error))

    def _write_features(self, line: str) -> None:
        """Write the texts of the quick field, with their weights, over those of the first target."""
        text, *further = features_of(line)
        place = next((place for place in _TEXT_PLACES if text_at(self.yaml.value, place) is not None), None)
        shown = _line_of(self.config)
        is_plain = not further and "weight" not in text
        if place and is_plain and shown in (None, text_at(self.yaml.value, place)):
            self._replace(with_value(self.yaml.value, place, text["text"]))
        elif text_at(self.yaml.value, _FEATURES) is not None:
            self._replace(with_value(self.yaml.value, _FEATURES, line))
        elif shown:
            self._replace(with_value(self.yaml.value, _FEATURES, [text, *further]))
        elif place:
            raise ConfigError(
                "the first target's features are more than texts with weights, or mistaken; change them in the YAML"
            )
        else:
            self._replace(as_yaml(line, self._encoder or "auto"))

    def _take_recipe(self, name: str) -> None:
        """Write a recipe into the YAML: what should be seen stays, and what no recipe sets."""
        if name == _KEEP:
            return
        self.recipe.value = _KEEP
        try:
            config = self.checked()
        except ClipnbError as error:
            self.problem.value = html.problem(str(error))
            return
        old = config.as_dict(defaults=False)
        new = for_text("what should be seen", name, models=self._models_of(config), device=config.device)
        seen: list[object] = [one["features"] for one in old.get("targets", []) if one.get("features")]
        new["targets"][0]["features"] = seen[0] if seen else new["targets"][0]["features"]
        if config.init.image is not None or config.init.image_tensor is not None:
            new["init"] = old["init"]
        self._replace(to_yaml({**old, **new}))

    def _take_control(self, key: str, value: Any) -> None:
        if self._mirrors:
            return
        try:
            if key == "pixels" and self.config is not None:
                self._take_parameterisation(self.config, value)
            else:
                self.write(key, value=self.controls[key].for_yaml(value))
        except ClipnbError as error:
            self.problem.value = html.problem(str(error))

    def _take_parameterisation(self, old: ExperimentConfig, name: str) -> None:
        """Write a parameterisation with its recipe's settings, and tell what came with it."""
        text, kept = with_parameterisation(self.yaml.value, old, name, self._models_of(old), self._done())
        self._replace(text)
        if self.config is None or self._panel.message.value:
            return
        told = difference(old, self.config)
        if kept or told != "pixels":
            stays = f". The recipe has another {listed(kept)}: yours stays" if kept else ""
            self._panel.show_notice(f"{name}, by its recipe: {told}{stays}")

    def _models_of(self, config: ExperimentConfig) -> Sequence[str]:
        return [self._encoder] if self._encoder else config.models or [config.model]

    def _take_yaml(self, _: str) -> None:
        if not self._mirrors:
            self._read()
            self._changed(False)

    def _read(self) -> None:
        """Check the YAML; show its mistake, or let the controls show what it has."""
        text = self.yaml.value
        try:
            hints: list[str] = []
            self.config = ExperimentConfig.from_yaml(text, "YAML", folder=self._folder, told=hints.append)
        except ClipnbError as error:
            self.config = None
            self.problem.value = html.problem(str(error), text)
            self.yaml.show(str(error))
            return
        self._sound = self.config
        self.yaml.show("", hints)
        self.problem.value = html.notice("; ".join(hints)) if hints else ""
        line = _line_of(self.config)
        with self._mirroring():
            found = (text_at(text, place) for place in _TEXT_PLACES) if line is None else iter([line])
            self.text.value = next((value for value in found if value is not None), "")
            for control in self.controls.values():
                control.show(self.config)

    def _look(self, level: str, key: str, source: str, draws: bool) -> Preview | None:
        return preview(self._sound, level, key, source, self._step(), draws=draws)

    @contextmanager
    def _mirroring(self) -> Iterator[None]:
        """Change widgets without that being taken for the user's changes."""
        self._mirrors = True
        try:
            yield
        finally:
            self._mirrors = False


def _controls() -> dict[str, Control]:
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
        "judge": Control("judge, only looks", judge, _judges_of, _judges_for_yaml),
        "learnrate": Control("learning rate", rate, _rate_of, lambda value: float(f"{value:.3g}")),
    }


def _line_of(config: ExperimentConfig | None) -> str | None:
    """Write the features of the first target on one line; None where they are more than texts with weights."""
    features = config.targets[0].features if config and config.targets else ()
    weighed = [(f.text, f.weight) for f in features if f.text and isinstance(f.weight, (int, float))]
    is_all = features == tuple(FeatureConfig(text=text, weight=weight) for text, weight in weighed)
    return line_of(weighed) if is_all else None


def _judges_of(config: ExperimentConfig) -> str | None:
    return ", ".join(config.judge.models) if config.judge.every == JudgeConfig().every else None


def _judges_for_yaml(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


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

"""An experiment under edit: a quick text, controls and YAML that always agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import ipywidgets as w

from clipnb import html
from clipnb.errors import ClipnbError, ConfigError, listed
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.recipes import RECIPES, for_text
from clipnb.optimise.language.shorthand import features_of, line_of
from clipnb.optimise.language.target import FeatureConfig
from clipnb.optimise.preview import Preview, preview
from clipnb.optimise.results import to_yaml
from clipnb.runner import running_loop
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import Choice
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.live.experiment_controls import make_controls
from clipnb.widgets.live.material import difference, with_parameterisation
from clipnb.widgets.live.patient_check import PatientCheck
from clipnb.widgets.live.yaml_editor import Reactions, make_yaml_field
from clipnb.widgets.live.yaml_text import text_at, with_value

_HERE = Path()
LONG = 20_000  # characters, from which on a check takes longer than a key may wait
_KEEP = "as written"
_FEATURES = ("targets", 0, "features")
_TEXT_PLACES = ((*_FEATURES, 0, "text"), (*_FEATURES, 0))
_A_TOP_LEVEL_KEY = re.compile(rf"\s*(#|(?:{'|'.join(ExperimentConfig.model_fields)})\s*:)")


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


class _Checked(NamedTuple):
    """A text, the experiment that it says or what is mistaken in it, and what may not be meant."""

    text: str
    config: ExperimentConfig | None
    mistake: str
    hints: Sequence[str] = ()


class ExperimentEditor:
    """Edits one experiment; holds no run. A long text that is typed is checked beside the event loop."""

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
        self._config: ExperimentConfig | None = None
        self._is_unread = False
        self._panel, self._changed, self._mirrors, self._folder = panel, changed, False, folder
        self._encoder, self._step, self._done = encoder, step, done
        self._sound = ExperimentConfig()  # the newest without a mistake
        self.text = w.Text(
            placeholder="what should be seen; Enter. Several: a lighthouse:2 | storm | blurry:-0.5",
            continuous_update=False,
            layout={"width": "auto", "flex": "1 1 auto"},
        )
        self.controls = make_controls()
        self.recipe = Choice(options=(_KEEP, *RECIPES), layout=FULL)
        self.yaml: Any = make_yaml_field(panel, as_yaml(given, encoder or "auto"), Reactions(apply, self._look))
        self.problem = w.HTML()
        labels = [("recipe", self.recipe), *((one.label, one.widget) for one in self.controls.values())]
        grid = w.Box([labelled(label, widget) for label, widget in labels])
        self.widget = w.VBox([grid.add_class("clipnb-controls"), self.yaml.add_class("clipnb-yaml"), self.problem])
        self._patient = PatientCheck(panel, lambda: str(self.yaml.value), self._check, self._take_checked)
        self._read()
        panel.on_value(self.text, self._take_text)
        panel.on_value(self.yaml, self._take_yaml)
        panel.on_value(self.recipe, self._take_recipe)
        for key in self.controls:
            panel.on_value(self.controls[key].widget, lambda value, key=key: self._take_control(key, value))  # type: ignore[misc]

    @property
    def config(self) -> ExperimentConfig | None:
        """The experiment as it is written now, or None while the YAML has a mistake."""
        if self._is_unread:
            self._read()
        return self._config

    def checked(self) -> ExperimentConfig:
        """Return the experiment.

        Raises:
            ConfigError: the YAML has a mistake, which is shown below it.
        """
        config = self.config
        if config is None:
            raise ConfigError("the YAML has a mistake, shown below it; mend it first")
        return config

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

    def _take_yaml(self, text: str) -> None:
        if self._mirrors:
            return
        if len(text) < LONG or running_loop() is None:
            self._read()
            self._changed(False)
            return
        self._is_unread = True
        self.problem.value = html.notice(f"{len(text):,} characters: checked when you pause")
        self._patient.ask()

    def _take_checked(self, checked: _Checked) -> None:
        if self._is_unread and checked.text == self.yaml.value:
            self._show(checked)
            self._changed(False)

    def _read(self) -> None:
        """Check the YAML; show its mistake, or let the controls show what it has."""
        self._show(self._check(self.yaml.value))

    def _check(self, text: str) -> _Checked:
        hints: list[str] = []
        try:
            config = ExperimentConfig.from_yaml(text, "YAML", folder=self._folder, told=hints.append)
        except ClipnbError as error:
            return _Checked(text, None, str(error))
        return _Checked(text, config, "", hints)

    def _show(self, checked: _Checked) -> None:
        text, self._config, mistake, hints = checked
        self._is_unread = False
        self.yaml.show(mistake, hints)
        if self._config is None:
            self.problem.value = html.problem(mistake, text)
            return
        self._sound = self._config
        self.problem.value = html.notice("; ".join(hints)) if hints else ""
        with self._mirroring():
            self.text.value = _line_of(self._config) or _first_text(self._config)
            for control in self.controls.values():
                control.show(self._config)

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


def _line_of(config: ExperimentConfig | None) -> str | None:
    """Write the features of the first target on one line; None where they are more than texts with weights."""
    features = config.targets[0].features if config and config.targets else ()
    weighed = [(f.text, f.weight) for f in features if f.text and isinstance(f.weight, (int, float))]
    is_all = features == tuple(FeatureConfig(text=text, weight=weight) for text, weight in weighed)
    return line_of(weighed) if is_all else None


def _first_text(config: ExperimentConfig) -> str:
    features = config.targets[0].features if config.targets else ()
    return (features[0].text if features else None) or ""

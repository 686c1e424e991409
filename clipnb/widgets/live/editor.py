"""An experiment under edit: a quick text, controls and YAML that always say the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.errors import ClipnbError, ConfigError
from clipnb.optimise.language import recipes as recipe
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import to_yaml
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.live.controls import Control, make_controls
from clipnb.widgets.live.yaml_text import value_at, with_value

_TEXT_PLACES = (("targets", 0, "features", 0, "text"), ("targets", 0, "features", 0))
_A_TOP_LEVEL_KEY = re.compile(rf"\s*(#|(?:{'|'.join(ExperimentConfig.model_fields)})\s*:)")


def as_yaml(given: str | ExperimentConfig) -> str:
    """Write what a person gave as YAML: a text becomes the default recipe for it, YAML stays as it is.

    >>> "- text: a lighthouse" in as_yaml("a lighthouse")
    True
    """
    if isinstance(given, ExperimentConfig):
        return to_yaml(given.as_dict(defaults=False))
    if "\n" in given or _A_TOP_LEVEL_KEY.match(given):
        return given
    return to_yaml(recipe.for_text(given))


class ExperimentEditor:
    """Edits one experiment; holds no run.

    Attributes:
        config: the experiment as it is written now, or None while the YAML has a mistake.
        text: the quick field.
        controls: the row of controls.
        yaml: the editor.
        problem: the mistake in the YAML, below it.
    """

    def __init__(self, given: str | ExperimentConfig, changed: Callable[[bool], None]) -> None:
        """Begin with a text, YAML or an experiment.

        Args:
            given: what is edited.
            changed: told about every change, and whether it was whole (a control, the quick text) or somebody is
                typing YAML.
        """
        self.config: ExperimentConfig | None = None
        self._changed, self._mirroring = changed, False
        self.text = w.Text(
            placeholder="what should be seen; Enter",
            continuous_update=False,
            layout={"width": "auto", "flex": "1 1 auto"},
        )
        self._controls = make_controls()
        self.controls = w.Box([control.labelled for control in self._controls]).add_class("clipnb-controls")
        self.yaml = w.Textarea(value=as_yaml(given), layout={"width": "100%", "height": "246px"})
        self.yaml.add_class("clipnb-yaml")
        self.problem = w.HTML()
        self._read()
        self.text.observe(on_loop(self._take_text), "value")
        for control in self._controls:
            control.widget.observe(on_loop(lambda _, control=control: self._take_control(control)), "value")
        self.yaml.observe(on_loop(self._take_yaml), "value")

    def checked(self) -> ExperimentConfig:
        """Give the experiment.

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
        self._mirroring = True
        try:
            self.yaml.value = text
        finally:
            self._mirroring = False
        self._read()
        self._changed(True)

    def _take_text(self, change: dict[str, Any]) -> None:
        text = change["new"].strip()
        if self._mirroring or not text:
            return
        for place in _TEXT_PLACES:
            if isinstance(value_at(self.yaml.value, place), str):
                self._replace(with_value(self.yaml.value, place, text))
                return
        self._replace(as_yaml(text))

    def _take_control(self, control: Control) -> None:
        if self._mirroring:
            return
        try:
            self.write(control.key, value=control.for_yaml(control.widget.value))
        except ClipnbError as error:
            self.problem.value = html.problem(str(error))

    def _take_yaml(self, change: dict[str, Any]) -> None:
        del change
        if not self._mirroring:
            self._read()
            self._changed(False)

    def _read(self) -> None:
        """Check the YAML; show its mistake, or let the controls say what it says."""
        text = self.yaml.value
        try:
            self.config = ExperimentConfig.from_yaml(text, "YAML")
        except ClipnbError as error:
            self.config = None
            self.problem.value = html.problem(str(error), text)
            return
        self.problem.value = ""
        self._mirror(self.config)

    def _mirror(self, config: ExperimentConfig) -> None:
        self._mirroring = True
        try:
            found = (value_at(self.yaml.value, place) for place in _TEXT_PLACES)
            self.text.value = next((value for value in found if isinstance(value, str)), "")
            for control in self._controls:
                control.show(config)
        finally:
            self._mirroring = False

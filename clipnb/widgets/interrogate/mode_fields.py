"""Fields for what a mode can be told, drawn from the settings that it has a use for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import ipywidgets as w

from clipnb.interrogate.modes import MODES
from clipnb.interrogate.settings import Settings
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import Choice

_HINTS = {"collection": "the shipped prompts; or a file, folder or table of your own"}


class ModeFields:
    """Begins as the settings say.

    Attributes:
        fields: a field for each setting that some mode has a use for, by its name.
        against: a folder that mode `contrast` compares all images with.
    """

    def __init__(self, settings: Settings) -> None:
        names = [name for name in Settings.model_fields if any(mode.heeds(name) for mode in MODES.values())]
        self.fields = {name: _field(name, getattr(settings, name)) for name in names}
        self.against = w.Text(placeholder="a folder; empty: the chosen picture against the others", layout=FULL)
        self._begun = {name: field.value for name, field in self.fields.items()}
        every = {**self.fields, "against": self.against}
        self._labelled = {name: labelled(name.replace("_", " "), field) for name, field in every.items()}
        self.widget = w.Box(list(self._labelled.values())).add_class("clipnb-controls")

    def show(self, mode: str) -> None:
        """Show the fields that a mode has a use for."""
        for name, widget in self._labelled.items():
            used = MODES[mode].heeds(name) or (name == "against" and mode == "contrast")
            widget.layout.display = "" if used else "none"

    @property
    def wishes(self) -> dict[str, Any]:
        """The settings that were changed in the fields; what cannot be read as text, which is then refused."""
        changed = {name: field.value for name, field in self.fields.items() if field.value != self._begun[name]}
        return {name: _read(name, value) for name, value in changed.items()}


def _field(name: str, value: object) -> Any:
    known = Settings.model_fields[name]
    if get_origin(known.annotation) is Literal:
        return Choice(options=get_args(known.annotation), value=value, layout=FULL)
    if isinstance(value, bool):
        return w.Checkbox(value=value, indent=False, layout={"width": "auto"})
    return w.Text(value=_as_text(value), placeholder=_HINTS.get(name, known.description or ""), layout=FULL)


def _as_text(value: object) -> str:
    """Return a value as it is typed; "" for none, and for what nobody types, such as a collection of texts."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={number:g}" for name, number in value.items())
    return "" if value is None or isinstance(value, tuple) else str(value)


def _read(name: str, value: object) -> Any:
    if not isinstance(value, str):
        return value
    usual, text = Settings.model_fields[name].default, value.strip()
    if not text:
        return usual
    if text == "none":
        return None
    if isinstance(usual, Mapping):
        pairs = (pair.rpartition("=") for pair in text.split(","))
        read = {key.strip(): _number(number) for key, _, number in pairs}
        return text if any(isinstance(number, str) for number in read.values()) else read
    return _number(text) if isinstance(usual, (int, float)) else text


def _number(text: str) -> float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

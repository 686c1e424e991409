"""Fields for what may and must stand in prompts: tables on and off, words avoided and required, a length."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from clipnb.interrogate.labels.word_lists import TABLES
from clipnb.interrogate.settings import Settings
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import Choice

_HINTS = {
    "avoid": "nothing that contains these: words, a file.txt, or a table such as artists",
    "require": "words behind the caption, where it lacks them",
    "trigger": "what each prompt begins with",
}
_UNITS = ("tokens", "words", "characters")


class Wording:
    """Begins as the settings say.

    Attributes:
        tables: a box for each table, checked where it takes part.
        texts: fields by the names of their settings.
        most: the longest prompt; 0 for no limit of one's own.
        unit: what is counted.
    """

    def __init__(self, settings: Settings) -> None:
        self.tables = {
            name: w.Checkbox(value=name not in settings.without, description=name, indent=False) for name in TABLES
        }
        self.texts = {
            name: w.Text(value=_as_text(getattr(settings, name)), placeholder=hint, layout=FULL)
            for name, hint in _HINTS.items()
        }
        limits = {unit: getattr(settings, f"max_{unit}") for unit in _UNITS}
        unit = next((unit for unit, most in limits.items() if most), "words")
        self.most = w.BoundedIntText(value=limits[unit] or 0, min=0, max=10**6, layout=FULL)
        self.unit = Choice(options=_UNITS, value=unit, layout=FULL)
        limit = w.HBox([self.most, self.unit])
        fields = {**self.texts, "at most (0: as the model takes)": limit}
        grid = w.Box([labelled(name, field) for name, field in fields.items()]).add_class("clipnb-controls")
        boxes = w.Box(list(self.tables.values())).add_class("clipnb-controls")
        self.widget = w.VBox([labelled("tables", boxes), grid])
        self._begun = self._values

    @property
    def wishes(self) -> dict[str, Any]:
        """The settings that were changed in the fields."""
        return {name: value for name, value in self._values.items() if value != self._begun[name]}

    @property
    def _values(self) -> dict[str, Any]:
        off = tuple(name for name, box in self.tables.items() if not box.value)
        limits = {f"max_{unit}": (self.most.value or None) if unit == self.unit.value else None for unit in _UNITS}
        return {"without": off, **{name: field.value.strip() for name, field in self.texts.items()}, **limits}


def _as_text(value: str | tuple[object, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value))

"""What pictures are described with: mode, model, captioner, labels."""

from __future__ import annotations

import ipywidgets as w

from clipnb.errors import LabelsError
from clipnb.interrogate.modes import MODES
from clipnb.models.captioner import CAPTIONERS
from clipnb.models.sources import OPENAI_NAMES
from clipnb.widgets.common.controls import labelled
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.interrogate.work import Means

_BUILT_IN, _PLACE, _LIST = "built-in", "file, folder or package", "a list"
_PLACE_HINT = "labels.txt, a folder of such files, or package:clip_interrogator"
_LIST_HINT = "one label a line"


class DescribeControls:
    """Controls that stand for `Means` and a mode.

    Attributes:
        widget: what to put into a panel.
        mode: how a prompt is made.
        model: the encoder's name.
        captioner: its name, a hub id or a folder; blank composes captions from labels.
        labels: where labels come from.
        place: of the person's own labels.
        list: the person's own labels, pasted.
    """

    def __init__(self, mode: str, means: Means, encoder_name: str | None, captioner_name: str | None) -> None:
        """Begin with what is chosen first.

        Args:
            mode: one of `MODES`.
            means: what is chosen first.
            encoder_name: of an encoder that was handed in and cannot be changed here.
            captioner_name: the same of a captioner.
        """
        full = {"width": "100%"}
        options = [(f"{name}: {known.summary}", name) for name, known in MODES.items()]
        self.mode = w.Dropdown(options=options, value=mode, layout=full)
        models = ("auto", "lite", *OPENAI_NAMES)
        self.model = w.Combobox(value=encoder_name or means.model, options=models, ensure_option=False, layout=full)
        self.model.disabled = encoder_name is not None
        self.captioner = w.Combobox(
            value=captioner_name or means.captioner or "",
            options=tuple(CAPTIONERS),
            ensure_option=False,
            placeholder="none: composed from labels",
            layout=full,
        )
        self.captioner.disabled = captioner_name is not None
        self.labels = w.Dropdown(options=(_BUILT_IN, _PLACE, _LIST), layout=full)
        self.place = w.Text(placeholder=_PLACE_HINT, layout=full)
        self.list = w.Textarea(placeholder=_LIST_HINT, rows=3, layout=full)
        self._own = w.VBox(layout={"width": "100%"})
        grid = w.Box(
            [
                labelled("mode", self.mode).add_class("clipnb-wide"),
                labelled("model", self.model),
                labelled("captioner", self.captioner),
                labelled("labels", self.labels),
            ]
        )
        self.widget = w.VBox([grid.add_class("clipnb-controls"), self._own])
        self.labels.observe(on_loop(lambda _: self._show_own()), "value")

    def means(self) -> Means:
        """Give what is chosen.

        Raises:
            LabelsError: own labels are chosen, and none are given.
        """
        captioner = "" if self.captioner.disabled else self.captioner.value.strip()
        model = "auto" if self.model.disabled else self.model.value.strip() or "auto"
        return Means(model, captioner or None, self._own_labels())

    def _own_labels(self) -> str | tuple[str, ...] | None:
        if self.labels.value == _BUILT_IN:
            return None
        if self.labels.value == _PLACE:
            place = self.place.value.strip()
            if not place:
                raise LabelsError(f"labels: name a file, a folder or a package, such as {_PLACE_HINT}")
            return str(place)
        labels = tuple(line.strip() for line in self.list.value.splitlines() if line.strip())
        if not labels:
            raise LabelsError("labels: the list is empty; write one label a line, or choose the built-in ones")
        return labels

    def _show_own(self) -> None:
        shown = {_BUILT_IN: (), _PLACE: (self.place,), _LIST: (self.list,)}
        self._own.children = shown[self.labels.value]

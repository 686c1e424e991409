"""Messages of a front end to panels: state of any widget of theirs, and what our own programs in a page send."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import ipywidgets as w
from PIL import Image

import clipnb
from clipnb.errors import ClipnbError
from clipnb.widgets.common.frontend import OneWay
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.upload import ChunkedUpload
from clipnb.widgets.dataset.grid import ScrollingGrid
from clipnb.widgets.tags.graph import TagNetwork
from tests.fuzz.hunt import FOLDER, Target

PROMPTS = ["a cat, fur, soft light", "a dog, fur, tail", "a tower, steel, soft light"]
_TEXTS = [
    "text: a cat\nepochs: 5\n",
    "targets:\n- features: a cat:2 | fog\n  transforms: [{noise: .1}]\nresolution: [64, 32]\n",
    "a cat, fur\na dog",
]
_SET_BY_A_PAGE = ("value", "index", "selected_index")
_mistakes: list[BaseException] = []


def live() -> Panel:
    return clipnb.live("a cat", in_thread=True, live_chart=True)


def tags() -> Panel:
    panel = clipnb.tag_panel(PROMPTS, in_thread=True, live_graph=True)
    panel.session.join(60)
    return panel


def dataset() -> Panel:
    folder = FOLDER / "dataset"
    folder.mkdir(exist_ok=True)
    for name in "abc":
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"{name}, fur")
    panel = clipnb.dataset_panel(folder, in_thread=True, scrolling=True)
    panel.session.join(60)
    return panel


def interrogation() -> Panel:
    return clipnb.interrogate_panel(in_thread=True)


class Shown:
    """A panel under messages; it is made in the process that sends them."""

    def __init__(self, make: Callable[[], Panel]) -> None:
        self._make = make
        self._widgets: list[Any] = []
        self._settable: list[tuple[int, str]] = []

    def seeds(self) -> Sequence[bytes]:
        def noted(panel: Panel, problem: str | BaseException, **_: Any) -> None:
            if not isinstance(problem, (str, ClipnbError)):
                _mistakes.append(problem)

        Panel.show_problem = noted  # type: ignore[method-assign] # panels show mistakes, which would be missed here
        panel = self._make()
        self._widgets = [one for one in widgets_of(panel, Panel) if not isinstance(one, (w.Button, w.Layout, w.Style))]
        self._settable = [
            (place, key)
            for place, widget in enumerate(self._widgets)
            for key in widget.keys
            if (key in _SET_BY_A_PAGE or isinstance(widget, OneWay)) and is_plain(getattr(widget, key))
        ]
        return [
            json.dumps({"widget": place, "state": {key: getattr(self._widgets[place], key)}}).encode()
            for place, key in self._settable
        ] + [json.dumps({"widget": self._place_of(w.Textarea), "state": {"value": text}}).encode() for text in _TEXTS]

    def _place_of(self, kind: type[Any]) -> int:
        return next((place for place, one in enumerate(self._widgets) if isinstance(one, kind)), 0)

    def make(self, draw: Random) -> bytes:
        """Return a message as a page sends it when somebody turns to something else."""
        place, key = draw.choice(self._settable)
        widget = self._widgets[place]
        value = getattr(widget, key)
        options, low, high = (getattr(widget, name, None) for name in ("_options_labels", "min", "max"))
        if isinstance(value, bool):
            value = draw.random() < 0.5
        elif isinstance(value, str):
            value = draw.choice([*_TEXTS, "", "a cat", "fur", "5", ".", value])
        elif options and key == "index":
            value = (
                draw.randrange(len(options))
                if value is None or isinstance(value, int)
                else [draw.randrange(len(options))]
            )
        elif isinstance(value, (int, float)):
            value = type(value)(draw.uniform(low or 0, high or 9))
        return json.dumps({"widget": place, "state": {key: value}}).encode()

    def run(self, data: bytes) -> None:
        message = json.loads(data)
        if not isinstance(message, dict) or not isinstance(message.get("state"), dict):
            return
        place = message.get("widget")
        widget = self._widgets[place % len(self._widgets) if isinstance(place, int) else 0]
        try:
            widget.set_state(message["state"])
        except Exception as error:
            if is_ours(error):
                raise
        raise_noted()


def is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool)) or (
        isinstance(value, (list, tuple)) and all(isinstance(one, (str, int, float)) for one in value)
    )


def is_ours(error: BaseException) -> bool:
    """Return whether an exception came out of our code, and is not ipywidgets' own word on a value that it refuses."""
    frame, last = error.__traceback__, ""
    while frame:
        last, frame = frame.tb_frame.f_globals.get("__name__", ""), frame.tb_next
        if last.startswith("clipnb.") and last != OneWay.__module__:
            return True
    return False


def raise_noted() -> None:
    if _mistakes:
        error = _mistakes.pop()
        _mistakes.clear()
        raise error


def received(make: Callable[[Panel], Callable[[Any], object]], *examples: object) -> Target:
    """Return what receives the messages of a program of ours."""
    made: list[Callable[[Any], object]] = []

    def seeds() -> Sequence[bytes]:
        made.append(make(Panel()))
        return [json.dumps(example).encode() for example in examples]

    def run(data: bytes) -> None:
        made[0](json.loads(data))
        raise_noted()

    return Target(seeds, run, "value")


def upload(panel: Panel) -> Callable[[Any], object]:
    widget = ChunkedUpload(panel, lambda *_: None, lambda: None, largest=1000)
    return lambda message: widget.receive(message, [b"abc"])


def graph(panel: Panel) -> Callable[[Any], object]:
    shown = tags()
    return TagNetwork.receive.__get__(next(one for one in widgets_of(shown, Panel) if isinstance(one, TagNetwork)))


def grid(panel: Panel) -> Callable[[Any], object]:
    shown = dataset()
    return next(one for one in widgets_of(shown, Panel) if isinstance(one, ScrollingGrid)).receive


PART = {"key": "k", "kind": "part", "number": 1, "name": "a.png", "size": 3, "start": 0, "first": True}
MESSAGES = {
    "messages.upload": received(upload, PART, {**PART, "size": 6, "first": False}, {**PART, "kind": "too large"}),
    "messages.graph": received(graph, *({"event": event, "node": 0, "turn": 1} for event in ("look", "pick"))),
    "messages.grid": received(
        grid,
        {"event": "look", "opening": 1, "key": 0},
        {"event": "need", "opening": 1, "tiles": [0, 1], "pictures": [2]},
    ),
}
for name, make in {"live": live, "tags": tags, "dataset": dataset, "interrogation": interrogation}.items():
    shown = Shown(make)
    MESSAGES[f"messages.{name}"] = Target(shown.seeds, shown.run, "value", make=shown.make)

"""A mistake of ours behind any control is told in its panel, with details: never as a traceback in the cell."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, NoReturn

import ipywidgets
import pytest

import clipnb
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.session import Session

SMALL = "epochs: 1\nresolution: 16\nmodel: lite\ntargets:\n- features:\n  - text: a fox\n"
MAKERS: dict[str, tuple[Callable[[Path], Any], int]] = {
    "live": (lambda _: clipnb.live(in_thread=False), 6),
    "interrogate": (lambda _: clipnb.interrogate_panel(), 1),
    "tags": (lambda _: clipnb.tag_panel(["a fox, night"], in_thread=False), 7),
    "dataset": (lambda folder: clipnb.dataset_panel(folder, in_thread=False), 4),
    "explore": (lambda _: clipnb.explore(ExperimentConfig.from_yaml(SMALL), seeds=2, in_thread=False), 2),
}
"""How a panel is made, and how many of its controls need the session."""


class Broken:
    """A session in which everything goes wrong."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"planted in {name}")


def others(widget: Any) -> Iterator[object]:
    """Yield a value that somebody might give to a control."""
    if isinstance(widget, (ipywidgets.HTML, ipywidgets.Image, ipywidgets.FileUpload)):
        return
    if isinstance(widget, (ipywidgets.Dropdown, ipywidgets.Select)):
        options = widget.options.items() if isinstance(widget.options, dict) else widget.options
        listed = [option[1] if isinstance(option, tuple) else option for option in options]
        yield from (value for value in listed[-1:] if value != widget.value)
    elif isinstance(widget, (ipywidgets.Text, ipywidgets.Textarea, ipywidgets.Combobox)):
        yield "something else"
    elif isinstance(getattr(widget, "value", None), bool):
        yield not widget.value
    elif isinstance(getattr(widget, "max", None), (int, float)) and hasattr(widget, "value"):
        yield widget.max


@pytest.mark.parametrize("name", MAKERS)
def test_mistakes_behind_every_control_are_told_in_the_panel(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, least = MAKERS[name]
    panel = make(tmp_path)
    panel.session, session = Broken(), panel.session
    told = 0
    for widget in list(widgets_of(panel, Panel)):
        acts = [widget.click] if isinstance(widget, ipywidgets.Button) else []
        acts += [partial(setattr, widget, "value", value) for value in others(widget)]
        for act in acts:
            panel.message.value = ""
            act()
            said = html.unescape(panel.message.value)
            if "planted" in said:
                told += 1
                assert "RuntimeError: planted" in said
                assert "<details>" in said
                assert "Traceback" not in said
    assert told >= least
    assert capfd.readouterr().err == ""
    panel.session = session
    panel.close()


@pytest.mark.parametrize("name", ["tags", "dataset"])  # which run from the start
def test_what_ended_a_run_is_told_though_another_one_begins_meanwhile(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown: list[object] = []
    monkeypatch.setattr(Panel, "show_problem", lambda _, problem, **__: shown.append(problem))
    errors = cycle([RuntimeError("planted"), None])  # None: the other run's, at a second look
    monkeypatch.setattr(Session, "error", property(lambda _: next(errors)))
    panel = MAKERS[name][0](tmp_path)
    panel.close()
    assert shown
    assert None not in shown

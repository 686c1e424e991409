"""What goes to the browser: large scripts once for all widgets."""

from __future__ import annotations

import base64
import gzip
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import ipywidgets
import pytest

pytest.importorskip("anywidget")

import clipnb
from clipnb.widgets.common.frontend import BrowserWidget, carrier_of


def script() -> str:
    """Return something large."""
    return "let a = 1;" * 1000


def test_all_widgets_share_one_copy_of_a_library() -> None:
    carried = carrier_of(script)
    assert carrier_of(script) is carried
    assert gzip.decompress(base64.b64decode(carried.value)).decode() == script()
    assert len(carried.value) < 200


def test_a_library_is_carried_anew_when_all_widgets_were_closed() -> None:
    old = carrier_of(script)
    ipywidgets.Widget.close_all()
    assert carrier_of(script) is not old


def parts(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)


PANELS = (clipnb.live, clipnb.interrogate_panel, clipnb.tag_panel, clipnb.dataset_panel)


@pytest.mark.parametrize("make", PANELS, ids=lambda make: make.__name__)
def test_no_panel_needs_third_party_widgets_on_kaggle(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> None:
    def of_others() -> list[Any]:
        return [part for part in parts(make()) if isinstance(part, BrowserWidget)]

    assert of_others()
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    assert of_others() == []


def test_marimo_gets_a_word_and_the_graph_with_its_style_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    show = {"callout": lambda text, kind: text, "md": str, "vstack": list, "running_in_notebook": lambda: True}
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(**show))
    word, graph = clipnb.tag_panel(["a cat, fur"])._display_()
    assert word.startswith("The tag panel of clipnb is made of ipywidgets")
    assert ".clipnb-stage" in graph.get_state()["_css"]
    assert len(clipnb.live()._display_()) == 1

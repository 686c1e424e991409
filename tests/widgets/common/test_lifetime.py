"""What is closed ends: a panel's run and all its widgets, by `close()` or when its cell runs again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest
from ipywidgets.widgets import widget as widget_module
from nbclient import NotebookClient

import clipnb
from clipnb.models.encoder import DualEncoder
from clipnb.runner import RunState

MAKERS: dict[str, Callable[[Path], Any]] = {
    "live": lambda _: clipnb.live(),
    "interrogate": lambda _: clipnb.interrogate_panel(),
    "tags": lambda _: clipnb.tag_panel(),
    "dataset": lambda folder: clipnb.dataset_panel(folder),
}


def open_widgets() -> set[str]:
    known = getattr(widget_module, "_instances", None)  # ipywidgets 8
    return set(ipywidgets.Widget.widgets if known is None else known)


@pytest.mark.parametrize("name", MAKERS)
def test_a_closed_panel_leaves_no_widget(name: str, tmp_path: Path) -> None:
    if name == "live":
        pytest.importorskip("plotly")
    MAKERS[name](tmp_path).close()  # what all panels share is there from now on
    before = open_widgets()
    panel = MAKERS[name](tmp_path)
    assert len(open_widgets()) > len(before) + 50
    panel.close()
    panel.close()
    assert open_widgets() <= before


def test_what_is_handed_over_to_a_closed_panel_is_left() -> None:
    panel = clipnb.tag_panel()
    panel.close()
    panel.hand_over(lambda: panel.set_trait("prompt", "a cat"))
    assert panel.prompt == ""


def test_closing_one_of_two_connected_panels_leaves_the_other(tmp_path: Path) -> None:
    live, interrogate = clipnb.live(), clipnb.interrogate_panel()
    clipnb.connect(interrogate, live)
    interrogate.close()
    assert live.model_id in open_widgets()
    assert live.toolbar["start"].model_id in open_widgets()
    live.close()


def test_closing_a_panel_ends_its_run(tiny: DualEncoder, yaml_text: str, until: Callable[..., None]) -> None:
    panel = clipnb.live(yaml_text, encoder=tiny, in_thread=True)
    panel.start()
    until(lambda: panel.session.newest is not None)
    panel.close()
    until(lambda: panel.session.state is RunState.STOPPED)


def test_a_cell_that_is_run_again_ends_the_run_that_it_began_before(tiny_clip: str, yaml_text: str) -> None:
    """In a real kernel, three times over one cell; another one's run goes on, and what is shown again stays."""
    first = f"import clipnb\nfrom IPython.display import display\nencoder = clipnb.load_model({tiny_clip!r})\n"
    first += f"text, kept = {yaml_text!r}, []"
    begin = "panel = clipnb.live(text, encoder=encoder, in_thread=True)\npanel.start()\nkept.append(panel)"
    last = "for panel in kept[1:3]: panel.session.join()\n"
    last += "print([(panel.session.is_on, panel.comm is None) for panel in kept])"
    shown = "kept.append(clipnb.live()) if len(kept) < 5 else display(kept[-1])"
    cells = [first, f"{begin}  # other", *[begin] * 3, shown, shown, last]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=600, startup_timeout=600, iopub_timeout=60).execute()
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert said.strip() == "[(True, False), (False, True), (False, True), (True, False), (False, False)]"

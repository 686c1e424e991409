"""Stills of panels: what they show is drawn, whatever signs the text has, and stays in what an execution saves."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from clipnb.widgets.common.still import blank_figure, drawn


def test_emoji_are_drawn_as_boxes_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    figure = blank_figure(3, 1, 100)
    figure.text(0.1, 0.5, "a fox \N{FOX FACE}")
    picture = drawn(figure)
    assert picture.size == (300, 100)
    assert picture.getcolors() is None or len(picture.getcolors()) > 1
    assert not recwarn.list


def test_a_picture_of_a_run_that_an_earlier_cell_began_stays_in_a_notebook_that_is_executed() -> None:
    began = """
import asyncio, contextvars, threading
from PIL import Image
from clipnb.widgets.common.still import Still
still, go = Still(), threading.Event()
still.place()
def run():
    go.wait()
    still.put(Image.new("RGB", (8, 8)), "done")
thread = threading.Thread(target=contextvars.copy_context().run, args=[run])
thread.start()
"""
    waited = "go.set(); thread.join(); await asyncio.sleep(0)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (began, waited)])
    NotebookClient(notebook, timeout=600, startup_timeout=600, iopub_timeout=60).execute()
    (shown,) = notebook.cells[0].outputs
    assert shown.data["text/plain"] == "done"
    assert "image/png" in shown.data

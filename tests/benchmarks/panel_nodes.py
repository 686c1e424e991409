"""What changes of lists and fields leave in the page: nodes of the DOM after a hundred of each kind.

    python tests/benchmarks/panel_nodes.py

In a real JupyterLab and Chromium, after garbage was collected. Prints a table in Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import jupyterlab, lab  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

TURNS = 100
BEGIN = """
import clipnb, itertools, pathlib, tempfile
from PIL import Image
encoder = clipnb.load_model("lite", "cpu")
folder = pathlib.Path(tempfile.mkdtemp())
for name in "abcd":
    Image.effect_noise((64, 48), 80).convert("RGB").save(folder / f"{name}.png")
    (folder / f"{name}.txt").write_text(f"tag, {name}")
picture = folder / "a.png"
"""
PANELS = {
    "dataset": "clipnb.dataset_panel(folder, encoder=encoder)",
    "interrogate": "clipnb.interrogate_panel(picture, encoder=encoder)",
    "tags": "clipnb.tag_panel(['a fox, night, oil, ink, red', 'a fox, night, oil, wet', 'a ship, oil, red, wet'] * 3)",
    "live": "clipnb.live('epochs: 3\\nresolution: 64\\ntargets: {features: a fox}', encoder=encoder)",
}
CHANGES = {
    "edits of captions": ("dataset", "panel.edit_tab.kind.value = panel.edit_tab.kind.options[turn % 3]"),
    "images that are looked at": (
        "dataset",
        "panel.image_tab.show(None if turn % 2 else picture, 'a', 'tag', unsaved=False)",
    ),
    "where labels come from": (
        "interrogate",
        "panel.options.labels.value = panel.options.labels.options[turn % 3]",
    ),
    "pictures put in and taken out": (
        "interrogate",
        "panel.gallery.remove.click() if turn % 2 else panel.gallery.add(picture)",
    ),
    "tags of a prompt": ("tags", "panel.selected = [] if turn % 2 else ['night']"),
    "comparisons": ("live", "panel.viewer.compare.value = not turn % 2"),
}


def nodes(notebook: Notebook) -> int:
    notebook.page.wait_for_timeout(2000)
    session = notebook.page.context.new_cdp_session(notebook.page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    counted = session.send("Memory.getDOMCounters")["nodes"]
    session.detach()
    return int(counted)


def test_measure(lab: Callable[[str], Notebook]) -> None:  # noqa: F811
    print(f"\n| {TURNS} changes of | nodes before | more afterwards |\n|---|---|---|")
    for name, made in PANELS.items():
        notebook = lab(name)
        notebook.run(BEGIN)
        notebook.run(f"panel = {made}\npanel").locator(".clipnb-panel").first.wait_for()
        if name == "live":
            notebook.python("[panel.start()][:0]")
            notebook.until("panel.session.state.is_over")
        for kind, (place, change) in CHANGES.items():
            if place != name:
                continue
            turn = f"for turn in range({{}}):\n    {change}"
            notebook.python(f"[exec({turn.format(6)!r}, globals())][:0]")
            before = nodes(notebook)
            notebook.python(f"[exec({turn.format(TURNS)!r}, globals())][:0]")
            print(f"| {kind} | {before:,} | {nodes(notebook) - before:+,} |", flush=True)


if __name__ == "__main__":
    sys.exit(pytest.main(["-n", "0", "-q", "-s", __file__]))

"""The panel of variants in JupyterLab: a key is swept, one is stopped, two are compared, one goes on larger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.shown import Shown

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_sweep_stop_compare_and_go_on(lab: Callable[[str], Notebook], tiny_clip: str, tmp_path: Path) -> None:
    notebook = lab("explore")
    output = notebook.run(
        f"import clipnb\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu')\n"
        "panel = clipnb.explore('a red circle', sweep={'learnrate': [0.3, 1, 3]}, epochs=100000, resolution=32,\n"
        f"    recipe='lite', encoder=encoder, output={str(tmp_path)!r})\npanel"
    )
    panel = Shown(notebook, output.locator(".clipnb-panel").first)
    cells = panel.box.locator(".clipnb-variant")
    for place, label in enumerate(("learnrate 0.3: guide", "learnrate 1: guide", "learnrate 3: guide")):
        cells.nth(place).get_by_text(label).wait_for()
    panel.box.locator(".clipnb-best").wait_for()
    cells.nth(0).get_by_role("button", name="Stop").press("Enter")
    cells.nth(0).get_by_role("button", name="Resume").wait_for()
    made = "panel.session.exploration.made"
    stood = notebook.python(f"{made}(0)")
    notebook.until(f"{made}(1) > {stood + 5}")
    assert notebook.python(f"{made}(0)") <= stood + 1
    assert len(list(tmp_path.glob("*.yaml"))) == 1
    for place in (1, 2):
        cells.nth(place).get_by_role("button", name="Compare").press("Enter")
    comparison = panel.box.locator(".clipnb-comparison")
    comparison.locator("img").nth(1).wait_for()
    assert comparison.locator("img").evaluate_all("all => all.map(e => e.alt)") == ["learnrate 3", "learnrate 1"]
    panel.box.get_by_label("go on at").select_option("4 times the size")
    cells.nth(2).get_by_role("button", name="Go on in the live panel").click()
    panel.box.locator(".clipnb-live").get_by_text("running").wait_for()
    notebook.until("panel.opened.session.newest is not None")
    assert notebook.python("list(panel.opened.session.newest.image.shape)") == [3, 128, 128]
    assert len(list(tmp_path.glob("*.yaml"))) == 3, "all are kept"
    notebook.run("panel.close()")
    assert notebook.outside_requests() == []
    assert notebook.wrong == []

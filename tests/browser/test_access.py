"""Panels without a mouse, without seeing them, in the middle of a step, in a page that comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.shown import Shown

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(os.environ.get("CLIPNB_AXE", "node_modules/axe-core/axe.min.js"))
"""`npm install axe-core` puts it there."""
YAML = "epochs: 100000\nresolution: 64\nlearnrate: 1.0\ntargets:\n  - features:\n      - text: a red circle\n"
SLOWLY = """
import time
seconds = 0.02
def slowly(pixels):
    time.sleep(seconds)
    return type(encoder).encode_image(encoder, pixels)
encoder.encode_image = slowly
"""
FOCUS = """() => { const e = document.activeElement, style = getComputedStyle(e);
    const said = e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent.trim();
    return [said || e.placeholder || e.title,
            style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none"]; }"""
SERIOUS = """async selector => {
    const found = await axe.run(document.querySelector(selector), { resultTypes: ["violations"] });
    const serious = found.violations.filter(one => ["serious", "critical"].includes(one.impact));
    return serious.map(one => [one.id, ...one.nodes.slice(0, 4).map(node => node.html.slice(0, 200))]); }"""
TO_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
COUNT_SENT = "sent = []\npanel.viewer.image.observe(lambda change: sent.append(change['new']), 'value')"
HELD = """
import threading
gate, held = threading.Event(), threading.Event()
def hold(pixels):
    held.set()
    gate.wait(600)
    return slowly(pixels)
encoder.encode_image = hold
"""
IS_LIGHT = "light => document.body.dataset.jpThemeLight === light"
PANELS = {
    "live": ("clipnb.live({yaml!r}, encoder=encoder)", "panel.session.newest"),
    "interrogation": ("clipnb.interrogate_panel({picture!r}, encoder=encoder)", "panel.results"),
    "tags": ("clipnb.tag_panel(['a fox, night, oil', 'a fox, night, ink', 'a ship, oil'])", "panel.session.view"),
    "dataset": ("clipnb.dataset_panel({folder!r}, encoder=encoder)", "panel.shown"),
    "explore": (
        "clipnb.explore(clipnb.ExperimentConfig.from_yaml({yaml!r}), encoder=encoder, seeds=2)",
        "panel.session.exploration.newest",
    ),
}


@pytest.fixture(scope="module")
def notebook(lab: Callable[[str], Notebook], tiny_clip: str) -> Notebook:
    opened = lab("access")
    opened.run(f"import clipnb, ipywidgets\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu')\n{SLOWLY}")
    return opened


@pytest.fixture
def panel(notebook: Notebook) -> Iterator[Shown]:
    notebook.wrong.clear()
    output = notebook.run(f"ipywidgets.Widget.close_all()\npanel = clipnb.live({YAML!r}, encoder=encoder)\npanel")
    yield Shown(notebook, output.locator(".clipnb-live"))
    notebook.run("panel.session.stop()\nseconds = 0.02")
    notebook.until("not panel.session.is_on")
    assert notebook.wrong == []


def carry_out(notebook: Notebook, code: str) -> None:
    """Run code in the kernel, beside the cell that shows the panel."""
    notebook.python(f"[exec({code!r}, get_ipython().user_ns)][:0]")


def tab_to(notebook: Notebook, name: str) -> None:
    """Press Tab until what has this name has the focus, which must be seen everywhere on the way."""
    for _ in range(60):
        notebook.page.keyboard.press("Tab")
        found, seen = notebook.page.evaluate(FOCUS)
        assert seen, f"nobody sees that the focus is at {found!r}"
        if found.startswith(name):
            return
    pytest.fail(f"{name} is not reached")


def test_a_whole_run_by_keyboard_alone(panel: Shown, tmp_path: Path) -> None:
    notebook, keyboard = panel.notebook, panel.notebook.page.keyboard
    panel.box.get_by_placeholder("what should be seen; Enter").focus()
    keyboard.press("ControlOrMeta+A")
    keyboard.type("a blue square")
    keyboard.press("Enter")
    panel.until("panel.text == 'a blue square'")
    tab_to(notebook, "Start")
    keyboard.press("Enter")
    panel.until("'a blue square' in getattr(panel.session.newest, 'similarities', ())")
    panel.enabled("Stop")
    tab_to(notebook, "Pause")
    keyboard.press("Space")
    panel.enabled("Resume")
    tab_to(notebook, "Experiment")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        keyboard.press(key)
    panel.box.get_by_role("tab", name="Save", selected=True).wait_for()
    tab_to(notebook, "folder")
    keyboard.press("ControlOrMeta+A")
    keyboard.type(str(tmp_path))
    tab_to(notebook, "Save picture and YAML")
    keyboard.press("Enter")
    panel.says("a-blue-square.png")
    assert (tmp_path / "a-blue-square.yaml").exists()


@pytest.mark.parametrize("name", PANELS)
def test_axe_finds_nothing_serious(name: str, notebook: Notebook, tmp_path: Path) -> None:
    if not AXE.exists():
        pytest.skip(f"no axe-core at {AXE}: npm install axe-core, or set CLIPNB_AXE to its axe.min.js")
    from PIL import Image

    Image.effect_noise((64, 48), 80).convert("RGB").save(tmp_path / "noise.png")
    make, ready = PANELS[name]
    given = make.format(yaml=YAML, picture=str(tmp_path / "noise.png"), folder=str(tmp_path))
    output = notebook.run(f"ipywidgets.Widget.close_all()\npanel = {given}\npanel")
    for begin in ("start", "describe"):
        notebook.python(f"[getattr(panel, {begin!r}, lambda: None)()][:0]")
    notebook.until(f"bool({ready})")
    notebook.page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.page.evaluate(TO_THEME, theme)
        notebook.page.wait_for_function(IS_LIGHT, arg=str("Light" in theme).lower())
        assert notebook.page.evaluate(SERIOUS, ".clipnb-panel") == []
        for tab in output.get_by_role("tab").all():
            tab.click()
            assert notebook.page.evaluate(SERIOUS, ".clipnb-panel") == [], tab.inner_text()
    notebook.run("panel.session.stop()")


def test_clicks_are_heard_in_the_middle_of_a_step(panel: Shown) -> None:
    carry_out(panel.notebook, HELD)
    panel.press("Start")
    panel.until("held.is_set()")
    for _ in range(3):
        panel.press("Pause")
        panel.says("paused")
        panel.press("Resume")
        panel.says("running")
    assert panel.notebook.python("panel.session.newest") is None, "the step has not ended"
    carry_out(panel.notebook, "gate.set()\nencoder.encode_image = slowly")
    panel.until("panel.session.newest is not None")


def test_a_page_that_comes_back_gets_frames(panel: Shown) -> None:
    notebook = panel.notebook
    carry_out(notebook, COUNT_SENT)
    panel.press("Start")
    panel.until("len(sent) > 3")
    notebook.save()
    notebook.open()
    panel.box = notebook.page.locator(".clipnb-live")
    panel.says("running")
    before = notebook.python("len(sent)")
    panel.until(f"len(sent) > {before + 3}")

"""Panels without a mouse, without seeing them, in the middle of a step, in a page that comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

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

VS_CODE = {
    "dark": {
        "foreground": "#cccccc",
        "descriptionForeground": "#9d9d9d",
        "editor-background": "#1f1f1f",
        "editor-foreground": "#cccccc",
        "editorWidget-background": "#202020",
        "editorWidget-border": "#313131",
        "panel-border": "#2b2b2b",
        "input-background": "#313131",
        "input-foreground": "#cccccc",
        "debugTokenExpression-name": "#c586c0",
        "debugTokenExpression-string": "#ce9178",
        "debugTokenExpression-boolean": "#4e94ce",
    },
    "light": {
        "foreground": "#3b3b3b",
        "descriptionForeground": "#3b3b3b",
        "editor-background": "#ffffff",
        "editor-foreground": "#3b3b3b",
        "editorWidget-background": "#f8f8f8",
        "editorWidget-border": "#e5e5e5",
        "panel-border": "#e5e5e5",
        "input-background": "#ffffff",
        "input-foreground": "#3b3b3b",
        "debugTokenExpression-name": "#9b46b0",
        "debugTokenExpression-string": "#a31515",
        "debugTokenExpression-boolean": "#0000ff",
    },
}
"""Colours of VS Code's own themes, dark and light, by the names of its variables in CSS."""
TO_VS_CODE = """([kind, colours]) => {
    delete document.body.dataset.jpThemeLight;
    document.body.dataset.vscodeThemeKind = `vscode-${kind}`;
    document.body.classList.add(`vscode-${kind}`);
    for (const name in colours) document.body.style.setProperty(`--vscode-${name}`, colours[name]); }"""
FROM_VS_CODE = """kind => {
    document.body.dataset.jpThemeLight = "true";
    delete document.body.dataset.vscodeThemeKind;
    document.body.classList.remove(`vscode-${kind}`);
    document.body.removeAttribute("style"); }"""
FAINT = """selector => {
    const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
    const light = colour => colour.reduce((sum, c, i) => {
        const s = c / 255, linear = s <= .04045 ? s / 12.92 : ((s + .055) / 1.055) ** 2.4;
        return sum + linear * [.2126, .7152, .0722][i]; }, 0);
    const ground = e => e ? over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : [255, 255, 255];
    const found = [];
    for (const e of document.querySelectorAll(`${selector}, ${selector} *`)) {
        const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("") || e.value;
        const style = getComputedStyle(e);
        if (!text || !e.offsetParent || style.visibility === "hidden") continue;
        if (e.closest("svg, :disabled, .js-plotly-plot, .clipnb-tile")) continue;
        const back = ground(e), [a, b] = [light(over(parse(style.color), back)), light(back)];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        const most = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
        if (ratio < most) found.push([text.slice(0, 30), e.className, style.color, back.join(), ratio.toFixed(2)]);
    }
    return found; }"""


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


@pytest.mark.parametrize("kind", VS_CODE)
@pytest.mark.parametrize("name", PANELS)
def test_words_in_the_colours_of_vs_code_have_contrast(
    name: str, kind: str, notebook: Notebook, tmp_path: Path
) -> None:
    """WCAG 2 AA: 4.5 to 1, for large letters 3 to 1."""
    Image.effect_noise((64, 48), 80).convert("RGB").save(tmp_path / "noise.png")
    make, _ = PANELS[name]
    given = make.format(yaml=YAML, picture=str(tmp_path / "noise.png"), folder=str(tmp_path))
    output = notebook.run(f"ipywidgets.Widget.close_all()\npanel = {given}\npanel")
    output.locator(".clipnb-panel").first.wait_for()
    if name == "live":
        output.locator(".cm-content").wait_for()
    notebook.page.evaluate(TO_VS_CODE, [kind, VS_CODE[kind]])
    try:
        colour = notebook.page.evaluate("getComputedStyle(document.querySelector('.clipnb-panel')).backgroundColor")
        paper = VS_CODE[kind]["editor-background"]
        assert colour == f"rgb({', '.join(str(int(paper[at : at + 2], 16)) for at in (1, 3, 5))})"
        for tab in [None, *output.get_by_role("tab").all()]:
            if tab is not None:
                tab.click()
            assert notebook.page.evaluate(FAINT, ".clipnb-panel") == []
    finally:
        notebook.page.evaluate(FROM_VS_CODE, kind)


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

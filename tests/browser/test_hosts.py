"""The panels in every host of notebooks that is installed here: the same page of three cells, the same hands.

Only what the page shows is read, since not every host lets a test ask the kernel: what Python answers stands there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.browser.conftest import PATIENCE, free_port, serving, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.hosts]

PREPARE = """import clipnb, time
encoder = clipnb.load_model({model!r}, "cpu")
look = type(encoder).encode_image
def slowly(pixels):
    time.sleep(0.02)
    return look(encoder, pixels)
encoder.encode_image = slowly
labels = dict(mediums=["a photo"], movements=["cubism"], artists=["Hokusai"], trendings=["pixiv"],
              flavors=["soft light", "fog"], negative=["blurry"], objects=["a cup", "a house"])"""
CELLS = [
    'clipnb.live("epochs: 100000\\nresolution: 32\\ntargets:\\n  - features: [a red circle]\\n", encoder=encoder)',
    "clipnb.interrogate_panel(encoder=encoder, labels=labels)",
    'clipnb.tag_panel(["a cat, fur, paws", "a dog, fur, tail", "a fox, fur, tail"])',
]
KERNEL = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
RUN_IN_LAB = f"""async () => {{
    while ({KERNEL}?.status !== 'idle') await new Promise(done => setTimeout(done, 100));
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
    return true; }}"""
RUN_IN_CLASSIC = """async () => {
    const wait = time => new Promise(done => setTimeout(done, time));
    while (!(window.Jupyter?.notebook?._fully_loaded && Jupyter.notebook.kernel?.is_connected())) await wait(100);
    while (!Jupyter.notebook.kernel.widget_manager) await wait(100);  // the extension makes it, some time later
    await Jupyter.notebook.kernel.widget_manager._loadFromKernel();  // behind its own, after which it draws all again
    Jupyter.notebook.execute_all_cells();
    return true; }"""


def version(package: str) -> int:
    """Return the major version of a package, 0 where it is not installed."""
    try:
        return int(metadata.version(package).split(".")[0])
    except metadata.PackageNotFoundError:
        return 0


@dataclass(frozen=True)
class Host:
    """How a notebook is served, opened, run and saved somewhere."""

    missing: str  # what to install, or ""
    command: Callable[[int, str, Path], list[str]]
    page: str  # of the notebook, behind the server's address
    run: str = ""  # JavaScript; a host without runs it by itself
    save: str = ""
    own: str = "no such error"  # that the host makes by itself: a pattern of its words and where it comes from
    begin: str = ""  # of the first cell
    third_party: bool = True  # whether widgets of others load, which graphs that hear clicks are


def _jupyter(module: str, *more: str) -> Callable[[int, str, Path], list[str]]:
    def command(port: int, token: str, notebook: Path) -> list[str]:
        return [
            *("-m", module, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
            *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebook.parent}", *more),
        ]

    return command


def _classic(port: int, token: str, notebook: Path) -> list[str]:
    own = [f"--NotebookApp.token={token}", f"--NotebookApp.notebook_dir={notebook.parent}"]
    return ["-m", "notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", *own]


def _voila(port: int, token: str, notebook: Path) -> list[str]:
    denied = "--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension"
    place = ["--Voila.ip=127.0.0.1", f"--port={port}", f"--Voila.token={token}"]
    return ["-m", "voila", str(notebook), "--no-browser", "--show_tracebacks=True", *place, denied]


_SAVE_IN_LAB = "() => window.jupyterapp.commands.execute('docmanager:save')"
_modern = version("ipywidgets") >= 8
HOSTS = {
    "JupyterLab 4": Host(
        "" if version("jupyterlab") == 4 and _modern else "'jupyterlab>=4' 'ipywidgets>=8'",
        _jupyter("jupyterlab", "--expose-app-in-browser"),
        "doc/tree/panels.ipynb",
        RUN_IN_LAB,
        _SAVE_IN_LAB,
    ),
    "Kaggle, a double": Host(
        "" if version("jupyterlab") == 4 and _modern else "'jupyterlab>=4' 'ipywidgets>=8'",
        _jupyter("jupyterlab", "--expose-app-in-browser"),
        "doc/tree/panels.ipynb",
        RUN_IN_LAB,
        _SAVE_IN_LAB,
        begin="import os; os.environ['KAGGLE_KERNEL_RUN_TYPE'] = 'Interactive'\n",
        third_party=False,
    ),
    "Notebook 7": Host(
        "" if version("notebook") >= 7 and _modern else "'notebook>=7' 'ipywidgets>=8'",
        _jupyter("notebook", "--expose-app-in-browser"),
        "notebooks/panels.ipynb",
        RUN_IN_LAB,
        _SAVE_IN_LAB,
        own=r"(?s)\ACannot read .* \(reading 'schema'\)\n.*/static/notebook/notebook_core\.",
    ),
    "Notebook 6": Host(
        "" if version("notebook") == 6 and version("ipywidgets") == 7 else "'notebook<7' 'ipywidgets<8'",
        _classic,
        "notebooks/panels.ipynb",
        RUN_IN_CLASSIC,
        "() => Jupyter.notebook.save_notebook()",
    ),
    "Voila": Host(
        "" if find_spec("voila") else "voila", _voila, "", own=r"\(https://cdn\.jsdelivr\.net/npm/@fortawesome/"
    ),
}


@dataclass
class Opened:
    """The panels on a page."""

    host: Host
    page: Page
    notebook: Path
    wrong: list[str] = field(default_factory=list)

    def panel(self, name: str) -> Locator:
        return self.page.locator(f".clipnb-{name}.clipnb-panel").first

    def button(self, panel: str, name: str) -> Locator:
        """Return the first button of a name: that of the toolbar, which the player of the history has one like."""
        return self.panel(panel).get_by_role("button", name=name).first

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"{message.type}: {message.text} ({message.location['url']})")


@pytest.fixture(scope="module", params=HOSTS)
def opened(
    request: pytest.FixtureRequest, tiny_clip: str, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """A page with all panels; nothing may go wrong on it until its end."""
    host = HOSTS[request.param]
    if host.missing:
        pytest.skip(f"no {request.param} here: pip install {host.missing}")
    home, notebook = tmp_path_factory.mktemp("host"), tmp_path_factory.mktemp("root") / "panels.ipynb"
    sources = [host.begin + PREPARE.format(model=tiny_clip), *CELLS]
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [{**empty, "id": f"cell-{n}", "source": source} for n, source in enumerate(sources)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    port, token = free_port(), secrets.token_hex(8)
    address = f"http://127.0.0.1:{port}"
    with serving([sys.executable, *host.command(port, token, notebook)], f"{address}/login?token={token}", home):
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        watch(page)
        shown = Opened(host, page, notebook)
        page.on("pageerror", lambda error: shown.wrong.append(f"{error.message}\n{error.stack}"))
        page.on("console", shown.hear)
        page.goto(f"{address}/{host.page}?token={token}", timeout=5 * PATIENCE * 1000)  # Voila runs all cells first
        if host.run:
            page.wait_for_function(host.run, timeout=5 * PATIENCE * 1000)  # which is evaluated once, but not for ever
        shown.panel("tags").wait_for(timeout=5 * PATIENCE * 1000)  # the kernel imports torch first
        yield shown
        if os.environ.get("CLIPNB_SHOTS"):
            for name in ("live", "interrogation", "tags"):
                shown.panel(name).screenshot(path=Path(os.environ["CLIPNB_SHOTS"]) / f"{request.param}-{name}.png")
        assert [words for words in shown.wrong if not re.search(host.own, words)] == []
        page.close()


def test_start_and_pause_act(opened: Opened) -> None:
    panel = opened.panel("live")
    image = panel.locator(".clipnb-glass img")
    opened.button("live", "Start").click()
    panel.locator(".clipnb-lamp", has_text="running").wait_for()
    panel.locator(".clipnb-count", has_text="of 100000 steps").wait_for()
    before = image.get_attribute("src")
    moved = "old => document.querySelector('.clipnb-glass img').src !== old"
    opened.page.wait_for_function(moved, arg=before)
    opened.button("live", "Pause").click()
    panel.locator(".clipnb-lamp", has_text="paused").wait_for()
    opened.button("live", "Resume").wait_for()
    shown = "document.querySelector('.clipnb-glass img').naturalWidth"  # 0 while the last frame is being decoded
    opened.page.wait_for_function(f"() => {shown} === 32")


def test_a_mistake_in_yaml_is_marked_and_keys_are_completed(opened: Opened) -> None:
    panel = opened.panel("live")
    if not opened.host.third_party:
        box = panel.locator(".clipnb-yaml textarea")
        before = box.input_value()
        box.fill(f"{before}\nwrong: 1\n")
        panel.get_by_text("unknown key 'wrong'").first.wait_for()
        box.fill(before)
        panel.locator(".clipnb-problem").first.wait_for(state="detached")
        return
    keyboard = opened.page.keyboard
    panel.locator(".cm-content").click()
    keyboard.press("ControlOrMeta+End")
    keyboard.press("Enter")
    keyboard.type("wrong: 1")
    panel.locator(".cm-line", has_text="wrong: 1").locator(".cm-lintRange-error").wait_for()
    for _ in "wrong: 1":
        keyboard.press("Backspace")
    panel.locator(".cm-lintRange-error").first.wait_for(state="detached")
    keyboard.type("interp")
    opened.page.locator(".cm-tooltip-autocomplete li", has_text="interpolation").wait_for()
    for _ in "interp":
        keyboard.press("Backspace")
    panel.locator(".clipnb-problem").first.wait_for(state="detached")


def test_an_upload_arrives_and_is_described(opened: Opened, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    Image.effect_noise((640, 480), 80).convert("RGB").save(tmp_path / "noise.png")
    panel = opened.panel("interrogation")
    with opened.page.expect_file_chooser() as chooser:
        opened.button("interrogation", "Upload pictures").click()
    chooser.value.set_files(str(tmp_path / "noise.png"))
    panel.locator(".clipnb-tile").wait_for()
    assert panel.locator("input[type=file]:visible").count() == 0, "the browser's own field stays behind the button"
    panel.locator("button.clipnb-main").click()
    panel.get_by_text("1 prompt in").first.wait_for()
    expect(panel.locator(".clipnb-prompt textarea")).not_to_have_value("", timeout=1000 * PATIENCE)
    if opened.host.save:  # what stays in the notebook comes last, and moves the graph that is clicked next
        opened.page.locator("div.clipnb-interrogation:not(.clipnb-panel) table").first.wait_for(state="attached")


def test_a_click_in_the_graph_reaches_python(opened: Opened) -> None:
    panel = opened.panel("tags")
    if not opened.host.third_party:
        panel.frame_locator("iframe").locator("canvas").first.wait_for()
        pytest.skip("the graph is a page in a frame here, which sends Python nothing")
    panel.locator(".clipnb-graph[data-state=rest]").wait_for()
    stage = panel.locator(".clipnb-stage")
    name = next(name for name in stage.evaluate("stage => stage.names") if name["text"] == "fur")
    stage.locator("canvas").click(position=name["at"])
    panel.get_by_text("3 times").first.wait_for()


def test_a_saved_notebook_shows_its_last_picture(opened: Opened) -> None:
    if not opened.host.save:
        pytest.skip("this host saves no notebook")
    panel = opened.panel("live")
    if opened.button("live", "Start").is_enabled():
        opened.button("live", "Start").click()
        panel.locator(".clipnb-count", has_text="of 100000 steps").wait_for()
    opened.button("live", "Stop").click()
    panel.locator(".clipnb-lamp", has_text="stopped").wait_for()
    for _ in range(100):  # the picture reaches the page some time after the word that the run has stopped
        opened.page.evaluate(opened.host.save)
        if "image/png" in (kinds := _kinds(opened.notebook)):
            break
        opened.page.wait_for_timeout(100)
    assert "image/png" in kinds


def _kinds(notebook: Path) -> set[str]:
    """Return the kinds of what stands below the live panel in a saved notebook."""
    outputs = json.loads(notebook.read_text())["cells"][1]["outputs"]
    return {kind for output in outputs for kind in output.get("data", {})}

"""The live panel in JupyterLab: one notebook and kernel for all tests, a new panel for each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.browser.conftest import PATIENCE
from tests.browser.shown import Shown

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

YAML = "epochs: 100000\nresolution: 32\nlearnrate: 1.0\ntargets:\n  - features:\n      - text: a red circle\n"
INDEX = "(-1 if panel.session.newest is None else panel.session.newest.index)"
SLOWLY = """
import sys
import threading
import time
def rests():  # whether no run is in the middle of a step: what it is doing is waiting, for its runner
    frames = sys._current_frames()
    tops = [frames.get(thread.ident) for thread in threading.enumerate() if thread.name == "clipnb-run"]
    return all(top and top.f_code.co_name == "wait" and "runner.py" in str(top.f_back.f_back) for top in tops)
def slowly(pixels):
    time.sleep(0.02)
    return type(encoder).encode_image(encoder, pixels)
encoder.encode_image = slowly
"""
SHOWN = """async () => {
    const answer = await fetch(document.querySelector('.clipnb-glass img').src);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(''); }"""
"""The picture on the page: the bytes of its file."""


@dataclass
class Panel(Shown):
    """A panel on the page, and the notebook around it."""

    def reach(self, index: int) -> None:
        self.notebook.until(f"{INDEX} >= {index}")

    @property
    def index(self) -> int:
        return int(self.notebook.python(INDEX))

    def settled(self) -> int:
        """Wait until no step is being made and the page shows the picture that Python has; return the step's number."""
        self.until("rests()")
        deadline = time.monotonic() + PATIENCE
        while self.notebook.page.evaluate(SHOWN) != self.notebook.python("panel.viewer.image.value.hex()"):
            assert time.monotonic() < deadline, "the page shows another picture"
        return self.index

    @property
    def frame(self) -> str:
        return str(self.box.locator(".clipnb-glass img").get_attribute("src"))

    def another_frame(self, old: str) -> None:
        changed = "old => document.querySelector('.clipnb-glass img').src !== old"
        self.notebook.page.wait_for_function(changed, arg=old)

    def pause_at(self, index: int) -> None:
        self.press("Start")
        self.reach(index)
        self.press("Pause")
        self.says("paused")


@pytest.fixture(scope="module")
def notebook(lab: Callable[[str], Notebook], tiny_clip: str) -> Notebook:
    opened = lab("live")
    opened.run(f"import clipnb, ipywidgets\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu')\n{SLOWLY}")
    return opened


@pytest.fixture
def panel(notebook: Notebook) -> Panel:
    notebook.wrong.clear()
    # A page that is loaded again asks for the state of all widgets, and waits four seconds at most.
    code = f"ipywidgets.Widget.close_all()\npanel = clipnb.live({YAML!r}, encoder=encoder)\npanel"
    output = notebook.run(code)
    yield Panel(notebook, output.locator(".clipnb-live"))
    notebook.run(f"panel.session.stop()\n{SLOWLY}")
    notebook.until("not panel.session.is_on")
    assert notebook.outside_requests() == []
    assert notebook.wrong == []


def test_start_pause_resume_step_stop(panel: Panel) -> None:
    panel.press("Start")
    panel.reach(5)
    panel.says("running")
    panel.another_frame(panel.frame)
    panel.press("Pause")
    panel.says("paused")
    held = panel.settled()
    frame = panel.frame
    assert (panel.settled(), panel.frame) == (held, frame)
    panel.press("Step")
    panel.reach(held + 1)
    assert panel.settled() == held + 1
    panel.press("Resume")
    panel.reach(held + 5)
    panel.press("Stop")
    panel.says("stopped")
    stopped = panel.settled()
    panel.press("Resume")
    panel.reach(stopped + 3)


def test_a_mistake_in_yaml_is_shown_and_mended(panel: Panel) -> None:
    panel.write_yaml(YAML.replace("learnrate", "learnrat"))
    panel.says("YAML, line 3: learnrat: unknown key 'learnrat'; nearest: learnrate")
    panel.press("Start")
    panel.says("mend it first")
    panel.write_yaml(YAML)
    panel.box.locator(".clipnb-problem").first.wait_for(state="detached")
    panel.press("Start")
    panel.reach(2)


def test_controls_and_applied_yaml_reach_a_run(panel: Panel) -> None:
    panel.press("Start")
    panel.reach(2)
    readout = panel.box.locator(".widget-readout:visible").last
    readout.fill("0.25")
    readout.press("Enter")
    panel.notebook.until("abs(panel.session.newest.learnrate - 0.25) < 0.02")
    panel.box.locator(".cm-line", has_text="learnrate: 0.2").wait_for()
    text = panel.box.get_by_placeholder("what should be seen; Enter")
    text.fill("a blue square")
    text.press("Enter")
    panel.notebook.until("'a blue square' in panel.session.newest.similarities")
    panel.write_yaml(YAML.replace("a red circle", "a green star"))
    panel.press("Apply")
    panel.notebook.until("'a green star' in panel.session.newest.similarities")
    assert panel.notebook.python("tuple(panel.session.newest.similarities)") == ["a green star"]


def test_upload_a_picture_and_a_text_named_so(panel: Panel, tmp_path: Path) -> None:
    Image.effect_noise((640, 480), 80).convert("RGB").save(tmp_path / "noise.png")
    (tmp_path / "holiday.png").write_text("I am a text.")
    panel.tab("Start image")

    def give(name: str) -> None:
        with panel.notebook.page.expect_file_chooser() as chooser:
            panel.press("Upload a picture")
        chooser.value.set_files(str(tmp_path / name))

    give("holiday.png")
    panel.says("holiday.png is no picture that can be read")
    give("noise.png")
    panel.notebook.until("(panel.editor.config.init.image or '').endswith('noise.png')")
    assert panel.notebook.python("clipnb.open_image(panel.editor.config.init.image).size") == [640, 480]
    panel.press("Step")
    panel.says("paused")
    panel.press("Noise again")
    panel.notebook.until("panel.editor.config.init.image is None")


def test_a_large_upload_arrives_whatever_the_servers_limit(panel: Panel, tmp_path: Path) -> None:
    Image.effect_noise((2100, 2000), 90).convert("RGB").save(tmp_path / "large.png", compress_level=0)
    assert (tmp_path / "large.png").stat().st_size > 12 * 10**6, "more than the 10 MiB at which servers cut a message"
    panel.notebook.python(f"setattr(panel.save_tab.folder, 'value', {str(tmp_path / 'kept')!r})")
    panel.tab("Start image")
    with panel.notebook.page.expect_file_chooser() as chooser:
        panel.press("Upload a picture")
    chooser.value.set_files(str(tmp_path / "large.png"))
    panel.notebook.until("(panel.editor.config.init.image or '').endswith('large.png')")
    assert panel.notebook.python("clipnb.open_image(panel.editor.config.init.image).size") == [2100, 2000]


def test_a_film_is_played(panel: Panel) -> None:
    film = YAML.replace("100000", "3") + "frames: {count: 8, steps: 2, camera: {rotate: 20}}\n"
    panel.write_yaml(film)
    panel.press("Start")
    panel.says("done")
    panel.notebook.until("panel.viewer.play.max == 7")
    panel.box.locator(".widget-play button").first.click()
    panel.notebook.until("panel.viewer.play.value == 7 and panel.viewer.viewed.about.frame == 7")
    panel.says("frame 8")
    panel.settled()
    last = panel.frame
    panel.box.locator(".widget-play button").nth(1).click()  # back to its beginning
    panel.another_frame(last)


def test_the_kernel_is_interrupted_while_it_runs(panel: Panel) -> None:
    panel.press("Start")
    panel.reach(3)
    panel.notebook.interrupt_kernel()
    panel.reach(panel.index + 5)
    panel.says("running")
    panel.press("Stop")
    panel.says("stopped")


def test_an_error_in_a_run_is_shown(panel: Panel) -> None:
    panel.press("Start")
    panel.reach(2)
    panel.notebook.python("setattr(encoder, 'encode_image', None)")
    panel.says("the run ended: TypeError")
    panel.says("failed")
    assert panel.frame


def test_scrub_back_go_on_and_keep(panel: Panel, tmp_path: Path) -> None:
    panel.pause_at(12)
    panel.settled()
    now = panel.frame
    handle = panel.box.get_by_role("slider").first
    handle.focus()
    for _ in range(4):
        handle.press("ArrowLeft")
    panel.notebook.until("panel.viewer.viewed is not None")
    panel.another_frame(now)
    panel.tab("Save")
    folder = panel.box.get_by_role("textbox", name="folder")
    folder.fill(str(tmp_path))
    panel.press("Save picture")
    panel.says("a-red-circle.png")
    panel.press("Save picture")
    panel.says("a-red-circle-1.yaml")
    panel.press("Save film")
    panel.says("a-red-circle.webp")
    with panel.notebook.page.expect_download() as download:
        panel.box.get_by_role("link", name="a-red-circle.webp").click()
    assert Path(download.value.path()).read_bytes() == (tmp_path / "a-red-circle.webp").read_bytes()
    step = panel.notebook.python("panel.viewer.viewed.about.index")
    panel.press("Go on from here")
    panel.says("running")
    panel.press("Stop")
    panel.says("stopped")
    panel.notebook.until("panel.viewer.viewed is None")
    assert panel.notebook.python(f"[s.about.index for s in panel.session.history.snapshots][:{step + 1}]")[-1] == step


def test_the_strip_is_dragged_and_two_pictures_compared(panel: Panel) -> None:
    panel.pause_at(30)
    strip = panel.box.get_by_role("slider", name="history of the picture")
    panel.notebook.page.wait_for_function(
        "() => [...document.querySelectorAll('.clipnb-film img')].filter(e => e.naturalWidth).length > 3"
    )
    panel.box.locator("[role=slider][aria-valuetext=now]").wait_for()
    room = strip.bounding_box()
    assert room is not None
    mouse, height = panel.notebook.page.mouse, room["y"] + room["height"] / 2
    mouse.move(room["x"] + room["width"] - 4, height)
    mouse.down()
    mouse.move(room["x"] + 1, height, steps=5)
    mouse.up()
    panel.notebook.until("panel.viewer.viewed is panel.session.history[0]")
    panel.box.locator("[role=slider][aria-valuetext='step 1']").wait_for()
    panel.press("Compare")
    comparison = panel.box.locator(".clipnb-comparison")
    panel.notebook.until("panel.viewer.viewed is None")
    comparison.locator("img[alt='step 1']").wait_for()
    assert comparison.locator("img").evaluate_all("all => all.map(e => e.alt)") == ["now", "step 1"]
    line = panel.box.get_by_role("slider", name="the line between")
    before = comparison.locator(".clipnb-left-side").evaluate("e => getComputedStyle(e).clipPath")
    line.press("ArrowRight")
    assert comparison.locator(".clipnb-left-side").evaluate("e => getComputedStyle(e).clipPath") != before
    panel.press("Resume")
    panel.reach(panel.index + 2)
    panel.press("Compare")
    comparison.wait_for(state="detached")
    strip.press("ArrowLeft")
    panel.notebook.until("panel.viewer.viewed is not None")
    panel.box.get_by_role("button", name="now").click()
    panel.notebook.until("panel.viewer.viewed is None")


def test_areas_are_drawn_by_mouse_and_by_keys(panel: Panel, tmp_path: Path) -> None:
    panel.notebook.python(f"setattr(panel.save_tab.folder, 'value', {str(tmp_path)!r})")
    panel.pause_at(5)
    panel.tab("Areas")
    panel.press("rectangle")
    painter = panel.box.get_by_role("application", name="area of the picture")
    room = painter.bounding_box()
    assert room is not None
    mouse = panel.notebook.page.mouse
    mouse.move(room["x"] + 0.25 * room["width"], room["y"] + 0.5 * room["height"])
    mouse.down()
    mouse.move(room["x"] + 0.75 * room["width"], room["y"] + room["height"] - 1, steps=4)
    mouse.up()
    panel.box.get_by_label("what the area is for").select_option(index=1)
    panel.press("Use")
    panel.notebook.until("panel.editor.config.targets[0].region is not None")
    region = panel.notebook.python("panel.editor.config.targets[0].region")
    assert region == pytest.approx([0.25, 0.5, 0.75, 1], abs=0.02)
    painter.wait_for(state="hidden")
    panel.box.get_by_label("what the area is for").select_option(index=0)
    panel.press("brush")
    painter.focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "Space", "Enter"):
        painter.press(key)
    panel.notebook.until("str(panel.editor.config.keep).endswith('a-red-circle-mask.png')")
    painted = panel.notebook.python("sum(clipnb.open_image(panel.editor.config.keep).convert('L').getdata()) / 255")
    assert 5 < painted < 60  # pixels
    panel.press("Resume")
    panel.reach(panel.index + 3)
    panel.says("running")


def test_zoom_tile_and_the_curve(panel: Panel) -> None:
    panel.pause_at(4)
    image = panel.box.locator(".clipnb-glass img")
    width = image.evaluate("e => e.getBoundingClientRect().width")
    panel.notebook.python("setattr(panel.viewer.zoom, 'value', 2)")
    panel.notebook.page.wait_for_function(
        "w => document.querySelector('.clipnb-glass img').getBoundingClientRect().width > 1.8 * w", arg=width
    )
    panel.press("Tile")
    panel.notebook.page.wait_for_function("() => document.querySelector('.clipnb-glass img').naturalWidth === 96")
    panel.box.locator(".js-plotly-plot .scatterlayer path.js-line").wait_for()
    panel.box.locator(".clipnb-statistics td").get_by_text("a red circle").wait_for()


def test_the_last_picture_stays_in_a_small_notebook(panel: Panel) -> None:
    panel.press("Start")
    panel.reach(3)
    panel.press("Stop")
    panel.says("stopped")
    output = panel.notebook.page.locator(".jp-OutputArea-output img[src^='data:image/png']")
    output.wait_for()
    content = panel.notebook.save()
    assert any("image/png" in out.get("data", {}) for out in content["cells"][0]["outputs"])
    assert len(json.dumps(content)) < 1_000_000


def test_the_page_is_loaded_again_while_it_runs(panel: Panel) -> None:
    panel.press("Start")
    panel.reach(2)
    panel.notebook.save()
    panel.notebook.open()
    panel.box = panel.notebook.page.locator(".clipnb-live")
    panel.says("running")
    panel.another_frame(panel.frame)
    panel.reach(panel.index + 3)
    panel.press("Stop")
    panel.says("stopped")


def test_two_panels_at_once(panel: Panel) -> None:
    short = YAML.replace("100000", "9")
    output = panel.notebook.run(f"second = clipnb.live({short!r}, encoder=encoder)\ndisplay(panel, second)")
    first, second = (Panel(panel.notebook, output.locator(".clipnb-live").nth(n)) for n in (0, 1))
    first.press("Start")
    first.reach(2)
    second.press("Start")
    second.says("done")
    panel.notebook.until("second.session.newest.index == 8")
    first.says("running")
    first.press("Pause")
    first.says("paused")
    second.says("done")


def test_after_a_restart_of_the_kernel(notebook: Notebook, tiny_clip: str) -> None:
    notebook.restart_kernel()
    output = notebook.run(
        f"import clipnb\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu')\n{SLOWLY}"
        f"panel = clipnb.live({YAML!r}, encoder=encoder)\npanel"
    )
    panel = Panel(notebook, output.locator(".clipnb-live"))
    panel.press("Start")
    panel.reach(2)
    panel.press("Stop")
    panel.says("stopped")

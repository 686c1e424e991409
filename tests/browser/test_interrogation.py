"""The interrogation panel under a person's hands, in JupyterLab: one notebook and kernel, a new panel for each test."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PREPARE = """
import time
import clipnb
import ipywidgets
from PIL import Image
from clipnb.interrogate.interrogator import Interrogator
from clipnb.progress import progress_bar
encoder = clipnb.load_model({model!r}, "cpu")
labels = dict(mediums=["a photo"], movements=["cubism"], artists=["Hokusai"], trendings=["pixiv"],
              flavors=[f"flavor {{n}}" for n in range(9)], negative=["blurry"], objects=["a cup", "a house"])
quick = Interrogator.interrogate
def slowly(self, *given, **options):
    with progress_bar("Pondering", "thought") as report:
        for n in range(1000):
            report(n, 1000)
            time.sleep(0.02)
    return quick(self, *given, **options)
"""
OPEN = """
ipywidgets.Widget.close_all()  # a page that is loaded again asks for the state of all widgets, and waits 4 s at most
Interrogator.interrogate = quick
panel = clipnb.interrogate_panel(encoder=encoder, labels=labels)
panel
"""
FILE = """const file = (name, content) =>
    new File([Uint8Array.from(atob(content), c => c.charCodeAt(0))], name, { type: "image/png" });
  const data = new DataTransfer();"""
PASTE = f"""(zone, content) => {{
  {FILE}
  if (content) data.items.add(file("image.png", content));
  zone.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData: data, bubbles: true, cancelable: true }}));
}}"""
DROP = f"""(zone, content) => {{
  {FILE}
  for (const name of ["one.png", "two.png"]) data.items.add(file(name, content));
  zone.dispatchEvent(new DragEvent("drop", {{ dataTransfer: data, bubbles: true, cancelable: true }}));
}}"""
CLICK_ALL = "output => output.querySelectorAll('button.clipnb-main').forEach(button => button.click())"


def png(colour: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 48), colour).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Panel:
    """A panel on the page, and the notebook around it."""

    notebook: Notebook
    box: Locator

    def press(self, name: str) -> None:
        self.box.get_by_role("button", name=name).first.click()

    def describe(self) -> None:
        self.box.locator("button.clipnb-main").click()

    def says(self, words: str) -> None:
        self.box.get_by_text(words).first.wait_for()

    def tab(self, name: str) -> None:
        self.box.get_by_role("tab", name=name).click()

    def give(self, *files: Path) -> None:
        with self.notebook.page.expect_file_chooser() as chooser:
            self.press("Upload pictures")
        chooser.value.set_files([str(file) for file in files])

    def has(self, count: int) -> None:
        self.notebook.until(f"len(panel.gallery.pictures) == {count}")
        self.box.locator(f".clipnb-tile >> nth={count - 1}").wait_for()

    @property
    def prompt(self) -> str:
        return self.box.locator(".clipnb-prompt textarea").input_value()


@pytest.fixture(scope="module")
def notebook(lab: Callable[[str], Notebook], tiny_clip: str) -> Notebook:
    opened = lab("interrogation")
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.run(PREPARE.format(model=tiny_clip))
    return opened


@pytest.fixture
def panel(notebook: Notebook) -> Iterator[Panel]:
    notebook.wrong.clear()
    yield Panel(notebook, notebook.run(OPEN).locator(".clipnb-interrogation"))
    notebook.python("panel.session.stop()")
    assert notebook.outside_requests() == []
    assert notebook.wrong == []


@pytest.fixture
def red(panel: Panel) -> Panel:
    """A panel with one picture."""
    panel.notebook.python("setattr(panel, 'picture', Image.new('RGB', (64, 48), 'red'))")
    panel.has(1)
    return panel


def test_upload_describe_edit_and_copy(panel: Panel, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png())
    (tmp_path / "blue.png").write_bytes(png("blue"))
    (tmp_path / "holiday.png").write_text("I am a text.")
    panel.give(tmp_path / "red.png", tmp_path / "holiday.png", tmp_path / "blue.png")
    panel.has(2)
    panel.says("holiday.png is no picture that can be read")
    panel.press("red.png")
    panel.describe()
    panel.says("1 prompt in")
    found = panel.notebook.python("panel.results[-1].to_dict()")
    assert panel.prompt == found["prompt"]
    caption = panel.box.get_by_placeholder("empty: made by the captioner")
    assert caption.input_value() == found["caption"]
    panel.says("composed from labels; edit it")
    caption.fill("a red wall")
    panel.describe()
    panel.notebook.until("len(panel.results) == 2 and panel.prompt.startswith('a red wall')")
    panel.box.locator(".clipnb-bars").get_by_text("flavors").first.wait_for()
    panel.box.locator(".clipnb-bars .clipnb-track").first.wait_for()
    panel.press("Copy")
    panel.says("Copied")
    assert panel.notebook.page.evaluate("navigator.clipboard.readText()") == panel.prompt
    panel.tab("Labels")
    panel.says("inspired by Hokusai")


def test_copy_where_the_page_has_no_clipboard(red: Panel) -> None:
    """As a notebook server without HTTPS on another machine is seen."""
    page = red.notebook.page
    red.box.locator(".clipnb-prompt textarea").fill("a lighthouse, at dusk")
    refuse = (
        "Object.defineProperty(navigator.clipboard, 'writeText', {configurable: true, value: () => Promise.reject()})"
    )
    page.evaluate(refuse)
    red.press("Copy")
    red.says("Copied")
    page.evaluate("delete navigator.clipboard.writeText")
    assert page.evaluate("navigator.clipboard.readText()") == "a lighthouse, at dusk"


def test_a_large_upload_arrives_whatever_the_servers_limit(panel: Panel, tmp_path: Path) -> None:
    noise = Image.effect_noise((2100, 2000), 90)
    Image.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)]).save(tmp_path / "large.png", compress_level=0)
    size = (tmp_path / "large.png").stat().st_size
    assert size > 12 * 10**6, "more than the 10 MiB at which servers cut a message"
    panel.give(tmp_path / "large.png")
    panel.has(1)
    assert panel.notebook.python("[len(panel.gallery.chosen.source), panel.gallery.chosen.size]") == [
        size,
        [2100, 2000],
    ]


def test_paste_and_drop(panel: Panel) -> None:
    zone, content = panel.box.locator(".clipnb-zone"), base64.b64encode(png()).decode()
    zone.click()
    zone.evaluate(PASTE, content)
    panel.has(1)
    zone.evaluate(DROP, content)
    panel.has(3)
    zone.evaluate(PASTE, None)
    panel.says("there is no file in the clipboard")


def test_paste_by_the_keyboard(panel: Panel) -> None:
    write = """async content => {
      const blob = new Blob([Uint8Array.from(atob(content), c => c.charCodeAt(0))], { type: "image/png" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]); }"""
    panel.notebook.page.evaluate(write, base64.b64encode(png()).decode())
    panel.box.locator(".clipnb-zone").click()
    panel.notebook.page.keyboard.press("Control+v")
    panel.has(1)
    assert panel.notebook.page.locator(".jp-Cell").count() == 1, "JupyterLab pasted no cell"


def test_a_path_by_enter(panel: Panel, tmp_path: Path) -> None:
    place = panel.box.get_by_placeholder("path or URL of a picture; Enter")
    place.fill(str(tmp_path / "missing.png"))
    place.press("Enter")
    panel.says("there is no picture")
    (tmp_path / "red.png").write_bytes(png())
    place.fill(str(tmp_path / "red.png"))
    place.press("Enter")
    panel.has(1)


def test_stop_while_it_works(red: Panel) -> None:
    red.notebook.python("setattr(Interrogator, 'interrogate', slowly)")
    red.describe()
    red.says("Pondering")
    red.says("left")
    assert red.box.locator("button.clipnb-main").is_disabled()
    red.press("Stop")
    red.says("stopped")
    assert red.notebook.python("len(panel.results)") == 0


def test_the_page_is_loaded_again_and_the_kernel_interrupted(red: Panel) -> None:
    red.notebook.python("setattr(Interrogator, 'interrogate', slowly)")
    red.describe()
    red.says("Pondering")
    red.notebook.interrupt_kernel()
    red.notebook.save()
    red.notebook.open()
    red.box = red.notebook.page.locator(".clipnb-interrogation")
    red.says("running")
    red.says("Pondering")
    red.press("Stop")
    red.says("stopped")


def test_compare_modes_and_history(red: Panel, tmp_path: Path) -> None:
    red.press("Compare modes")
    red.notebook.until("panel.session.state.value == 'done'")
    red.says("which modes")
    rows = red.box.locator(".clipnb-comparison tbody tr")
    count = red.notebook.python("len(panel.results)")
    assert count > 3
    assert rows.count() == count
    red.tab("History")
    red.box.locator("input[type=text]:visible").last.fill(str(tmp_path / "prompts.csv"))
    red.press("Save as CSV")
    red.says("saved")
    assert (tmp_path / "prompts.csv").read_text().count("picture 1") == count


def test_an_error_is_shown(red: Panel) -> None:
    red.box.get_by_label("captioner").or_(red.box.get_by_placeholder("none: composed from labels")).fill("blip-bse")
    red.describe()
    red.says("cannot load the captioner 'blip-bse'")
    red.says("failed")


def test_what_stays_in_a_saved_notebook(red: Panel) -> None:
    red.describe()
    red.says("1 prompt in")
    red.notebook.page.locator(".jp-OutputArea-output img[src^='data:image/png']").wait_for()
    red.notebook.page.locator(".jp-OutputArea-output div.clipnb-interrogation:not(.clipnb-panel) table").wait_for()
    content = red.notebook.save()
    (cell,) = content["cells"]
    kinds = [set(output.get("data", {})) for output in cell["outputs"]]
    assert {"image/png", "text/plain"} in kinds
    assert {"text/html", "text/plain"} in kinds
    assert len(json.dumps(content)) < 300_000


def test_panels_send_each_other_prompts_and_pictures(red: Panel) -> None:
    yaml = "epochs: 3\nresolution: 32\ntargets:\n  - features: [a red circle]\n"
    output = red.notebook.run(
        f"live = clipnb.live({yaml!r}, encoder=encoder)\n"
        "clipnb.connect(panel, live)\nclipnb.connect(live, panel)\ndisplay(live, panel)"
    )
    red.box = output.locator(".clipnb-interrogation").first
    live = output.locator(".clipnb-live")
    red.press("Send prompt to live panel")
    red.says("there is no prompt to send yet")
    live.get_by_role("button", name="Start").click()
    live.get_by_text("done").first.wait_for()
    live.get_by_role("button", name="Send picture to interrogation panel").click()
    red.has(2)
    red.says("got a picture from the live panel")
    red.describe()
    red.says("1 prompt in")
    red.press("Send prompt to live panel")
    live.get_by_text("got a prompt from the interrogation panel").wait_for()
    assert live.get_by_placeholder("what should be seen; Enter").input_value() == red.prompt


def test_two_panels_at_once(red: Panel) -> None:
    output = red.notebook.run(
        "second = clipnb.interrogate_panel(Image.new('RGB', (9, 9), 'blue'), encoder=encoder, labels=labels)\n"
        "display(panel, second)"
    )
    boxes = [output.locator(".clipnb-interrogation.clipnb-panel").nth(n) for n in (0, 1)]
    for box in boxes:
        box.locator("button.clipnb-main").wait_for()
    output.evaluate(CLICK_ALL)  # at once: the first panel grows when it begins, and moves the other one's button
    for box in boxes:
        box.get_by_text("1 prompt in").wait_for()
    assert red.notebook.python("[len(panel.results), len(second.results)]") == [1, 1]


def test_after_a_restart_of_the_kernel(notebook: Notebook, tiny_clip: str, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png())
    notebook.restart_kernel()
    output = notebook.run(PREPARE.format(model=tiny_clip) + OPEN)
    panel = Panel(notebook, output.locator(".clipnb-interrogation"))
    panel.give(tmp_path / "red.png")
    panel.has(1)
    panel.describe()
    panel.says("1 prompt in")

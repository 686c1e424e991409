"""The dataset panel in JupyterLab: one notebook and kernel for all tests, a new panel and folder for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import PATIENCE
from tests.browser.shown import Shown
from tests.widgets.dataset.conftest import make_images

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., "Panel"]
CAPTIONS = {
    "red": "sks, red, square",
    "blue": "sks, blue, square",
    "green": "sks, green_thing",
    "bare": None,
    "<img src=x onerror=window.ran=1>": "<script>window.ran=2</script>, <img src=x onerror=window.ran=3>",
}


@dataclass
class Panel(Shown):
    """A panel on the page, and the notebook around it."""

    folder: Path

    @property
    def cells(self) -> Locator:
        return self.box.locator(".clipnb-cell")

    def fill(self, label: str, text: str) -> None:
        self.control(label).fill(text)
        self.control(label).press("Enter")

    def written(self) -> dict[str, str]:
        return {path.stem: path.read_text() for path in self.folder.glob("*.txt")}


@pytest.fixture(scope="module")
def notebook(lab: Callable[[str], Notebook]) -> Notebook:
    opened = lab("dataset")
    opened.run("import clipnb, ipywidgets")
    return opened


@pytest.fixture
def opened(notebook: Notebook, tmp_path: Path) -> Iterator[Open]:
    """Open a panel; nothing outside may be asked for, and nothing go wrong on the page."""
    notebook.wrong.clear()

    def open_panel(captions: dict[str, str | None] = CAPTIONS, options: str = "", more: str = "") -> Panel:
        make_images(tmp_path, captions)
        source = f"panel = clipnb.dataset_panel({str(tmp_path)!r}{options}){more}\npanel"
        output = notebook.run(f"ipywidgets.Widget.close_all()\n{source}")
        notebook.until("not panel.session.is_on")
        return Panel(notebook, output.locator(".clipnb-dataset").first, tmp_path)

    yield open_panel
    assert notebook.outside_requests() == []
    assert notebook.wrong == []
    assert notebook.page.evaluate("window.ran ?? null") is None


def test_images_are_shown_with_captions_and_a_tag_shows_its_own(opened: Open) -> None:
    panel = opened()
    panel.says("5 images · 4 captions · 7 tags")
    panel.cells.locator("img[src^=blob]").nth(4).wait_for()
    assert panel.cells.count() == 5
    panel.cells.filter(has_text="<script>window.ran=2</script>").wait_for()
    panel.cells.filter(has_text="no caption").wait_for()
    panel.box.locator(".clipnb-taglist select").select_option(label="2  square")
    panel.says("2 of 5 images")
    panel.cells.nth(2).wait_for(state="detached")
    assert panel.notebook.python("panel.tag") == "square"
    panel.box.locator(".clipnb-taglist select").select_option(label="1  blue")
    panel.press("not")
    panel.says("No image fits the filter.")
    panel.press("Show all")
    panel.until("len(panel.shown) == 5")
    panel.fill("with none of these", "sks")
    panel.says("2 of 5 images")
    panel.fill("text or file name holds", "onerror")
    panel.says("1 of 5 images")
    panel.press("Show all")
    panel.until("len(panel.shown) == 5")
    panel.box.get_by_label("without caption").check()
    panel.says("1 of 5 images")
    panel.notebook.run("panel.tag = 'green thing'; panel")
    panel.until("[panel.session.images[key] for key in panel.shown] == ['green.png']")


def test_an_edit_is_previewed_saved_and_undone(opened: Open) -> None:
    panel = opened()
    before = panel.written()
    panel.fill("with all of these tags", "square")
    panel.tab("Edit")
    panel.control("tag").fill("square")
    panel.control("by").fill("box <b>")
    panel.press("Apply")
    panel.says("2 captions change")
    panel.box.locator(".clipnb-changes ins").filter(has_text="sks, red, box <b>").wait_for()
    assert panel.written() == before, "nothing is written before Save"
    panel.press("Save 2")
    panel.says("2 captions saved")
    assert panel.written() == {**before, "red": "sks, red, box <b>", "blue": "sks, blue, box <b>"}
    panel.press("Undo save")
    panel.says("the last save is undone, 2 captions")
    assert panel.written() == before
    panel.press("Show all")
    panel.control("edit").select_option("append tags")
    panel.control("tags").fill("new")
    panel.press("Apply")
    panel.says("5 captions change")
    panel.press("Undo: append tags")
    panel.says("undone: append tags")
    panel.until("panel.session.unsaved == frozenset()")
    panel.press("Undo save")
    panel.box.get_by_role("alert").wait_for()


def test_one_caption_is_edited(opened: Open) -> None:
    panel = opened()
    panel.cells.filter(has_text="sks, blue").click()
    text = panel.box.locator(".clipnb-prompt textarea")
    panel.holds(text, "sks, blue, square")
    panel.box.locator(".clipnb-window img[src^=blob]").wait_for()
    text.fill("sks,\nnavy")
    panel.press("Keep caption")
    panel.press("Save 1")
    panel.says("1 caption saved")
    assert panel.written()["blue"] == "sks,\nnavy"
    panel.cells.first.click()
    panel.box.locator(".clipnb-cell[data-key='0'][aria-selected=true]").wait_for()
    panel.box.locator(".clipnb-scroll").press("ArrowRight")
    panel.until("panel.chosen == 1")


def test_only_what_is_in_view_is_loaded_while_scrolling(opened: Open) -> None:
    panel = opened({f"{number:04d}": f"number {number}" for number in range(600)})
    panel.cells.filter(has_text="number 0").locator("img[src^=blob]").wait_for()
    assert panel.cells.count() < 60
    frame = panel.box.locator(".clipnb-scroll")
    for share in (0.5, 1.0):
        frame.evaluate("(frame, share) => { frame.scrollTop = share * frame.scrollHeight; }", share)
        panel.cells.filter(has_text=f"number {int(599 * share)}").first.wait_for()
        panel.notebook.page.wait_for_function(
            "cells => cells().every(cell => cell.firstChild.src)".replace(
                "cells()", "[...document.querySelectorAll('.clipnb-cell')]"
            ).replace("cells =>", "() =>")
        )
    assert panel.cells.count() < 60
    panel.cells.filter(has_text="number 599").locator("img[src^=blob]").wait_for()


def test_pages_of_plain_widgets(opened: Open) -> None:
    panel = opened({f"{number:04d}": f"number {number}" for number in range(30)}, options=", scrolling=False")
    tiles = panel.box.locator(".clipnb-plain-tile:visible")
    tiles.filter(has_text="number 23").wait_for()
    assert tiles.count() == 24
    panel.box.get_by_title("the next page").click()
    tiles.filter(has_text="number 29").get_by_role("button").click()
    tiles.nth(6).wait_for(state="hidden")
    assert tiles.count() == 6
    panel.until("panel.prompt == 'number 29'")


def test_what_has_no_caption_is_described(opened: Open) -> None:
    quickly = "; tab = panel.describe_tab; tab.model.value, tab.mode.value = 'lite', 'caption'"
    panel = opened({"a": "kept", "b": None}, more=quickly)
    panel.tab("Describe")
    panel.control("in front").fill("sks")
    panel.press("Describe 1 image without caption")
    panel.notebook.until("len(panel.session.unsaved) == 1", seconds=5 * PATIENCE)  # labels are embedded first
    panel.says("1 caption found")
    assert panel.written() == {"a": "kept"}
    panel.press("Save 1")
    panel.says("1 caption saved")
    assert panel.written()["b"].startswith("sks, ")


def test_a_tag_clicked_in_a_graph_shows_its_images(opened: Open) -> None:
    panel = opened(more="; tags = clipnb.tag_panel(['x, square, red', 'y, square']); clipnb.connect(tags, panel)")
    panel.notebook.run("tags.tag = 'square'; panel")
    panel.says("2 of 5 images")


def test_folders_that_cannot_be_opened_are_told(opened: Open, tmp_path: Path) -> None:
    panel = opened({})
    panel.says(f"there is no image in {tmp_path}")
    place: Any = panel.box.get_by_placeholder("folder of the images")
    place.fill(str(tmp_path / "missing"))
    place.press("Enter")
    panel.says("there is no folder")
    make_images(tmp_path, {"a": "x"})
    (tmp_path / "broken.png").write_bytes(b"no image")
    (tmp_path / "broken.txt").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    place.fill(str(tmp_path))
    place.press("Enter")
    panel.says("1 caption was left alone. broken.txt")
    panel.cells.nth(1).click()
    panel.says("torn.png is no picture that can be read")

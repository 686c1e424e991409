"""The notebook for marimo, as a page in Chromium: a picture grows, another is described, the graph hears clicks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from clipnb.files import shipped
from tests.browser.conftest import PATIENCE, free_port, serving, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("marimo") is None, reason="no marimo here: pip install marimo"),
]
PANEL = """import marimo
app = marimo.App()
@app.cell
def _():
    import clipnb
    clipnb.live()
"""


@pytest.fixture
def page(request: pytest.FixtureRequest, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A notebook as an app; nothing may go wrong on its page."""
    notebook = shipped("notebooks", "marimo", "start.py")
    home = tmp_path_factory.mktemp("marimo")
    if hasattr(request, "param"):
        notebook = home / "panel.py"
        notebook.write_text(request.param)
    port = free_port()
    address, wrong = f"http://127.0.0.1:{port}", []
    command = [sys.executable, "-m", "marimo", "run", notebook, "--headless", "--no-token", "--port", port]
    with serving(command, address, home):
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(3 * PATIENCE * 1000)
        watch(page)
        page.on("pageerror", lambda error: wrong.append(f"{error.message}\n{error.stack}"))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(address)
        yield page
        assert wrong == []
        page.close()


def test_words_become_a_picture_and_pictures_a_prompt(page: Page) -> None:
    page.get_by_role("slider").press("Home")
    page.get_by_role("button", name="Start").click()
    page.get_by_text("step 20 of 20").wait_for()
    page.get_by_label("Mode").select_option("caption")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Drop a picture here").click()
    chooser.value.set_files(shipped("probe", "cat.jpg"))
    page.get_by_text("similarity", exact=True).wait_for()


def test_a_click_in_the_graph_reaches_python(page: Page) -> None:
    page.locator(".clipnb-graph[data-state=rest]").wait_for()
    stage = page.locator(".clipnb-stage")
    assert stage.evaluate("stage => stage.clientHeight") < 500, "without its style sheet it has another height"
    stage.locator("canvas").click(position=stage.evaluate("stage => stage.names[0].at"))
    page.get_by_text("goes with").wait_for()


@pytest.mark.parametrize("page", [PANEL], indirect=True)
def test_a_panel_says_where_it_shows(page: Page) -> None:
    page.get_by_text("The live panel of clipnb is made of ipywidgets").wait_for()

"""The demo does the three jobs, shows them on one page that needs nothing else, and leaves nothing half done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from clipnb.demo.page import Described, Optimised, Shown, make_page
from clipnb.demo.tour import give_tour
from clipnb.errors import OutputError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '<script>document.title = "run"</script><img src=x onerror=\'document.title = "run"\'>'


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return give_tour(tmp_path_factory.mktemp("demo") / "shown", steps=3, quiet=True)


@pytest.mark.slow
def test_everything_is_there(page: Path) -> None:
    names = {file.suffix for file in page.parent.iterdir()}
    assert {".html", ".png", ".yaml", ".json", ".csv"} <= names
    assert not [file for file in page.parent.iterdir() if file.name.startswith(".")]


@pytest.mark.slow
def test_a_second_tour_leaves_the_first_alone(page: Path) -> None:
    before = page.read_bytes()
    second = give_tour(page.parent, steps=1, quiet=True)
    assert second.parent.name == "shown-1"
    assert page.read_bytes() == before


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_opens_from_disk_and_asks_for_nothing(page: Path, chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(300_000)
    tab = context.new_page()
    asked, said = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(page.as_uri())
    graph = next(frame for frame in tab.frames if frame != tab.main_frame)
    graph.wait_for_selector("canvas")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
    assert said == []
    assert tab.locator("img").evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    tab.locator("iframe").screenshot(path=tmp_path / "graph.png")
    drawn = np.asarray(Image.open(tmp_path / "graph.png").convert("RGB"))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 50  # a graph in several colours, not an empty frame
    context.close()


def hostile() -> Shown:
    picture = Image.new("RGB", (8, 8))
    return Shown(
        setting=HOSTILE,
        optimised=Optimised(HOSTILE, picture, [(HOSTILE, picture)], HOSTILE),
        described=[Described(picture, HOSTILE, HOSTILE, [(HOSTILE, 0.5)])],
        described_facts=HOSTILE,
        graph=HOSTILE,
        still=picture,
        tags_facts=HOSTILE,
        note=HOSTILE,
        commands=[HOSTILE],
    )


@pytest.mark.browser
def test_texts_on_the_page_are_never_run(chromium: Browser) -> None:
    tab = chromium.new_page()
    tab.set_content(make_page(hostile()))
    assert tab.title() == "clipnb demo"
    assert tab.locator("main script").count() == 0
    tab.close()


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="choose another folder"):
        give_tour(tmp_path / "file" / "shown", quiet=True)

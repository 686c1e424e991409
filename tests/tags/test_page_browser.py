"""The page in Chromium, from disk: drawn, at rest, readable, silent, deaf to what tags say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import pytest

from clipnb.files import shipped
from clipnb.prompts.read import load_prompts
from clipnb.tags.export import export_web
from clipnb.tags.graph import build_graph
from clipnb.tags.page import show_graph
from tests.tags.conftest import SETTLED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAINTED = """(places) => {
    const canvas = document.querySelector("#graph canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixel = (length) => Math.round(length * devicePixelRatio);
    const alpha = (x, y) => data[4 * (pixel(y) * canvas.width + pixel(x)) + 3];
    let painted = 0;
    for (let i = 3; i < data.length; i += 4) painted += data[i] > 0;
    return [painted / (data.length / 4), places.filter(({ x, y }) => !alpha(x, y))];
}"""
"""Share of the canvas that holds any colour, and places that hold none."""

pytestmark = pytest.mark.browser
Open = Callable[[str], "Page"]


@pytest.fixture
def opened(chromium: Browser) -> Open:
    """Open an address and wait until the graph rests; then nothing may have been asked for or gone wrong."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    asked: list[str] = []
    opened_addresses: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)

    def open_page(address: str) -> Page:
        opened_addresses.append(address)
        page.goto(address)
        frame = page if page.locator("#graph").count() else page.frames[-1]
        frame.wait_for_selector("body[data-state=rest]", timeout=60_000)
        return page

    yield open_page
    assert [url for url in asked if not url.startswith("about:")] == opened_addresses
    assert wrong == []
    context.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    graph = build_graph(load_prompts(shipped("prompts")))
    return export_web(graph, tmp_path_factory.mktemp("web") / "site", title="Sample prompts").as_uri()


def overlapping(names: list[dict[str, float]]) -> list[tuple[object, object]]:
    return [
        (a["text"], b["text"])
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    ]


def settle(page: Page) -> None:
    page.wait_for_function("document.body.dataset.state === 'rest'")
    page.evaluate(f"({SETTLED})(() => namesDrawn)")


def test_names_can_be_read_and_none_covers_another(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    names = page.evaluate("namesDrawn")
    assert len(names) > 90
    assert overlapping(names) == []
    inside = [n for n in names if n["x"] > -2 and n["x"] + n["w"] < page.locator("#graph").bounding_box()["width"] + 2]
    assert len(inside) == len(names)
    painted, dots_missing = page.evaluate(PAINTED, [name["at"] for name in names])
    assert dots_missing == []
    assert painted > 0.05
    assert page.locator("#legend li").count() >= 5
    assert "300 most frequent" in page.locator("footer").inner_text()


def test_it_comes_to_rest_and_stays_there(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    first = page.evaluate("namesDrawn")
    page.evaluate("namesDrawn = 'not drawn again'")
    page.wait_for_timeout(700)
    assert page.evaluate("namesDrawn") == "not drawn again"
    page.set_viewport_size({"width": 900, "height": 600})
    settle(page)
    painted, dots_missing = page.evaluate(PAINTED, [name["at"] for name in page.evaluate("namesDrawn")])
    assert (painted > 0.05, dots_missing) == (True, [])
    page.set_viewport_size({"width": 1280, "height": 800})
    settle(page)
    again = page.evaluate("namesDrawn")
    assert [name["text"] for name in again] == [name["text"] for name in first]


def test_search_finds_centres_and_shows_what_goes_with_it(opened: Open, sample: str) -> None:
    page = opened(sample)
    page.fill("#search", "OIL PAINT")
    assert page.locator("#found li").count() >= 1
    page.keyboard.press("Enter")
    settle(page)
    details = page.locator("#details")
    assert details.locator("strong").inner_text() == "oil painting"
    assert "oil on canvas" in details.inner_text()
    assert overlapping(page.evaluate("namesDrawn")) == []
    page.keyboard.press("Escape")
    assert details.is_hidden()
    page.fill("#search", "no such tag at all")
    assert "No drawn tag" in page.locator("#found").inner_text()


def test_a_community_can_be_looked_at_alone(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    all_names = len(page.evaluate("namesDrawn"))
    first = page.locator("#legend button").first
    first.click()
    settle(page)
    assert first.get_attribute("aria-pressed") == "true"
    assert 0 < len(page.evaluate("namesDrawn")) < all_names
    first.click()
    settle(page)
    assert len(page.evaluate("namesDrawn")) == all_names


def test_hostile_tags_are_shown_and_never_run(opened: Open, hostile: nx.Graph[int], tmp_path: Path) -> None:
    page = opened(show_graph(hostile, title="<img src=x onerror=window.ran=8>").save(tmp_path / "h.html").as_uri())
    settle(page)
    assert page.evaluate(PAINTED, [name["at"] for name in page.evaluate("namesDrawn")])[1] == []
    for text in ("<script>", "<img", "href <a"):
        page.fill("#search", text)
        page.keyboard.press("Enter")
        settle(page)
        assert page.locator("#details strong").inner_text().startswith(text)
        assert any(name["text"].startswith(text) for name in page.evaluate("namesDrawn"))
    box = page.locator("#graph").bounding_box()
    for x in range(60, int(box["width"]), 60):
        page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
    page.keyboard.press("Escape")
    settle(page)
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelectorAll('script').length") == 5
    assert page.evaluate("document.images.length") == 0
    assert page.title() == "<img src=x onerror=window.ran=8>"


def test_in_a_notebooks_frame(opened: Open, hostile: nx.Graph[int], tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><body>{show_graph(hostile)._repr_html_()}</body>", "utf-8", "replace")
    page = opened(notebook.as_uri())
    frame = page.frames[-1]
    assert frame.evaluate("namesDrawn.length") > 3
    assert (
        frame.evaluate("() => { try { return parent.document.title } catch (e) { return e.name } }") == "SecurityError"
    )
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("prompts", [["x, alone"], ["x, a, b"], []])
def test_the_smallest_graphs(opened: Open, prompts: list[str], tmp_path: Path) -> None:
    page = opened(show_graph(build_graph(prompts)).save(tmp_path / "s.html").as_uri())
    settle(page)
    drawn = page.evaluate("window.namesDrawn ? namesDrawn.length : 0")
    assert drawn == (0 if not prompts else len(prompts[0].split(",")) - 1)

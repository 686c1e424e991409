"""The page in Chromium, from disk: drawn, at rest, readable, silent, deaf to what tags say."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import networkx as nx
import pytest
from PIL import Image

from clipnb.tags.graph import build_graph
from clipnb.tags.page import show_graph
from tests.tags.conftest import Open, named, settle, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
    assert "No tag has this" in page.locator("#found").inner_text()


def test_communities_can_be_looked_at_one_and_several_at_once(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    all_names = len(page.evaluate("namesDrawn"))
    first, second = (
        page.locator("#legend button[aria-pressed]").first,
        page.locator("#legend button[aria-pressed]").nth(1),
    )
    groups = "[...new Set(namesDrawn.map(name => name.item.community))].sort()"
    first.click()
    settle(page)
    assert first.get_attribute("aria-pressed") == "true"
    assert page.evaluate(groups) == [0]
    second.click()
    settle(page)
    assert page.evaluate(groups) == [0, 1]
    first.click()
    second.click()
    settle(page)
    assert len(page.evaluate("namesDrawn")) == all_names


def test_a_name_can_be_pointed_at_and_clicked_like_its_dot(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    text = page.evaluate("namesDrawn[3].text")
    page.mouse.move(*named(page, text))
    card = page.locator(".hover")
    card.wait_for()
    assert card.locator("strong").inner_text() == text
    assert "times, in" in card.inner_text()
    assert card.locator("li").count() == 5
    page.mouse.click(*named(page, text))
    details = page.locator("#details")
    details.wait_for()
    assert details.locator("strong").inner_text() == text
    assert details.locator(".companions li").count() == 15
    details.locator(".companions button").first.click()
    assert details.locator("strong").inner_text() != text


def test_a_line_says_what_stands_behind_it(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    x, y = page.evaluate("""() => { const { view, camera, canvas, graph } = drawing;
        const { items, lines } = view(), box = canvas.getBoundingClientRect();
        for (let e = 0; e < lines.from.length; e++) for (const t of [0.5, 0.4, 0.6]) {
            const a = items[lines.from[e]], b = items[lines.to[e]];
            const x = camera.sx(a) * (1 - t) + camera.sx(b) * t, y = camera.sy(a) * (1 - t) + camera.sy(b) * t;
            const near = items.some(item => Math.hypot(camera.sx(item) - x, camera.sy(item) - y) < 22);
            const named = namesDrawn.some(n => x > n.x - 2 && x < n.x + n.w + 2 && y > n.y - 2 && y < n.y + n.h + 2);
            const pair = lines.pair[e], told = graph.examples(graph.source[pair], graph.target[pair]).length;
            if (!near && !named && told) return [box.left + x, box.top + y];
        } }""")
    page.mouse.move(x, y)
    card = page.locator(".hover")
    card.wait_for()
    assert re.search(r"Together in \d+ prompts; chance would give [\d.]+. NPMI -?[\d.]+", card.inner_text())
    assert " + " in card.locator("strong").inner_text()
    assert card.locator(".quotes li").count() >= 1


def test_sliders_hiding_and_rolled_up_communities_change_what_is_drawn(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    many = "drawing.view().items.length"
    assert page.evaluate(many) == 300
    set_slider = """([id, value]) => {
        const slider = document.getElementById(id);
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
    }"""
    page.evaluate(set_slider, ["top", 1000])
    until(page, f"{many} === drawing.graph.size")
    page.evaluate(set_slider, ["leastCount", 500])
    until(page, f"{many} < 300 && drawing.view().items.every(item => item.count >= drawing.settings.leastCount)")
    page.evaluate(set_slider, ["leastWeight", 1000])
    until(
        page,
        "drawing.settings.leastWeight > 0"
        " && drawing.view().lines.pair.every(e => drawing.graph.weight[e] >= drawing.settings.leastWeight)",
    )
    page.locator("#alone").wait_for()
    page.evaluate(set_slider, ["leastWeight", 0])
    until(page, "drawing.settings.leastWeight === -Infinity")
    before = page.evaluate(many)
    tag = page.evaluate("drawing.view().items[0].name")
    page.fill("#search", tag)
    page.keyboard.press("Enter")
    page.locator("#details").get_by_role("button", name="Hide").click()
    until(page, f"{many} === {before - 1}")
    page.locator("#shown-again button").click()
    until(page, f"{many} === {before}")
    page.locator("#legend .fold").first.click()
    until(page, f"{many} < {before} && drawing.view().items.some(item => item.tag === -1)")
    assert page.evaluate("drawing.view().items.filter(item => item.community === 0).length") == 1
    page.locator("#legend .fold").first.click()
    until(page, f"{many} === {before}")


def test_search_draws_what_was_not_drawn_and_knows_arrows(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    name = page.evaluate("drawing.graph.names[drawing.graph.size - 1]")
    page.fill("#search", name)
    page.keyboard.press("ArrowDown")
    assert page.locator("#found [aria-selected=true]").count() == 1
    page.keyboard.press("Enter")
    until(page, "drawing.view().items.length === 301")
    assert page.locator("#details strong").inner_text() == name
    page.fill("#search", "a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("#search").get_attribute("aria-activedescendant") == "found-1"
    page.locator("#list summary").click()
    page.locator("#tags button").nth(300).wait_for()


def test_pictures_and_positions_are_saved(opened: Open, sample: str, tmp_path: Path) -> None:
    page = opened(sample)
    settle(page)
    saved = {}
    for kind in ("png", "svg", "positions"):
        page.locator("#save summary").click()
        with page.expect_download() as download:
            page.locator(f"#{kind}").click()
        saved[kind] = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename == f"tags.{'json' if kind == 'positions' else kind}"
    with Image.open(io.BytesIO(saved["png"])) as image:
        assert len(image.convert("RGB").resize((200, 120)).getcolors(24_000)) > 50
    drawn = ElementTree.fromstring(saved["svg"].decode())
    svg = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{svg}circle")) == 300
    assert len(drawn.findall(f"{svg}text")) == page.evaluate("namesDrawn.length")
    assert len(json.loads(saved["positions"])["nodes"]) == 300


@pytest.mark.parametrize("width", [390, 700, 1280, 1920])
def test_nothing_is_cut_off_at_any_width(opened: Open, sample: str, width: int) -> None:
    page = opened(sample)
    page.set_viewport_size({"width": width, "height": 800})
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for button in page.locator("header button:visible, header input:visible, header summary").all():
        box = button.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert len(page.evaluate("namesDrawn")) > 25
    assert page.locator("#panel").is_visible() == (width > 760)
    if width < 760:
        page.get_by_role("button", name="Panel").click()
        assert page.locator("#panel").bounding_box()["width"] == width


def test_names_never_stand_on_foreign_dots(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    assert (
        page.evaluate("""() => { const { view, camera, look } = drawing;
        return namesDrawn.filter(n => view().items.some(item => {
        if (item === n.item) return false;
        const x = camera.sx(item), y = camera.sy(item);
        const dx = x - Math.max(n.x, Math.min(x, n.x + n.w)), dy = y - Math.max(n.y, Math.min(y, n.y + n.h));
        return Math.hypot(dx, dy) < look.radius(item) - 0.01; })).map(n => n.text); }""")
        == []
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    topics = [f"x, t{i % 6000}, t{(i * i + i % 7) % 6000}, g{i % 40}, t{i % 40 * 150 + i % 149}" for i in range(30_000)]
    return show_graph(build_graph(topics), None).save(tmp_path_factory.mktemp("large") / "l.html").as_uri()


def test_thousands_of_tags_are_drawn_by_webgl_with_names_of_communities(opened: Open, large: str) -> None:
    page = opened(large)
    until(page, "drawing.glCanvas() !== null")
    assert page.evaluate("drawing.view().items.length") > 6000
    pixels = """() => { const gl = drawing.glCanvas(), copy = document.createElement("canvas");
        const pen = copy.getContext("2d");
        [copy.width, copy.height] = [gl.width, gl.height];
        pen.drawImage(gl, 0, 0);
        const { data } = pen.getImageData(0, 0, gl.width, gl.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length / (data.length / 4); }"""
    until(page, f"({pixels})() > 0.02")
    assert page.evaluate("drawing.titles().length") > 2
    page.fill("#search", "t4321")
    page.keyboard.press("Enter")
    until(page, "namesDrawn.some(name => name.text === 't4321')")


def test_without_webgl_the_most_frequent_tags_are_drawn_and_a_word_says_so(chromium: Browser, large: str) -> None:
    page = chromium.new_page()
    page.set_default_timeout(300_000)
    page.add_init_script("""HTMLCanvasElement.prototype.getContext = (get => function (kind, ...more) {
        return kind.startsWith("webgl") ? null : get.call(this, kind, ...more);
    })(HTMLCanvasElement.prototype.getContext);""")
    page.goto(large)
    page.wait_for_selector("body[data-state=rest]")
    assert "no WebGL" in page.locator("footer").inner_text()
    assert page.evaluate("drawing.view().items.length") == 1500
    page.close()


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
    assert page.evaluate("document.querySelectorAll('script').length") == 2
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

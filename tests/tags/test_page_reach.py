"""The page by touch, by keyboard alone, for a screen reader, in dark mode, and with places that were saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clipnb.tags.graph import build_graph
from clipnb.tags.page import show_graph
from tests.tags.conftest import HOSTILE, Open, named, settle, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
Touch = Callable[..., None]
PALE = """() => {
    const parse = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const bright = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => v / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const ground = (e) => {
        const c = parse(getComputedStyle(e).backgroundColor);
        return c[3] === undefined || c[3] > 0.9 ? c : e.parentElement ? ground(e.parentElement) : [255, 255, 255]; };
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const e = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest("script, noscript")) continue;
        const [a, b] = [bright(parse(getComputedStyle(e).color)), bright(ground(e))].sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < 4.5) found.push([walker.currentNode.data.trim().slice(0, 40), contrast]);
    }
    return found;
}"""
"""Texts whose contrast with their ground is below that of WCAG 2, level AA."""

GROUND = """() => {
        const { camera, canvas, view } = drawing, box = canvas.getBoundingClientRect();
        const isFree = (x, y) => view().items.every((i) => Math.hypot(camera.sx(i) - x, camera.sy(i) - y) > 40)
            && namesDrawn.every((n) => x < n.x - 9 || x > n.x + n.w + 9 || y < n.y - 9 || y > n.y + n.h + 9);
        for (let y = 12; y < 300; y += 8) for (let x = 12; x < 380; x += 8)
            if (isFree(x, y)) return [box.left + x, box.top + y]; }"""
"""A place on the upper part of the stage where nothing is drawn."""


@pytest.fixture
def phone(chromium: Browser, sample: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 780}, has_touch=True, offline=True)
    context.set_default_timeout(300_000)
    page = context.new_page()
    page.goto(sample)
    page.wait_for_selector("body[data-state=rest]")
    settle(page)
    yield page
    context.close()


@pytest.fixture
def touch(phone: Page) -> Touch:
    session = phone.context.new_cdp_session(phone)

    def send(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return send


def test_two_fingers_zoom_about_where_they_are_and_move_the_view(phone: Page, touch: Touch) -> None:
    scale = phone.evaluate("drawing.camera.k")
    plane = "(() => { const c = drawing.camera; return [c.x + (195 - c.width / 2) / c.k, c.y]; })()"
    before = phone.evaluate(plane)
    touch("touchStart", (165, 400), (225, 400))
    for spread in range(30, 91, 10):
        touch("touchMove", (195 - spread, 400), (195 + spread, 400))
    until(phone, f"Math.abs(drawing.camera.k / {scale} - 3) < 0.05")
    assert phone.evaluate(plane)[0] == pytest.approx(before[0], abs=2)
    touch("touchMove", (145, 400), (325, 400))
    until(phone, f"{plane}[0] < {before[0]} - 5")  # both fingers went to the right, and the graph with them
    touch("touchEnd")
    assert phone.locator("#details").is_hidden()


def test_a_tap_on_a_name_opens_it_and_one_on_the_ground_closes_it(phone: Page, touch: Touch) -> None:
    lowest = phone.evaluate("namesDrawn.slice().sort((a, b) => b.y - a.y)[0].text")
    phone.touchscreen.tap(*named(phone, lowest))
    phone.locator("#details").wait_for()
    assert phone.locator("#details strong").inner_text() == lowest
    settle(phone)
    assert named(phone, lowest)[1] < phone.locator("#panel").bounding_box()["y"], "the sheet does not lie over it"
    before, (x, y) = phone.evaluate("[drawing.camera.x, drawing.camera.y]"), phone.evaluate(GROUND)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 30, y + 40))
    touch("touchEnd")
    until(phone, f"drawing.camera.x < {before[0]} && drawing.camera.y < {before[1]}")
    settle(phone)
    x, y = phone.evaluate(GROUND)
    phone.touchscreen.tap(x, y)
    until(phone, "document.getElementById('details').hidden && !document.body.dataset.sheet")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent"))


def test_all_is_reached_by_the_keyboard_alone(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    page.keyboard.press("Tab")
    assert focused(page) == "search"
    page.keyboard.type("oil")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.locator("#details strong").inner_text() == "oil painting"
    page.keyboard.press("Escape")
    assert page.locator("#details").is_hidden()
    for _ in range(12):
        page.keyboard.press("Tab")
        if focused(page) == "graph":
            break
    before = page.evaluate("({ ...drawing.camera })")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    until(page, f"drawing.camera.x > {before['x']} && drawing.camera.k > 1.3 * {before['k']}")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#legend li").nth(1).locator("button").first.get_attribute("aria-pressed") == "true"
    page.locator("#list summary").focus()
    page.keyboard.press("Enter")
    page.locator("#tags button").nth(20).wait_for()
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    fourth = page.evaluate("drawing.view().items[3].name")
    assert focused(page).startswith(fourth)
    page.keyboard.press("Enter")
    assert page.locator("#details strong").inner_text() == fourth
    page.locator("#details .companions button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#details strong").inner_text() != fourth
    assert focused(page) == "details", "what was pressed is gone, its place has the focus"
    page.keyboard.press("Escape")
    assert focused(page) == "graph"


def test_a_screen_reader_is_told_what_everything_is(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    field = page.get_by_role("combobox", name="Find a tag")
    field.fill("oil")
    found = page.get_by_role("listbox", name="Found tags")
    assert found.get_by_role("option").count() > 1
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert (active.get_attribute("role"), active.get_attribute("aria-selected")) == ("option", "true")
    page.keyboard.press("Escape")
    assert "300 most frequent" in page.get_by_role("application").get_attribute("aria-label")
    for name in ("Number of tags", "Least count of a tag", "Least count of a pair"):
        assert page.get_by_role("slider", name=name).get_attribute("aria-valuetext")
    first = page.locator("#legend .name").first.inner_text()
    assert page.get_by_role("button", name=f"Roll up {first}").count() == 1
    mute = """[...document.querySelectorAll("button, summary, input:not([hidden])")].filter(e =>
        !(e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent).trim()).length"""
    assert page.evaluate(mute) == 0
    assert page.evaluate("document.querySelectorAll('[role=option] button, li > button button').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(opened: Open, sample: str, scheme: str) -> None:
    page = opened(sample)
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.get_by_role("button", name="Dark or light").click()
    settle(page)
    assert page.evaluate("drawing.style.dark") == (scheme == "dark")
    page.fill("#search", "oil")
    page.keyboard.press("Enter")
    page.locator("#list summary").click()
    page.fill("#search", "pain")
    page.locator("#save summary").click()
    settle(page)
    page.mouse.move(*named(page, page.evaluate("namesDrawn[0].text")))
    assert page.evaluate(PALE) == []
    swatch, drawn = (
        page.evaluate("""() => [document.querySelector("#legend .swatch").style.background.replaceAll(" ", ""),
        `rgb(${drawing.look.tint({ community: 0 })})`]""")
    )
    assert swatch == drawn
    page.emulate_media(color_scheme=None)


def places(page: Page) -> dict[str, list[float]]:
    found: dict[str, list[float]] = page.evaluate(
        "Object.fromEntries(drawing.view().items.map(({ name, x, y }) => [name, [x, y]]))"
    )
    return found


def test_positions_that_were_saved_are_loaded_again(opened: Open, sample: str, tmp_path: Path) -> None:
    page = opened(sample)
    settle(page)
    page.evaluate("""() => { const { settings } = drawing;
        settings.hidden.add(0);
        settings.rolled.add(2);
        drawing.update({ top: 200 });
        drawing.zoom(2); }""")
    settle(page)
    before, camera = places(page), page.evaluate("[drawing.camera.x, drawing.camera.y, drawing.camera.k]")
    page.locator("#save summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save positions").click()
    download.value.save_as(tmp_path / "p.json")
    opened(sample)
    assert places(page) != before
    page.set_input_files("#places", tmp_path / "p.json")
    until(page, "drawing.settings.rolled.has(2)")
    assert places(page) == before
    assert page.evaluate("[drawing.camera.x, drawing.camera.y, drawing.camera.k]") == pytest.approx(camera)
    assert page.locator("#top + output").inner_text() == "200"
    assert page.locator("#shown-again li").count() == 1
    for text, told in (
        ('{"nodes": [{"name": "nowhere", "x": 1, "y": 2}]}', "none of its tags is in this graph"),
        ("[1, 2", "holds no positions"),
        ('{"nodes": 7, "view": {"hidden": 3}}', "holds no positions"),
    ):
        (tmp_path / "wrong.json").write_text(text)
        page.set_input_files("#places", tmp_path / "wrong.json")
        until(page, f"document.getElementById('word').textContent.includes({told!r})")
    assert places(page) == before


def test_python_gives_positions_to_a_page(opened: Open, tmp_path: Path) -> None:
    graph = build_graph(["x, fur, paws", "x, fur, tail"])
    nodes = [{"id": 0, "name": "fur", "x": 5, "y": 7}, {"name": "paws", "id": 1, "x": -50, "y": 0}, {"name": "gone"}]
    (tmp_path / "p.json").write_text(json.dumps({"nodes": nodes}))
    page = opened(show_graph(graph, positions=tmp_path / "p.json").save(tmp_path / "g.html").as_uri())
    settle(page)
    assert places(page) == {"fur": [5, 7], "paws": [-50, 0]}
    assert "1 of the file are not in this graph" in page.locator("footer").inner_text()


def test_lone_tags_have_room_for_their_names(opened: Open, tmp_path: Path) -> None:
    page = opened(show_graph(build_graph([f"x, tag {i}" for i in range(60)])).save(tmp_path / "l.html").as_uri())
    settle(page)
    assert page.evaluate("namesDrawn.length") == 60
    assert page.locator("#alone").inner_text().strip() == "60 tags without a pair, set aside"


def test_a_hundred_thousand_tags_without_a_pair(opened: Open, tmp_path: Path) -> None:
    prompts = [f"x, lone {i}" for i in range(100_000)]
    page = opened(show_graph(build_graph(prompts), None).save(tmp_path / "l.html").as_uri())
    assert page.evaluate("[drawing.view().items.length, drawing.glCanvas() !== null]") == [100_000, True]
    page.fill("#search", "lone 77777")
    page.keyboard.press("Enter")
    until(page, "namesDrawn.some(name => name.text === 'lone 77777')")


def test_dots_do_not_lie_on_one_another(opened: Open, sample: str) -> None:
    page = opened(sample)
    settle(page)
    assert (
        page.evaluate("""() => { const { view, camera, look } = drawing, { items } = view();
        return items.flatMap((a, i) => items.slice(i + 1).filter(b => Math.hypot(camera.sx(a) - camera.sx(b),
            camera.sy(a) - camera.sy(b)) < 0.8 * (look.radius(a) + look.radius(b))).map(b => [a.name, b.name])); }""")
        == []
    )


def test_names_that_want_to_be_more_than_text_are_text_everywhere(opened: Open, tmp_path: Path) -> None:
    tags = [*HOSTILE[:4], "w" * 5000, "🐱🎨", "مرحبا بالعالم", "\u202egnp.exe"]
    graph = build_graph([f"x; {tag}; {other}" for tag in tags for other in tags if tag != other])
    page = opened(show_graph(graph).save(tmp_path / "h.html").as_uri())
    settle(page)
    page.locator("#list summary").click()
    for item in page.locator("#tags button").all():
        item.click()
        settle(page)
    assert page.evaluate(
        "[window.ran ?? null, document.images.length, document.querySelectorAll('main script').length]"
    ) == [None, 0, 0]
    assert page.evaluate("document.documentElement.scrollWidth") == 1280

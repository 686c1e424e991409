"""Tags that try to be more than text."""

from __future__ import annotations

import base64
import gzip
import json
import re
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from clipnb.files import shipped
from clipnb.prompts.read import load_prompts
from clipnb.tags.export import export_web
from clipnb.tags.graph import build_graph
from clipnb.tags.tag_graph import TagGraph

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

Open = Callable[[str], "Page"]

SETTLED = """read => new Promise((settled, failed) => {
  let last = null, same = 0, looks = 0;
  const look = () => {
    const now = JSON.stringify(read());
    same = now && now === last ? same + 1 : 0;
    last = now;
    if (same > 30) settled();
    else if (++looks > 3000) failed(new Error("the names never come to rest"));
    else requestAnimationFrame(look);
  };
  look();
})"""
"""A function of the page: waits until what `read` returns has been the same for thirty frames."""
HOSTILE = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=2</script>",
    "<img src=x onerror=window.ran=3>",
    "<!--<script>",
    "]]>&lt b&amp x",
    "javascript:window.ran=4",
    "{{data}} ${window.ran=5} {{constructor}}",
    '" onload="window.ran=6',
    "href <a href='javascript:window.ran=7'>x</a>",
    '=HYPERLINK("http://evil.example")',
    "+1+cmd",
    "@SUM(A1)",
    "-2+3",
    "$\\frac{a}{b}$ $x$",
    "__proto__",
    "constructor",
    "👩‍🚀 family 👨‍👩‍👧‍👦",
    "שלום עולם",
    "\u202egnp.exe",
    "red \x1b[31m bell \x07 null \x00",
    "half \ud800 pair",
    "zero\u200bwidth",
    "\u2028 line separator",
    "w" * 20_000,
)


@pytest.fixture
def hostile() -> TagGraph:
    """A graph of hostile tags that all go with each other, beside ordinary ones."""
    return build_graph([f"x; {tag}; {other}; plain" for tag in HOSTILE for other in (*HOSTILE[:3], "tag")])


def data_of(page: str) -> dict[str, Any]:
    """What the page knows: its header, and the columns by name."""
    found = re.search(r'<script type="text/plain" id="graph-data">(.*?)</script>', page, re.S)
    assert found
    packed = gzip.decompress(base64.b64decode(found[1]))
    (size,) = struct.unpack_from("<I", packed)
    data = json.loads(packed[4 : 4 + size])
    place = 4 + size
    for name, kind, length in data["columns"]:
        data[name] = np.frombuffer(packed, f"<{kind}", length, place)
        place += data[name].nbytes
    assert place == len(packed)
    return data


def is_wrong(message: ConsoleMessage) -> bool:
    return message.type in ("error", "warning") and "GL Driver Message" not in message.text


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Open]:
    """Open an address and wait until the graph rests; then nothing may have been asked for or gone wrong."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    context.set_default_timeout(300_000)
    page = context.new_page()
    asked: list[str] = []
    opened_addresses: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if is_wrong(message) else None)

    def open_page(address: str) -> Page:
        opened_addresses.append(address)
        page.goto(address)
        frame = page if page.locator("#graph").count() else page.frames[-1]
        frame.wait_for_selector("body[data-state=rest]", timeout=300_000)
        return page

    yield open_page
    assert [url for url in asked if not url.startswith(("about:", "blob:"))] == opened_addresses
    assert wrong == []
    context.close()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    graph = build_graph(load_prompts(shipped("prompts")))
    return export_web(graph, tmp_path_factory.mktemp("web") / "site", title="Sample prompts").as_uri()


def until(page: Page, condition: str) -> None:
    """Wait until an expression of the page is true; the page's policy lets no string be run there again and again."""
    page.evaluate(f"""() => new Promise((done, failed) => {{
        const end = performance.now() + 300_000;
        const look = () => {{
            if ({condition}) done();
            else if (performance.now() > end) failed(new Error("it never came to that"));
            else requestAnimationFrame(look);
        }};
        look();
    }})""")


def settle(page: Page) -> None:
    until(page, "document.body.dataset.state === 'rest' && Array.isArray(namesDrawn)")
    page.evaluate(f"({SETTLED})(() => namesDrawn.map(({{ text, x, y }}) => [text, x, y]))")


def named(page: Page, text: str) -> tuple[float, float]:
    """The middle of a name on the page."""
    return tuple(
        page.evaluate(
            """text => { const n = namesDrawn.find(name => name.text === text);
            const box = document.querySelector("#graph").getBoundingClientRect();
            return [box.left + n.x + n.w / 2, box.top + n.y + n.h / 2]; }""",
            text,
        )
    )

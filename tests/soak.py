"""An hour of use, by hand: what memory, open files and threads do meanwhile.

    python tests/soak.py [--minutes 60] live|folder|graph

`live` optimises in a real kernel and shows it in Chromium, is paused and resumed; `graph` clicks on tags of a panel and
searches; `folder` interrogates a folder again and again. After a warm-up of a quarter of the time, the medians of the
first and the last fifth of what follows are compared; ends with 1 where one of them grew by more than two hundredths.

Playwright opens the page and goes: while it is attached, Chromium keeps each picture that a page loads, some twenty
kilobytes a frame, for whoever might ask for it, and each time it comes it leaves half a megabyte of programs there.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import psutil
import pytest

from tests.browser.conftest import Notebook, Server, free_port, jupyterlab, serving, write_notebook  # noqa: F401
from tests.conftest import CHROMIUM_FLAGS
from tests.interrogate.conftest import SMALL_LISTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MINUTES = "CLIPNB_SOAK_MINUTES"
ALLOWED, SECONDS = 0.02, 5.0  # growth; between two looks
YAML = "epochs: 100000000\nresolution: 64\ntargets:\n  - features:\n      - text: a red circle\n"
PLACE = """(stage => {
    const at = stage.drawing?.placeOf(%d), box = stage.getBoundingClientRect();
    const seen = at && at.x > 9 && at.y > 9 && at.x < box.width - 9 && at.y < box.height - 60;
    return seen ? [box.x + at.x, box.y + at.y] : null;
})(document.querySelector('.clipnb-stage'))"""
SEARCH = """(field => {
    field.focus();
    field.value = %s;
    field.dispatchEvent(new Event('input', { bubbles: true }));
})(document.querySelector('.clipnb-panel input[placeholder="find a tag"]'))"""
Look = Callable[[], "dict[str, float]"]


def of_process(process: psutil.Process, name: str) -> dict[str, float]:
    with process.oneshot():
        memory, threads = process.memory_info().rss / 2**20, process.num_threads()
    return {
        f"memory of the {name}, MiB": memory,
        f"files of the {name}": process.num_fds(),
        f"threads of the {name}": threads,
    }


KINDS = {"": "Chromium itself", "renderer": "Chromium's pages", "gpu-process": "Chromium's drawing"}
HEADLESS = ("--headless=new", "--window-size=1280,1000", "about:blank")


class Chromium:
    """A Chromium, and what it is made of."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        ours = psutil.Process().children()
        self.process = next(one for one in ours if f"--remote-debugging-port={port}" in one.cmdline())

    def memory(self) -> dict[str, float]:
        """Return mebibytes of each kind of process, what they share counted once."""
        found = dict.fromkeys([*KINDS.values(), "other processes of Chromium"], 0.0)
        for process in [self.process, *self.process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                kind = next((word[7:] for word in process.cmdline() if word.startswith("--type=")), "")
                found[KINDS.get(kind, "other processes of Chromium")] += process.memory_full_info().pss / 2**20
        return {f"memory of {name}, MiB": size for name, size in found.items()}


@pytest.fixture
def chromium_alone(tmp_path: Path) -> Iterator[Chromium]:
    port, program = free_port(), os.environ.get("CHROME") or shutil.which("chromium") or "google-chrome"
    places = (f"--remote-debugging-port={port}", f"--user-data-dir={tmp_path / 'profile'}")
    with serving([program, *CHROMIUM_FLAGS, *places, *HEADLESS], f"http://127.0.0.1:{port}/json/version", tmp_path):
        yield Chromium(port)


class Tools:
    """What Chromium's own tools do with a page, and nothing besides."""

    def __init__(self, chromium: Chromium) -> None:
        from websocket import create_connection  # type: ignore[import-untyped, unused-ignore]

        with urllib.request.urlopen(f"{chromium.address}/json/list") as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page" and "soak" in one["url"])
        self._socket, self._sent = create_connection(page["webSocketDebuggerUrl"], suppress_origin=True), 0

    def send(self, method: str, **given: object) -> dict[str, Any]:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": given}))
        while (answer := json.loads(self._socket.recv())).get("id") != self._sent:
            pass
        found: dict[str, Any] = answer["result"]
        return found

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in JavaScript."""
        found = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, name: str) -> None:
        """Wait until the panel has a button of that name that can be pressed, and press it."""
        button = f"[...document.querySelectorAll('.clipnb-panel button')].find(b => b.textContent.trim() === '{name}')"
        while not self.evaluate(f"(b => b && !b.disabled && (b.click(), true))({button})"):
            time.sleep(0.05)

    def mouse(self, kind: str, x: float, y: float, **more: object) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def look(self) -> dict[str, float]:
        self.send("Performance.enable")
        self.send("Memory.simulatePressureNotification", level="critical")  # empties caches, which may grow
        self.send("HeapProfiler.collectGarbage")
        told = {one["name"]: one["value"] for one in self.send("Performance.getMetrics")["metrics"]}
        return {
            "heap of the page, MiB": told["JSHeapUsedSize"] / 2**20,
            "nodes of the page": told["Nodes"],
            "listeners of the page": told["JSEventListeners"],
        }


def soak(act: Callable[[], object], look: Look) -> None:
    """Act again and again, look every few seconds, and compare."""
    start, seconds = time.monotonic(), 60 * float(os.environ[MINUTES])
    looked, acts = [], 0
    while (now := time.monotonic() - start) < seconds:
        while time.monotonic() - start < now + SECONDS:
            act()
            acts += 1
        looked.append((time.monotonic() - start, look()))
    kept = [found for at, found in looked if at > seconds / 4]
    fifth = max(len(kept) // 5, 1)
    print(f"\n\n{seconds / 60:.0f} minutes, {acts:,} acts, {len(kept)} looks, {os.cpu_count()} cores\n")
    print("| what | first fifth | last fifth | change | least | most |\n|---|---|---|---|---|---|")
    grown = []
    for name in kept[0]:
        values = [found[name] for found in kept]
        first, last = statistics.median(values[:fifth]), statistics.median(values[-fifth:])
        change = last / first - 1 if first else float(last > 0)
        grown += [name] if change > ALLOWED else []
        print(f"| {name} | {first:,.1f} | {last:,.1f} | {change:+.1%} | {min(values):,.1f} | {max(values):,.1f} |")
    assert not grown, f"grew by more than {ALLOWED:.0%}: {grown}"


def opened(server: Server, chromium: Chromium, source: str) -> tuple[Tools, Look]:
    """Show a panel in a notebook; returns hands for it, and what looks at its kernel and its browser."""
    from playwright.sync_api import sync_playwright

    write_notebook(server.root / "soak.ipynb")
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium.address)
        only = SimpleNamespace(new_page=lambda viewport: browser.contexts[0].new_page())
        notebook = Notebook(cast("Browser", only), server, "soak.ipynb")
        notebook.run(source).locator(".clipnb-panel").first.wait_for()
        kernel = psutil.Process(notebook.python("__import__('os').getpid()"))
        assert notebook.wrong == []
        browser.close()
    tools = Tools(chromium)
    return tools, lambda: of_process(kernel, "kernel") | tools.look() | chromium.memory()


def test_live(jupyterlab: Server, chromium_alone: Chromium, tiny_clip: str) -> None:  # noqa: F811
    model = f"import clipnb\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu', 'fp32')\n"
    made = f"{model}panel = clipnb.live({YAML!r}, encoder=encoder)\npanel"
    tools, look = opened(jupyterlab, chromium_alone, made)
    tools.press("Start")

    def pause_and_resume() -> None:
        time.sleep(2)
        tools.press("Pause")
        tools.press("Resume")

    soak(pause_and_resume, look)
    print(tools.evaluate("document.querySelector('.clipnb-count').textContent"))


def test_graph(jupyterlab: Server, chromium_alone: Chromium) -> None:  # noqa: F811
    made = "panel = clipnb.tag_panel(clipnb.load_prompts(shipped('prompts')))\npanel"
    tools, look = opened(jupyterlab, chromium_alone, f"import clipnb\nfrom clipnb.files import shipped\n{made}")
    chance, key = random.Random(0), {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    while not tools.evaluate("document.querySelector('.clipnb-graph[data-state=rest]') !== null"):
        time.sleep(0.1)
    tags = tools.evaluate("document.querySelector('.clipnb-stage').names.map(name => name.text)")

    def click() -> None:
        at = tools.evaluate(PLACE % chance.randrange(40))
        if at:
            for kind in ("mousePressed", "mouseReleased"):
                tools.mouse(kind, *at, button="left", clickCount=1)
        tools.evaluate(SEARCH % json.dumps(chance.choice(tags)))
        for kind in ("keyDown", "keyUp"):
            tools.send("Input.dispatchKeyEvent", type=kind, **key)
        time.sleep(0.2)
        tools.evaluate(SEARCH % '""')
        if at:
            tools.mouse("mouseWheel", *at, deltaX=0, deltaY=chance.choice([-100, 100]))

    soak(click, look)


def test_folder(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    import clipnb

    noise, pictures = np.random.default_rng(0), tmp_path / "pictures"
    pictures.mkdir()
    for number in range(60):
        height, width = noise.integers(100, 500, 2)
        Image.fromarray(noise.integers(0, 255, (height, width, 3), np.uint8)).save(pictures / f"{number:02}.jpg")
    settings, output = clipnb.Settings(quiet=True), tmp_path / "rows.csv"
    worker = clipnb.Interrogator(clipnb.load_model("lite", "cpu"), labels=SMALL_LISTS, settings=settings)

    def interrogate() -> None:
        output.unlink(missing_ok=True)
        clipnb.interrogate_folder(pictures, output, "fast", interrogator=worker)

    def look() -> dict[str, float]:
        gc.collect()
        return of_process(psutil.Process(), "process")

    soak(interrogate, look)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=["live", "folder", "graph"])
    parser.add_argument("--minutes", default="60")
    given = parser.parse_args()
    os.environ[MINUTES] = given.minutes
    sys.exit(pytest.main(["-n", "0", "-s", "-q", f"{__file__}::test_{given.what}"]))

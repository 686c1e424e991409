"""An hour of use, by hand: what memory, open files and threads do meanwhile.

    python tests/soak.py [--minutes 60] live|folder|graph

`live` optimises in a real kernel and shows it in Chromium, is paused and resumed; `graph` clicks on tags of a panel and
searches; `folder` interrogates a folder again and again. After a warm-up of a quarter of the time, the medians of the
first and the last fifth of what follows are compared; ends with 1 where one of them grew by more than two hundredths.

Playwright is attached for one look at a time: while it is, Chromium keeps each picture that a page loads, some twenty
kilobytes a frame, for whoever might ask what the page has loaded.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import psutil
import pytest

from tests.browser.conftest import Notebook, Server, free_port, jupyterlab, serving, write_notebook  # noqa: F401
from tests.conftest import CHROMIUM_FLAGS
from tests.interrogate.conftest import SMALL_LISTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

MINUTES = "CLIPNB_SOAK_MINUTES"
ALLOWED, SECONDS = 0.02, 5.0  # growth; between two looks
YAML = "epochs: 100000000\nresolution: 64\ntargets:\n  - features:\n      - text: a red circle\n"
PLACE = "(stage, node) => stage.drawing.placeOf(node)"
Look = Callable[[], "dict[str, float]"]
Attached = Callable[[], AbstractContextManager[object]]


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
    """A Chromium that nobody looks into but for a while."""

    def __init__(self, playwright: Playwright, port: int) -> None:
        self._playwright, self._address = playwright, f"http://127.0.0.1:{port}"
        ours = psutil.Process().children()
        self.process = next(one for one in ours if f"--remote-debugging-port={port}" in one.cmdline())

    @contextmanager
    def attached(self) -> Iterator[BrowserContext]:
        browser = self._playwright.chromium.connect_over_cdp(self._address)
        try:
            yield browser.contexts[0]
        finally:
            browser.close()

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
    from playwright.sync_api import sync_playwright

    port, program = free_port(), os.environ.get("CHROME") or shutil.which("chromium") or "google-chrome"
    places = (f"--remote-debugging-port={port}", f"--user-data-dir={tmp_path / 'profile'}")
    command, answers = [program, *CHROMIUM_FLAGS, *places, *HEADLESS], f"http://127.0.0.1:{port}/json/version"
    with serving(command, answers, tmp_path), sync_playwright() as playwright:
        yield Chromium(playwright, port)


def of_page(page: Page) -> dict[str, float]:
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    tools.send("Memory.simulatePressureNotification", {"level": "critical"})  # empties caches, which may grow
    tools.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    return {
        "heap of the page, MiB": told["JSHeapUsedSize"] / 2**20,
        "nodes of the page": told["Nodes"],
        "listeners of the page": told["JSEventListeners"],
    }


def soak(
    act: Callable[[], object], look: Look, attached: Callable[[], AbstractContextManager[object]] = nullcontext
) -> None:
    """Act again and again, look every few seconds, and compare."""
    start, seconds = time.monotonic(), 60 * float(os.environ[MINUTES])
    looked, acts = [], 0
    while (now := time.monotonic() - start) < seconds:
        with attached():
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


class Soaked:
    """A panel in a notebook that is looked at now and then."""

    def __init__(self, server: Server, chromium: Chromium, source: str) -> None:
        self._chromium = chromium
        write_notebook(server.root / "soak.ipynb")
        with chromium.attached() as context:
            only = SimpleNamespace(new_page=lambda viewport: context.new_page())
            self.notebook = Notebook(cast("Browser", only), server, "soak.ipynb")
            self.notebook.run(source)
            self.kernel = psutil.Process(self.notebook.python("__import__('os').getpid()"))

    @contextmanager
    def attached(self) -> Iterator[Locator]:
        with self._chromium.attached() as context:
            self.notebook.look_at(next(page for page in context.pages if "soak" in page.url))
            yield self.panel

    @property
    def panel(self) -> Locator:
        return self.notebook.page.locator(".clipnb-panel").first

    def look(self) -> dict[str, float]:
        page = of_page(self.notebook.page)
        return of_process(self.kernel, "kernel") | page | self._chromium.memory()


def test_live(jupyterlab: Server, chromium_alone: Chromium, tiny_clip: str) -> None:  # noqa: F811
    model = f"import clipnb\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu', 'fp32')\n"
    soaked = Soaked(jupyterlab, chromium_alone, f"{model}panel = clipnb.live({YAML!r}, encoder=encoder)\npanel")
    with soaked.attached() as panel:
        panel.get_by_role("button", name="Start").click()

    def pause_and_resume() -> None:
        time.sleep(2)
        soaked.panel.get_by_role("button", name="Pause").click()
        soaked.panel.get_by_role("button", name="Resume").click()

    soak(pause_and_resume, soaked.look, soaked.attached)
    with soaked.attached():
        print(f"\n{soaked.notebook.python('panel.session.newest.index'):,} steps")
    assert soaked.notebook.wrong == []


def test_graph(jupyterlab: Server, chromium_alone: Chromium) -> None:  # noqa: F811
    from tests.browser.test_tags import Panel

    made = "panel = clipnb.tag_panel(clipnb.load_prompts(shipped('prompts')))\npanel"
    soaked = Soaked(jupyterlab, chromium_alone, f"import clipnb\nfrom clipnb.files import shipped\n{made}")
    chance = random.Random(0)
    with soaked.attached() as box:
        Panel(soaked.notebook, box).rest()
        tags = soaked.notebook.python("list(panel.session.view.graph.names[:40])")

    def click() -> None:
        stage, mouse = Panel(soaked.notebook, soaked.panel).stage, soaked.notebook.page.mouse
        search = soaked.panel.get_by_placeholder("find a tag")
        at, box = stage.evaluate(PLACE, chance.randrange(len(tags))), stage.bounding_box()
        if at and box and 9 < at["x"] < box["width"] - 9 and 9 < at["y"] < box["height"] - 60:
            mouse.click(box["x"] + at["x"], box["y"] + at["y"])
        search.fill(chance.choice(tags))
        search.press("Enter")
        search.fill("")
        mouse.move(box["x"] + 50, box["y"] + 50) if box else None
        mouse.wheel(0, chance.choice([-100, 100]))

    soak(click, soaked.look, soaked.attached)
    assert soaked.notebook.wrong == []


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

"""An hour of use, by hand: what memory, open files and threads do meanwhile.

    python tests/soak.py [--minutes 60] live|folder|graph

`live` optimises in a real kernel and shows it in Chromium, is paused and resumed; `graph` clicks on tags of a panel and
searches; `folder` interrogates a folder again and again. After a warm-up of a quarter of the time, the medians of the
first and the last fifth of what follows are compared; ends with 1 where one of them grew by more than two hundredths.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.browser.conftest import jupyterlab, lab  # noqa: F401 - fixtures
from tests.interrogate.conftest import SMALL_LISTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Notebook

MINUTES = "CLIPNB_SOAK_MINUTES"
ALLOWED, SECONDS = 0.02, 5.0  # growth; between two looks
YAML = "epochs: 100000000\nresolution: 64\ntargets:\n  - features:\n      - text: a red circle\n"
PLACE = "(stage, node) => stage.drawing.placeOf(node)"
Look = Callable[[], "dict[str, float]"]


def of_process(process: psutil.Process, name: str) -> dict[str, float]:
    with process.oneshot():
        memory, threads = process.memory_info().rss / 2**20, process.num_threads()
    return {
        f"memory of the {name}, MiB": memory,
        f"files of the {name}": process.num_fds(),
        f"threads of the {name}": threads,
    }


def of_page(page: Page) -> Look:
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")

    def look() -> dict[str, float]:
        tools.send("Memory.simulatePressureNotification", {"level": "critical"})  # empties caches, which may grow
        tools.send("HeapProfiler.collectGarbage")
        told = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
        renderers = [p for p in psutil.Process().children(recursive=True) if "--type=renderer" in p.cmdline()]
        return {
            "heap of the page, MiB": told["JSHeapUsedSize"] / 2**20,
            "nodes of the page": told["Nodes"],
            "listeners of the page": told["JSEventListeners"],
            "memory of Chromium's pages, MiB": sum(p.memory_info().rss for p in renderers) / 2**20,
        }

    return look


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
        change = last / first - 1
        grown += [name] if change > ALLOWED else []
        print(f"| {name} | {first:,.1f} | {last:,.1f} | {change:+.1%} | {min(values):,.1f} | {max(values):,.1f} |")
    assert not grown, f"grew by more than {ALLOWED:.0%}: {grown}"


def in_notebook(notebook: Notebook) -> Look:
    kernel, page = psutil.Process(notebook.python("__import__('os').getpid()")), of_page(notebook.page)
    return lambda: of_process(kernel, "kernel") | page()


def test_live(lab: Callable[[str], Notebook], tiny_clip: str) -> None:  # noqa: F811
    notebook = lab("soak")
    notebook.run(f"import clipnb\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu', 'fp32')")
    output = notebook.run(f"panel = clipnb.live({YAML!r}, encoder=encoder)\npanel")
    output.get_by_role("button", name="Start").click()

    def pause_and_resume() -> None:
        time.sleep(2)
        output.get_by_role("button", name="Pause").click()
        output.get_by_role("button", name="Resume").click()

    soak(pause_and_resume, in_notebook(notebook))
    print(f"\n{notebook.python('panel.session.newest.index'):,} steps")
    assert notebook.wrong == []


def test_graph(lab: Callable[[str], Notebook]) -> None:  # noqa: F811
    from tests.browser.test_tags import Panel

    notebook, chance = lab("soak"), random.Random(0)
    notebook.run("import clipnb\nfrom clipnb.files import shipped")
    output = notebook.run("panel = clipnb.tag_panel(clipnb.load_prompts(shipped('prompts')))\npanel")
    panel = Panel(notebook, output.locator(".clipnb-tags").first)
    panel.rest()
    tags = notebook.python("list(panel.session.view.graph.names[:40])")
    search, stage, mouse = panel.box.get_by_placeholder("find a tag"), panel.stage, notebook.page.mouse

    def click() -> None:
        at, box = stage.evaluate(PLACE, chance.randrange(len(tags))), stage.bounding_box()
        if at and box and 9 < at["x"] < box["width"] - 9 and 9 < at["y"] < box["height"] - 60:
            mouse.click(box["x"] + at["x"], box["y"] + at["y"])
        search.fill(chance.choice(tags))
        search.press("Enter")
        search.fill("")
        mouse.move(box["x"] + 50, box["y"] + 50) if box else None
        mouse.wheel(0, chance.choice([-100, 100]))

    soak(click, in_notebook(notebook))
    assert notebook.wrong == []


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

"""The live panel in a browser: how soon a click is answered, frames a second, memory, the notebook's size.

    OMP_NUM_THREADS=2 pytest -n 0 -s tests/benchmarks/live_panel.py [-k waiting]

In a real JupyterLab and Chromium, which share the cores with the steps. Steps of a random-weight ViT-B-32 at 512 x
512 compute while Pause is pressed; a small model makes steps faster than frames may come. Prints a table in Markdown.
`waiting` compares steps a second of `lite` where OpenMP's waiting threads sleep, as in notebooks, and where they spin.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.random_model import save_random
from tests.browser.conftest import jupyterlab, lab  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Notebook

CLICKS = 20
FRAMES = 10_000
ROUNDS, SECONDS = 6, 6.0  # of the comparison of threads
YAML = """
epochs: 1000000
resolution: {resolution}
targets:
  - batch_size: {views}
    features:
      - text: a red circle
    transforms:
      - random_translate: [.1, .1]
      - random_rotate: {{degree: [-20, 20]}}
      - random_scale: [.8, 1.2]
"""
ANSWER = """
async ([button, words]) => {
    const panel = document.querySelector('.clipnb-live');
    const pressed = [...panel.querySelectorAll('button')].find(b => b.textContent.trim() === button);
    return await new Promise(done => {
        const start = performance.now();
        const watch = new MutationObserver(() => {
            if (panel.textContent.includes(words)) { watch.disconnect(); done(performance.now() - start); }
        });
        watch.observe(panel, {subtree: true, childList: true, characterData: true});
        pressed.click();
    });
}
"""
COUNT = """
async seconds => {
    const picture = document.querySelector('.clipnb-glass img');
    let frames = 0;
    const watch = new MutationObserver(() => frames++);
    watch.observe(picture, {attributes: true, attributeFilter: ['src']});
    await new Promise(done => setTimeout(done, 1000 * seconds));
    watch.disconnect();
    return frames / seconds;
}
"""
LITE = (
    "import clipnb\nlite = clipnb.load_model('lite', 'cpu')\npanel = clipnb.live('a lighthouse', encoder=lite)\npanel"
)
INDEX = "(panel.session.newest.index if panel.session.newest else -1)"
MEMORY = "__import__('psutil').Process().memory_info().rss / 2**20"


def show(notebook: Notebook, resolution: int, views: int) -> Locator:
    yaml = YAML.format(resolution=resolution, views=views)
    output = notebook.run(f"panel = clipnb.live({yaml!r}, encoder=encoder)\npanel")
    return output.locator(".clipnb-live")


def test_measure(lab: Callable[[str], Notebook], tiny_clip: str, tmp_path: Path) -> None:  # noqa: F811
    rows = [*answers(lab("clicks"), save_random("ViT-B-32", tmp_path)), *frames(lab("frames"), tiny_clip)]
    print(f"\n\n{os.cpu_count()} cores, {os.environ['OMP_NUM_THREADS']} threads, load {os.getloadavg()[0]:.1f}\n")
    print("| what | measured |\n|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def answers(notebook: Notebook, name: str) -> list[tuple[str, str]]:
    notebook.run(f"import clipnb\nencoder = clipnb.load_model({name!r}, 'cpu', 'fp32')")
    panel = show(notebook, 512, 5)
    panel.get_by_role("button", name="Start").click()
    notebook.until(f"{INDEX} >= 3", 60)
    took = []
    for round_ in range(CLICKS):
        time.sleep(0.4 + 0.037 * round_)  # at another moment of the step each time
        took.append(notebook.page.evaluate(ANSWER, ["Pause", "paused"]))
        panel.get_by_role("button", name="Resume").click()
        panel.get_by_role("button", name="Pause").wait_for()
    first, start = notebook.python(INDEX), time.monotonic()
    notebook.until(f"{INDEX} >= {first + 10}", 300)
    seconds = (time.monotonic() - start) / (notebook.python(INDEX) - first)
    panel.get_by_role("button", name="Stop").click()
    notebook.until("not panel.session.is_on")
    answer = f"{statistics.median(took):.0f} ms, {max(took):.0f} ms at worst of {CLICKS}"
    return [(f"Pause is answered while a step of {seconds:.2f} s computes", answer)]


def frames(notebook: Notebook, name: str) -> list[tuple[str, str]]:
    notebook.run(f"import clipnb\nencoder = clipnb.load_model({name!r}, 'cpu', 'fp32')")
    panel = show(notebook, 64, 1)
    panel.get_by_role("button", name="Start").click()
    notebook.until(f"{INDEX} >= 50", 60)
    shown = notebook.page.evaluate(COUNT, 10)
    speed = notebook.python("panel.session.frame_rate.rate")
    notebook.until(f"{INDEX} >= 1000", 300)
    before = notebook.python(MEMORY)
    notebook.until(f"{INDEX} >= {FRAMES}", 900)
    after = notebook.python(MEMORY)
    panel.get_by_role("button", name="Stop").click()
    notebook.until("not panel.session.is_on")
    time.sleep(2)
    notebook.save()
    size = (notebook.server.root / notebook.name).stat().st_size
    return [
        (f"frames shown, at {speed:.0f} steps/s", f"{shown:.1f} a second"),
        (f"memory of the kernel after 1,000 and {FRAMES:,} steps", f"{before:.0f} and {after:.0f} MiB"),
        ("size of the saved notebook", f"{size / 2**20:.2f} MiB"),
    ]


def test_waiting(lab: Callable[[str], Notebook]) -> None:  # noqa: F811
    notebooks = {"spin": lab("spin"), "sleep": lab("sleep")}
    notebooks["spin"].run("import torch")  # before clipnb, which then leaves threads as they are
    for notebook in notebooks.values():
        notebook.run(LITE)
    rates: dict[str, list[float]] = {name: [] for name in notebooks}
    for _ in range(ROUNDS):
        for name, notebook in notebooks.items():
            panel = notebook.page.locator(".clipnb-live")
            panel.get_by_role("button", name="Start").click()
            notebook.until(f"{INDEX} >= 5", 60)
            first, start = notebook.python(INDEX), time.monotonic()
            time.sleep(SECONDS)
            rates[name].append((notebook.python(INDEX) - first) / (time.monotonic() - start))
            panel.get_by_role("button", name="Stop").first.click()
            notebook.until("not panel.session.is_on")
    ratio = statistics.median(b / a for a, b in zip(*rates.values(), strict=True))
    print(f"\n\n{os.cpu_count()} cores, {os.environ['OMP_NUM_THREADS']} threads, load {os.getloadavg()[0]:.1f}\n")
    for name, found in rates.items():
        print(f"threads that {name}: {statistics.median(found):.2f} steps/s, {min(found):.2f} to {max(found):.2f}")
    print(f"sleep by spin, median of {ROUNDS} pairs: {ratio:.2f}")


if __name__ == "__main__":
    raise SystemExit(pytest.main(["-n", "0", "-s", __file__]))

"""The live panel over connections: how soon clicks are answered, how old the picture is, in one tab and in two.

    OMP_NUM_THREADS=2 pytest -n 0 -s tests/benchmarks/live_connection.py

In a real JupyterLab and Chromium, which share the cores with a run of `lite` by the default recipe, as fast as it goes.
Start, Pause, Resume, and another number of steps are clicked and the time until the page shows it is taken: with the
server on this machine, over 1 Mbit/s, and in two tabs of one notebook, of which one is
slow. Prints a table in Markdown.
"""

from __future__ import annotations

import os
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.benchmarks.slow_link import slow_link
from tests.browser.conftest import Notebook, jupyterlab, lab  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import Server

CLICKS, SECONDS = 10, 12.0  # of each kind; of frames
SLOW = 1e6 / 8  # bytes a second
TIMED = """
async ([kind, wished, words]) => {
    const panel = document.querySelector('.clipnb-live');
    const named = () => [...panel.querySelectorAll('button')].find(b => b.textContent.trim() === wished && !b.disabled);
    while (kind !== 'key' && !named()) await new Promise(again => setTimeout(again, 20));
    const button = named();
    const steps = [...panel.querySelectorAll('.clipnb-control')].find(one => one.textContent.trim() === 'steps');
    const shown = kind === 'key' ? panel.querySelector('.cm-content') : button.closest('.clipnb-row');
    return await new Promise(done => {
        const start = performance.now();
        const watch = new MutationObserver(() => {
            if (shown.textContent.includes(words)) { watch.disconnect(); done(performance.now() - start); }
        });
        watch.observe(panel, {subtree: true, childList: true, characterData: true});
        if (kind === 'key') {
            const field = steps.querySelector('input');
            field.value = wished;
            field.dispatchEvent(new Event('change', {bubbles: true}));
        } else button.click();
    });
}
"""
WATCH = """() => {
    window.frames_seen = [];
    window.frames_watch?.disconnect();
    window.frames_watch = new MutationObserver(all => all.forEach(() => window.frames_seen.push(Date.now() / 1000)));
    const picture = document.querySelector('.clipnb-glass img');
    window.frames_watch.observe(picture, {attributes: true, attributeFilter: ['src']}); }"""
STATE = """async () => {
    const panel = document.querySelector('.clipnb-live'), src = panel.querySelector('.clipnb-glass img').src;
    const bytes = new Uint8Array(await (await fetch(src)).arrayBuffer());
    return [panel.innerText.match(/\\d+ of \\d+ steps/)[0], panel.querySelector('.cm-content').textContent,
            bytes.reduce((sum, byte) => (31 * sum + byte) % 1000003, 7)]; }"""
PREPARE = """
import clipnb, time
encoder = clipnb.load_model('lite', 'cpu')
panel = clipnb.live('a lighthouse in a storm', encoder=encoder)
sent = []
panel.viewer.image.observe(lambda change: sent.append((time.time(), len(change['new']))), 'value')
panel
"""
INDEX = "(panel.session.newest.index if panel.session.newest else -1)"
Row = tuple[str, str, str]


def test_measure(lab: Callable[[str], Notebook], jupyterlab: Server, chromium: Browser) -> None:  # noqa: F811
    with slow_link(urlsplit(jupyterlab.address).port or 0) as link:
        far = replace(jupyterlab, address=f"http://127.0.0.1:{link.port}")
        near = lab("connection")
        near.run(PREPARE)
        near.save()
        print(f"\n\n{os.cpu_count()} cores, {os.environ['OMP_NUM_THREADS']} threads, load {os.getloadavg()[0]:.1f}\n")
        print("| connection | what | measured |\n|---|---|---|")
        tell(clicks("this machine", near), frames("this machine", near))
        other = Notebook(chromium, far, near.name)
        other.page.locator(".clipnb-live .cm-content").wait_for()
        other.page.wait_for_timeout(5000)  # all else of the page has come
        link.rate = SLOW
        tell(frames("two tabs, the second at 1 Mbit/s", near, other), clicks("two tabs, at the near one", near, other))
        near.page.close()
        tell(clicks("1 Mbit/s", other), frames("1 Mbit/s", other))


def tell(*tables: list[Row]) -> None:
    for row in (row for table in tables for row in table):
        print("| " + " | ".join(row) + " |", flush=True)


def clicks(name: str, notebook: Notebook, *others: Notebook) -> list[Row]:
    """Click on everything again and again, and compare what all tabs show whenever the run is paused."""
    took: dict[str, list[float]] = {"Start": [], "Pause": [], "Resume": [], "another number of steps": []}

    def click(kind: str, wished: str, words: str) -> None:
        took[kind].append(notebook.page.evaluate(TIMED, ["button", wished, words]))

    for turn in range(CLICKS):
        click("Start", "Start", "running")
        notebook.until(f"{INDEX} >= 5", 60)
        time.sleep(0.2 + 0.037 * turn)  # at another moment each time
        steps = str(5000 + turn)
        took["another number of steps"].append(notebook.page.evaluate(TIMED, ["key", steps, f"epochs: {steps}"]))
        time.sleep(0.2)
        click("Pause", "Pause", "paused")
        if others and turn % 5 == 0:
            until_equal([notebook, *others])
        click("Resume", "Resume", "running")
        time.sleep(0.3)
        notebook.page.evaluate(TIMED, ["button", "Stop", "stopped"])
    return [(name, f"{kind} is shown", in_words(times)) for kind, times in took.items()]


def until_equal(tabs: Sequence[Notebook]) -> None:
    """Wait until all tabs of a run that is paused show the same picture, count and text."""
    deadline = time.monotonic() + 30
    while True:
        states = [tab.page.evaluate(STATE) for tab in tabs]
        if all(state == states[0] for state in states):
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.2)


def frames(name: str, *tabs: Notebook) -> list[Row]:
    """Let a run go on for a while, and compare when frames were sent and when each tab had them."""
    first = tabs[0]
    until_equal(tabs)
    time.sleep(3)  # nothing is on its way
    for tab in tabs:
        tab.page.evaluate(WATCH)
    first.python("sent.clear()")
    first.page.evaluate(TIMED, ["button", "Start", "running"])
    time.sleep(SECONDS)
    rate = first.python("panel.session.frame_rate.rate")
    first.page.evaluate(TIMED, ["button", "Stop", "stopped"])
    time.sleep(3)
    sent = first.python("sent")
    size = statistics.median(size for _, size in sent) / 2**10
    rows = [(name, "steps and frames sent a second", f"{rate:.1f} and {len(sent) / SECONDS:.1f}, of {size:.0f} KiB")]
    for number, tab in enumerate(tabs):
        began = [at for at, _ in sent]
        seen = [at for at in tab.page.evaluate("() => window.frames_seen") if at >= began[0]]
        newer = [bisect_left(began, at) - place - 1 for place, at in enumerate(seen)]
        ages = [1000 * (at - began[place]) for place, at in enumerate(seen)]
        rows.append((name, f"age of a frame when tab {number + 1} shows it", in_words(ages)))
        rows.append(
            (
                name,
                f"frames that tab {number + 1} is behind at most",
                f"{max(newer)} ({len(seen)} of {len(sent)} shown)",
            )
        )
    return rows


def in_words(times: Sequence[float]) -> str:
    """Write milliseconds."""
    high = statistics.quantiles(times, n=20, method="inclusive")[-1]
    return f"{statistics.median(times):.0f} ms median, {high:.0f} ms p95, {max(times):.0f} ms at worst of {len(times)}"


if __name__ == "__main__":
    raise SystemExit(pytest.main(["-n", "0", "-s", __file__]))

"""How long the page of very many tags takes to draw itself, and to search: milliseconds in headless Chromium.

Run by hand: `python tests/benchmarks/tag_page.py [--tags 100000] [--rounds 5]`. Made prompts: five tags of one of 300
topics and two of all, by Zipf's law; every round is a browser of its own, without a graphics card. Shown are medians
and the whole range, from the start of loading until all is drawn.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from clipnb.tags.graph import build_graph
from clipnb.tags.page import show_graph

TOPICS = 300
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
AT_REST = """const look = () => {
    if (document.body?.dataset.state === "rest") performance.mark("rest"); else requestAnimationFrame(look);
};
requestAnimationFrame(look);"""
TIMES = """() => {
    const search = ["a", "amber", "99", "nowhere"].map((text) => {
        const begun = performance.now();
        drawing.graph.search(text);
        return performance.now() - begun;
    });
    const at = (name) => performance.getEntriesByName(name)[0].startTime;
    return { "first paint": at("first-paint"), "all drawn": at("rest"), "slowest search": Math.max(...search) };
}"""


def make_prompts(tags: int, prompts: int) -> list[str]:
    rng = np.random.default_rng(0)
    topic = rng.integers(0, TOPICS, tags)
    members = [np.flatnonzero(topic == one) for one in range(TOPICS)]
    names = [f"amber {i}" if i % 3 else f"basalt {i}" for i in range(tags)]

    def drawn(of: np.ndarray, amount: int) -> list[str]:
        law = np.cumsum(1 / (of + 20.0))
        return [names[of[i]] for i in np.searchsorted(law / law[-1], rng.random(amount)).clip(max=len(of) - 1)]

    every = np.arange(tags)
    found = [", ".join(["x", *drawn(members[int(TOPICS * rng.random() ** 1.5)], 5)]) for _ in range(prompts)]
    anywhere = drawn(every, 2 * prompts)
    found = [f"{line}, {a}, {b}" for line, a, b in zip(found, anywhere[::2], anywhere[1::2], strict=True)]
    return found + [f"x, {names[i]}, {names[members[topic[i]][0]]}" for i in every]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tags", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    graph = build_graph(make_prompts(args.tags, 4 * args.tags))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = show_graph(graph, None).save(Path(folder) / "page.html")
        print(f"{len(graph):,} tags, {len(graph.pairs):,} pairs, a page of {path.stat().st_size / 1e6:.1f} MB")
        rounds = []
        for _ in range(args.rounds):
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(AT_REST)
            page.goto(path.as_uri())
            page.wait_for_selector("body[data-state=rest]", timeout=120_000)
            page.wait_for_timeout(500)
            rounds.append(page.evaluate(TIMES))
            version = browser.version
            browser.close()
    print(f"Chromium {version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in rounds[0]:
        times = [one[name] for one in rounds]
        print(f"{name:>16} {statistics.median(times):6.0f} ms, {min(times):.0f} to {max(times):.0f}")


if __name__ == "__main__":
    main()

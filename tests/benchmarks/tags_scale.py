"""How counting tags and building their graph grow with the number of prompts: seconds and peak memory.

Run by hand: `python tests/benchmarks/tags_scale.py [--rounds 3] [--most 1000000]`. Synthetic prompts: a subject and
eight tags on average (one plus Poisson 7), drawn by Zipf's law from 20,000. Every measurement is a process of its
own, so that its peak memory is its own; rounds are interleaved over the sizes and medians are shown. Beside them
stand a plain loop that looks every tag up in a list, and the page of 5,000 tags and 40,000 pairs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LIST_SIZES = (1_000, 2_000, 4_000, 8_000)
DISTINCT, MEAN = 20_000, 8


def make_prompts(amount: int, seed: int = 0) -> list[str]:
    """Make prompts in pieces, so that making them does not set the peak of memory."""
    rng = np.random.default_rng(seed)
    names = [f"tag number {i}" for i in range(DISTINCT)]
    law = np.cumsum(1 / np.arange(1, DISTINCT + 1))
    law /= law[-1]
    prompts: list[str] = []
    while len(prompts) < amount:
        lengths = 1 + rng.poisson(MEAN - 1, min(10_000, amount - len(prompts)))
        drawn = iter(np.searchsorted(law, rng.random(lengths.sum())).tolist())
        prompts += ["; ".join(["a subject", *(names[next(drawn)] for _ in range(n))]) for n in lengths.tolist()]
    return prompts


def count_with_a_list(prompts: list[str]) -> dict[str, int]:
    """Count in the manner of a list look-up for each tag."""
    from clipnb.prompts.splitting import extract_tags

    tags: list[str] = []
    counts: list[int] = []
    for prompt in prompts:
        for tag in extract_tags(prompt):
            if tag in tags:
                counts[tags.index(tag)] += 1
            else:
                tags.append(tag)
                counts.append(1)
    return {"tags": len(tags)}


def measure(job: str, size: int) -> dict[str, float]:
    """Measure one job in this process."""
    import clipnb.tags.graph  # noqa: F401 - importing is not what is measured

    if job == "page":
        return measure_page()
    prompts = make_prompts(size)
    start = time.perf_counter()
    found = count_with_a_list(prompts) if job == "list" else count_and_graph(prompts, graph=job == "graph")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"seconds": seconds, "peak": peak, **found}


def count_and_graph(prompts: list[str], graph: bool) -> dict[str, int]:
    from clipnb.tags.counting.counts import TagCounts
    from clipnb.tags.graph import build_graph

    counts = TagCounts(prompts)
    counts.most_common(10)
    if not graph:
        return {"tags": len(counts)}
    return {"tags": len(counts), "edges": build_graph(counts).number_of_edges()}


def measure_page(nodes: int = 5_000, edges: int = 40_000) -> dict[str, float]:
    import networkx as nx

    from clipnb.tags.page import graph_page

    rng = random.Random(0)
    graph = nx.Graph()
    for node in range(nodes):
        graph.add_node(node, id=node, name=f"tag {node}", count=rng.randint(1, 999), rank=0.001)
    while graph.number_of_edges() < edges:
        a, b = rng.sample(range(nodes), 2)
        graph.add_edge(a, b, count=rng.randint(1, 50), weight=1.0, npmi=rng.random())
    start = time.perf_counter()
    page = graph_page(graph, max_nodes=None, max_edges=edges)
    return {"seconds": time.perf_counter() - start, "peak": len(page) / 1e9}


def in_own_process(job: str, size: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--job", job, "--size", str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def setting() -> str:
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = models[0] if models else model
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "networkx"))
    return (
        f"{model}, {os.cpu_count()} cores (load {load:.1f}), {platform.system()}, "
        f"Python {platform.python_version()}, {libraries}"
    )


def report(job: str, sizes: tuple[int, ...], results: dict[tuple[str, int], list[dict[str, float]]]) -> None:
    before: tuple[int, float] | None = None
    for size in sizes:
        rows = results[job, size]
        seconds = statistics.median(row["seconds"] for row in rows)
        growth = ""
        if before is not None:
            growth = f"{math.log(seconds / before[1]) / math.log(size / before[0]):8.2f}"
        peak = statistics.median(row["peak"] for row in rows)
        edges = f"{int(rows[0]['edges']):>12,}" if "edges" in rows[0] else " " * 12
        print(f"{job:>8} {size:>10,} {seconds:>9.3f} s {peak:>7.2f} GB {growth or ' ' * 8} {edges}", flush=True)
        before = (size, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(measure(args.job, args.size)))
        return
    print(setting())
    sizes = tuple(size for size in SIZES if size <= args.most)
    plan = [(job, size) for size in sizes for job in ("count", "graph")]
    plan += [("list", size) for size in LIST_SIZES] + [("page", 5_000)]
    results: dict[tuple[str, int], list[dict[str, float]]] = {item: [] for item in plan}
    for _ in range(args.rounds):
        for item in plan:
            results[item].append(in_own_process(*item))
    print(f"{'job':>8} {'prompts':>10} {'median':>11} {'peak':>10} {'exponent':>8} {'edges':>12}")
    for job, amounts in (("count", sizes), ("graph", sizes), ("list", LIST_SIZES)):
        report(job, amounts, results)
    page = statistics.median(row["seconds"] for row in results["page", 5_000])
    print(f"    page of 5,000 tags and 40,000 pairs: {page:.2f} s")


if __name__ == "__main__":
    main()

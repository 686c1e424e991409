"""Memory of the live panel in an hour that is made up: 72,000 steps, of which half are shown.

    python tests/benchmarks/live_history.py [--side 256] [--steps 72000]

Steps of noise go into the history and the curves of a real panel, and are shown by it, as twenty steps and ten frames a
second would be. Prints what the process holds and what of that is pictures, in Markdown.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import psutil
import torch

import clipnb
from clipnb.images import to_pil
from clipnb.optimise.engine import Optimisation
from clipnb.widgets.live.panel import live

YAML = "epochs: {steps}\nresolution: {side}\ntargets:\n  - features: [text: a red circle, text: a blue square]\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--steps", type=int, default=72_000)
    given = parser.parse_args()
    yaml, encoder = YAML.format(side=given.side, steps=given.steps), clipnb.load_model("lite", "cpu")
    panel = live(yaml, encoder=encoder, in_thread=False)
    step = next(iter(Optimisation(clipnb.ExperimentConfig.from_yaml(yaml), encoder).steps()))
    images = cycle([torch.rand(step.image.shape) for _ in range(8)])
    history, similarities, process = panel.session.history, panel.session.similarities, psutil.Process()
    print(f"| steps of {given.side} x {given.side} | memory, MiB | snapshots | their pixels, MiB |\n|---|---|---|---|")
    for index in range(given.steps):
        made = replace(step, index=index, image=next(images))
        similarities.add(made)
        history.add(made)
        if index % 2:
            panel.viewer.show(to_pil(made.image))
        if index % 10 == 0:
            panel.viewer.follow(history)
            panel.chart.draw(similarities.curves())
        if index + 1 in set(marks(given.steps)):
            gc.collect()
            pixels = sum(3 * one.picture.width * one.picture.height for one in history.snapshots) / 2**20
            memory = process.memory_info().rss / 2**20
            print(f"| {index + 1:,} | {memory:,.0f} | {len(history)} | {pixels:,.1f} |", flush=True)


def marks(steps: int) -> Iterator[int]:
    yield min(1000, steps)
    yield from (steps * part // 6 for part in range(1, 7))


if __name__ == "__main__":
    main()

"""How much lazy scoring saves, and what it costs in final similarity: the chain, full and lazy, by margin.

    python tests/benchmarks/interrogate_lazy.py [--model lite] [--phrases 1024] [--flavors 8] [PHOTO...]

`lite` has trained towers, so that gains behave as in a trained CLIP; under random weights hardly anything can be
foretold from one step to the next. Pictures are photographs of scikit-image. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass

import skimage.data
import torch

from clipnb.interrogate import Interrogator, Settings
from clipnb.interrogate.image_query import ImageQuery, Rankings
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.modes import chain
from clipnb.models.load import load_model

MARGINS = (0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Outcome:
    merit: float
    scored: int
    seconds: float


def run(query: ImageQuery, phrases: list[RankedLabel], flavors: int) -> Outcome:
    scored, best = 0, -1.0
    start = time.perf_counter()
    for state in chain.grow_chain(query, phrases, "a photo", min_count=flavors, max_count=flavors):
        scored, best = scored + state.scorer.scored_before, max(best, state.merit)
    return Outcome(best, scored, time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", nargs="*", default=["coffee", "chelsea", "rocket", "astronaut"])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--phrases", type=int, default=1024)
    parser.add_argument("--flavors", type=int, default=8)
    args = parser.parse_args()
    worker = Interrogator(load_model(args.model, "cpu"), settings=Settings(quiet=True))
    table: dict[float | None, list[Outcome]] = {}
    for photo in args.photos:
        features = worker.encode(getattr(skimage.data, photo)())
        for margin in (None, *MARGINS):
            chain.CERTAINTY = margin
            settings = Settings(quiet=True, lazy=margin is not None, scoring="full", tolerance=None)
            query = ImageQuery(
                worker.encoder,
                settings,
                styles=True,
                rankings=Rankings(features[None], worker.tables.open, worker.resources),
            )
            phrases = query.best_together(("flavors",), args.phrases)
            table.setdefault(margin, []).append(run(query, phrases, args.flavors))
    print(
        f"{args.model}, {len(args.photos)} photographs, {args.phrases} phrases, {args.flavors} steps, "
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}\n"
    )
    print("| margin | phrases scored | time | final similarity against full: mean, worst |\n|---|---|---|---|")
    full = table[None]
    for margin, outcomes in table.items():
        pairs = list(zip(outcomes, full, strict=True))
        share = statistics.mean(lazy.scored / exact.scored for lazy, exact in pairs)
        seconds = statistics.mean(lazy.seconds / exact.seconds for lazy, exact in pairs)
        change = [lazy.merit - exact.merit for lazy, exact in pairs]
        name = "full" if margin is None else f"{margin:.0f}"
        print(f"| {name} | {share:.0%} | {seconds:.0%} | {statistics.mean(change):+.4f}, {min(change):+.4f} |")


if __name__ == "__main__":
    main()

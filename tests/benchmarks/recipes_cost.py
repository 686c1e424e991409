"""What a step of each recipe costs, with random weights: measured here, and by arithmetic on other devices.

A random-weight model costs what a trained one does. Steps of all recipes are interleaved; medians of seconds a step.
Beside them what the recipe asks for, with arithmetic for the devices whose speed `recipes/facts.py` assumes: forward
and backward to the pixels of a frozen tower, twice the forward pass.

Run: python tests/benchmarks/recipes_cost.py [--rounds N] [--device cpu|cuda] [--threads N] [--cpu-time]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from random_model import save_random

from clipnb.models.load import load_model
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.recipes import RECIPES, Budget
from clipnb.optimise.language.recipes.facts import BUDGETS, budget_of, facts_of
from clipnb.optimise.step import Step

ENCODERS = ("lite", "ViT-B-32/openai", "ViT-L-14/openai")
MEASURED = ("lite", "ViT-B-32/openai")


def wanted(recipe: str, encoder: str, budget: Budget) -> tuple[ExperimentConfig, int]:
    """Make a recipe's experiment; gives it with its views a step."""
    config = ExperimentConfig.from_dict(RECIPES[recipe]("a", facts_of([encoder]), budget))
    target = config.targets[0]
    cuts = [int(part.count[0]) for part in target.transforms if part.name == "cutouts"]  # type: ignore[attr-defined]
    return config, target.batch_size * (cuts[0] if cuts else 1)


def arithmetic() -> None:
    print("\nby arithmetic: steps x views, seconds a picture")
    for encoder in ENCODERS:
        for recipe in RECIPES:
            cells = []
            for device, budget in BUDGETS.items():
                config, views = wanted(recipe, encoder, budget)
                seconds = config.epochs * views * 2 * facts_of([encoder]).gflop / budget.speed / 1000
                cells.append(f"{device}: {config.epochs} x {views}, {seconds:.0f} s")
            print(f"    {encoder:16} {recipe:8} " + "; ".join(cells))


def measure(device: str, rounds: int, folder: Path, clock: Callable[[], float]) -> None:
    print(f"\nmeasured on {device}, {torch.get_num_threads()} threads: median seconds a step")
    names = {"lite": "lite", "ViT-B-32/openai": save_random("ViT-B-32", folder)}
    for encoder in MEASURED:
        loaded = load_model(names[encoder], device)
        made = {recipe: wanted(recipe, encoder, budget_of(device)) for recipe in RECIPES if recipe != "auto"}
        runs: dict[str, Iterator[Step]] = {
            recipe: Optimisation(config.changed(seed=1, epochs=10_000), loaded).steps()
            for recipe, (config, _) in made.items()
        }
        times: dict[str, list[float]] = {recipe: [] for recipe in runs}
        for turn in range(rounds + 1):
            for recipe, run in runs.items():
                begin = clock()
                next(run).image.sum().item()  # waits for the device
                if turn:
                    times[recipe].append(clock() - begin)
        for recipe, (config, views) in made.items():
            seconds = statistics.median(times[recipe])
            print(
                f"    {encoder:16} {recipe:8} {views:3} views {seconds:7.3f} s, {seconds / views:.3f} s a view; "
                f"{config.epochs} steps {config.epochs * seconds:.0f} s",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--cpu-time", action="store_true", help="processor time instead of the wall clock's")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    arithmetic()
    with tempfile.TemporaryDirectory() as folder:
        measure(args.device, args.rounds, Path(folder), time.process_time if args.cpu_time else time.perf_counter)


if __name__ == "__main__":
    main()

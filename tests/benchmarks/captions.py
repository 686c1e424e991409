"""Read, edit and save 100,000 captions, beside a plain loop that reads, replaces and writes each file.

    python tests/benchmarks/captions.py [FILES] [ROUNDS]

The loop writes in place: a kill leaves files cut off, nothing can be undone, and the longer tags that hold the word
are replaced in too. Both run in turns on the same files; medians and the ratio are printed.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from clipnb.prompts.caption_set import CaptionSet


def made(folder: Path, files: int) -> None:
    drawn = random.Random(0)
    words = [
        f"{colour} {thing}" for colour in ("red", "blue", "long", "wet") for thing in ("hair", "hat", "cat", "eyes")
    ]
    for number in range(files):
        place = folder / f"{number % 100:02}"
        place.mkdir(exist_ok=True)
        (place / f"{number:06}.png").touch()
        tags = ["sks", "1girl", "smile", *drawn.sample(words, 12), f"seed {number}"]
        (place / f"{number:06}.txt").write_text(", ".join(tags))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def plain_loop(folder: Path, old: str, new: str) -> None:
    for path in folder.rglob("*.txt"):
        path.write_text(path.read_text().replace(old, new))


def measured(folder: Path) -> Iterator[tuple[str, float]]:
    start = time.perf_counter()
    captions = CaptionSet(folder)
    yield "read", time.perf_counter() - start
    yield "count", seconds(captions.count)
    yield "find", seconds(lambda: captions.find("red_hair", none="wet cat"))
    yield "replace", seconds(lambda: captions.replace("smile", "grin"))
    yield "save", seconds(captions.save)
    yield "undo", seconds(captions.undo)
    yield "plain loop", seconds(lambda: plain_loop(folder, "smile", "grin"))
    yield "plain loop back", seconds(lambda: plain_loop(folder, "grin", "smile"))


def main(files: int = 100_000, rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory() as made_here:
        folder = Path(made_here)
        made(folder, files)
        figures: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name, taken in measured(folder):
                figures.setdefault(name, []).append(taken)
        medians = {name: statistics.median(taken) for name, taken in figures.items()}
        for name, median in medians.items():
            print(f"{name:16} {median:6.2f} s   ({', '.join(f'{one:.2f}' for one in figures[name])})")
        ratio = (medians["read"] + medians["replace"] + medians["save"]) / medians["plain loop"]
        print(f"read, replace and save take {ratio:.2f} times as long as the plain loop, {files:,} files")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Search millions of prompts: seconds, processor time and peak memory of mode `retrieve`'s search. Run by hand.

Makes a file of prompts and their embeddings (random, of unit length, half precision) on disk the first time, 5 GB for
five million; then a process of its own searches them for a hundred pictures, as any later run does.

    python tests/benchmarks/retrieve.py FOLDER [--rows 5000000] [--pictures 100] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.interrogate.labels.collection import Collection
from clipnb.models.encoder import DualEncoder

DIM, COUNT = 512, 8


class MadeEncoder:
    """Embeds the made prompts, by their numbers; all that a collection asks of an encoder."""

    dim, digest = DIM, "made"

    def __init__(self) -> None:
        self._base = F.normalize(torch.randn(2**14, DIM, generator=torch.Generator().manual_seed(0)), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        numbers = torch.tensor([int(text.split()[-1]) for text in texts])
        signs = torch.randn(DIM, generator=torch.Generator().manual_seed(int(numbers[0]))).sign()
        return self._base[numbers % len(self._base)] * signs  # other rows in each block, at little cost


def search(folder: Path, pictures: int) -> dict[str, float]:
    """Search in this process; seconds and gigabytes."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    collection = Collection.open(folder / "made.txt", cast(DualEncoder, MadeEncoder()), folder=folder)
    opened = time.perf_counter()
    generator = torch.Generator().manual_seed(1)
    found = collection.nearest(F.normalize(torch.randn(pictures, DIM, generator=generator), dim=-1), COUNT)
    if not all(len(hits) == COUNT for hits in found):
        raise SystemExit("too few hits")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "open": opened - start,
        "search": time.perf_counter() - opened,
        "processor": usage.ru_utime + usage.ru_stime - before,
        "peak": usage.ru_maxrss * 1024 / 1e9,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--job", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(search(args.folder, args.pictures)))
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    if not (args.folder / "made.txt").exists():
        with (args.folder / "made.txt").open("w") as file:
            file.writelines(f"a made prompt, digital art, word{n % 997}, number {n:07}\n" for n in range(args.rows))
    command = [sys.executable, __file__, str(args.folder), "--pictures", str(args.pictures), "--job"]
    runs = []
    for round_ in range(args.rounds + 1):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        run = json.loads(done.stdout)
        print("made" if round_ == 0 else "searched", {name: round(value, 2) for name, value in run.items()}, flush=True)
        runs += [run] * (round_ > 0)
    print("median", {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]})


if __name__ == "__main__":
    main()

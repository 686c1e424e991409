"""How long it takes to read prompts from where they live: seconds and peak memory.

Run by hand: `python tests/benchmarks/prompts_reading.py [--rounds 3] [--amount 1000000]`. Read are 100,000 captions
beside images, 10,000 PNGs with A1111's parameters inside (of 512 x 512 pixels), and tables of a million rows as
Parquet, CSV and JSON lines; each by `clipnb tags count` in a process of its own, start included, rounds interleaved.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

COUNT = [sys.executable, "-m", "clipnb", "tags", "count", "--top", "3", "--dialect", "plain"]


def make_prompts(amount: int) -> list[str]:
    rng = np.random.default_rng(0)
    names = [f"tag number {i}" for i in range(20_000)]
    law = np.cumsum(1 / np.arange(1, 20_001))
    drawn = iter(np.searchsorted(law / law[-1], rng.random(amount * 8)).tolist())
    return [", ".join([f"subject {n}", *(names[next(drawn)] for _ in range(8))]) for n in range(amount)]


def make_captions(folder: Path, prompts: list[str]) -> None:
    for number, prompt in enumerate(prompts):
        (folder / f"{number:06}.txt").write_text(prompt)
        (folder / f"{number:06}.png").touch()


def make_images(folder: Path, prompts: list[str]) -> None:
    image = Image.effect_noise((512, 512), 50)
    for number, prompt in enumerate(prompts):
        text = PngImagePlugin.PngInfo()
        text.add_text("parameters", f"{prompt}\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Seed: {number}")
        image.save(folder / f"{number:06}.png", pnginfo=text, compress_level=0)


def make_table(path: Path, prompts: list[str]) -> None:
    import pandas as pd

    rows = [{"id": n, "prompt": prompt, "model": f"model {n % 7}"} for n, prompt in enumerate(prompts)]
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def measure(path: Path) -> tuple[float, float]:
    start = time.perf_counter()
    child = subprocess.Popen([*COUNT, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"counting {path} failed")
    return time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e9


def make(place: Path, amount: int) -> None:
    prompts = make_prompts(amount)
    for name, size, fill in (("captions", amount // 10, make_captions), ("images", amount // 100, make_images)):
        (place / name).mkdir()
        fill(place / name, prompts[:size])
    for name in ("table.parquet", "table.csv", "table.jsonl"):
        make_table(place / name, prompts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--amount", type=int, default=1_000_000)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.make:
        make(args.make, args.amount)
        return
    with tempfile.TemporaryDirectory() as place:
        # In a process of its own: what is started by a large one is itself counted as large.
        subprocess.run([sys.executable, __file__, "--make", place, "--amount", str(args.amount)], check=True)
        paths = sorted(Path(place).iterdir())
        results: dict[Path, list[tuple[float, float]]] = {path: [] for path in paths}
        for _ in range(args.rounds):
            for path in paths:
                results[path].append(measure(path))
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
        for path, found in results.items():
            seconds, peak = (statistics.median(values) for values in zip(*found, strict=True))
            print(f"{path.name:>15} {seconds:>7.2f} s {peak:>6.2f} GB")


if __name__ == "__main__":
    main()

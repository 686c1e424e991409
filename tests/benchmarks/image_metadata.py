"""Seconds to read the prompts inside 10,000 images, beside Pillow, which opens an image and lists its texts.

Run by hand: `python tests/benchmarks/image_metadata.py [--images 10000] [--rounds 3] [--side 512]`. The images are
PNGs of noise, so that their pixels take as much room as a generator's, one half with A1111's text and one half with
a graph of ComfyUI. Rounds are interleaved; medians and the ratio are shown. Pillow only gives texts: it does not take
them apart. A quarter of the images are different files, the others hard links to them, for the sake of the disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from clipnb.prompts.generators import GENERATORS
from clipnb.prompts.metadata import embedded_prompt


def make_images(folder: Path, amount: int, side: int) -> list[Path]:
    """Write the images; every fourth is a file of its own."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(amount):
        path = folder / f"{number:06}.png"
        if number % 4:
            os.link(paths[number - number % 4], path)
        else:
            texts = PngImagePlugin.PngInfo()
            generator = GENERATORS[("A1111", "ComfyUI")[number // 4 % 2]]
            for name, text in generator.example[0].items():
                texts.add_text(name, text)
            noise = rng.integers(0, 256, (side, side, 3), np.uint8)
            Image.fromarray(noise).save(path, pnginfo=texts, compress_level=1)
        paths.append(path)
    return paths


def by_clipnb(path: Path) -> bool:
    return embedded_prompt(path).prompt is not None


def by_pillow(path: Path) -> bool:
    with Image.open(path) as image:
        return bool(image.info)


def seconds(read: Callable[[Path], bool], paths: list[Path]) -> float:
    start = time.perf_counter()
    found = sum(map(read, paths))
    taken = time.perf_counter() - start
    if found != len(paths):
        raise SystemExit(f"{read.__name__} found {found} of {len(paths)}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = make_images(Path(folder), options.images, options.side)
        size = paths[0].stat().st_size / 2**20
        print(f"{platform.platform()}, {os.cpu_count()} cores, Pillow {version('pillow')}")
        print(f"{len(paths):,} PNGs of {size:.2f} MiB, {options.rounds} rounds, medians in seconds")
        taken: dict[str, list[float]] = {"clipnb": [], "Pillow": []}
        for _ in range(options.rounds):
            taken["clipnb"].append(seconds(by_clipnb, paths))
            taken["Pillow"].append(seconds(by_pillow, paths))
    ours, theirs = statistics.median(taken["clipnb"]), statistics.median(taken["Pillow"])
    print(f"clipnb, taken apart {ours:6.2f}\nPillow, texts only {theirs:6.2f}\nratio {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()

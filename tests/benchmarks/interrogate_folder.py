"""Pictures a second of a folder run beside the bare encoder, and its memory from hundreds to many thousand rows.

    python tests/benchmarks/interrogate_folder.py [speed] [memory] [--model NAME] [--pictures N] [--rounds N]

Photographs are cut from scikit-image's, in many sizes, as JPEG and PNG. `bare` is `encode_image` alone on tensors
that are ready, in the same batches; `bare, both towers` also embeds the prompts that the run made, so it is all the
work that models do in a run that measures similarities. Captions are given, since making them costs as much as the
captioner does; `composed` shows what composing them from label tables costs. Everything runs in one process,
interleaved, and medians of the rounds are shown.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import skimage.data
import torch
from PIL import Image
from random_model import save_random

from clipnb.images import open_image
from clipnb.interrogate import Interrogator, Settings, interrogate_folder
from clipnb.models.load import load_model

PHOTOS = ("astronaut", "camera", "cat", "chelsea", "coffee", "coins", "grass", "gravel", "horse", "moon", "rocket")
BATCHES = (1, 8, 32)
MODES = ("classic", "fast")


def photographs(folder: Path, count: int) -> list[Path]:
    """Cut photographs of 256 to 1024 pixels a side out of scikit-image's, enlarged where they are smaller."""
    chance = random.Random(0)
    whole = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in PHOTOS]
    paths = []
    for number in range(count):
        source = whole[number % len(whole)]
        width, height = chance.randrange(256, 1025), chance.randrange(256, 1025)
        left, top = chance.randrange(source.width // 3), chance.randrange(source.height // 3)
        box = (left, top, left + 2 * source.width // 3, top + 2 * source.height // 3)
        path = folder / f"{number:05}.{'png' if number % 4 == 3 else 'jpg'}"
        source.resize((width, height), Image.Resampling.BICUBIC, box=box).save(path)
        paths.append(path)
    return paths


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Speed:
    """The runs and what they are compared with, all over the same photographs."""

    def __init__(self, worker: Interrogator, folder: Path, paths: list[Path], scratch: Path) -> None:
        self.worker, self.folder, self.scratch, self.runs = worker, folder, scratch, 0
        self.ready = torch.stack([worker.encoder.preprocess(open_image(path)) for path in paths])
        self.prompts = {mode: self.run(mode, BATCHES[-1]) for mode in MODES}  # also builds the tables

    def run(self, mode: str, batch: int, **options: object) -> list[str]:
        self.runs += 1
        options = {"caption": "a photo of a thing", **options}
        output = self.scratch / f"{self.runs}.csv"
        done = interrogate_folder(self.folder, output, mode, batch_size=batch, interrogator=self.worker, **options)
        return list(done.to_frame()["prompt"])

    @torch.no_grad()
    def bare(self, batch: int) -> None:
        for some in self.ready.split(batch):
            self.worker.encoder.encode_image(some).cpu()

    def both(self, batch: int, mode: str) -> None:
        self.bare(batch)
        for start in range(0, len(self.ready), batch):
            self.worker.encoder.encode_text(self.prompts[mode][start : start + batch]).cpu()

    def cases(self) -> dict[tuple[str, str, int], Callable[[], object]]:
        cases: dict[tuple[str, str, int], Callable[[], object]] = {}
        for batch in BATCHES:
            cases["any", "bare", batch] = partial(self.bare, batch)
            for mode in MODES:
                cases[mode, "plain", batch] = partial(self.run, mode, batch, similarity=False)
                cases[mode, "both", batch] = partial(self.both, batch, mode)
                cases[mode, "measured", batch] = partial(self.run, mode, batch)
        cases["classic", "composed", BATCHES[-1]] = partial(self.run, "classic", BATCHES[-1], caption=None)
        return cases


def speed(worker: Interrogator, folder: Path, paths: list[Path], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        cases = Speed(worker, folder, paths, Path(scratch)).cases()
        times: dict[tuple[str, str, int], list[float]] = {case: [] for case in cases}
        for _ in range(rounds):
            for case, work in cases.items():
                times[case].append(seconds(work))
    medians = {case: len(paths) / statistics.median(taken) for case, taken in times.items()}
    print("\n| mode | batch | bare | run without similarity | of bare | bare, both towers | run | of both |")
    print("|---|---|---|---|---|---|---|---|")
    for mode in MODES:
        for batch in BATCHES:
            bare, plain = medians["any", "bare", batch], medians[mode, "plain", batch]
            both, measured = medians[mode, "both", batch], medians[mode, "measured", batch]
            print(
                f"| {mode} | {batch} | {bare:.1f}/s | {plain:.1f}/s | {plain / bare:.0%} "
                f"| {both:.1f}/s | {measured:.1f}/s | {measured / both:.0%} |"
            )
    print(f"\nclassic, captions composed, batch {BATCHES[-1]}: {medians['classic', 'composed', BATCHES[-1]]:.1f}/s")


def resident() -> float:
    """Memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory(worker: Interrogator, paths: list[Path], counts: tuple[int, ...]) -> None:
    """Show the highest memory of runs over more and more pictures, no two files alike."""
    print("\n| rows | highest memory | of it before the run |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        small = [Image.open(path).convert("RGB").resize((256, 256)) for path in paths[:20]]
        for number, picture in enumerate(small):
            picture.save(Path(scratch) / f"{number}.jpg")
        contents = [(Path(scratch) / f"{number}.jpg").read_bytes() for number in range(len(small))]
        for count in counts:
            folder = Path(scratch) / str(count)
            folder.mkdir()
            for number in range(count):  # what follows a JPEG's end is no part of the picture
                (folder / f"{number:06}.jpg").write_bytes(contents[number % len(small)] + number.to_bytes(4, "big"))
            before, highest, ended = resident(), [0.0], threading.Event()

            def watch(highest: list[float] = highest, ended: threading.Event = ended) -> None:
                while not ended.wait(0.05):
                    highest[0] = max(highest[0], resident())

            watching = threading.Thread(target=watch)
            watching.start()
            output = Path(scratch) / f"{count}.csv"
            interrogate_folder(folder, output, "classic", caption="a thing", similarity=False, interrogator=worker)
            ended.set()
            watching.join()
            print(f"| {count} | {highest[0]:.0f} MiB | {before:.0f} MiB |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["speed", "memory"], choices=["speed", "memory"])
    parser.add_argument("--model", default="random", help="random: a ViT-B-32 with random weights; or a name")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 2000, 20_000])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as saved:
        name = save_random("ViT-B-32", Path(saved)) if args.model == "random" else args.model
        encoder = load_model(name, args.device)
    worker = Interrogator(encoder, settings=Settings(quiet=True))
    print(
        f"{args.model} model on {encoder.device}, {args.pictures} photographs, {args.rounds} rounds, "
        f"{torch.get_num_threads()} threads, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = photographs(folder, args.pictures)
        if "speed" in args.what:
            speed(worker, folder, paths, args.rounds)
        if "memory" in args.what:
            memory(worker, paths, tuple(args.rows))


if __name__ == "__main__":
    main()

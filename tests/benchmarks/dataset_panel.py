"""How long the dataset panel takes with many images: python tests/benchmarks/dataset_panel.py [images] (default 10000).

Prints seconds until a folder is open, until 40 first thumbnails are made and made again from the cache, of a filter, an
edit of all captions, saving and undoing, and the memory that all of it takes.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

import clipnb
from clipnb.widgets.dataset.panel import DatasetPanel
from clipnb.widgets.dataset.session import Filter
from clipnb.widgets.dataset.thumbnails import ThumbnailLoader

VISIBLE = 40
WORDS = [f"tag {number}" for number in range(2000)]


def make_folder(folder: Path, images: int) -> None:
    encoded = [Image.effect_noise((512, 384), 8 + 2 * number) for number in range(8)]
    for number, image in enumerate(encoded):
        image.convert("RGB").save(folder / f"first-{number}.jpg", quality=70)
    contents = [(folder / f"first-{number}.jpg").read_bytes() for number in range(8)]
    chance = random.Random(0)
    for number in range(8, images):
        (folder / f"{number:06d}.jpg").write_bytes(contents[number % 8])
        (folder / f"{number:06d}.txt").write_text(", ".join(["sks", *chance.sample(WORDS, 19)]))


def timed(name: str, action: Callable[[], object]) -> None:
    start = time.perf_counter()
    action()
    print(f"{name:>34}: {time.perf_counter() - start:6.2f} s")


def load(panel: DatasetPanel, first: int) -> None:
    left, whole = [VISIBLE], threading.Event()

    def take(place: tuple[int, int], found: bytes | str) -> None:
        assert isinstance(found, bytes), (place, found)
        left[0] -= 1
        if not left[0]:
            whole.set()

    loader = ThumbnailLoader(take)
    loader.ask([((1, key), panel.session.path(key)) for key in range(first, first + VISIBLE)])
    assert whole.wait(300)


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as cache:
        os.environ["CLIPNB_CACHE"] = cache
        folder = Path(name)
        make_folder(folder, images)
        panel = clipnb.dataset_panel(in_thread=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        def job(act: Callable[[], object]) -> Callable[[], None]:
            return lambda: (act(), panel.session.join(600))[0]  # type: ignore[func-returns-value]

        timed("open", job(lambda: panel.session.open(folder)))
        timed(f"{VISIBLE} first thumbnails", lambda: load(panel, 0))
        timed(f"{VISIBLE} from the middle", lambda: load(panel, images // 2))
        timed("the same from the cache", lambda: load(panel, images // 2))
        timed("filter by a tag", lambda: panel.filters.set(Filter(every=("tag 7",))))
        panel.filters.set(Filter())
        timed("append a tag to all", job(lambda: panel.session.edit("append tags", ["new"], range(images))))
        timed("save all", job(panel.session.save))
        timed("undo the save", job(panel.session.undo))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{'memory':>34}: {(after - before) / 1024:6.0f} MiB more, {after / 1024:.0f} MiB in all")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

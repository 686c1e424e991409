"""Fit and check how certain `lite` is: pictures with a fitting class and without one; run by hand.

    pip download --no-deps foolbox==3.3.4 && unzip foolbox-*.whl 'foolbox/data/*'
    python tests/benchmarks/lite_certainty.py foolbox/data

Photographs of installed packages (lite_zero_shot.py), and the twenty pictures each of ImageNet, CIFAR-10, CIFAR-100,
Fashion-MNIST and MNIST that foolbox carries, digits among them as what no class fits. Prints the coefficients that
sight.py has, fitted anew, how often captions with a certainty over a half are wrong, and what they say.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from lite_zero_shot import HELD_OUT, TUNED, VARIED
from PIL import Image
from sklearn.linear_model import LogisticRegression

from clipnb.interrogate import Interrogator, Settings
from clipnb.models.lite.sight import upper_classes
from clipnb.models.load import load_model

WRONG_WEIGHS = 3
LIKELY = 0.15  # probability from which on an upper class is looked at
Truth = set[int] | str | None  # the right classes; the most specific right upper class; nothing

PHOTOS: dict[str, Truth] = {
    "camera": {759, 872},
    "coffee": {504, 967, 968},
    "chelsea": "a cat",
    "rocket": {657, 744, 812},
    "brick": {825},
    "china": {663, 698},
    "flower": "a flower",
    "grace_hopper": {652},
    "motorcycle_left": "a vehicle",
    "horse": "a hoofed animal",
}
CIFAR10: list[Truth] = [
    {404, 895},
    "a car",
    "a bird",
    "a cat",
    "a hoofed animal",
    "a dog",
    "a frog",
    {339},
    "a ship",
    "a truck",
]
CIFAR100: dict[int, Truth] = {
    0: {948},
    14: "a butterfly",
    15: {354},
    40: {846},
    43: {291},
    49: {970},
    51: "a fungus",
    53: {950},
    69: {657, 812},
    70: "a flower",
    72: {150},
    75: {361},
    81: {829},
    92: "a flower",
    97: "a wolf",
}
FASHION: list[Truth] = [*["clothing"] * 5, "footwear", "clothing", "footwear", "a bag", "footwear"]


def truth_of(name: str) -> Truth:
    """Return what a picture shows, by its name."""
    dataset, *rest = name.split("_")
    if dataset in ("imagenet", "cifar10", "cifar100", "fashionMNIST", "mnist") and rest:
        label = int(rest[-1])
        known: dict[str, Truth] = {
            "imagenet": {label},
            "cifar10": CIFAR10[label] if label < len(CIFAR10) else None,
            "cifar100": CIFAR100.get(label),
            "fashionMNIST": FASHION[label] if label < len(FASHION) else None,
        }
        return known.get(dataset)
    return PHOTOS.get(name.removesuffix(" (cut)"))


def is_right(truth: Truth, rows: set[int]) -> bool | None:
    """Whether a class or upper class is right; None where that cannot be told."""
    if truth is None:
        return False
    if isinstance(truth, set):
        return bool(truth & rows)
    right = set(dict(upper_classes())[truth])
    return True if right <= rows else None if rows <= right else False


def main() -> None:
    """Fit, and describe every picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="foolbox/data, unpacked")
    arguments = parser.parse_args()
    pictures = [(sample.name, sample.open().convert("RGB")) for sample in TUNED + HELD_OUT + VARIED]
    for path in sorted(arguments.folder.glob("*_*_*.*")):
        picture = Image.open(path).convert("RGB")
        small = min(picture.size) < 64
        pictures.append((path.stem, picture.resize((256, 256), Image.Resampling.BICUBIC) if small else picture))
    encoder = load_model("lite", "cpu")
    inputs, rights, weights = [], [], []
    for name, picture in pictures:
        pixels = encoder.preprocess(picture)
        with torch.no_grad():
            shares = encoder.image_tower((pixels[None] - 0.5) / 0.5)[0].softmax(-1)  # type: ignore[attr-defined]
        tones = torch.histc(pixels.mean(0), 64, 0, 1) / pixels[0].numel()
        tones = tones[tones > 0]
        upper = [set(rows) for _, rows in upper_classes() if float(shares[rows].sum()) > LIKELY]
        candidates = [*({int(row)} for row in shares.topk(2).indices), *upper]
        for rows in candidates:
            right = is_right(truth_of(name), rows)
            if right is not None:
                odds = float(shares[list(rows)].sum().clamp(1e-4, 1 - 1e-4).logit())
                inputs.append((odds, float(-(tones * tones.log2()).sum())))
                rights.append(right)
                weights.append((1 if right else WRONG_WEIGHS) / len(candidates))
    fitted = LogisticRegression(C=10).fit(np.array(inputs), np.array(rights), sample_weight=weights)
    print("fitted anew: probability, tones", fitted.coef_[0].round(2), "at zero", fitted.intercept_.round(2))
    worker = Interrogator(encoder, settings=Settings(quiet=True))
    certain = 0
    for name, picture in pictures:
        found = worker.interrogate(picture, "caption")
        if found.certainty is not None and found.certainty > 0.5:
            certain += 1
            print(f"{name:<26}{found.certainty:.2f}  {found.caption}   (truth: {truth_of(name)})")
    print(f"certain of {certain} of {len(pictures)}; read above which are wrong")


if __name__ == "__main__":
    main()

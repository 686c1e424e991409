"""Measure how well an encoder finds the right text for photographs of installed packages; run by hand.

Prints, for each picture and each of two spellings, the rank of the right text among the right texts of its
group and the distractors. "tuned" are the photographs that `lite` was tuned with, "held out" are none of them,
"varied" are cuts of both that it was not tuned with either.

    python tests/benchmarks/lite_zero_shot.py --model lite --misses
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image, ImageOps

from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model


@dataclass(frozen=True)
class Sample:
    """A photograph and what a person would call it.

    Attributes:
        name: what it is called in the table.
        package: the installed package that it lies in.
        path: where in that package.
        texts: two spellings, the short one first.
        change: what is done to the picture first.
    """

    name: str
    package: str
    path: str
    texts: tuple[str, str]
    change: Callable[[Image.Image], Image.Image] = Image.Image.copy

    def open(self) -> Image.Image:
        """Read the picture, changed."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"{self.name} lies in {self.package}, which is not installed")
        with Image.open(Path(next(iter(spec.submodule_search_locations))) / self.path) as image:
            return self.change(image)


def _skimage(file: str, short: str, long: str) -> Sample:
    return Sample(file.split(".")[0], "skimage", f"data/{file}", (short, long))


TUNED = [
    _skimage("astronaut.png", "an astronaut", "a portrait of an astronaut in an orange space suit"),
    _skimage("camera.png", "a man with a camera", "a black and white photo of a cameraman at work in a park"),
    _skimage("coffee.png", "a cup of coffee", "a photo of a cup of coffee on a wooden table"),
    _skimage("chelsea.png", "a cat", "a close-up photo of the face of a cat"),
    _skimage("rocket.jpg", "a rocket", "a photo of a rocket on its launch pad at night"),
    _skimage("brick.png", "a brick wall", "a black and white photo of a wall of bricks"),
    _skimage("grass.png", "grass", "a black and white photo of dry grass"),
    _skimage("page.png", "a page of text", "a scanned page of a printed book"),
    _skimage("gravel.png", "gravel", "a black and white photo of small stones on the ground"),
    _skimage("coins.png", "coins", "a photo of rows of ancient coins"),
    _skimage("moon.png", "the surface of the moon", "a grey photo of craters on the moon"),
    _skimage("hubble_deep_field.jpg", "galaxies", "a photo of stars and galaxies taken by a space telescope"),
    _skimage("retina.jpg", "the retina of an eye", "a medical photo of the back of an eye"),
]
HELD_OUT = [
    Sample(
        "china",
        "sklearn",
        "datasets/images/china.jpg",
        ("a Chinese temple", "a pagoda above trees by a lake"),
    ),
    Sample(
        "flower",
        "sklearn",
        "datasets/images/flower.jpg",
        ("a flower", "a close-up photo of an orange dahlia"),
    ),
    Sample(
        "grace_hopper",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        ("a woman in uniform", "a portrait of a navy officer in front of a flag"),
    ),
    _skimage("motorcycle_left.png", "a motorcycle", "a photo of a red motorcycle in a garage"),
    _skimage("horse.png", "a horse", "the black silhouette of a horse"),
    _skimage("text.png", "handwriting", "a photo of handwritten formulas on paper"),
    _skimage("ihc.png", "tissue under a microscope", "a microscope photo of stained human tissue"),
    _skimage("color.png", "a colour wheel", "a circle in all colours of the rainbow"),
    _skimage("phantom.png", "a brain scan", "an X-ray image of a head"),
    _skimage("cell.png", "a cell", "a single cell under a microscope"),
]
DISTRACTORS = [
    "a dog",
    "a bicycle",
    "a city street at night",
    "a bowl of fruit",
    "a forest in autumn",
    "a bird on a branch",
    "a sandy beach",
    "an old car",
    "a glass of beer",
    "a wooden chair",
]


def off_centre(image: Image.Image) -> Image.Image:
    """Cut the upper left three quarters and mirror them."""
    width, height = image.size
    return ImageOps.mirror(image.crop((0, 0, width * 3 // 4, height * 3 // 4)))


VARIED = [replace(sample, name=f"{sample.name} (cut)", change=off_centre) for sample in TUNED + HELD_OUT[:5]]


def ranks(encoder: DualEncoder, samples: Sequence[Sample], others: Sequence[Sample], spelling: int) -> list[list[str]]:
    """Rank the candidate texts for each picture.

    Args:
        encoder: what is measured.
        samples: the pictures.
        others: pictures whose right texts are candidates too.
        spelling: which of the two texts of each picture, 0 or 1.

    Returns:
        For each picture the candidates, likest first.
    """
    texts = list(dict.fromkeys([s.texts[spelling] for s in (*samples, *others)] + DISTRACTORS))
    pixels = torch.stack([encoder.preprocess(sample.open()) for sample in samples])
    with torch.no_grad():
        similar = encoder.encode_image(pixels) @ encoder.encode_text(texts).T
    return [[texts[i] for i in row] for row in similar.argsort(dim=-1, descending=True).tolist()]


def report(encoder: DualEncoder, title: str, samples: Sequence[Sample], others: Sequence[Sample], misses: bool) -> None:
    """Print a group's table and its summary."""
    short, long = (ranks(encoder, samples, others, spelling) for spelling in (0, 1))
    print(f"\n{title}: {len(samples)} pictures, rank of the right text among {len(short[0])} (short, long)")
    for sample, first, second in zip(samples, short, long, strict=True):
        places = [1 + order.index(text) for order, text in zip((first, second), sample.texts, strict=True)]
        taken = f"   taken for: {first[0]} | {second[0]}" if misses and max(places) > 1 else ""
        print(f"  {sample.name:<24}{places[0]:>3}{places[1]:>4}{taken}")
    for label, orders, spelling in (("short", short, 0), ("long", long, 1)):
        place = [order.index(s.texts[spelling]) for s, order in zip(samples, orders, strict=True)]
        first, three, total = sum(p < 1 for p in place), sum(p < 3 for p in place), len(place)
        print(f"  {label:<6}first: {first} of {total}, among three: {three} of {total}")


def main() -> None:
    """Load the encoder and print the three groups."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="lite", help="any name that load_model takes (default: %(default)s)")
    parser.add_argument("--misses", action="store_true", help="print what a picture was taken for")
    arguments = parser.parse_args()
    started = time.perf_counter()
    encoder = load_model(arguments.model, device="cpu")
    seconds = time.perf_counter() - started
    packages = ("torch", "timm", "transformers", "open_clip_torch", "scikit-image", "scikit-learn", "pillow")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    print(
        f"{encoder.name} ({encoder.digest}), {encoder.dtype}, {encoder.device}, loaded in {seconds:.1f} s; {versions}"
    )
    report(encoder, "tuned", TUNED, [], arguments.misses)
    report(encoder, "held out", HELD_OUT, TUNED, arguments.misses)
    report(encoder, "varied (both, mirrored and cut off-centre)", VARIED, TUNED + HELD_OUT, arguments.misses)


if __name__ == "__main__":
    main()

"""What a recipe depends on: facts about the encoders, by their names, and what the device gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

_VIT = re.compile(r"vit[-_](so400m|big-?g|[a-z]+)[-_/](\d{1,4})(?:.*?[-_@](2\d\d|3\d\d|448|512))?")
_SHAPES = {"s": (384, 12), "b": (768, 12), "l": (1024, 24), "so400m": (1152, 27), "h": (1280, 32), "g": (1408, 40)}
_BIGGEST = (1664, 48)
_UNKNOWN = 20.0  # gflop of a view where the name says nothing, somewhat more than a ViT-B-16


@dataclass(frozen=True)
class EncoderFacts:
    """What matters about one or several encoders.

    Attributes:
        contrastive: whether one of them is a CLIP of any kind, not the embedded classifier.
        image_size: side in pixels of what the largest looks at.
        gflop: billions of operations for one view, forward, of all together; for the embedded one, whose depthwise
            convolutions are slow, what takes as long.
    """

    contrastive: bool
    image_size: int = 224
    gflop: float = 6.0


@dataclass(frozen=True)
class Budget:
    """What a run may use.

    Attributes:
        speed: trillions of operations a second that a frozen tower really gets, roughly.
        memory: GiB for activations.
        seconds: how long a picture may take.
    """

    speed: float
    memory: float = 4.0
    seconds: float = 240.0

    def views(self, facts: EncoderFacts, steps: int, most: int) -> int:
        """Return how many views a step has room for: a power of two from 4 on, or `most`.

        The backward pass to the pixels of a frozen tower costs about what the forward pass costs.
        """
        by_time = 1000 * self.speed * self.seconds / (2 * facts.gflop * steps)
        by_memory = 1024 * self.memory / (4 * facts.gflop)  # some 4 MB of activations for a gflop, in 16 bits
        fitting = int(min(by_time, by_memory))
        return most if fitting >= most else max(4, 1 << max(0, fitting.bit_length() - 1))


BUDGETS = {
    "cpu": Budget(0.15),
    "mps": Budget(2.0),
    "T4": Budget(15.0, 10.0),
    "H100": Budget(150.0, 55.0),
}
"""Typical devices: two cores as they were measured, cards as a quarter of what their makers say."""


class Recipe(Protocol):
    """Makes an experiment of a text; its docstring names the source."""

    def __call__(self, text: str, facts: EncoderFacts, budget: Budget, pixels: str = "") -> dict[str, Any]:
        """Return the experiment, for a parameterisation that is not the recipe's own where one is named."""
        ...


def facts_of(models: Sequence[str]) -> EncoderFacts:
    """Return the facts about encoders as their names tell them; nothing is loaded.

    >>> facts_of(["ViT-L-14-336/openai"]).image_size
    336
    """
    from clipnb.models.load import choose_automatically

    chosen = [choose_automatically(announce=False) if name == "auto" else name for name in models]
    each = [_facts_of_one(name) for name in chosen]
    return EncoderFacts(
        any(one.contrastive for one in each),
        max(one.image_size for one in each),
        round(sum(one.gflop for one in each), 1),
    )


def budget_of(device: str) -> Budget:
    """Return what a device gives; one that is not here counts as the CPU, as the run itself will refuse it."""
    import torch

    from clipnb.errors import DeviceError
    from clipnb.models.device import resolve_device

    try:
        where = resolve_device(device)
    except DeviceError:
        where = torch.device("cpu")
    if where.type != "cuda":
        return BUDGETS[where.type]
    memory = torch.cuda.get_device_properties(where).total_memory / 2**30
    return Budget(BUDGETS["T4" if memory < 20 else "H100"].speed, 0.7 * memory)


def _facts_of_one(name: str) -> EncoderFacts:
    from clipnb.models.lite.weights import CLASSIFIERS

    if name in CLASSIFIERS:
        return EncoderFacts(contrastive=False)
    found = _VIT.search(name.lower())
    if found is None:
        return EncoderFacts(True, gflop=_UNKNOWN)
    patch, side = int(found[2]), int(found[3] or 224)
    width, layers = _SHAPES.get(found[1], _BIGGEST)
    tokens = (side // max(1, patch)) ** 2 + 1
    return EncoderFacts(True, side, round(24e-9 * layers * width**2 * tokens, 1))

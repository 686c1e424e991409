"""Taggers in WD14's form: a network beside `selected_tags.csv`, a probability for each tag of it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import CaptionerError, ModelUnavailableError, quoted, reason
from clipnb.files import read_text
from clipnb.models.captioners.faults import CutText
from clipnb.models.captioners.tagger_networks import load_network

TAGS = "selected_tags.csv"
"""The file that shows a tagger of this form."""
LARGEST_TAGS = 16 * 2**20
"""Bytes of that file; the known ones have a third of a million."""
GENERAL, CHARACTER = 0.35, 0.85
"""Probabilities from which tags, and names of characters, count: those that people use with these networks."""
_RATING, _CHARACTER = "9", "4"  # categories of danbooru
_WORD = re.compile(r"[^\W_]{2}")


class Tag(NamedTuple):
    """A tag as it is written, and its category."""

    text: str
    category: str


class Network(Protocol):
    """What gives each tag of a picture its probability."""

    side: int

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return float32 [B, tags] in [0, 1] for uint8 [B, side, side, 3], RGB."""

    def move(self, device: torch.device) -> None: ...


class Tagger:
    """A captioner whose captions are tags, likeliest first, characters before everything else."""

    def __init__(
        self,
        network: Network,
        tags: Sequence[Tag],
        name: str,
        device: torch.device,
        *,
        max_tags: int = 32,
        batch_size: int = 16,
        tag_threshold: float = GENERAL,
        character_threshold: float = CHARACTER,
    ) -> None:
        """Use a network that is loaded already; the rest is as `load_captioner` takes it."""
        for option, value in (("tag_threshold", tag_threshold), ("character_threshold", character_threshold)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise CaptionerError(f"{option} is a probability in [0, 1], not {quoted(value)}")
        self.name, self.device, self.batch_size, self._most = name, device, batch_size, max_tags
        self._network, self._tags = network, tags
        thresholds = {_RATING: 2.0, _CHARACTER: character_threshold}  # no probability reaches 2: ratings are no tags
        self._thresholds = torch.tensor([thresholds.get(tag.category, tag_threshold) for tag in tags])

    def prepare(self, image: Image.Image) -> Tensor:
        """Scale an RGB picture to the network's square, white beside it; uint8 [side, side, 3]."""
        square = Image.new("RGB", (max(image.size),) * 2, "white")
        square.paste(image, ((square.width - image.width) // 2, (square.width - image.height) // 2))
        scaled = square.resize((self._network.side,) * 2, Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(scaled))

    @torch.no_grad()
    def caption(self, images: Iterable[Image.Image | Tensor]) -> list[str]:
        captions: list[str] = []
        remaining = iter(images)
        while batch := list(islice(remaining, self.batch_size)):
            pixels = torch.stack([one if isinstance(one, Tensor) else self.prepare(one) for one in batch])
            captions += [self._caption(row) for row in self._network(pixels).cpu()]
        return captions

    def move(self, device: torch.device) -> None:
        self._network.move(device)
        self.device = device

    def _caption(self, probabilities: Tensor) -> str:
        likely = torch.argsort(probabilities, descending=True, stable=True).tolist()
        found = [self._tags[place] for place in likely if probabilities[place] >= self._thresholds[place]]
        found.sort(key=lambda tag: tag.category != _CHARACTER)
        text = ", ".join(tag.text for tag in found[: self._most])
        return CutText(text) if len(found) > self._most else text


def load_tagger(
    folder: Path, name: str, device: torch.device, *, max_tags: int, batch_size: int, **thresholds: float
) -> Tagger:
    """Load a tagger from its folder."""
    tags = read_tags(folder / TAGS)
    network = load_network(folder, len(tags), device)
    return Tagger(network, tags, name, device, max_tags=max_tags, batch_size=batch_size, **thresholds)


def read_tags(path: Path) -> list[Tag]:
    """Read the columns `name` and `category` of a file of tags, one tag an output of the network.

    Raises:
        ModelUnavailableError: it cannot be read, has no such columns, or a row without a name.
    """
    try:
        rows = csv.DictReader(read_text(path, LARGEST_TAGS).replace("\0", "").splitlines())
        if not {"name", "category"} <= set(rows.fieldnames or ()):
            raise ModelUnavailableError(f"{path.name} has no columns name and category, as a tagger of WD14's form has")
        tags = [Tag(in_words(row["name"] or ""), (row["category"] or "").strip()) for row in rows]
    except (OSError, csv.Error) as error:
        raise ModelUnavailableError(f"{path.name} cannot be read: {reason(error)}") from error
    if not tags or not all(tag.text for tag in tags):
        raise ModelUnavailableError(f"{path.name} has no tags, or rows without a name")
    return tags


def in_words(tag: str) -> str:
    """Return a tag with blanks for underscores, but leave faces alone.

    >>> in_words("long_hair"), in_words("^_^"), in_words("hatsune_miku_(append)")
    ('long hair', '^_^', 'hatsune miku (append)')
    """
    tag = " ".join(tag.split())
    return tag.replace("_", " ") if _WORD.search(tag) else tag

"""Whether an encoder's weights are right: a second's look at shipped photographs, kept for each file of weights.

Four things give wrong ones away: tensors that no training leaves (not finite, constant), photographs that are taken
for something else, plain colours that are taken for each other, and what reaches the first layer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from PIL import Image
from pydantic import BaseModel
from torch import Tensor, nn

from clipnb.errors import OutputError
from clipnb.files import cache_folder, find_cached, read_bytes, shipped, write_atomically
from clipnb.images import open_image
from clipnb.models.checks.first_layer import first_layer_problems
from clipnb.models.embedded import EmbeddingError, memory_for
from clipnb.models.encoder import DualEncoder, digest_of
from clipnb.progress import log

PHOTOGRAPHS = {
    "cat": "a cat",
    "coffee": "a cup of coffee",
    "rocket": "a rocket",
    "coins": "coins",
    "galaxies": "galaxies in space",
    "photographer": "a man with a camera",
    "horse": "the silhouette of a horse",
    "grass": "grass",
    "bricks": "a brick wall",
}
"""The shipped photographs, and what is seen on each."""
_COLOURS = {"red": (220, 30, 30), "blue": (30, 50, 220), "yellow": (240, 220, 30), "cyan": (30, 210, 220)}
"""Two pairs that become each other, where red and blue are swapped."""
_ENOUGH_RIGHT = 0.67  # of the photographs; chance is one
# Of how far photographs are told apart. Lite: .37, without its colours .07; as much below 0 where they are swapped.
_SWAPPED = -0.15
_VERSION = 1  # count up with any change that changes verdicts
_LARGEST = 2**16  # bytes of a kept verdict


class Verdict(BaseModel):
    """What a probe found.

    Attributes:
        right: how many photographs were told first among the texts, of `of`.
        problems: what is wrong, in words; none for a good encoder.
    """

    right: int
    of: int = len(PHOTOGRAPHS)
    problems: list[str]


def probe(encoder: DualEncoder) -> Verdict:
    """Look at the encoder's weights, at what it takes photographs and colours for, and at what its first layer gets."""
    problems = list(_odd_weights(encoder))
    cosines = _look(encoder)
    names = list(PHOTOGRAPHS)
    taken_for = cosines.argmax(1).tolist()
    right = sum(index == taken for index, taken in enumerate(taken_for))
    if right < _ENOUGH_RIGHT * len(names):
        wrong = next((index for index, taken in enumerate(taken_for) if index != taken), 0)
        mistake = f"a photograph of {PHOTOGRAPHS[names[wrong]]} is {PHOTOGRAPHS[names[taken_for[wrong]]]!r} to it"
        problems.append(f"this encoder does not tell things apart: {mistake}, and {right} of {len(names)} are right")
    elif _told_apart(_look_at_colours(encoder)) < _SWAPPED * _told_apart(cosines):
        problems.append("this encoder takes red for blue and yellow for cyan: red and blue are swapped")
    return Verdict(right=right, problems=problems + list(first_layer_problems(encoder)))


def probe_once(encoder: DualEncoder, files: Sequence[Path]) -> Verdict:
    """Return the verdict on the weights in these files, from the cache where they were probed on this machine before.

    Files are told apart by place, size and time, since a digest of all weights takes as long as loading them.
    """
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    kept = f"{digest_of({}, repr((_VERSION, encoder.name, encoder.dtype, encoder.preparation, facts)))}.json"
    try:
        return Verdict.model_validate_json(read_bytes(find_cached("probe", kept), _LARGEST))
    except (OSError, ValueError):
        verdict = probe(encoder)
    try:
        with write_atomically(cache_folder("probe", kept)) as temporary:
            temporary.write_text(verdict.model_dump_json(), encoding="utf-8")
    except OutputError:
        pass  # then it is probed again
    return verdict


def warn_of(encoder: DualEncoder, files: Sequence[Path]) -> None:
    """Log what the probe finds wrong, and add it to the encoder's note; not where $CLIPNB_PROBE is 0."""
    if os.environ.get("CLIPNB_PROBE", "").strip() == "0":
        return
    try:
        problems = probe_once(encoder, files).problems
    except EmbeddingError as error:  # which the model may have for fewer
        log.warning("the weights of %s were not looked at: %s", encoder.name, error)
        return
    if problems:
        told = f"the weights of {encoder.name} look wrong: {'; '.join(problems)}"
        encoder.note = "; ".join(filter(None, [encoder.note, told]))
        log.warning("%s (clipnb doctor --model says more; CLIPNB_PROBE=0 looks at none)", told)


@torch.no_grad()
def _look(encoder: DualEncoder) -> Tensor:
    """Return the cosines of the photographs with their texts, [n, n]."""
    files = [shipped("probe", f"{name}.jpg") for name in PHOTOGRAPHS]
    pixels = torch.stack([encoder.preprocess(open_image(file)) for file in files])
    return _cosines(encoder, pixels, [f"a photo of {what}" for what in PHOTOGRAPHS.values()])


def _look_at_colours(encoder: DualEncoder) -> Tensor:
    """Return for both pairs of colours the mean cosines with their texts, [2, 2]."""
    size = (encoder.image_size, encoder.image_size)
    pixels = torch.stack([encoder.preprocess(Image.new("RGB", size, colour)) for colour in _COLOURS.values()])
    cosines = _cosines(encoder, pixels, [f"a photo of the colour {name}" for name in _COLOURS])
    return (cosines[:2, :2] + cosines[2:, 2:]) / 2


@torch.no_grad()
def _cosines(encoder: DualEncoder, pixels: Tensor, texts: list[str]) -> Tensor:
    with memory_for("photographs"):
        return (encoder.encode_image(pixels).cpu() @ encoder.encode_text(texts).cpu().T).nan_to_num(-1)


def _told_apart(cosines: Tensor) -> float:
    """Return how far cosines [n, n] with the right texts, on the diagonal, are above the others."""
    right = cosines.diag().mean()
    return float(right - (cosines.mean() - right / len(cosines)) * len(cosines) / (len(cosines) - 1))


def _odd_weights(encoder: DualEncoder) -> Iterator[str]:
    modules = [module for module in vars(encoder).values() if isinstance(module, nn.Module)]
    matrices = [weights for module in modules for weights in module.parameters() if weights.ndim > 1]
    broken = sum(not bool(weights.isfinite().all()) for weights in matrices)
    constant = sum(weights.numel() > 1 and bool(weights.max() == weights.min()) for weights in matrices)
    for count, what in ((broken, "hold numbers that are not finite"), (constant, "hold one number throughout")):
        if count:
            yield f"{count} of its {len(matrices)} matrices {what}: it is damaged, or only a part was loaded"

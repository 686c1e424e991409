"""Whether an encoder tells things apart: a second's look at shipped photographs, kept for each digest of weights.

Two things give wrong weights away: tensors that no training leaves (not finite, constant), and photographs that are
taken for something else. What an encoder bears well (red and blue swapped, statistics of another family) is not found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from clipnb.errors import OutputError
from clipnb.files import cache_folder, find_cached, read_bytes, shipped, write_atomically
from clipnb.images import open_image
from clipnb.models.encoder import DualEncoder
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
_ENOUGH_RIGHT = 0.67  # of the photographs; chance is one
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
    """Look at the encoder's weights, and at what it takes the photographs for."""
    problems = list(_odd_weights(encoder))
    taken_for = _look(encoder, _pixels(encoder))
    names = list(PHOTOGRAPHS)
    right = sum(index == taken for index, taken in enumerate(taken_for))
    if right < _ENOUGH_RIGHT * len(names):
        wrong = next((index for index, taken in enumerate(taken_for) if index != taken), 0)
        mistake = f"a photograph of {PHOTOGRAPHS[names[wrong]]} is {PHOTOGRAPHS[names[taken_for[wrong]]]!r} to it"
        problems.append(f"this encoder does not tell things apart: {mistake}, and {right} of {len(names)} are right")
    return Verdict(right=right, problems=problems)


def probe_once(encoder: DualEncoder) -> Verdict:
    """Return the verdict on these weights, from the cache where they were probed on this machine before."""
    file = f"{encoder.digest}.json"
    try:
        return Verdict.model_validate_json(read_bytes(find_cached("probe", file), _LARGEST))
    except (OSError, ValueError):
        verdict = probe(encoder)
    try:
        with write_atomically(cache_folder("probe", file)) as temporary:
            temporary.write_text(verdict.model_dump_json(), encoding="utf-8")
    except OutputError:
        pass  # then it is probed again
    return verdict


def warn_of(encoder: DualEncoder) -> None:
    """Log what the probe finds wrong, and add it to the encoder's note; not where $CLIPNB_PROBE is 0."""
    if os.environ.get("CLIPNB_PROBE", "").strip() == "0":
        return
    problems = probe_once(encoder).problems
    if problems:
        told = f"the weights of {encoder.name} look wrong: {'; '.join(problems)}"
        encoder.note = "; ".join(filter(None, [encoder.note, told]))
        log.warning("%s (clipnb doctor --model says more; CLIPNB_PROBE=0 looks at none)", told)


def _pixels(encoder: DualEncoder) -> Tensor:
    files = [shipped("probe", f"{name}.jpg") for name in PHOTOGRAPHS]
    return torch.stack([encoder.preprocess(open_image(file)) for file in files])


@torch.no_grad()
def _look(encoder: DualEncoder, pixels: Tensor) -> list[int]:
    texts = encoder.encode_text([f"a photo of {what}" for what in PHOTOGRAPHS.values()]).cpu()
    cosines = encoder.encode_image(pixels).cpu() @ texts.T
    return cosines.nan_to_num(-1).argmax(1).tolist()


def _odd_weights(encoder: DualEncoder) -> Iterator[str]:
    modules = [module for module in vars(encoder).values() if isinstance(module, nn.Module)]
    matrices = [weights for module in modules for weights in module.parameters() if weights.ndim > 1]
    broken = sum(not bool(weights.isfinite().all()) for weights in matrices)
    constant = sum(weights.numel() > 1 and bool(weights.max() == weights.min()) for weights in matrices)
    for count, what in ((broken, "hold numbers that are not finite"), (constant, "hold one number throughout")):
        if count:
            yield f"{count} of its {len(matrices)} matrices {what}: it is damaged, or only a part was loaded"

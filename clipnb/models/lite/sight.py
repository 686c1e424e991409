"""How certain `lite` is of what it calls a picture, and what it can say where it is certain of little.

ImageNet has no people, coins or galaxies, and a softmax over its classes is sure of something else there. How often
it is right was fitted on pictures with and without a fitting class (tests/benchmarks/lite_certainty.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property

import torch
from torch import Tensor

from clipnb.files import shipped
from clipnb.models.sight import Sight

# Fitted: log odds of being right = a * log odds of the probability + b * bits of tones + c. Wrong answers weigh three
# times as much, since being wrongly certain is worse than being doubtful.
_OF_PROBABILITY, _OF_TONES, _AT_ZERO = 1.03, 0.64, -4.75
_TONES = 64  # shades that are told apart: photographs use most of them, drawings, logos and silhouettes few
_SAME, _SLOPE = 0.55, 0.04  # cosine of a text and a class at which the text is half about it, and how steeply it falls
_FACE = 0.9  # certainty of a face that was found: 9 of 9 are faces, and (9 + 1) / (9 + 2) is Laplace's estimate
_SMALLEST_FACE, _SCALE = 45, 1.2  # pixels of 224; steps from one size to the next


class LiteSight(Sight):
    """What the classifier makes of one picture."""

    def __init__(self, logits: Tensor, pixels: Tensor, names: Tensor, words: slice, classes: Sequence[str]) -> None:
        """Keep what is needed.

        Args:
            logits: float32 [1000].
            pixels: float [3, S, S] in [0, 1].
            names: float32 [1000, d], unit length: what stands for the classes among texts.
            words: where in a text's embedding its own direction [d] stands.
            classes: their 1000 names.
        """
        self._probabilities, self._classes = logits.softmax(-1), classes
        self._pixels, self._names, self._words = pixels, names, words

    def certainties(self, texts: Sequence[str], embeddings: Tensor) -> list[float]:
        directions = torch.nn.functional.normalize(embeddings[:, self._words].to(self._names), dim=-1)
        about = ((directions @ self._names.T - _SAME) / _SLOPE).sigmoid() @ self._probabilities
        upper = torch.tensor([self._share(text) for text in texts], device=about.device)
        found: list[float] = self._calibrated(torch.maximum(about, upper)).tolist()
        return found

    def things(self) -> list[tuple[str, float]]:
        """Return the likeliest class and the upper classes, the most specific first, with their certainty."""
        likeliest = int(self._probabilities.argmax())
        name = self._classes[likeliest]
        kinds = [(f"{'an' if name[0] in 'aeiou' else 'a'} {name}", [likeliest]), *upper_classes()]
        shares = torch.tensor([self._probabilities[rows].sum() for _, rows in kinds])
        return [
            (name, certainty) for (name, _), certainty in zip(kinds, self._calibrated(shares).tolist(), strict=True)
        ]

    @cached_property
    def portrait(self) -> float:
        """Certainty that somebody looks out of the picture; 0 where no face is found, or scikit-image is missing."""
        try:
            from skimage.data import lbp_frontal_face_cascade_filename
            from skimage.feature import Cascade
        except ImportError:
            return 0.0
        picture = (self._pixels.cpu().permute(1, 2, 0).numpy() * 255).astype("uint8")
        smallest, largest = (_SMALLEST_FACE, _SMALLEST_FACE), picture.shape[:2]
        cascade = Cascade(lbp_frontal_face_cascade_filename())
        found = cascade.detect_multi_scale(picture, _SCALE, 1, min_size=smallest, max_size=largest)
        return _FACE if found else 0.0

    def _share(self, text: str) -> float:
        """Return the probability of the upper class that a text names; of several the likeliest."""
        said = f" {''.join(c if c.isalnum() else ' ' for c in text.casefold())} "
        rows = [rows for name, rows in upper_classes() if f" {name} " in said]  # with its article: no "prairie dog"
        return max((float(self._probabilities[one].sum()) for one in rows), default=0.0)

    def _calibrated(self, probabilities: Tensor) -> Tensor:
        odds = probabilities.clamp(1e-4, 1 - 1e-4).logit()
        return (_OF_PROBABILITY * odds + _OF_TONES * self._tones + _AT_ZERO).sigmoid()

    @cached_property
    def _tones(self) -> float:
        """Entropy of the picture's shades of grey, in bits."""
        shares = torch.histc(self._pixels.float().mean(0).cpu(), _TONES, 0, 1)
        shares = shares[shares > 0] / shares.sum()
        return float(-(shares * shares.log2()).sum())


@cache
def upper_classes() -> tuple[tuple[str, list[int]], ...]:
    """Return the names of upper classes and the classes below each, the most specific first."""
    lines = shipped("lite", "upper_classes.txt").read_text("utf-8").splitlines()
    named = (line.split(": ") for line in lines if not line.startswith("#"))
    return tuple(sorted(((name, _numbers(ranges)) for name, ranges in named), key=lambda one: len(one[1])))


def _numbers(ranges: str) -> list[int]:
    ends = ([int(end) for end in one.split("-")] for one in ranges.split())
    return [number for end in ends for number in range(end[0], end[-1] + 1)]

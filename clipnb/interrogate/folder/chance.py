"""How certain a difference between two sets of images is: bootstrap intervals, and what chance makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

_AT_ONCE = 128  # resamples
_ROWS = 2048  # labels


def intervals(first: Tensor, second: Tensor, resamples: int, confidence: float, generator: torch.Generator) -> Tensor:
    """Return the bootstrap interval of the difference of means, of each label alone.

    Images are drawn again from each set with replacement (Efron, Bootstrap Methods, 1979). Deviations are widened by
    sqrt(n / (n - 1)), since resampled means of n images vary by that less than means of n new ones.

    Args:
        first: cosines [N, L] of a set's images and the labels.
        second: cosines [M, L] of the other set's.
        resamples: how many means are drawn.
        confidence: share of them inside the interval.
        generator: on the CPU.

    Returns:
        Lowest and highest difference, [2, L]; nan where a set has one image.
    """
    difference = first.mean(0) - second.mean(0)
    if min(len(first), len(second)) < 2:
        return torch.full((2, first.shape[1]), torch.nan)
    deviations = torch.cat(
        [_deviations(first, size, generator) - _deviations(second, size, generator) for size in _parts(resamples)]
    )
    tail = (1 - confidence) / 2
    return difference + deviations.quantile(torch.tensor([tail, 1 - tail]), dim=0)


def by_chance(
    first: Tensor,
    second: Tensor,
    tables: Iterable[Tensor],
    resamples: int,
    confidence: float,
    generator: torch.Generator,
) -> float:
    """Return the difference that only 1 - confidence of random divisions exceed with any label: a permutation test.

    The images of both sets are shuffled and divided again (Westfall and Young, Resampling-Based Multiple Testing,
    1993). So it counts that the best of many labels are looked at, and holds for sets of any size.

    Args:
        first: embeddings [N, D].
        second: embeddings [M, D].
        tables: embeddings of labels, [L, D] each.
        resamples: how many divisions are drawn.
        confidence: share of them without any larger difference.
        generator: on the CPU.
    """
    images = torch.cat([first, second])
    signs = torch.cat([torch.full((len(first),), 1 / len(first)), torch.full((len(second),), -1 / len(second))])
    drawn = []
    for size in _parts(resamples):
        shuffled = signs[torch.rand(size, len(images), generator=generator).argsort(-1)]
        drawn.append(shuffled @ images)
    directions = torch.cat(drawn)
    largest = torch.zeros(resamples)
    for table in tables:
        for start in range(0, len(table), _ROWS):
            some = table[start : start + _ROWS].float()
            largest = largest.maximum((directions @ some.T).abs().amax(-1))
    allowed = int((1 - confidence) * (resamples + 1))  # of the divisions, the one that was found among them
    return float(largest.sort(descending=True).values[max(allowed, 1) - 1]) if allowed else float("inf")


def _parts(resamples: int) -> Iterator[int]:
    for start in range(0, resamples, _AT_ONCE):
        yield min(_AT_ONCE, resamples - start)


def _deviations(cosines: Tensor, size: int, generator: torch.Generator) -> Tensor:
    count = len(cosines)
    drawn = torch.randint(count, (size, count), generator=generator)
    shares = torch.zeros(size, count).scatter_add_(1, drawn, torch.full((size, count), 1 / count))
    deviations: Tensor = shares @ (cosines - cosines.mean(0)) * (count / (count - 1)) ** 0.5
    return deviations

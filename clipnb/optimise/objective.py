"""All active targets of a step, judged together: views, one batch an encoder, losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from clipnb.errors import ClipnbError
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig, TargetConfig
from clipnb.optimise.language.frame_time import is_active
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.losses import Judged, Views, fair_factors, judge
from clipnb.optimise.statistics import Entry
from clipnb.optimise.target_encoders import Judges, encode_views
from clipnb.optimise.transforms import apply_transforms


class OptimisationError(ClipnbError, RuntimeError):
    """A run that cannot go on; the last good picture is kept."""


@dataclass(frozen=True)
class Instant:
    """When a step is: its number, the same as a share of the run, and the values of expressions then."""

    epoch: int
    time: float
    scope: Scope


@dataclass(frozen=True)
class Verdict:
    """What all active targets came to.

    Attributes:
        loss: their sum.
        entries: for the statistics, by number of the target and of the feature or constraint in it.
        similarities: of each text or image the mean cosine.
    """

    loss: float
    entries: Mapping[tuple[int, int], Entry]
    similarities: Mapping[str, float]


class Judging:
    """Judges a picture by the targets of an experiment."""

    def __init__(self, judges: Judges) -> None:
        """Take the encoders."""
        self.judges = judges
        self._fair: dict[int, Tensor] = {}

    def forget_first_step(self) -> None:
        """Let the next step count as the first for `feature_scale: fair`."""
        self._fair.clear()

    def judge(self, config: ExperimentConfig, image: Tensor, now: Instant, parts: int) -> dict[int, Judged]:
        """Judge a picture.

        Args:
            config: the experiment.
            image: float [3, H, W].
            now: when.
            parts: how many parts a batch is split into, to save memory.

        Returns:
            What each active target came to, by its number.
        """
        active = {
            number: target
            for number, target in enumerate(config.targets)
            if target.active and is_active(target.start, target.end, now.epoch, now.time)
        }
        pixels = {number: self._views(target, image, now) for number, target in active.items()}
        embedded = self._embedded(config, active, pixels, parts)
        judged = {}
        for number, target in active.items():
            if target.features or target.constraints:
                wanted = [self.judges.wanted(e, target) for e in self.judges.encoders_of(config, target)]
                views = Views(target, pixels[number], embedded[number], wanted)
                fair = self._fair_factors(number, views)
                judged[number] = judge(views, now.scope, now.epoch, now.time, fair)
        return judged

    def _views(self, target: TargetConfig, image: Tensor, now: Instant) -> Tensor:
        """Make the views of a target, all at once; float [n, 3, h, w]."""
        transforms = [transform for transform in target.transforms if transform.is_on(now.epoch, now.time)]
        count = target.batch_size if any(transform.draws for transform in transforms) else 1
        views = image.expand(count, -1, -1, -1)
        return apply_transforms(transforms, views, now.scope.extended(views=count))

    def _embedded(
        self, config: ExperimentConfig, active: Mapping[int, TargetConfig], pixels: Mapping[int, Tensor], parts: int
    ) -> dict[int, list[Tensor]]:
        """Embed the views of all targets, one batch an encoder; for each target one tensor an encoder."""
        asked: dict[DualEncoder, list[int]] = {}
        for number, target in active.items():
            for encoder in self.judges.encoders_of(config, target):
                asked.setdefault(encoder, []).append(number)
        embedded: dict[int, list[Tensor]] = {number: [] for number in active}
        for encoder, numbers in asked.items():
            results = encode_views(encoder, [pixels[number] for number in numbers], parts)
            for number, result in zip(numbers, results, strict=True):
                embedded[number].append(result)
        return embedded

    def _fair_factors(self, number: int, views: Views) -> Tensor | None:
        if views.target.feature_scale == "equal" or not views.target.features:
            return None
        if number not in self._fair:
            self._fair[number] = fair_factors(views)
        return self._fair[number]


def total_loss(judged: Mapping[int, Judged]) -> Tensor | None:
    """Add up the losses; None when no target is active."""
    return torch.stack([target.loss for target in judged.values()]).sum() if judged else None


def verdict(config: ExperimentConfig, judged: Mapping[int, Judged], gradient: Tensor, epoch: int) -> Verdict:
    """Bring what the targets came to into plain numbers, by one transfer from the device.

    Args:
        config: the experiment.
        judged: what each active target came to.
        gradient: float scalar that is finite when the whole gradient is.
        epoch: number of the step, for messages.

    Raises:
        OptimisationError: a loss or the gradient is not finite.
    """
    if not judged:
        return Verdict(0.0, {}, {})
    losses = torch.stack([target.loss.detach() for target in judged.values()])
    tables = torch.cat([target.tallies.flatten() for target in judged.values()])
    finite = torch.cat((losses, gradient[None].to(losses))).isfinite().to(losses)
    numbers = torch.cat((finite, losses, tables)).tolist()
    count = len(judged)
    kept = f"at step {epoch}; the picture before it is kept"
    for number, is_finite, loss in zip(judged, numbers, numbers[count + 1 :], strict=False):
        if not is_finite:
            name = config.targets[number].name
            raise OptimisationError(f"the loss of target {name!r} (targets[{number}]) became {loss} {kept}")
    if not numbers[count]:
        raise OptimisationError(f"the gradient became infinite or no number {kept}")
    entries, similarities = _entries(config, judged, numbers[2 * count + 1 :])
    return Verdict(sum(numbers[count + 1 : 2 * count + 1]), entries, similarities)


def _entries(
    config: ExperimentConfig, judged: Mapping[int, Judged], numbers: list[float]
) -> tuple[dict[tuple[int, int], Entry], dict[str, float]]:
    entries: dict[tuple[int, int], Entry] = {}
    cosines: dict[str, list[float]] = {}
    for number, target in judged.items():
        name = config.targets[number].name
        for place, label in enumerate(target.labels):
            (weight, count, views, loss, cosine), numbers = numbers[:5], numbers[5:]
            is_feature = place < len(target.similarities)
            similarity = 100 * cosine if is_feature else None
            entries[number, place] = Entry(name, label, weight, int(count), int(views), loss, similarity)
            if is_feature:
                cosines.setdefault(label, []).append(cosine)
    return entries, {label: sum(values) / len(values) for label, values in cosines.items()}

"""The objective of a step: all active targets, with one batch for each encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from clipnb.errors import ClipnbError
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.composition.masks import Masks, Part, Size
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import ExpressionError
from clipnb.optimise.language.fields import is_active
from clipnb.optimise.language.target import TargetConfig
from clipnb.optimise.likeness import Likeness
from clipnb.optimise.losses import StepContext, TargetLoss, TargetViews, fair_factors, target_loss
from clipnb.optimise.references import References
from clipnb.optimise.statistics import Entry
from clipnb.optimise.target_encoders import TargetEmbeddings, encode_views
from clipnb.optimise.transforms import apply_transforms
from clipnb.optimise.transforms.geometry import RandomShift

_ANYWHERE = RandomShift(offset=(0, 1))


class OptimisationError(ClipnbError, RuntimeError):
    """A run that cannot go on; the last good image is kept."""


@dataclass(frozen=True)
class StepLoss:
    """The loss of a step in plain numbers.

    Attributes:
        loss: sum over the active targets.
        entries: for the statistics, by number of the target and of the feature or constraint in it.
        similarities: mean cosine of each text or image.
        gradient: sum of its absolute values; 0 where nothing of the picture is seen.
    """

    loss: float
    entries: Mapping[tuple[int, int], Entry]
    similarities: Mapping[str, float]
    gradient: float


class Objective:
    """Computes the losses of an experiment's targets.

    Attributes:
        fair: for `feature_scale: fair`, what the first step made of each target, by its number.
    """

    def __init__(self, embeddings: TargetEmbeddings, masks: Masks) -> None:
        self.embeddings, self.masks = embeddings, masks
        self.fair: dict[int, Tensor] = {}
        self._references = References()

    def forget_first_step(self) -> None:
        """Let the next step count as the first for `feature_scale: fair`."""
        self.fair.clear()

    def losses(
        self, config: ExperimentConfig, image: Tensor, context: StepContext, splits: int
    ) -> dict[int, TargetLoss]:
        """Compute the loss of each active target, by its number; a batch is split to save memory."""
        active = {
            number: target
            for number, target in enumerate(config.targets)
            if target.active and is_active(target.start, target.end, context.epoch, context.time)
        }
        size = (image.shape[-2], image.shape[-1])
        parts = {number: self.masks.part(config, number, size) for number in active}
        seen = {number: image if part is None else part.of(image) for number, part in parts.items()}
        pixels = {number: _views(config, number, seen[number], context) for number in active}
        embedded = self._embedded(config, active, pixels, splits)
        losses = {}
        for number, target in active.items():
            if target.features or target.constraints:
                wanted = [self.embeddings.of(e, target) for e in self.embeddings.encoders_of(config, target)]
                compare = partial(self._compare, config, target, seen[number], parts[number], size)
                views = TargetViews(target, pixels[number], embedded[number], wanted, compare)
                losses[number] = target_loss(views, context, self._fair_factors(number, views))
        return losses

    def _compare(
        self,
        config: ExperimentConfig,
        target: TargetConfig,
        picture: Tensor,
        part: Part | None,
        size: Size,
        likeness: Likeness,
    ) -> Tensor:
        encoder = self.embeddings.guides_of(config, target)[0] if likeness.needs_encoder else None
        return self._references.loss(config, likeness, picture, part, size, encoder)

    def _embedded(
        self, config: ExperimentConfig, active: Mapping[int, TargetConfig], pixels: Mapping[int, Tensor], parts: int
    ) -> dict[int, list[Tensor]]:
        """Embed the views of all targets, one batch an encoder; for each target one tensor an encoder."""
        asked: dict[DualEncoder, list[int]] = {}
        for number, target in active.items():
            for encoder in self.embeddings.encoders_of(config, target):
                asked.setdefault(encoder, []).append(number)
        embedded: dict[int, list[Tensor]] = {number: [] for number in active}
        for encoder, numbers in asked.items():
            results = encode_views(encoder, [pixels[number] for number in numbers], parts)
            for number, result in zip(numbers, results, strict=True):
                embedded[number].append(result)
        return embedded

    def _fair_factors(self, number: int, views: TargetViews) -> Tensor | None:
        if views.target.feature_scale == "equal" or not views.target.features:
            return None
        if number not in self.fair:
            self.fair[number] = fair_factors(views)
        return self.fair[number]


def total_loss(losses: Mapping[int, TargetLoss]) -> Tensor | None:
    """Return the sum of the losses; None when no target is active."""
    return torch.stack([target.loss for target in losses.values()]).sum() if losses else None


def step_loss(config: ExperimentConfig, losses: Mapping[int, TargetLoss], gradient: Tensor, epoch: int) -> StepLoss:
    """Bring the losses of the targets into plain numbers, by one transfer from the device.

    Raises:
        OptimisationError: a loss or the gradient (the sum of its absolute values) is not finite.
    """
    if not losses:
        return StepLoss(0.0, {}, {}, 0.0)
    values = torch.stack([target.loss.detach() for target in losses.values()])
    tables = torch.cat([target.tallies.flatten() for target in losses.values()])
    sizes = torch.cat((values, gradient[None].to(values)))
    numbers = torch.cat((sizes.isfinite().to(values), sizes, tables)).tolist()
    count = len(losses)
    kept = f"at step {epoch}; the picture before it is kept"
    for number, is_finite, loss in zip(losses, numbers, numbers[count + 1 :], strict=False):
        if not is_finite:
            name = config.targets[number].name
            raise OptimisationError(f"the loss of target {name!r} (targets[{number}]) became {loss} {kept}")
    if not numbers[count]:
        raise OptimisationError(f"the gradient became infinite or no number {kept}")
    entries, similarities = _entries(config, losses, numbers[2 * count + 2 :])
    return StepLoss(sum(numbers[count + 1 : 2 * count + 1]), entries, similarities, numbers[2 * count + 1])


def _views(config: ExperimentConfig, number: int, image: Tensor, context: StepContext) -> Tensor:
    """Return all views of a target, float [n, 3, h, w]; of a tile each begins at its own place."""
    target = config.targets[number]
    transforms = [transform for transform in target.transforms if transform.is_on(context.epoch, context.time)]
    tiles = context.scope.tiles and target.region is None
    if tiles:
        transforms.insert(0, _ANYWHERE)
    count = target.batch_size if any(transform.draws for transform in transforms) else 1
    scope = context.scope.extended(views=count, tiles=tiles)
    try:
        return apply_transforms(transforms, image.expand(count, -1, -1, -1), scope)
    except ExpressionError as error:
        if error.source:  # by which its place is found
            raise
        raise ExpressionError(f"{config.at('targets', number, 'transforms')}{error}") from None


def _entries(
    config: ExperimentConfig, losses: Mapping[int, TargetLoss], numbers: list[float]
) -> tuple[dict[tuple[int, int], Entry], dict[str, float]]:
    entries: dict[tuple[int, int], Entry] = {}
    cosines: dict[str, list[float]] = {}
    rows = zip(*[iter(numbers)] * 5, strict=True)
    for number, target in losses.items():
        for place, label in enumerate(target.labels):
            weight, count, views, loss, cosine = next(rows)
            is_feature = place < target.feature_count
            similarity = 100 * cosine if is_feature else None
            name = config.targets[number].name
            entries[number, place] = Entry(name, label, weight, int(count), int(views), loss, similarity)
            if is_feature:
                cosines.setdefault(label, []).append(cosine)
    return entries, {label: sum(values) / len(values) for label, values in cosines.items()}

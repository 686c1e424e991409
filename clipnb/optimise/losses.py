"""From the embeddings of a target's views to its loss: weights, selection, constraints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.optimise.constraints import Constraint
from clipnb.optimise.language.expressions import Expression
from clipnb.optimise.language.fields import is_active
from clipnb.optimise.language.numbers import Number, plain
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.language.target import FeatureConfig, TargetConfig
from clipnb.optimise.language.variables import names_of
from clipnb.optimise.likeness import Likeness

_SIMILARITY = names_of("similarity")


@dataclass(frozen=True)
class StepContext:
    """When a step is: its number, the same as a share of the run, and the values of expressions then."""

    epoch: int
    time: float
    scope: Scope


@dataclass(frozen=True)
class TargetViews:
    """The views of a target.

    Attributes:
        target: the target.
        pixels: float [n, 3, h, w].
        embeddings: of the views by each of the target's encoders, float32 [n, D].
        wanted: of the target's features by the same encoders, float32 [F, D].
        compare: computes the loss of a likeness, a scalar.
    """

    target: TargetConfig
    pixels: Tensor
    embeddings: Sequence[Tensor]
    wanted: Sequence[Tensor]
    compare: Callable[[Likeness], Tensor]

    @cached_property
    def similarities(self) -> Tensor:
        """Cosines of views and features, mean over the encoders; float [n, F]."""
        if not self.target.features:
            return self.pixels.new_zeros(len(self.pixels), 0)
        return torch.stack([e @ w.T for e, w in zip(self.embeddings, self.wanted, strict=True)]).mean(0)


@dataclass(frozen=True)
class TargetLoss:
    """The loss of a target.

    Attributes:
        loss: float scalar, the sum over the views.
        tallies: float [F + C, 5], detached: for each feature and constraint its weight, the number of views it
            counted in, the number of views, its loss (mean where it counted), its cosine (mean).
        labels: of the features and constraints.
        feature_count: F.
    """

    loss: Tensor
    tallies: Tensor
    labels: tuple[str, ...]
    feature_count: int


def target_loss(views: TargetViews, context: StepContext, fair: Tensor | None) -> TargetLoss:
    """Compute the loss of one target; `fair`, float [F], are factors on the similarities before selecting."""
    target, pixels = views.target, views.pixels
    scope = context.scope.extended({"similarity": 0.0}, views=len(pixels), tiles=False)
    losses, tallies, labels = pixels.new_zeros(len(pixels)), [], []
    if target.features:
        losses, tally = _feature_losses(views, context, scope, fair)
        tallies.append(tally)
        labels += [feature.label for feature in target.features]
    constraints = [constraint for constraint in target.constraints if constraint.is_on(context.epoch, context.time)]
    numbers = [getattr(c, name) for c in constraints for name in type(c).model_fields]
    if target.features and _uses_similarity([target.weight, *numbers]):
        scope = _with_similarity(scope, views.similarities.mean(1))
    for constraint in constraints:
        weight = scope.per_view((constraint.weight,))[:, 0]
        if isinstance(constraint, Likeness):
            loss = views.compare(constraint).expand(len(pixels))
        else:
            loss = constraint.losses(pixels, scope)
        losses = losses + weight * loss
        tallies.append(_tally(weight, torch.ones_like(loss), loss, torch.full_like(loss, torch.nan))[None])
        labels.append(label_of(constraint))
    weight = scope.per_view((target.weight,))[:, 0]
    table = torch.cat(tallies) if tallies else losses.new_zeros(0, 5)
    table = torch.cat((table[:, :1] * weight.mean(), table[:, 1:]), 1)
    return TargetLoss((weight * losses).sum(), table.detach(), tuple(labels), len(target.features))


def fair_factors(views: TargetViews) -> Tensor:
    """Return the factors that make all features equally similar to the views; float [F].

    A feature that is not similar at all (cosine not above 0) cannot be scaled and keeps 1.
    """
    similarities = views.similarities.detach().mean(0)
    known = similarities > 1e-3
    mean = similarities[known].mean() if bool(known.any()) else similarities.new_ones(())
    return torch.where(known, mean / similarities.clamp(min=1e-3), torch.ones_like(similarities))


def distance(embedded: Tensor, wanted: Tensor, loss: str) -> Tensor:
    """Compute how far embeddings are from a wanted one.

    Args:
        embedded: float [n, D], unit length.
        wanted: float [D] or [n, D], unit length.
        loss: "cosine" (1 - cosine), "l1" or "mae", "l2" or "mse" (means over D, x 100).

    Returns:
        float [n].
    """
    if loss == "cosine":
        return 1 - (embedded * wanted).sum(-1)
    difference = embedded - wanted
    return 100 * (difference.abs() if loss in ("l1", "mae") else difference.square()).mean(-1)


def labels_of(target: TargetConfig) -> list[str]:
    """Return what statistics call the features and constraints of a target."""
    return [*(feature.label for feature in target.features), *map(label_of, target.constraints)]


def label_of(constraint: Constraint) -> str:
    """Return the name of a constraint with its parameters, for statistics."""
    names = [name for name in type(constraint).own_parameters() if name not in Constraint.outer]
    own = {name: plain(getattr(constraint, name)) for name in names}
    return f"{constraint.name}({', '.join(f'{k}={_short(v)}' for k, v in own.items() if v is not None)})"


def _feature_losses(
    views: TargetViews, context: StepContext, scope: Scope, fair: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Combine the features' losses by weight and selection; losses [n] and tallies [F, 5]."""
    features, similarities = views.target.features, views.similarities
    active = [is_active(feature.start, feature.end, context.epoch, context.time) for feature in features]
    on = torch.tensor(active, device=similarities.device)
    weights = _evaluated([feature.weight for feature in features], similarities, scope) * on
    scales = _evaluated([feature.scale for feature in features], similarities, scope)
    if views.target.select == "mix":
        chosen = on.to(weights.dtype).expand_as(weights)
        first = next((feature for feature, is_on in zip(features, active, strict=True) if is_on), None)
        total = similarities.new_zeros(len(similarities)) if first is None else _mixed(views, weights, first.loss)
        each = total[:, None].expand_as(weights)
    else:
        ranked = similarities.detach() * scales * (1 if fair is None else fair)
        chosen = _selected(ranked, on, views.target.select)
        each = _each_loss(views, features)
        total = (weights * chosen * each).sum(1)
    columns = zip(weights.T, chosen.T, each.T, similarities.T, strict=True)
    return total, torch.stack([_tally(*column) for column in columns])


def _selected(ranked: Tensor, on: Tensor, select: str) -> Tensor:
    """Choose features for each view; 0 or 1, float [n, F]."""
    if select == "all":
        return on.to(ranked.dtype).expand_as(ranked)
    sign = 1.0 if select == "best" else -1.0
    order = (sign * ranked).masked_fill(~on, -torch.inf)
    chosen = F.one_hot(order.argmax(1), ranked.shape[1]).to(ranked.dtype)
    return chosen * on


def _each_loss(views: TargetViews, features: Sequence[FeatureConfig]) -> Tensor:
    """Compute every feature's loss on every view, mean over the encoders; float [n, F]."""
    by_encoder = []
    for embedded, wanted in zip(views.embeddings, views.wanted, strict=True):
        columns = [distance(embedded, wanted[i], feature.loss) for i, feature in enumerate(features)]
        by_encoder.append(torch.stack(columns, 1))
    return torch.stack(by_encoder).mean(0)


def _mixed(views: TargetViews, weights: Tensor, loss: str) -> Tensor:
    """Compute the loss towards the weighted mean of the features, mean over the encoders; float [n]."""
    pairs = zip(views.embeddings, views.wanted, strict=True)
    by_encoder = [distance(embedded, F.normalize(weights @ wanted, dim=-1), loss) for embedded, wanted in pairs]
    return torch.stack(by_encoder).mean(0)


def _evaluated(values: Sequence[Number], similarities: Tensor, scope: Scope) -> Tensor:
    """Evaluate one number of every feature for every view, where it may use that feature's similarity; [n, F]."""
    columns = []
    for place, value in enumerate(values):
        own = _with_similarity(scope, similarities[:, place]) if _uses_similarity((value,)) else scope
        columns.append(own.per_view((value,))[:, 0].expand(len(similarities)))
    return torch.stack(columns, 1)


def _with_similarity(scope: Scope, cosines: Tensor) -> Scope:
    return scope.extended(each=[{"similarity": 100 * cosine} for cosine in cosines.tolist()])


def _uses_similarity(values: Sequence[object]) -> bool:
    numbers = [number for value in values for number in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(number, Expression) and number.names & _SIMILARITY for number in numbers)


def _tally(weight: Tensor, chosen: Tensor, loss: Tensor, cosine: Tensor) -> Tensor:
    """Sum up one feature or constraint over the views; float [5]."""
    count = chosen.sum()
    mean_loss = (loss * chosen).sum() / count.clamp(min=1)
    views = torch.full_like(count, len(loss))
    return torch.stack((weight.mean(), count, views, mean_loss, cosine.mean())).detach()


def _short(value: object) -> str:
    items = value if isinstance(value, list) else [value]
    same = len({str(item) for item in items}) == 1
    return str(items[0]) if same else " ".join(map(str, items))

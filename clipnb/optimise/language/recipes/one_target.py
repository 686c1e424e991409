"""What the recipes have in common: one target that sees the whole picture, and Adam by a rate that falls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipnb.optimise.language.shorthand import features_of


def experiment(
    text: str,
    pixels: Mapping[str, Any],
    transforms: Sequence[Mapping[str, Any]],
    *,
    epochs: int,
    side: int,
    rate: str = "1 - .9 * t",
    views: int = 1,
    constraints: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return an experiment as a recipe does.

    Args:
        text: what should be seen, or several texts with weights.
        pixels: the parameterisation.
        transforms: of the target.
        epochs: steps.
        side: of the picture, in pixels.
        rate: the factor on the learning rate over time.
        views: of the target in a step.
        constraints: of the target.
    """
    return {
        "epochs": epochs,
        "resolution": [side, side],
        "pixels": dict(pixels),
        "optimizer": "adam",
        "learnrate": 1.0,
        "learnrate_scale": rate,
        "init": {"mean": 0.5, "std": 0.02},
        "targets": [
            {
                "name": "whole",
                "batch_size": views,
                "features": features_of(text),
                "transforms": list(transforms),
                "constraints": list(constraints),
            }
        ],
    }

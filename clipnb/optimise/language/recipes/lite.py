"""`lite`: for the embedded encoder."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts
from clipnb.optimise.language.shorthand import features_of

_COMPOSED = 0.4  # share of the run after which the subject has its place


def recipe(text: str, facts: EncoderFacts, budget: Budget) -> dict[str, Any]:
    """Move a spectrum by many short steps, each by one view.

    Source: tuned here with the encoder `lite`, on things other than those that its quality is reported on
    (tests/benchmarks/optimise_quality.py). Many short steps by one view make better pictures than a quarter of the
    steps by four views for the same work. Black surroundings bring the subject to the middle, and darken the edges;
    so they become the mirrored picture when the subject has its place. Of the constraints, one keeps the picture from
    getting dark meanwhile, the others ask for contrast and colour when there is something that they can be of.
    """
    del facts, budget
    return {
        "epochs": 600,
        "resolution": [256, 256],
        "pixels": {"fourier": {"decay": 1.5}},
        "optimizer": "adam",
        "learnrate": 1.0,
        "learnrate_scale": "1 - .97 * t",
        "init": {"mean": 0.5, "std": 0.02},
        "targets": [
            {
                "name": "whole",
                "batch_size": 1,
                "features": features_of(text),
                "transforms": [
                    *_warps(0.8, end=_COMPOSED),
                    *_warps(0.85, start=_COMPOSED, outside="mirror"),
                    {"noise": ".05 * ti"},
                ],
                "constraints": [
                    {"tv": {"weight": 0.08}},
                    {"mean": {"above": 0.36, "below": 0.6, "weight": 0.5}},
                    {"std": {"above": 0.18, "below": 0.28, "weight": 1.0, "start": 0.5}},
                    {"saturation": {"above": 0.07, "weight": 1.0, "start": 0.5}},
                ],
            }
        ],
    }


def _warps(smallest: float, **more: float | str) -> list[dict[str, Any]]:
    return [
        {"random_rotate": {"degree": [-15, 15], **more}},
        {"random_scale": {"scale": [smallest, 1.5], **more}},
        {"random_translate": {"offset": [0.05, 0.05], **more}},
    ]

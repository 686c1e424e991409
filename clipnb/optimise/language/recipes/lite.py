"""`lite`: for the embedded encoder."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts
from clipnb.optimise.language.shorthand import features_of


def recipe(text: str, facts: EncoderFacts, budget: Budget) -> dict[str, Any]:
    """Move a spectrum by many short steps, each by one view.

    Source: tuned here with the encoder `lite`, on things other than those that its quality is reported on
    (tests/benchmarks/optimise_quality.py). Many short steps by one view make better pictures than a quarter of the
    steps by four views for the same work.
    """
    del facts, budget
    return {
        "epochs": 600,
        "resolution": [256, 256],
        "pixels": {"fourier": {"decay": 1.3}},
        "optimizer": "adam",
        "learnrate": 1.0,
        "learnrate_scale": "1 - .9 * t2",
        "init": {"mean": 0.5, "std": 0.02},
        "targets": [
            {
                "name": "whole",
                "batch_size": 1,
                "features": features_of(text),
                "transforms": [
                    {"random_rotate": {"degree": [-15, 15]}},
                    {"random_scale": [0.8, 1.5]},
                    {"random_translate": [0.05, 0.05]},
                    {"noise": ".05 * ti"},
                ],
                "constraints": [{"tv": {"weight": 0.05}}],
            }
        ],
    }

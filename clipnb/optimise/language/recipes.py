"""The default recipe: the experiment for a text without settings."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.shorthand import features_of


def for_text(text: str) -> dict[str, Any]:
    """Return the default experiment for a text, or several with weights, as `ExperimentConfig.from_dict` takes it.

    Its values were tuned with the encoder `lite` on prompts other than those that its quality is reported on
    (tests/benchmarks/optimise_quality.py). Many short steps, each by one view, make better images than a quarter of
    the steps by four views for the same work.
    """
    return {
        "epochs": 600,
        "resolution": [256, 256],
        "pixels": {"fourier": {"decay": 1.3}},
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

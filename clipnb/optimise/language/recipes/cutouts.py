"""`cutouts`: many cuts of all sizes, as the notebooks of 2021 had it, for contrastive encoders."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts
from clipnb.optimise.language.recipes.one_target import experiment


def recipe(text: str, facts: EncoderFacts, budget: Budget, pixels: str = "") -> dict[str, Any]:
    """Move a spectrum, seen in cuts that are flipped, turned, tilted and partly erased.

    Source: what is public about pytti and VQGAN+CLIP (40 cuts a step of size N(.8, .3) squared that reach .25 beyond
    the edges; flipped in .3 of all cases, turned by up to 30 degrees and moved by .1, tilted by .2, partly erased)
    and about aphantasia (a spectrum with decay 1.5, 200 steps, .4 of the cuts nearly whole). Here sizes are even
    from .3 to 1, and there are as many cuts as the budget has room for.
    """
    del pixels
    side, steps = facts.image_size, 200
    cuts = {
        "count": budget.views(facts, steps, 40),
        "size": [0.3, 1.0],
        "resolution": [side, side],
        "macro": 0.4,
        "overscan": 0.25,
        "outside": "mirror",
    }
    transforms: list[dict[str, Any]] = [
        {"cutouts": cuts},
        {"random_flip": 0.3},
        {"random_rotate": {"degree": [-30, 30], "outside": "mirror"}},
        {"random_translate": {"offset": [0.1, 0.1], "outside": "mirror"}},
        {"random_perspective": {"distortion": 0.2, "outside": "mirror"}},
        {"random_erase": {"probability": 0.7}},
        {"color_jitter": 0.1},
    ]
    return experiment(text, {"fourier": {"decay": 1.5}}, transforms, epochs=steps, side=side * 3 // 2)

"""`das`: Direct Ascent Synthesis, for contrastive encoders."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts
from clipnb.optimise.language.recipes.one_target import experiment


def recipe(text: str, facts: EncoderFacts, budget: Budget, pixels: str = "") -> dict[str, Any]:
    """Move planes of all resolutions at once, under jitter and noise.

    Source: Fort and Whitaker, "Direct Ascent Synthesis: Revealing Hidden Generative Capabilities in Discriminative
    Models", 2025, arXiv 2502.07753. There, planes of every resolution up to 1.5 times the encoder's, 32 to 128 crops
    of the encoder's size a step, moved by up to a quarter of it, and noise of .2. Here planes double in size from 1
    on, colours are decorrelated, Adam does the steps, and there are as many views as the budget has room for.
    """
    del pixels
    side, steps = facts.image_size, 150
    jitter = side // 4
    transforms: list[dict[str, Any]] = [
        {"random_shift": [-jitter, jitter]},
        {"random_crop": [side, side]},
        {"noise": 0.2},
    ]
    views = budget.views(facts, steps, 32)
    return experiment(text, {"pyramid": {"balance": 1.0}}, transforms, epochs=steps, side=side * 3 // 2, views=views)

"""`auto`: what suits the encoder."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.recipes import das, lite
from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts


def recipe(text: str, facts: EncoderFacts, budget: Budget, pixels: str = "") -> dict[str, Any]:
    """Take `lite` for the embedded encoder, and `das` for a contrastive one, which needs many varied views."""
    suits = das.recipe if facts.contrastive else lite.recipe
    return suits(text, facts, budget, pixels)

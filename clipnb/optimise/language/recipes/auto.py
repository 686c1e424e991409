"""`auto`: what suits the encoder."""

from __future__ import annotations

from typing import Any

from clipnb.optimise.language.recipes import das, lite
from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts


def recipe(text: str, facts: EncoderFacts, budget: Budget) -> dict[str, Any]:
    """Take `lite` for the embedded encoder, and `das` for a contrastive one, which needs many varied views."""
    return das.recipe(text, facts, budget) if facts.contrastive else lite.recipe(text, facts, budget)

"""Recipes: whole experiments for a text, each in a file with its source. They are plain values, shown to the person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from clipnb.optimise.language.recipes import auto, cutouts, das, lite
from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts, Recipe, budget_of, facts_of

__all__ = ["RECIPES", "Budget", "EncoderFacts", "Recipe", "RecipeName", "for_text"]

RECIPES: dict[str, Recipe] = {
    "auto": auto.recipe,
    "lite": lite.recipe,
    "das": das.recipe,
    "cutouts": cutouts.recipe,
}
"""All recipes by their names in YAML."""

if TYPE_CHECKING:
    RecipeName = str
else:
    RecipeName = Literal[tuple(RECIPES)]


def for_text(
    text: str, recipe: str = "auto", *, models: Sequence[str] = ("auto",), device: str = "auto", pixels: str = ""
) -> dict[str, Any]:
    """Return a recipe's experiment for a text, as `ExperimentConfig.from_dict` takes it.

    Args:
        text: what should be seen, or several texts with weights.
        recipe: one of `RECIPES`.
        models: names of the encoders that it is for.
        device: where it will run.
        pixels: name of the parameterisation that it is for, where it is another than the recipe's own.
    """
    return RECIPES[recipe](text, facts_of(models), budget_of(device), pixels)

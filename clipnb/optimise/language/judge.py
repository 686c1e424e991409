"""Who looks at a picture without taking part, as YAML says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from clipnb.errors import quoted
from clipnb.models.sources import canonical_name
from clipnb.optimise.language import variables
from clipnb.optimise.language.components import Strict
from clipnb.optimise.language.fields import Text
from clipnb.optimise.language.mistakes import OneByOne
from clipnb.optimise.language.numbers import NumberField


def names_in(raw: object) -> object:
    """Split a text of names at its commas; nothing is no names, and what else is no text stays as it is."""
    if raw is None:
        return ()
    return [name.strip() for name in raw.split(",") if name.strip()] if isinstance(raw, str) else raw


def named_once(models: tuple[str, ...], noun: str) -> tuple[str, ...]:
    """Return names of encoders as they are.

    Raises:
        ValueError: two are of the same one.
    """
    seen: set[str] = set()
    for name in map(canonical_name, models):
        if name in seen:
            raise ValueError(f"{noun} {quoted(name)} is named twice; name it once")
        seen.add(name)
    return models


class JudgeConfig(Strict):
    """Encoders that only look: their similarity to the texts shows whether the picture fools its guide."""

    models: Annotated[tuple[Text, ...], OneByOne()] = Field((), description="encoders that take no part")
    every: Annotated[int, NumberField(int, (0,), variables.NONE, least=1, most=1_000_000, drawn=False)] = Field(
        10, description="steps between two looks"
    )

    _names = field_validator("models", mode="before")(names_in)

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        return named_once(models, "the judge")


def _from_names(raw: object) -> object:
    return {} if raw is None else {"models": raw} if isinstance(raw, (str, list, tuple)) else raw


Judge = Annotated[
    JudgeConfig, BeforeValidator(_from_names, json_schema_input_type=JudgeConfig | str | list[str] | None)
]

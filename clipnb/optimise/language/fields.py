"""Types of the values that several parts of an experiment have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from clipnb.optimise.language import variables
from clipnb.optimise.language.image_paths import without_scheme
from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.language.numbers import Number, NumberField, Numbers, constant, plain


def _of_whole_characters(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{shown(text)} holds halves of characters, which nothing can read or write")
    return text


def _device_word(raw: object) -> object:
    word = raw.strip().lower() if isinstance(raw, str) else raw
    return {"gpu": "cuda", "": "auto"}.get(word, word) if isinstance(word, str) else word


Text = Annotated[str, AfterValidator(_of_whole_characters)]
Interval = Annotated[
    int | float,
    BeforeValidator(constant, json_schema_input_type=int | float | str),
    Field(ge=0),
]
Seed = Annotated[int | None, NumberField(int, (0,), variables.NONE, 0, 2**53, optional=True, drawn=False)]
Count = Annotated[int, NumberField(int, (0,), variables.NONE, 0, 2**53, drawn=False)]
Timed = Annotated[Number, NumberField(float, (0,), variables.IMAGE), PlainSerializer(plain)]
Weight = Annotated[Number, NumberField(float, (0,), variables.SIMILARITY), PlainSerializer(plain)]
Resolution = Annotated[Numbers, NumberField(int, (2,), variables.TIME, least=1, most=16384)]
FixedSize = Annotated[Numbers | None, NumberField(int, (2,), variables.NONE, 1, 16384, optional=True)]
FixedColour = Annotated[Numbers, NumberField(float, (3,), variables.NONE, -1, 1)]
FixedFactor = Annotated[Numbers, NumberField(float, (3,), variables.NONE, -10, 10)]
ImageName = Annotated[Text, AfterValidator(without_scheme)]
Device = Annotated[Text, BeforeValidator(_device_word)]

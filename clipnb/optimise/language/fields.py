"""Types of the values that several parts of an experiment have, frame times (steps, shares, percentages) among them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic.json_schema import JsonSchemaValue

from clipnb.optimise.language import variables
from clipnb.optimise.language.image_paths import is_picture, without_scheme
from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.language.numbers import Number, NumberField, Numbers, ReadField, constant, plain

MAX_TURNS = 32  # of a symmetry
SIDES = ("left", "right", "top", "bottom", "centre")
Area = tuple[float, ...] | str
"""x0 y0 x1 y1 as shares of width and height, one of `SIDES`, or the path or URL of a mask."""


def _of_whole_characters(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{shown(text)} holds halves of characters, which nothing can read or write")
    return text


def _of_path(raw: object) -> object:
    return os.fspath(raw) if isinstance(raw, os.PathLike) else raw


def _device_word(raw: object) -> object:
    word = raw.strip().lower() if isinstance(raw, str) else raw
    return {"gpu": "cuda", "": "auto"}.get(word, word) if isinstance(word, str) else word


class AreaField(ReadField):
    """How a field reads an area of the picture."""

    summary = "area"
    _box = NumberField(float, (4,), variables.NONE, drawn=False)

    def parse(self, raw: object) -> Area | None:
        if raw is None:
            return None
        raw = raw[0] if isinstance(raw, (list, tuple)) and len(raw) == 1 else raw
        word = raw.strip() if isinstance(raw, str) else ""
        side = {"center": "centre", "middle": "centre"}.get(word.lower(), word.lower())
        if side in SIDES:
            return side
        if word and is_picture(word):
            return without_scheme(_of_whole_characters(word))
        if word and not any(character.isdigit() for character in word):
            raise ValueError(
                f"{shown(raw)} is no area; write {', '.join(SIDES)}, x0 y0 x1 y1 as shares of width and height, "
                "or the name of a gray picture (white counts, black does not)"
            )
        if isinstance(raw, (int, float)) or len(word.replace(",", " ").split()) == 1:
            raise ValueError(f"4 numbers x0 y0 x1 y1 are needed, not {shown(raw)}")
        x0, y0, x1, y1 = box = [float(number) for number in self._box.parse(raw)]  # type: ignore[union-attr, arg-type]
        if min(box) < 0 or max(box) > 1:
            raise ValueError(
                f"{shown(raw)} is outside of the picture; x0 y0 x1 y1 are shares of its width and height, from 0 to 1"
            )
        if x0 >= x1 or y0 >= y1:
            low, high, names = (x0, x1, "x0 and x1") if x0 >= x1 else (y0, y1, "y0 and y1")
            raise ValueError(f"{shown(raw)} is empty: of {names}, {low:g} is not below {high:g}; write x0 y0 x1 y1")
        return x0, y0, x1, y1

    def json_schema(self) -> JsonSchemaValue:
        box = {"type": "array", "items": {"type": ["number", "string"]}, "minItems": 4, "maxItems": 4}
        return {"anyOf": [{"enum": list(SIDES)}, {"type": "string"}, box, {"type": "null"}]}


class SymmetryField(ReadField):
    """How a field reads a symmetry: `x`, `y`, `xy`, `rotate 5`."""

    summary = "x, y, xy, or rotate and a number"

    def parse(self, raw: object) -> str | None:
        if isinstance(raw, Mapping) and list(raw) == ["rotate"]:
            raw = f"rotate {raw['rotate']}"
        word = " ".join(raw.lower().split()) if isinstance(raw, str) else raw
        if word is None or word in ("x", "y", "xy"):
            return word
        if word == "yx":
            return "xy"
        found = re.fullmatch(r"rotate (\d{1,9})", word) if isinstance(word, str) else None
        if not found:
            raise ValueError(
                f"{shown(raw)} is no symmetry; write x (left and right are mirror images), y (top and bottom), xy "
                "(both), or rotate 5 (the same when turned by a fifth)"
            )
        if not 2 <= int(found[1]) <= MAX_TURNS:
            raise ValueError(f"{shown(raw)}: a picture is the same in 2 to {MAX_TURNS} positions")
        return f"rotate {int(found[1])}"

    def json_schema(self) -> JsonSchemaValue:
        turned = {"type": "object", "properties": {"rotate": {"type": "integer"}}, "required": ["rotate"]}
        return {"anyOf": [{"type": "string"}, turned, {"type": "null"}]}


class FrameTimeField(ReadField):
    """How a field reads a frame time."""

    summary = "frame time"

    def parse(self, raw: object) -> int | float:
        percent = isinstance(raw, str) and raw.strip().endswith("%")
        number = constant(str(raw).strip().rstrip("%") if percent else raw)
        if percent:
            number = float(number) / 100
        if number < 0 or (isinstance(number, float) and number > 1):
            raise ValueError(
                f"{shown(raw)} is no frame time; write an epoch (a whole number), a share of the run from 0.0 to 1.0, "
                "or a percentage such as 30%"
            )
        return number

    def json_schema(self) -> JsonSchemaValue:
        return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "description": "percentage"}]}


Text = Annotated[str, BeforeValidator(_of_path, json_schema_input_type=str), AfterValidator(_of_whole_characters)]
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
AnyArea = Annotated[Area | None, AreaField()]
Symmetry = Annotated[str | None, SymmetryField()]
FrameTime = Annotated[int | float, FrameTimeField()]
"""An int is a step, a float in [0, 1] a share of the run."""


def is_active(start: float, end: float, epoch: int, time: float) -> bool:
    """Return whether a step lies in a span of frame times, both ends included.

    Args:
        start: frame time.
        end: frame time.
        epoch: number of the step, from 0.
        time: the same as a share of the run.
    """
    after = epoch >= start if isinstance(start, int) else time >= start
    before = epoch <= end if isinstance(end, int) else time <= end
    return after and before

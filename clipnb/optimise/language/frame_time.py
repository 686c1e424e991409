"""Frame times of the experiment language: steps, shares of the run, percentages."""

from __future__ import annotations

from typing import Annotated

from pydantic.json_schema import JsonSchemaValue

from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.language.numbers import ReadField, constant


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

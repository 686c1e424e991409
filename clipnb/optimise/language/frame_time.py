"""Frame times of the experiment language: steps, shares of the run, percentages."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.language.numbers import constant


class FrameTimeField:
    """How a field reads a frame time."""

    summary = "frame time"

    @staticmethod
    def parse(raw: object) -> int | float:
        """Read an int (a step), a float in [0, 1] or a percentage (a share of the run).

        Raises:
            ValueError: it is nothing of the kind.
        """
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

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del schema, handler
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

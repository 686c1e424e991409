"""Frame times of the experiment language: epochs, shares of the run, percentages."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.language.numbers import constant

Moment = int | float
"""A frame time: an int is an epoch, a float in [0, 1] a share of the run."""


class MomentField:
    """How a field reads a frame time: an int is an epoch, a float in [0, 1] or "30%" a share of the run."""

    summary = "frame time"

    @staticmethod
    def parse(raw: object) -> Moment:
        """Read a frame time.

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
        """Read by `parse`, written as it is."""
        del source, handler
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A number or a percentage."""
        del schema, handler
        return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "description": "percentage"}]}


FrameTime = Annotated[Moment, MomentField()]


def is_active(start: Moment, end: Moment, epoch: int, time: float) -> bool:
    """Tell whether an epoch lies in a span of frame times, both ends included.

    Args:
        start: first moment.
        end: last moment.
        epoch: number of the step, from 0.
        time: the same as a share of the run.
    """
    after = epoch >= start if isinstance(start, int) else time >= start
    before = epoch <= end if isinstance(end, int) else time <= end
    return after and before

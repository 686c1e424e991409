"""Parameterisations whose picture may be sketched first."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clipnb.optimise.language import variables
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.parameterisations.base import Parameterisation
from clipnb.optimise.parameterisations.fourier import Fourier

_SKETCH = Fourier(decay=1.5)


class Sketched(Parameterisation):
    """A parameterisation that may take over from waves, which find shapes sooner than it."""

    sketch: Annotated[float, NumberField(float, (0,), variables.NONE, 0, 0.9, drawn=False)] = Field(
        0.0, description="share of the steps in which waves are moved instead, of whose picture this one is then made"
    )

    def stage(self, share: float) -> Parameterisation:
        return _SKETCH if share <= self.sketch else self

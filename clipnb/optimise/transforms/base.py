"""What a transform is, their registry, and the kinds of their parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from clipnb.optimise.language.components import PartsField, ScheduledPart
from clipnb.optimise.language.expressions import Expression
from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Scope

TRANSFORMS: dict[str, type[Transform]] = {}
"""All transforms by their names in YAML; a subclass of `Transform` with a `name` enters by itself."""


class Transform(ScheduledPart):
    """A differentiable map of views [B, 3, H, W] -> [B, 3, H', W'], values nominally in [0, 1].

    Attributes:
        is_random: whether two views differ whatever its parameters are.
        is_resizing: whether it changes the size; such a one cannot process the image itself.
    """

    registry = TRANSFORMS
    outer = frozenset({"active", "start", "end"})
    is_random: ClassVar[bool] = False
    is_resizing: ClassVar[bool] = False

    active: bool = Field(True, description="whether it is applied at all")

    @abstractmethod
    def apply(self, views: Tensor, scope: Scope) -> Tensor:
        """Transform a batch of views.

        Args:
            views: float [B, 3, H, W].
            scope: gives the values of the parameters for B views, and the random draws.

        Returns:
            float [B', 3, H', W'].
        """

    @property
    def draws(self) -> bool:
        """Whether two views differ: it is random, or an expression in it is."""
        values = [getattr(self, name) for name in self.own_parameters()]
        numbers = [number for value in values if isinstance(value, tuple) for number in value]
        return self.is_random or any(isinstance(number, Expression) and number.is_random for number in numbers)

    def is_on(self, epoch: int, time: float) -> bool:
        """Return whether it is applied in a step."""
        return self.active and super().is_on(epoch, time)


class _PostprocField(PartsField[Transform]):
    def refuse(self, cls: type[Transform]) -> str | None:
        if cls.is_resizing:
            return f"{cls.name!r} changes the size and cannot be used in postproc; use it in a target's transforms"
        return None


Transforms = Annotated[tuple[Transform, ...], PartsField(TRANSFORMS, "transform", Transform)]
Postproc = Annotated[tuple[Transform, ...], _PostprocField(TRANSFORMS, "transform", Transform)]

Real = Annotated[Numbers, NumberField(float, (1,))]
Pair = Annotated[Numbers, NumberField(float, (2,))]
Colour = Annotated[Numbers, NumberField(float, (3,))]
"""Three numbers, one a channel; `Rgb` is a colour."""
Whole = Annotated[Numbers, NumberField(int, (1,))]
"""One whole number; `Scope.integers` evaluates it."""
Size = Annotated[Numbers, NumberField(int, (2,))]
"""Two whole numbers: width, height; `Scope.integers` evaluates them."""
PixelSize = Annotated[Size, Field(description="width height in pixels")]
Rgb = Annotated[Colour, Field(description="red, green, blue")]
Fill = Annotated[Colour, Field(description="red, green, blue in [0, 1]")]
Window = Annotated[Size, Field(description="width height of the window in pixels; made odd and at least 1")]
Sigma = Annotated[
    Numbers | None,
    NumberField(float, (2,), optional=True),
    Field(
        description="standard deviation of the blur in x and y, in pixels; by default .3 * ((size - 1) * .5 - 1) + .8"
    ),
]
Strength = Annotated[Colour, Field(description="standard deviation of red, green and blue; 1 is full intensity")]
Probability = Annotated[Real, Field(description="how likely a view is changed, from 0 to 1")]


def sides_of(size: Numbers, scope: Scope) -> tuple[int, int]:
    """Evaluate a width and a height, each at least 1."""
    width, height = (max(1, side) for side in scope.integers(size))
    return width, height

"""What a transform is, their registry, and the kinds of their parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from clipnb.optimise.language.components import PartsField, ScheduledPart
from clipnb.optimise.language.expressions import Expression, ExpressionError
from clipnb.optimise.language.numbers import NumberField, Numbers
from clipnb.optimise.language.scope import Scope

MAX_SIDE = 16384  # pixels of what a transform makes
MAX_MADE = 32_000_000  # pixels of all views together; each takes about 50 bytes with its gradient
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
Extent = Annotated[Numbers, NumberField(int, (2,), least=0)]
"""Two whole numbers of pixels, none negative; `Scope.integers` evaluates them."""
Sides = Annotated[Numbers, NumberField(int, (2,), least=1, most=MAX_SIDE)]
"""Width and height of something that is made."""
PixelSize = Annotated[Sides, Field(description="width height in pixels")]
Rgb = Annotated[Numbers, NumberField(float, (3,), least=-100, most=100), Field(description="red, green, blue")]
Fill = Annotated[Numbers, NumberField(float, (3,), least=0, most=1), Field(description="red, green, blue in [0, 1]")]
Window = Annotated[
    Numbers,
    NumberField(int, (2,), most=MAX_SIDE),
    Field(description="width height of the window in pixels; made odd and at least 1"),
]
Sigma = Annotated[
    Numbers | None,
    NumberField(float, (2,), least=0, optional=True),
    Field(
        description="standard deviation of the blur in x and y, in pixels; by default .3 * ((size - 1) * .5 - 1) + .8"
    ),
]
Strength = Annotated[
    Numbers,
    NumberField(float, (3,), least=0, most=100),
    Field(description="standard deviation of red, green and blue; 1 is full intensity"),
]
Amount = Annotated[Numbers, NumberField(float, (3,), least=0, most=100)]
Share = Annotated[Numbers, NumberField(float, (2,), least=0, most=1)]
One = Annotated[Numbers, NumberField(float, (1,), least=0, most=1)]
Probability = Annotated[
    Numbers,
    NumberField(float, (1,), least=0, most=1),
    Field(description="how likely a view is changed, from 0 to 1"),
]


def require_room(views: int, height: int, width: int) -> None:
    """Refuse views that would fill the memory, before they are made.

    Raises:
        ExpressionError: together they have more than `MAX_MADE` pixels.
    """
    if views * height * width > MAX_MADE:
        raise ExpressionError(
            f"a transform makes {views} x {width} x {height} pixels; at most {MAX_MADE // 10**6} million together, "
            "so make them smaller, or crop behind it"
        )


def sides_of(size: Numbers, scope: Scope) -> tuple[int, int]:
    """Evaluate a width and a height, each at least 1.

    Raises:
        ExpressionError: a side is longer than `MAX_SIDE`.
    """
    width, height = (max(1, side) for side in scope.integers(size))
    if max(width, height) > MAX_SIDE:
        raise ExpressionError(f"a size of {width} x {height} pixels is too large; at most {MAX_SIDE} a side")
    return width, height

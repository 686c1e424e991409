"""What a picture is before the first step, as YAML says it."""

from __future__ import annotations

from pydantic import Field, FiniteFloat, field_validator, model_validator

from clipnb.optimise.language.components import Strict
from clipnb.optimise.language.expressions import Expression
from clipnb.optimise.language.fields import FixedColour, FixedFactor, FixedSize, ImageName
from clipnb.optimise.language.numbers import Numbers


class InitConfig(Strict):
    """What the picture is before the first step."""

    resolution: FixedSize = Field(
        None, description="width height that the noise is made at, then scaled; by default the picture's"
    )
    mean: FixedColour = Field(
        (0.5, 0.5, 0.5), description="mean of the noise; for an image, what is added to its pixels (then 0 by default)"
    )
    std: FixedFactor = Field(
        (0.1, 0.1, 0.1),
        description="standard deviation of the noise; for an image, the factor on its pixels (then 1 by default)",
    )
    image: ImageName | None = Field(
        None, description="path or URL of a picture to begin with, scaled and cropped to fit"
    )
    image_tensor: list[list[list[FiniteFloat]]] | None = Field(
        None, description="pixels [C, H, W] in [0, 1] to begin with, as nested lists"
    )

    @field_validator("image_tensor")
    @classmethod
    def _three_even_planes(cls, planes: list[list[list[float]]] | None) -> list[list[list[float]]] | None:
        if planes is None:
            return None
        widths = {len(row) for plane in planes for row in plane}
        if len(planes) != 3 or len({len(plane) for plane in planes}) != 1 or len(widths) != 1 or 0 in widths:
            raise ValueError("three planes of rows of equal length are needed: [3, H, W]")
        return planes

    @model_validator(mode="after")
    def _one_beginning(self) -> InitConfig:
        pictures = [key for key in ("image", "image_tensor") if getattr(self, key) is not None]
        if len(pictures) > 1:
            raise ValueError("a picture begins with an image or an image_tensor, not both")
        if pictures and self.resolution is not None:
            raise ValueError(f"resolution is that of noise; with {pictures[0]} there is none")
        numbers = (*self.mean, *self.std)
        if not pictures and any(not isinstance(number, Expression) and number < 0 for number in numbers):
            raise ValueError("mean and std of noise are not negative")
        return self

    @property
    def mapping(self) -> tuple[Numbers, Numbers]:
        """What an image is multiplied by and what is added, where it is not left as it is; three channels each."""
        std: Numbers = self.std if "std" in self.model_fields_set else (1.0,) * 3
        mean: Numbers = self.mean if "mean" in self.model_fields_set else (0.0,) * 3
        return std, mean

"""What views of a picture are judged by, as YAML says it: targets and their features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from clipnb.optimise import likeness as likeness  # whose constraints enter the registry
from clipnb.optimise.constraints import Constraints
from clipnb.optimise.language import variables
from clipnb.optimise.language.components import Strict
from clipnb.optimise.language.fields import AnyArea, FrameTime, ImageName, Text, Weight
from clipnb.optimise.language.mistakes import OneByOne
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.language.shorthand import features_of
from clipnb.optimise.transforms import Transforms


class FeatureConfig(Strict):
    """A text or an image that a target pulls the picture towards."""

    text: Text | None = Field(None, description="what should be seen")
    image: ImageName | None = Field(None, description="path or URL of a picture that should be resembled")
    weight: Weight = Field(1.0, description="influence; negative: away from it")
    scale: Weight = Field(1.0, description="factor on the similarity before one is selected")
    loss: Literal["cosine", "l1", "mae", "l2", "mse"] = Field(
        "cosine", description="1 - cosine, or the mean absolute or squared difference x 100"
    )
    start: FrameTime = Field(0, description="frame time it counts from")
    end: FrameTime = Field(1.0, description="frame time it counts to")

    @model_validator(mode="after")
    def _one_of_both(self) -> FeatureConfig:
        if (self.text is None) == (self.image is None):
            reason = "not both" if self.text is not None else "and here is none"
            raise ValueError(f"a feature needs either a text or an image, {reason}")
        if self.text is not None and not self.text.strip():
            raise ValueError("the text is empty; say what should be seen, or leave the feature out")
        return self

    @property
    def label(self) -> str:
        """What to call it: its text or its image."""
        return self.text if self.text is not None else str(self.image)


def _or_texts(schema: dict[str, Any]) -> None:
    feature = schema.pop("items")
    items = {"anyOf": [feature, {"type": "string"}]}
    schema["anyOf"] = [{"type": schema.pop("type"), "items": items}, {"type": "string"}, feature]


class TargetConfig(Strict):
    """What views of the picture are judged by."""

    active: bool = Field(True, description="whether it is used at all")
    name: Text = Field("target", description="what to call it in statistics and messages")
    merge: bool = Field(False, description="in a later file: merge into the earlier target of the same name")
    start: FrameTime = Field(0, description="frame time it is used from")
    end: FrameTime = Field(1.0, description="frame time it is used to")
    weight: Weight = Field(1.0, description="factor on everything in the target")
    model: Text | None = Field(None, description="its own encoder; by default the experiment's")
    region: AnyArea = Field(
        None,
        description="where its views are taken and its gradient counts: left, right, top, bottom, centre (soft edges), "
        "x0 y0 x1 y1 as shares of width and height, or a gray picture, white where it counts",
    )
    batch_size: Annotated[int, NumberField(int, (0,), variables.NONE, least=1, most=4096, drawn=False)] = Field(
        1, description="views shown to the encoder in one step, each with its own random transforms"
    )
    select: Literal["all", "best", "worst", "mix"] = Field(
        "all",
        description="all: weighted sum of the losses; best, worst: for each view only the feature with the highest or "
        "lowest similarity; mix: the weighted mean of the features is the one target",
    )
    feature_scale: Literal["equal", "fair"] = Field(
        "equal", description="fair: similarities are scaled so that the first step is equally similar to all features"
    )
    features: Annotated[tuple[FeatureConfig, ...], OneByOne()] = Field(
        (),
        description="texts and images; a plain text in the list is short for one with nothing else; on one line: "
        "`a lighthouse:2 | storm | blurry:-0.5`, with double quotes around a text that has a | or such a number itself",
        json_schema_extra=_or_texts,
    )
    transforms: Transforms = Field((), description="from the picture to what the encoder sees, in order")
    constraints: Constraints = Field((), description="further losses, computed on the transformed views")

    @field_validator("merge")
    @classmethod
    def _merged_already(cls, merge: bool) -> bool:
        if merge:  # where files are merged, the key is gone by then
            raise ValueError("there is no earlier file with a target to merge into; leave merge out")
        return merge

    @field_validator("features", mode="before")
    @classmethod
    def _short_features(cls, raw: object) -> object:
        if isinstance(raw, str) and raw.strip():
            return features_of(raw)
        items = [] if raw is None else [raw] if isinstance(raw, Mapping) and raw else raw
        if not isinstance(items, (list, tuple)):
            return items
        return [{"text": item} if isinstance(item, str) else item for item in items]

"""A film, as YAML says it: frames, a camera that moves from one to the next, and scenes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, field_validator, model_validator

from clipnb.optimise.language import variables
from clipnb.optimise.language.components import Strict
from clipnb.optimise.language.fields import Text, Timed
from clipnb.optimise.language.mistakes import OneByOne
from clipnb.optimise.language.numbers import Number, NumberField, Numbers, plain
from clipnb.optimise.language.shorthand import features_of
from clipnb.optimise.language.target import TargetConfig

MAX_FRAMES = 100_000
MAX_SCENES = 1000
_AtLeastOne = Annotated[int, NumberField(int, (0,), variables.NONE, least=1, most=MAX_FRAMES, drawn=False)]
_Zoom = Annotated[Number, NumberField(float, (0,), variables.IMAGE, least=0.01, most=100), PlainSerializer(plain)]


class CameraConfig(Strict):
    """How the picture moves from each frame to the next; in its expressions time is that of the film."""

    zoom: _Zoom = Field(1.0, description="1.02 comes nearer by 2 % a frame")
    shift: Annotated[Numbers, NumberField(float, (2,), variables.IMAGE, least=-1, most=1)] = Field(
        (0.0, 0.0), description="how far the picture moves to the right and down a frame, as share of its size"
    )
    rotate: Timed = Field(0.0, description="degrees a frame, counter-clockwise")

    @property
    def is_still(self) -> bool:
        """Whether it never moves."""
        return (self.zoom, *self.shift, self.rotate) == (1, 0, 0, 0)


class SceneConfig(Strict):
    """What is seen in some frames."""

    text: Text = Field(description="what should be seen; several with weights: `a lighthouse:2 | storm`")
    frames: _AtLeastOne = Field(description="how many frames it takes, those in which it fades in included")
    fade: Annotated[int, NumberField(int, (0,), variables.NONE, least=0, most=MAX_FRAMES, drawn=False)] = Field(
        0, description="in how many of them the scene before it fades out"
    )

    @field_validator("text")
    @classmethod
    def _readable(cls, text: str) -> str:
        if all(feature.get("weight") == 0 for feature in features_of(text)):
            raise ValueError(f"every text of {text!r} has weight 0, so there is nothing to see; leave out :0")
        return text

    @model_validator(mode="after")
    def _fades_within(self) -> SceneConfig:
        if self.fade > self.frames:
            raise ValueError(f"a scene of {self.frames} frames cannot fade in over {self.fade}")
        return self


class FramesConfig(Strict):
    """A film: each frame is the last one, moved by the camera, after some steps."""

    count: _AtLeastOne | None = Field(None, description="number of frames; by default those of the scenes")
    steps: _AtLeastOne = Field(6, description="steps of each frame but the first one, which has `epochs`")
    camera: CameraConfig = Field(
        CameraConfig(), description="zoom, shift and rotate a frame; time in their expressions is that of the film"
    )
    infill: Literal["wrap", "mirror", "noise", "blur"] = Field(
        "mirror",
        description="what the camera uncovers: the opposite edge, the picture mirrored, noise, or a blurred edge; a "
        "network goes on by itself",
    )
    scenes: Annotated[tuple[SceneConfig, ...], OneByOne()] = Field(
        (), description="texts that take turns; they go into the targets that have no features"
    )
    fps: Annotated[float, NumberField(float, (0,), variables.NONE, least=0.1, most=120, drawn=False)] = Field(
        24.0, description="frames a second"
    )

    @field_validator("scenes", mode="before")
    @classmethod
    def _nothing_is_none(cls, raw: object) -> object:
        if isinstance(raw, list) and len(raw) > MAX_SCENES:
            raise ValueError(f"{len(raw)} scenes are too many; at most {MAX_SCENES}")
        return () if raw is None else raw

    @field_validator("camera", mode="before")
    @classmethod
    def _nothing_is_still(cls, raw: object) -> object:
        return {} if raw is None else raw

    @model_validator(mode="after")
    def _of_one_length(self) -> FramesConfig:
        length = sum(scene.frames for scene in self.scenes)
        if self.count is None and not self.scenes:
            raise ValueError("a film needs frames: give count, such as count: 300, or scenes")
        if self.scenes and self.count not in (None, length):
            raise ValueError(f"count is {self.count}, the scenes have {length} frames together; leave count out")
        if length > MAX_FRAMES:
            raise ValueError(f"the scenes have {length} frames together; at most {MAX_FRAMES}")
        if self.scenes and self.scenes[0].fade:
            raise ValueError("the first scene has none before it that could fade out; leave its fade out")
        return self

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.count or sum(scene.frames for scene in self.scenes)


def takes_scenes(target: TargetConfig) -> bool:
    """Whether the texts of scenes go into a target: it has no features, and is not there for constraints alone."""
    return target.active and not target.features and not (target.constraints and not target.transforms)


def require_room_for_scenes(
    film: FramesConfig | None, targets: tuple[TargetConfig, ...] | None, start_epoch: int | None, epochs: int | None
) -> None:
    """Refuse a film whose scenes are nowhere seen, or that does not begin with its first frame.

    Raises:
        ValueError: it is such a one.
    """
    if film is not None and start_epoch:
        raise ValueError("a film begins with its first frame, so start_epoch is 0; an interrupted one: --resume")
    if film is not None and epochs == 0:
        raise ValueError("the first frame is made by epochs, which is 0; at least 1")
    if film is not None and film.scenes and targets is not None and not any(map(takes_scenes, targets)):
        raise ValueError("scenes: no target takes their texts; add one that has transforms and no features of its own")

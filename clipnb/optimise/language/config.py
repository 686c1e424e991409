"""An experiment as a checked, frozen record; what YAML may say, with its defaults and descriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from clipnb.errors import ConfigError
from clipnb.images import open_image
from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.language import merging, yaml_source
from clipnb.optimise.language.components import Strict
from clipnb.optimise.language.fields import AnyArea, Count, Device, Interval, Resolution, Seed, Symmetry, Text, Timed
from clipnb.optimise.language.frames import CameraConfig, FramesConfig, SceneConfig, require_room_for_scenes
from clipnb.optimise.language.hints import hints, paths_of
from clipnb.optimise.language.image_paths import find_images, without_scheme
from clipnb.optimise.language.init import InitConfig
from clipnb.optimise.language.judge import Judge, JudgeConfig, named_once, names_in
from clipnb.optimise.language.layout import HOMES, LISTS, Home
from clipnb.optimise.language.mistakes import OneByOne, Places, explain, key_path, shown
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.language.recipes import RecipeName
from clipnb.optimise.language.recipes.under import with_recipe
from clipnb.optimise.language.shorthand import features_of
from clipnb.optimise.language.target import FeatureConfig, TargetConfig
from clipnb.optimise.optimisers import OptimiserName
from clipnb.optimise.parameterisations import AnyParameterisation
from clipnb.optimise.transforms import TRANSFORMS, Postproc
from clipnb.progress import log


class ExperimentConfig(Strict):
    """A whole experiment: from texts or images to a picture."""

    recipe: RecipeName | None = Field(
        None, description="gives every key that the experiment does not set; what it gives is what is saved"
    )
    epochs: Count = Field(300, description="optimisation steps")
    start_epoch: Count = Field(0, description="step to begin with, to go on with an earlier run")
    resolution: Resolution = Field(
        (224, 224), description="width height in pixels; may change while running; `init`: that of init's picture"
    )
    interpolation: Literal["nearest", "linear", "cubic"] = Field("cubic", description="for changes of the resolution")
    model: Text = Field("auto", description="which encoder judges")
    models: Annotated[tuple[Text, ...], OneByOne()] = Field(
        (), description="several encoders whose losses on the same views are averaged"
    )
    judge: Judge = Field(
        JudgeConfig(), description="encoders that only look, and tell whether the picture fools those that guide it"
    )
    device: Device = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
    learnrate: Timed = Field(1.0, description="scales the optimiser's base rate; 1 is sensible for each")
    learnrate_scale: Timed = Field(1.0, description="a second factor, handy for a schedule such as 1 - t")
    optimizer: OptimiserName = Field("adam", description="how the picture follows the gradient")
    snapshot_interval: Interval = Field(
        20.0, description="when to save while running: an int is epochs, a float seconds, 0 never"
    )
    output: Text = Field("./", description="folder, or file name of a picture")
    verbose: Literal[0, 1, 2] = Field(2, description="0 silent, 1 progress, 2 statistics")
    seed: Seed = Field(None, description="same seed, config, model and device: the same picture")
    init: InitConfig = Field(InitConfig(), description="what the picture is before the first step")
    symmetry: Symmetry = Field(
        None,
        description="x: left and right are mirror images; y: top and bottom; xy: both; rotate 5: the same when turned "
        "by a fifth; no SVG or index beside it",
    )
    tile: bool = Field(
        False, description="the picture goes on at its opposite edge: what is laid side by side shows no seam"
    )
    keep: AnyArea = Field(
        None,
        description="where the picture that a run begins with stays as it is, to the bit: an area as a target's "
        "region; in formats without loss such as PNG; no SVG or index beside it",
    )
    pixels: AnyParameterisation = Field("rgb", description="the parameterisation of the picture")  # type: ignore[assignment]
    targets: Annotated[tuple[TargetConfig, ...], OneByOne()] = Field((), description="what judges the picture")
    postproc: Postproc = Field((), description="transforms applied to the picture itself before each step")
    frames: FramesConfig | None = Field(None, description="a film instead of a picture")
    _places: Places = PrivateAttr(default_factory=Places)

    @field_validator("targets", mode="before")
    @classmethod
    def _one_or_several(cls, raw: object) -> object:
        return () if raw is None else (raw,) if isinstance(raw, (str, Mapping)) and raw else raw

    _names = field_validator("models", mode="before")(names_in)

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        return named_once(models, "the model")

    @field_validator("init", mode="before")
    @classmethod
    def _no_init_is_the_default(cls, raw: object) -> object:
        return {} if raw is None else raw

    @field_validator("frames")
    @classmethod
    def _scenes_have_targets(cls, film: FramesConfig | None, info: ValidationInfo) -> FramesConfig | None:
        values = info.data
        require_room_for_scenes(film, values.get("targets"), values.get("start_epoch"), values.get("epochs"))
        return film

    @classmethod
    def from_text(cls, text: str, seed: int | None = None, **changes: object) -> ExperimentConfig:
        """Return a recipe for a text.

        Args:
            text: what should be seen; `a lighthouse:2 | storm | blurry:-0.5` are three texts with weights, and what is
                in double quotes is one text as it is.
            seed: for the same picture again.
            changes: further top-level keys, such as `epochs=50`, `resolution=512`, or a `recipe` other than `auto`,
                which goes by the encoder that `model` and `models` name.

        Raises:
            ConfigError: a key or a value is not allowed, or it is unclear whether a number in the text is a weight.

        >>> ExperimentConfig.from_text("a curly spoon", seed=1).targets[0].features[0].text
        'a curly spoon'
        """
        if not isinstance(text, str):
            raise ConfigError(f"a text is needed, not {shown(text)}; for several: 'a lighthouse:2 | storm'")
        features = features_of(text)
        if all(feature.get("weight") == 0 for feature in features):
            raise ConfigError(f"{shown(text)}: every text has weight 0, so there is nothing to see; leave out :0")
        return cls.from_dict(
            {"recipe": "auto", "targets": [{"name": "whole", "features": features}], "seed": seed, **changes}
        )

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ExperimentConfig:
        """Check an experiment that is given as a dict with the keys of the YAML language.

        Raises:
            ConfigError: a key or a value is not allowed; the message has its path and the nearest name.
        """
        return cls._checked(raw, Places())

    @classmethod
    def from_yaml(
        cls,
        text: str,
        name: str = "the YAML text",
        *,
        folder: str | Path = ".",
        told: Callable[[str], None] = log.warning,
    ) -> ExperimentConfig:
        """Check an experiment that is given as YAML text.

        Args:
            text: YAML.
            name: what to call it in messages.
            folder: where pictures are looked for before the working folder.
            told: called with what a person may not have meant, in words; logged by default.

        Raises:
            ConfigError: it is no YAML or not allowed; the message has name, line and path.
        """
        return cls._read([find_images(yaml_source.read_yaml(text, name), Path(folder))], told)

    @classmethod
    def from_files(cls, *paths: str | Path, changes: Sequence[Mapping[str, Any]] = ()) -> ExperimentConfig:
        """Load YAML files and merge them: later scalars win, maps merge, lists append.

        Args:
            paths: the files, "-" for standard input.
            changes: further maps that are merged in at the end.

        Raises:
            ConfigError: a file cannot be read, is no YAML, or says what is not allowed.
        """
        folders = [Path() if str(path) == "-" else Path(path).parent for path in paths]
        files = [
            find_images(read, folder) for read, folder in zip(map(yaml_source.read_file, paths), folders, strict=True)
        ]
        return cls._read([*files, *map(merging.without_file, changes)], log.warning)

    def changed(self, **changes: object) -> ExperimentConfig:
        """Copy the experiment with some top-level keys replaced, checked as if read from YAML.

        Raises:
            ConfigError: a key or a value is not allowed.
        """
        lines = {path: line for path, line in self._places.lines.items() if path[:1] and path[0] not in changes}
        return self._checked({**self.as_dict(), **changes}, Places(lines))

    def at(self, *path: str | int) -> str:
        """Return file, line and path of a key, for messages."""
        return f"{self._places.of(path)}{key_path(path)}: "

    def place_of(self, expression: str) -> str:
        """Return file, line, path of keys and target where an expression stands, for messages; "" if it is nowhere."""
        found = next(paths_of(self.as_dict(), expression, ()), None) if expression else None
        if found is None:
            return ""
        named = (
            f" (target {self.targets[found[1]].name!r})" if found[0] == "targets" and isinstance(found[1], int) else ""
        )
        return f"{self._places.of(found)}{key_path(found)}{named}: "

    def as_dict(self, *, defaults: bool = True) -> dict[str, Any]:
        """Return the experiment as plain dicts, lists and scalars; `from_dict` reads it back.

        Args:
            defaults: also what is as it would be anyway; without it the experiment is as short as people write it.
        """
        written = self.model_dump(mode="json", exclude_defaults=not defaults)
        unset = {"mean", "std"} - self.init.model_fields_set
        if self.init.image is not None or self.init.image_tensor is not None:  # there, unset is not the default
            explicit = self.init.model_dump(mode="json", include={"mean", "std"} - unset)
            written["init"] = {key: v for key, v in {**written["init"], **explicit}.items() if key not in unset}
        return written

    @field_validator("postproc")
    @classmethod
    def _pixels_can_be_changed(cls, parts: Postproc, info: ValidationInfo) -> Postproc:
        pixels = info.data.get("pixels")
        if parts and pixels is not None and not pixels.takes_pictures:
            raise ValueError(
                f"{pixels.name} cannot take up a changed picture in every step; put these transforms into a target"
            )
        return parts

    @field_validator("resolution", mode="before")
    @classmethod
    def _known_resolution(cls, raw: object) -> object:
        if isinstance(raw, str) and raw.strip().lower() == "init":
            raise ValueError(
                "'init' stands for the size of a picture in init.image or init.image_tensor; there is none"
            )
        return raw

    @classmethod
    def _read(cls, parts: Sequence[merging.Read], told: Callable[[str], None]) -> ExperimentConfig:
        raw, places = merging.merged(parts)
        config = cls._checked(raw, places)
        for hint in (*places.hints, *hints(config.as_dict(), places)):
            told(hint)
        return config

    @classmethod
    def _checked(cls, raw: Mapping[str, Any], places: Places) -> ExperimentConfig:
        if not isinstance(raw, Mapping):
            raise ConfigError(f"an experiment is a dict such as {{'targets': [...]}}, not {shown(raw)}")
        try:
            raw = with_recipe(raw)
        except ValueError as error:
            raise ConfigError(f"{places.of(('recipe',))}{error}") from None
        try:
            config = cls.model_validate(_with_size_of_init(raw))
        except ValidationError as error:
            raise explain(error, places) from None
        config._places = places  # noqa: SLF001 - made here
        return config


def _with_size_of_init(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the size of the picture that a run begins with where `resolution` says `init`."""
    said, init = raw.get("resolution"), raw.get("init")
    if not (isinstance(said, str) and said.strip().lower() == "init" and isinstance(init, Mapping)):
        return raw
    image, planes = init.get("image"), init.get("image_tensor")
    if isinstance(image, str):
        return {**raw, "resolution": list(open_image(without_scheme(image)).size)}
    if (
        isinstance(planes, list)
        and planes
        and isinstance(planes[0], list)
        and planes[0]
        and isinstance(planes[0][0], list)
    ):
        return {**raw, "resolution": [len(planes[0][0]), len(planes[0])]}
    return raw


SECTIONS: dict[type[Strict], Home] = {
    ExperimentConfig: Home("at the top level", "", "at the top level"),
    TargetConfig: Home("under an item of targets", "targets[]", "inside the target above"),
    FeatureConfig: Home("under an item of a target's features", "targets[].features[]", "inside the feature above"),
    InitConfig: Home("under init", "init", "inside init above"),
    JudgeConfig: Home("under judge", "judge", "inside judge above"),
    FramesConfig: Home("under frames", "frames", "inside frames above"),
    CameraConfig: Home("under the camera of frames", "frames.camera", "inside the camera above"),
}
"""Where the sections of an experiment stand, but those of scenes."""


def is_list(info: FieldInfo) -> bool:
    """Return whether a key takes a list of things that stand below each other, not numbers on one line."""
    return get_origin(info.annotation) is tuple and not any(isinstance(note, NumberField) for note in info.metadata)


def _note_homes() -> None:
    """Note where each key belongs, the outermost place first, and which take lists."""
    sections: list[type[Strict]] = [*SECTIONS, SceneConfig]
    for section in sections:
        LISTS.update(key for key, info in section.model_fields.items() if is_list(info))
    parts: dict[str, Mapping[str, Any]] = {"transforms": TRANSFORMS, "constraints": CONSTRAINTS}
    for model, home in SECTIONS.items():
        for key in model.model_fields:
            HOMES.setdefault(key, []).append(home)
    for name, registry in parts.items():
        words = f"under a target's {name}{' or postproc' if registry is TRANSFORMS else ''}"
        home = Home(words, f"targets[].{name}[]", f"inside the {name} above", is_part=True)
        for key in registry:
            HOMES.setdefault(key, []).append(home)


_note_homes()

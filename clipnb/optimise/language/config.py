"""An experiment as a checked, frozen record; what YAML may say, with its defaults and descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    PlainSerializer,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from clipnb.images import open_image
from clipnb.optimise.constraints import CONSTRAINTS, Constraints
from clipnb.optimise.language import merging, recipes, variables, yaml_source
from clipnb.optimise.language.components import Strict
from clipnb.optimise.language.expressions import Expression
from clipnb.optimise.language.frame_time import FrameTime
from clipnb.optimise.language.image_paths import find_images, without_scheme
from clipnb.optimise.language.mistakes import HOMES, KeyPath, Places, explain, key_path, shown
from clipnb.optimise.language.numbers import Number, NumberField, Numbers, constant, plain
from clipnb.optimise.optimisers import OptimiserName
from clipnb.optimise.parameterisations import AnyParameterisation
from clipnb.optimise.transforms import TRANSFORMS, Postproc, Transforms
from clipnb.progress import log


def _of_whole_characters(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{shown(text)} holds halves of characters, which nothing can read or write")
    return text


def _device_word(raw: object) -> object:
    word = raw.strip().lower() if isinstance(raw, str) else raw
    return {"gpu": "cuda", "": "auto"}.get(word, word) if isinstance(word, str) else word


Text = Annotated[str, AfterValidator(_of_whole_characters)]
Interval = Annotated[
    int | float,
    BeforeValidator(constant, json_schema_input_type=int | float | str),
    Field(ge=0),
]
Seed = Annotated[int | None, NumberField(int, (0,), variables.NONE, 0, 2**53, optional=True, drawn=False)]
Count = Annotated[int, NumberField(int, (0,), variables.NONE, 0, 2**53, drawn=False)]
Timed = Annotated[Number, NumberField(float, (0,), variables.IMAGE), PlainSerializer(plain)]
Weight = Annotated[Number, NumberField(float, (0,), variables.SIMILARITY), PlainSerializer(plain)]
Resolution = Annotated[Numbers, NumberField(int, (2,), variables.TIME, least=1, most=16384)]
FixedSize = Annotated[Numbers | None, NumberField(int, (2,), variables.NONE, 1, 16384, optional=True)]
FixedColour = Annotated[Numbers, NumberField(float, (3,), variables.NONE, -1, 1)]
FixedFactor = Annotated[Numbers, NumberField(float, (3,), variables.NONE, -10, 10)]
ImageName = Annotated[Text, AfterValidator(without_scheme)]
Device = Annotated[Text, BeforeValidator(_device_word)]


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
        return self

    @property
    def label(self) -> str:
        """What to call it: its text or its image."""
        return self.text if self.text is not None else str(self.image)


def _or_texts(schema: dict[str, Any]) -> None:
    schema["items"] = {"anyOf": [schema["items"], {"type": "string"}]}


class TargetConfig(Strict):
    """What views of the picture are judged by."""

    active: bool = Field(True, description="whether it is used at all")
    name: Text = Field("target", description="what to call it in statistics and messages")
    merge: bool = Field(False, description="in a later file: merge into the earlier target of the same name")
    start: FrameTime = Field(0, description="frame time it is used from")
    end: FrameTime = Field(1.0, description="frame time it is used to")
    weight: Weight = Field(1.0, description="factor on everything in the target")
    model: Text | None = Field(None, description="its own encoder; by default the experiment's")
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
    features: tuple[FeatureConfig, ...] = Field(
        (), description="texts and images; a plain text is short for one with nothing else", json_schema_extra=_or_texts
    )
    transforms: Transforms = Field((), description="from the picture to what the encoder sees, in order")
    constraints: Constraints = Field((), description="further losses, computed on the transformed views")

    @field_validator("features", mode="before")
    @classmethod
    def _short_features(cls, raw: object) -> object:
        items = [] if raw is None else [raw] if isinstance(raw, (str, Mapping)) and raw else raw
        if not isinstance(items, (list, tuple)):
            return items
        return [{"text": item} if isinstance(item, str) else item for item in items]


class ExperimentConfig(Strict):
    """A whole experiment: from texts or images to a picture."""

    epochs: Count = Field(300, description="optimisation steps")
    start_epoch: Count = Field(0, description="step to begin with, to go on with an earlier run")
    resolution: Resolution = Field(
        (224, 224), description="width height in pixels; may change while running; `init`: that of init's picture"
    )
    interpolation: Literal["nearest", "linear", "cubic"] = Field("cubic", description="for changes of the resolution")
    model: Text = Field("auto", description="which encoder judges")
    models: tuple[Text, ...] = Field((), description="several encoders whose losses on the same views are averaged")
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
    pixels: AnyParameterisation = Field("rgb", description="the parameterisation of the picture")  # type: ignore[assignment]
    targets: tuple[TargetConfig, ...] = Field((), description="what judges the picture")
    postproc: Postproc = Field((), description="transforms applied to the picture itself before each step")
    _places: Places = PrivateAttr(default_factory=Places)

    @field_validator("targets", "models", mode="before")
    @classmethod
    def _nothing_is_the_default(cls, raw: object) -> object:
        return () if raw is None else (raw,) if isinstance(raw, (str, Mapping)) and raw else raw

    @field_validator("init", mode="before")
    @classmethod
    def _no_init_is_the_default(cls, raw: object) -> object:
        return {} if raw is None else raw

    @classmethod
    def from_text(cls, text: str, seed: int | None = None, **changes: object) -> ExperimentConfig:
        """Return the default recipe for a text.

        Args:
            text: what should be seen.
            seed: for the same picture again.
            changes: further top-level keys, such as `epochs=50` or `resolution=512`.

        Raises:
            ConfigError: a key or a value is not allowed.

        >>> ExperimentConfig.from_text("a curly spoon", seed=1).targets[0].features[0].text
        'a curly spoon'
        """
        return cls.from_dict({**recipes.for_text(text), "seed": seed, **changes})

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

    def place_of(self, expression: str) -> str:
        """Return file, line, path of keys and target where an expression stands, for messages; "" if it is nowhere."""
        found = next(_paths_of(self.as_dict(), expression, ()), None) if expression else None
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
        for hint in places.hints:
            told(hint)
        for path in _paths_of(config.as_dict(), 1, ()) if config.epochs > 2 else ():
            if path[-1] == "end":
                told(f"{places.of(path)}{key_path(path)}: 1 is the second step; for the whole run write 1.0 or 100%")
        return config

    @classmethod
    def _checked(cls, raw: Mapping[str, Any], places: Places) -> ExperimentConfig:
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


def _paths_of(value: Any, wanted: str | int, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the paths of keys behind which a value stands; of one in a list of numbers, that of the list."""
    if type(value) is type(wanted) and value == wanted:
        yield path[:-1] if path and isinstance(path[-1], int) else path
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from _paths_of(one, wanted, (*path, key))


def _note_homes() -> None:
    """Note where each key belongs; of a key that several places have, the outermost."""
    parts: dict[str, Mapping[str, Any]] = {
        "under a target's transforms or postproc": TRANSFORMS,
        "under a target's constraints": CONSTRAINTS,
    }
    models: dict[str, type[Strict]] = {
        "at the top level": ExperimentConfig,
        "under an item of targets": TargetConfig,
        "under an item of a target's features": FeatureConfig,
        "under init": InitConfig,
    }
    for place, model in models.items():
        HOMES.update({key: place for key in model.model_fields if key not in HOMES})
    for place, registry in parts.items():
        HOMES.update({key: place for key in registry if key not in HOMES})


_note_homes()

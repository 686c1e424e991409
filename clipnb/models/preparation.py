"""How pictures are prepared for weights of open_clip, and who says so: a name, the files, or the architecture.

open_clip itself prepares for every file and folder that does not say it as OpenAI's CLIP wants it, which SigLIP and
others were not trained with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from clipnb.errors import ModelUnavailableError, first_line, listed, reason
from clipnb.models.checks.safety import read_json

_DESCRIPTIONS = ("open_clip_config.json", "preprocessor_config.json")
_RESAMPLING = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers, which transformers' files have
_Colour = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
_Spread = Annotated[float, Field(gt=0, le=10)]


class _Settings(BaseModel):
    """What open_clip's configurations say; other keys are its own affair."""

    mean: _Colour | None = None
    std: tuple[_Spread, _Spread, _Spread] | None = None
    interpolation: Literal["bicubic", "bilinear", "random"] | None = None
    resize_mode: Literal["shortest", "longest", "squash"] | None = None


@dataclass(frozen=True)
class Preparation:
    """Settings of open_clip's evaluation transform, each with who says it.

    Attributes:
        settings: `mean` and `std` (RGB, of values in [0, 1]), `interpolation`, `resize_mode`.
        told_by: for each of them a name, file or architecture.
        note: what a user should know, where files do not say what matters; else "".
        usual: settings that all other weights of the architecture agree in.
    """

    settings: dict[str, Any]
    told_by: dict[str, str]
    note: str = ""
    usual: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        by: dict[str, list[str]] = {}
        for key, value in self.settings.items():
            numbers = value if isinstance(value, str) else " ".join(f"{number:.3g}" for number in value)
            by.setdefault(self.told_by[key], []).append(f"{key} {numbers}")
        return "; ".join(f"{', '.join(said)} (from {who})" for who, said in by.items())


def find_preparation(
    folder: Path | None, architecture: str | None = None, named: dict[str, Any] | None = None
) -> Preparation:
    """Find how pictures are prepared for weights.

    Args:
        folder: with the weights; its descriptions are read.
        architecture: open_clip's name; found by the folder's description unless given.
        named: open_clip's description of weights that have a name, which comes first.

    Raises:
        ModelUnavailableError: a description is damaged, or its values are impossible.
    """
    found = [("the weights' name", _checked("the weights' name", named))] if named else []
    model: Any = None
    for place, description in _described(folder):
        model = model or description.get("model_cfg")
        found.append((place.name, _checked(str(place), _as_open_clip(place.name, description))))
    alike = [architecture] if architecture else _architectures(model)
    from_files = {key for _, settings in found for key in settings}
    usual = _agreed(alike)
    found.append((f"other weights of {listed(alike[:3])}", usual))
    known = {key for _, settings in found for key in settings}
    found.append(("open_clip's default", _default()))
    settings: dict[str, Any] = {}
    told_by: dict[str, str] = {}
    for who, said in found:
        for key in said.keys() - settings.keys():
            settings[key], told_by[key] = said[key], who
    order = list(_Settings.model_fields)
    made = Preparation({key: settings[key] for key in order}, told_by, usual=usual)
    if {"mean", "std"} <= from_files and known >= set(order):
        return made
    missing = listed([key for key in order if key not in from_files])
    return replace(made, note=f"its files do not say how pictures are prepared ({missing}): {made}")


def _described(folder: Path | None) -> Iterator[tuple[Path, dict[str, Any]]]:
    places = [place for name in _DESCRIPTIONS if folder and (place := folder / name).is_file()]
    for place in places:
        try:
            description = read_json(place)
        except (OSError, ValueError) as error:
            raise ModelUnavailableError(f"{place} cannot be read: {reason(error)}") from error
        if isinstance(description, dict):
            yield place, description


def _as_open_clip(name: str, description: dict[str, Any]) -> Any:
    if name == _DESCRIPTIONS[0]:
        return description.get("preprocess_cfg") or {}
    said = {"mean": description.get("image_mean"), "std": description.get("image_std")}
    said["interpolation"] = _RESAMPLING.get(description.get("resample", 0))
    cropped = description.get("do_center_crop")
    return said | {"resize_mode": None if cropped is None else "shortest" if cropped else "squash"}


def _checked(who: str, said: Any) -> dict[str, Any]:
    try:
        return _Settings.model_validate(said).model_dump(exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ModelUnavailableError(
            f"{who} describes how pictures are prepared, and its {where or 'preprocess_cfg'} is impossible: "
            f"{first_line(Exception(first['msg']))}"
        ) from error


def _architectures(model: Any) -> list[str]:
    """Return open_clip's names of the picture tower that a folder describes; several may have the same."""
    import open_clip

    tower = _tower(model)
    return [name for name in open_clip.list_models() if tower and _tower(open_clip.get_model_config(name)) == tower]


def _tower(model: Any) -> dict[str, Any]:
    tower = model.get("vision_cfg") if isinstance(model, dict) else None
    return {key: tower[key] for key in tower if key != "timm_model_pretrained"} if isinstance(tower, dict) else {}


def _agreed(architectures: list[str]) -> dict[str, Any]:
    """Return what all weights with a name that these architectures have agree in."""
    import open_clip

    known = [
        _default() | _checked(tag, open_clip.get_pretrained_cfg(name, tag))
        for name in architectures
        for tag in open_clip.list_pretrained_tags_by_model(name)
    ]
    return {key: known[0][key] for key in known[0] if all(one[key] == known[0][key] for one in known)} if known else {}


def _default() -> dict[str, Any]:
    from open_clip.transform import PreprocessCfg

    default = PreprocessCfg()
    settings: dict[str, Any] = {name: getattr(default, name) for name in _Settings.model_fields}
    return settings

"""The reference of the experiment language and its JSON schema, made from the models and registries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clipnb.optimise.constraints import CONSTRAINTS, Constraint
from clipnb.optimise.language.components import Part
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import CONSTANTS, FUNCTIONS, RANDOM_NAMES
from clipnb.optimise.language.fields import FrameTimeField
from clipnb.optimise.language.frames import CameraConfig, FramesConfig, SceneConfig
from clipnb.optimise.language.init import InitConfig
from clipnb.optimise.language.judge import JudgeConfig
from clipnb.optimise.language.numbers import NumberField, plain
from clipnb.optimise.language.target import FeatureConfig, TargetConfig
from clipnb.optimise.language.variables import VARIABLES
from clipnb.optimise.parameterisations import PARAMETERISATIONS, Parameterisation
from clipnb.optimise.transforms import TRANSFORMS, Transform

_VALUES = """\
## Values

- **Lists** of numbers are YAML lists, or one text split by commas or blanks: `[1024, 768]`, `1024, 768`, `1024 768`. \
One value fills the whole list.
- **Expressions** may stand for any number: Python's arithmetic, comparisons, `if` and `else`, lists, maps and their \
`get`, and what is listed at the end: `.5 if t < .4 else 1`. In a list that is split by blanks an expression holds \
no blanks.
- **Frame times**: a whole number is a step, from 0; a number with a point, from 0.0 to 1.0, a share of the run; \
`30%` a percentage. From and to include both ends.
- **Transforms and constraints** are written as `- name: value` for the first parameter, `- name: {parameter: value}`, \
or `- name` with all defaults; `- name:` with nothing behind it is switched off.
- **Judges**: `judge: lite2`, or a list of names, is short for a map with `models`.
- **Several files** are merged: later values win, maps merge, lists append; a later target with `merge: true` goes \
into the earlier one of the same name."""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of an experiment, for editors that complete and check YAML."""
    schema = ExperimentConfig.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "clipnb experiment"}


def markdown() -> str:
    """Return the reference of the experiment language as Markdown."""
    aliases = [(v.name, f"`{v.alias}`" if v.alias else "", v.group, v.text) for v in VARIABLES]
    parts = [
        "# Reference of the experiment language",
        _VALUES,
        _model("Top level", ExperimentConfig),
        _model("init", InitConfig),
        _model("judge", JudgeConfig),
        _model("targets[]", TargetConfig),
        _model("targets[].features[]", FeatureConfig),
        _registry("targets[].transforms[] and postproc[]", TRANSFORMS, Transform),
        _registry("targets[].constraints[]", CONSTRAINTS, Constraint),
        _registry("pixels", PARAMETERISATIONS, Parameterisation),
        _model("frames", FramesConfig),
        _model("frames.camera", CameraConfig),
        _model("frames.scenes[]", SceneConfig),
        _table("Variables of expressions", "name | alias | group", aliases),
        "## Functions and constants of expressions",
        f"Functions: {_listed(sorted(FUNCTIONS))}.",
        f"Random: {_listed(sorted(RANDOM_NAMES))}.",
        f"Constants: {_listed(CONSTANTS)}.",
    ]
    return "\n\n".join(parts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(title: str, head: str, rows: Iterable[tuple[str, str, str, str]]) -> str:
    lines = [f"| `{name}` | {second} | {third} | {_cell(text)} |" for name, second, third, text in rows]
    return "\n".join([f"## {title}\n", f"| {head} | |", "|---|---|---|---|", *lines])


def _model(title: str, model: type[BaseModel]) -> str:
    fields = model.model_fields.items()
    rows = [(name, type_of(info), default_of(info), info.description or "") for name, info in fields]
    return _table(title, "key | type | default", rows)


def _registry(title: str, registry: Mapping[str, type[Part]], base: type[Part]) -> str:
    lines = [f"## {title}", ""]
    shared = [f"`{name}` ({default_of(info)}): {info.description}" for name, info in base.model_fields.items()]
    lines.append("All have " + "; ".join(shared) + ".\n")
    for name, cls in sorted(registry.items()):
        lines.append(f"### `{name}`{_marks(cls)}\n")
        lines.append(f"{cls.summary()} Example: `{cls.example_text()}`\n")
        for key, info in cls.model_fields.items():
            if key not in base.model_fields:
                default = f", default {default_of(info)}" if default_of(info) else ""
                lines.append(f"- `{key}`: {type_of(info)}{default}. {info.description}")
        lines.append("")
    return "\n".join(lines)


def _marks(cls: type[Part]) -> str:
    if not issubclass(cls, Transform):
        return ""
    return (" (random)" if cls.is_random else "") + (" (changes the size; not in postproc)" if cls.is_resizing else "")


def type_of(info: FieldInfo) -> str:
    """Return what a key takes, in words."""
    for note in info.metadata:
        if isinstance(note, NumberField):
            groups = f"; may use {', '.join(note.groups)}" if note.groups else ""
            return f"{note.summary}{groups}"
        if isinstance(note, FrameTimeField):
            return note.summary
    annotation = info.annotation
    literals = getattr(annotation, "__args__", ())
    if literals and all(isinstance(value, (str, int)) for value in literals):
        return _cell(", ".join(map(str, literals)))
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return {"bool": "true or false", "str": "text", "tuple": "list", "Parameterisation": "name or map"}.get(
        name, _readable(name)
    )


def _readable(name: str) -> str:
    if name.startswith(("tuple", "Annotated", "list")):
        return "list"
    return "text" if "str" in name else "number" if "int" in name or "float" in name else "map"


def default_of(info: FieldInfo) -> str:
    """Return the default of a key in Markdown, or ""."""
    if info.is_required():
        return ""
    value = plain(info.default)
    if isinstance(value, BaseModel) or value is None:
        return ""
    if isinstance(value, list):
        return f"`{' '.join(map(str, value))}`" if value else "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

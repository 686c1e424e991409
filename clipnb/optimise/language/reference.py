"""The reference of the experiment language and its JSON schema, made from the models and registries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clipnb.optimise.constraints import CONSTRAINTS, Constraint
from clipnb.optimise.language.components import Part
from clipnb.optimise.language.config import ExperimentConfig, FeatureConfig, InitConfig, TargetConfig
from clipnb.optimise.language.expressions import CONSTANTS, FUNCTIONS, RANDOM_NAMES
from clipnb.optimise.language.frame_time import FrameTimeField
from clipnb.optimise.language.numbers import NumberField, plain
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
- **Several files** are merged: later values win, maps merge, lists append; a later target with `merge: true` goes \
into the earlier one of the same name."""


def json_schema() -> dict[str, Any]:
    """Make the JSON schema of an experiment, for editors that complete and check YAML."""
    schema = ExperimentConfig.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "clipnb experiment"}


def markdown() -> str:
    """Write the reference of the experiment language as Markdown."""
    parts = [
        "# Reference of the experiment language",
        _VALUES,
        "\n".join(_model("Top level", ExperimentConfig)),
        "\n".join(_model("init", InitConfig)),
        "\n".join(_model("targets[]", TargetConfig)),
        "\n".join(_model("targets[].features[]", FeatureConfig)),
        _registry("targets[].transforms[] and postproc[]", TRANSFORMS, Transform, _transform_marks),
        _registry("targets[].constraints[]", CONSTRAINTS, Constraint, _no_marks),
        _registry("pixels", PARAMETERISATIONS, Parameterisation, _no_marks),
        "\n".join(_variables()),
        _functions(),
    ]
    return "\n\n".join(parts)


def _model(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| key | type | default | |"
    yield "|---|---|---|---|"
    for name, info in model.model_fields.items():
        yield f"| `{name}` | {_type(info)} | {_default(info)} | {_cell(info.description or '')} |"


def _registry(title: str, registry: Mapping[str, type[Part]], base: type[Part], marks: Any) -> str:
    lines = [f"## {title}", ""]
    shared = [f"`{name}` ({_default(info)}): {info.description}" for name, info in base.model_fields.items()]
    lines.append("All have " + "; ".join(shared) + ".\n")
    for name, cls in sorted(registry.items()):
        lines.append(f"### `{name}`{marks(cls)}\n")
        lines.append(f"{cls.summary()} Example: `{cls.example_text()}`\n")
        for key in cls.own_parameters():
            info = cls.model_fields[key]
            if key not in base.model_fields:
                default = _default(info)
                lines.append(f"- `{key}`: {_type(info)}{f', default {default}' if default else ''}. {info.description}")
        lines.append("")
    return "\n".join(lines)


def _transform_marks(cls: type[Transform]) -> str:
    return (" (random)" if cls.is_random else "") + (" (changes the size; not in postproc)" if cls.is_resizing else "")


def _no_marks(cls: type[Part]) -> str:
    del cls
    return ""


def _variables() -> Iterator[str]:
    yield "## Variables of expressions\n"
    yield "| name | alias | group | |"
    yield "|---|---|---|---|"
    for variable in VARIABLES:
        alias = f"`{variable.alias}`" if variable.alias else ""
        yield f"| `{variable.name}` | {alias} | {variable.group} | {_cell(variable.text)} |"


def _functions() -> str:
    return "\n\n".join(
        [
            "## Functions and constants of expressions",
            "Functions: " + ", ".join(f"`{name}`" for name in sorted(FUNCTIONS)) + ".",
            "Random: " + ", ".join(f"`{name}`" for name in sorted(RANDOM_NAMES)) + ".",
            "Constants: " + ", ".join(f"`{name}`" for name in CONSTANTS) + ".",
        ]
    )


def _type(info: FieldInfo) -> str:
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
    if name.startswith(("tuple", "Annotated")):
        return "list"
    if name.startswith("list"):
        return "list"
    return "text" if "str" in name else "number" if "int" in name or "float" in name else "map"


def _default(info: FieldInfo) -> str:
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

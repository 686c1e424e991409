"""The language in the words of an editor: at every level its keys, what each takes, and what may stand behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clipnb.models.lite.weights import CLASSIFIERS
from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.language.components import Part
from clipnb.optimise.language.config import SECTIONS, is_list
from clipnb.optimise.language.expressions import CONSTANTS, FUNCTIONS, RANDOM_NAMES
from clipnb.optimise.language.fields import SIDES, AreaField
from clipnb.optimise.language.frames import SceneConfig
from clipnb.optimise.language.manual.reference import default_of, type_of
from clipnb.optimise.language.numbers import NumberField
from clipnb.optimise.language.variables import VARIABLES
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.transforms import TRANSFORMS

_MODELS: dict[str, type[BaseModel]] = {
    **{home.level: model for model, home in SECTIONS.items()},
    "frames.scenes[]": SceneConfig,
}
_REGISTRIES: dict[str, Mapping[str, type[Part]]] = {
    "targets[].transforms[]": TRANSFORMS,
    "targets[].constraints[]": CONSTRAINTS,
    "pixels": PARAMETERISATIONS,
}
_ENCODERS = ("auto", *CLASSIFIERS, "ViT-B-32/openai", "ViT-L-14/openai")
_VALUES = {
    "model": _ENCODERS,
    "models": _ENCODERS,
    "device": ("auto", "cpu", "cuda", "mps"),
    "pixels": tuple(PARAMETERISATIONS),
    "judge": tuple(CLASSIFIERS),
    "symmetry": ("x", "y", "xy", "rotate 5"),
}


class Key(NamedTuple):
    """A key of the language.

    Attributes:
        text: what it takes and does.
        values: words that may stand behind it.
        groups: whose variables expressions behind it may use; None where it takes no numbers.
        holds: "value", "map", "list", or "part" for a transform or its like.
    """

    text: str
    values: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = None
    holds: str = "value"


def outline() -> dict[str, Any]:
    """Return the keys of every level such as "targets[].features[]", and the names of expressions, as JSON has them.

    What `postproc` holds is told by "targets[].transforms[]".
    """
    levels = {level: {name: list(key) for name, key in _keys(model).items()} for level, model in _MODELS.items()}
    for level, registry in _REGISTRIES.items():
        levels[level] = {name: list(_part(cls)) for name, cls in sorted(registry.items())}
        for name, cls in registry.items():
            keys = _keys(cls)
            levels[f"{level}.{name}"] = {key: list(keys[key]) for key in sorted(keys, key=cls.outer.__contains__)}
    names = [(name, v.group, v.text) for v in VARIABLES for name in (v.name, v.alias) if name]
    names += [(name, "function", "") for name in (*sorted(FUNCTIONS), *sorted(RANDOM_NAMES))]
    return {"levels": levels, "names": [*names, *((name, "constant", "") for name in CONSTANTS)]}


def number_field(level: str, key: str) -> NumberField | None:
    """Return how numbers behind a key are read; None where there are none, or no such key.

    >>> number_field("targets[]", "weight").groups
    ('time', 'resolution', 'learnrate', 'similarity')
    """
    level = level.replace("postproc[]", "targets[].transforms[]")
    parts = {f"{place}.{name}": cls for place, registry in _REGISTRIES.items() for name, cls in registry.items()}
    model: type[BaseModel] | None = _MODELS.get(level) or parts.get(level)
    short = parts.get(f"{level}.{key}")
    if short is not None:  # `- noise: .1` is its first parameter
        model, key = short, next(iter(short.own_parameters()), "")
    info = model.model_fields.get(key) if model is not None else None
    return None if info is None else _numbers(info)


def _keys(model: type[BaseModel]) -> dict[str, Key]:
    return {name: _key(name, info) for name, info in model.model_fields.items()}


def _key(name: str, info: FieldInfo) -> Key:
    default, field, words = default_of(info), _numbers(info), tuple(_words(info))
    text = f"{', '.join(words) or type_of(info)}{f', default {default}' if default else ''}: {info.description or ''}"
    values = _VALUES.get(name, words)
    holds = "list" if is_list(info) else "map" if _is_section(info) and not values else "value"
    return Key(text, values, None if field is None else field.groups, holds)


def _is_section(info: FieldInfo) -> bool:
    """Return whether a key takes a map of further keys."""
    return any(one in _MODELS.values() for one in (info.annotation, *get_args(info.annotation)))


def _part(cls: type[Part]) -> Key:
    own = cls.own_parameters()
    first = _key(own[0], cls.model_fields[own[0]]) if own else Key("")
    return Key(
        f"{cls.summary()} Example: `{cls.example_text()}`", first.values, first.groups, "part" if own else "word"
    )


def _numbers(info: FieldInfo) -> NumberField | None:
    return next((note for note in info.metadata if isinstance(note, NumberField)), None)


def _words(info: FieldInfo) -> Iterator[str]:
    """Yield the words that a field allows."""
    if info.annotation is bool:
        yield from ("true", "false")
    for one in (info.annotation, *get_args(info.annotation)):
        if get_origin(one) is Literal:
            yield from map(str, get_args(one))
    if any(isinstance(note, AreaField) for note in info.metadata):
        yield from SIDES

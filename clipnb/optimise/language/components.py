"""Registries of named, configurable parts: one class in one place gives spelling, checking, reference and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue

from clipnb.optimise.language.fields import FrameTime, is_active
from clipnb.optimise.language.layout import KeyPath
from clipnb.optimise.language.mistakes import UnknownNameError, collected, mistake, read_items, shown
from clipnb.optimise.language.numbers import ReadField, plain

_OTHER_NAMES = {
    "bicubic": "cubic",
    "bilinear": "linear",
    "constant": "fill",
    "replicate": "edge",
    "circular": "wrap",
    "reflect": "mirror",
    "cos": "cosine",
    "silent": "0",
    "quiet": "0",
    "any": "best",
    **dict.fromkeys(("color", "colors", "colour"), "colours"),
    "sparseadam": "sparse_adam",
}
"""Other tools' words for what a field takes."""


class Strict(BaseModel):
    """A frozen record that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_what_is_allowed(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if isinstance(value, Mapping):
            kept = {key: one for key, one in value.items() if not is_note(key)}
            value = {key: cls._as_word(key, one) for key, one in kept.items()}
        try:
            return handler(value)
        except ValidationError as error:
            known = list(cls.model_fields)
            raise ValidationError.from_exception_data(error.title, collected([((), error)], known)) from None

    @classmethod
    def _as_word(cls, key: object, value: Any) -> Any:
        """Read one of a few words in any case and by other names; and numbers among them in quotes."""
        info = cls.model_fields.get(key) if isinstance(key, str) else None
        allowed = get_args(info.annotation) if info and get_origin(info.annotation) is Literal else ()
        if not isinstance(value, str) or not allowed:
            return value
        word = value.strip().lower()
        word = _OTHER_NAMES.get(word, word)
        return next((one for one in allowed if str(one) == word), value)


def is_note(key: object) -> bool:
    """Whether a key is a note of the person's own, which nothing reads: it begins with `x-`."""
    return isinstance(key, str) and key.startswith("x-")


class Part(Strict):
    """A part of an experiment with a name in YAML and declared, checked parameters.

    Write it as `name`, `name: value` (for the first parameter) or `name: {parameter: value}`. A class with a `name`
    enters the registry of its kind by itself; a notebook cell that is run twice replaces its own class.

    Attributes:
        name: in YAML.
        example: a value, as in YAML, that shows on a photograph of 96 x 96 pixels what it does; the tests run it, the
            gallery and the reference show it. None: it needs no parameters.
        outer: parameters that every part of the kind has; in YAML they may also stand beside the name.
        registry: all parts of the kind, by name.
    """

    name: ClassVar[str] = ""
    example: ClassVar[object] = None
    outer: ClassVar[frozenset[str]] = frozenset()
    registry: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the registry of the kind.

        Raises:
            TypeError: another class has that name.
        """
        super().__pydantic_init_subclass__(**kwargs)
        if not cls.name:
            return
        old = cls.registry.setdefault(cls.name, cls)
        if (old.__module__, old.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(
                f"{cls.name!r} is already {old.__module__}.{old.__qualname__}; choose another name, or take that one "
                f"out of its registry first: .pop({cls.name!r})"
            )
        cls.registry[cls.name] = cls

    @classmethod
    def own_parameters(cls) -> list[str]:
        """Return the names of the part's own parameters, first the one that takes a plain value."""
        return [field for field in cls.model_fields if field not in cls.outer]

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the class's description, for the reference."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    @classmethod
    def example_item(cls) -> dict[str, Any]:
        """Return the example as an item of a list in an experiment."""
        return {cls.name: {} if cls.example is None else cls.example}

    @classmethod
    def example_text(cls) -> str:
        """Return the example as one line of YAML."""
        if cls.example is None:
            return cls.name
        if not isinstance(cls.example, dict):
            return f"{cls.name}: {cls.example}"
        return f"{cls.name}: {{{', '.join(f'{key}: {value}' for key, value in cls.example.items())}}}"

    @model_serializer(mode="plain")
    def as_yaml(self) -> dict[str, Any]:
        """Return the part as YAML has it: all its own parameters, the shared ones only where they were given."""
        kept = [f for f in type(self).model_fields if f not in self.outer or f in self.model_fields_set]
        return {self.name: {field: plain(getattr(self, field)) for field in kept}}


class ScheduledPart(Part):
    """A part that counts in a span of the run only."""

    start: FrameTime = Field(0, description="frame time it counts from")
    end: FrameTime = Field(1.0, description="frame time it counts to")

    def is_on(self, epoch: int, time: float) -> bool:
        """Return whether it counts in a step."""
        return is_active(self.start, self.end, epoch, time)


P = TypeVar("P", bound=Part)


class PartsField(ReadField, Generic[P]):
    """How a field reads a list of parts.

    Args:
        registry: the parts that there are, by name.
        what: what to call one of them in messages.
        base: their common class.
    """

    def __init__(self, registry: Mapping[str, type[P]], what: str, base: type[P]) -> None:
        self.registry, self.what, self.base = registry, what, base

    def refuse(self, cls: type[P]) -> str | None:
        """Return why a part may not stand here; None when it may."""
        del cls
        return None

    def parse(self, raw: object) -> list[P]:
        """Read a list; a name with nothing behind it is switched off and left out."""
        if raw is None:
            return []
        if isinstance(raw, (str, Mapping)) and raw:
            raw = [raw]
        if not isinstance(raw, (list, tuple)):
            raise ValueError(f"a list of {self.what}s is needed, one '- name: ...' a line")  # noqa: TRY004 - pydantic
        return self._parts({(place,): item for place, item in enumerate(raw)})

    def _parts(self, items: Mapping[KeyPath, object]) -> list[P]:
        """Read items, each with its path in messages."""
        named = {
            path if one[0] is None else (*path, one[0]): one
            for path, item in items.items()
            for one in self._named(item)
        }
        parts = read_items(named, lambda one: self._make(*one), self.what)
        return [part for part in parts if part is not None]

    def _named(self, item: object) -> Iterator[tuple[str | None, Any, dict[str, Any]]]:
        """Split an item into names, what is behind each, and the shared parameters that stand beside them."""
        if isinstance(item, self.base):
            yield item.name, item, {}
        elif isinstance(item, str):
            yield item, {}, {}
        elif isinstance(item, Mapping) and item.keys() - self.base.model_fields.keys():
            shared = {key: value for key, value in item.items() if key in self.base.model_fields}
            for name, given in item.items():
                if name not in shared and not is_note(name):
                    yield str(name), given, shared
        else:
            yield None, item, {}

    def _make(self, name: str | None, given: Any, shared: dict[str, Any]) -> P | None:
        if name is None:
            raise mistake((), given, f"a {self.what} is needed, written as 'name: ...'")
        cls = self.registry.get(name) or self.registry.get(name.strip().lower())
        if cls is None:
            raise mistake((), name, UnknownNameError(f"unknown {self.what} {shown(name)}", name, self.registry))
        if reason := self.refuse(cls):
            raise mistake((), name, reason)
        if given is None or isinstance(given, self.base):
            return given
        if not isinstance(given, Mapping):
            if not cls.own_parameters():
                raise mistake((), given, f"{shown(name)} has no parameter that could take a value")
            given = {cls.own_parameters()[0]: given}
        return cls.model_validate({**shared, **given})

    def write(self, value: Any) -> Any:
        return [part.as_yaml() for part in value]

    def json_schema(self) -> JsonSchemaValue:
        properties: JsonSchemaValue = {}
        allowed = {name: cls for name, cls in sorted(self.registry.items()) if self.refuse(cls) is None}
        for name, cls in allowed.items():
            own = cls.model_json_schema()
            first = own["properties"][cls.own_parameters()[0]] if cls.own_parameters() else {}
            value = {key: first[key] for key in ("anyOf", "type", "enum") if key in first}
            properties[name] = {"description": cls.summary(), "anyOf": [own, value, {"type": "null"}]}
        shared = self.base.model_json_schema().get("properties", {})
        items = {"type": "object", "properties": {**properties, **shared}, "additionalProperties": False}
        return {"type": "array", "items": {"anyOf": [items, {"enum": list(allowed)}]}}

"""Registries of named, configurable parts: one class in one place gives spelling, checking and reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from clipnb.optimise.language.mistakes import KeyPath, UnknownNameError, collected, mistake
from clipnb.optimise.language.numbers import plain


class Strict(BaseModel):
    """A frozen record that refuses keys it does not know and names the nearest one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_nearest_key(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            known = [field.alias or name for name, field in cls.model_fields.items()]
            raise ValidationError.from_exception_data(error.title, collected([((), error)], known)) from None


class Part(Strict):
    """A part of an experiment with a name in YAML and declared, checked parameters.

    Write it as `name`, `name: value` (for the first parameter) or `name: {parameter: value}`.

    Attributes:
        name: in YAML.
        example: a value, as in YAML, that shows on a photograph of 96 x 96 pixels what it does; None: its defaults do.
        outer: parameters that every part of the kind has; in YAML they may also stand beside the name.
    """

    name: ClassVar[str] = ""
    example: ClassVar[object] = None
    outer: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def own_parameters(cls) -> list[str]:
        """Names of the part's own parameters, the one that takes a plain value first."""
        return [field for field in cls.model_fields if field not in cls.outer]

    @classmethod
    def summary(cls) -> str:
        """First line of the class's description, for the reference."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    @model_serializer(mode="plain")
    def as_yaml(self) -> dict[str, Any]:
        """Write the part as YAML has it: all its own parameters, the shared ones only where they were given."""
        kept = [f for f in type(self).model_fields if f not in self.outer or f in self.model_fields_set]
        return {self.name: {field: plain(getattr(self, field)) for field in kept}}


P = TypeVar("P", bound=Part)


def register(registry: dict[str, type[P]], cls: type[P]) -> None:
    """Add a class to a registry under its name; a notebook cell run twice replaces its own class.

    Raises:
        TypeError: another class has that name.
    """
    if not cls.name:
        return
    old = registry.get(cls.name, cls)
    if (old.__module__, old.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"{cls.name!r} is already {old.__module__}.{old.__qualname__}")
    registry[cls.name] = cls


class PartsField(Generic[P]):
    """How a field reads a list of parts from one registry."""

    def __init__(self, registry: Mapping[str, type[P]], what: str, base: type[P]) -> None:
        """Take the registry, what to call one of its parts in messages, and their common class."""
        self.registry, self.what, self.base = registry, what, base

    def refuse(self, cls: type[P]) -> str | None:
        """Tell why a part may not stand here; None when it may."""
        del cls
        return None

    def parse(self, raw: object) -> list[P]:
        """Read a list; a name with nothing behind it is switched off and left out.

        Raises:
            ValueError: it is no list.
            ValidationError: for each item that is wrong, with its place.
        """
        if raw is None:
            return []
        if not isinstance(raw, (list, tuple)):
            raise ValueError(f"a list of {self.what}s is needed, one '- name: ...' a line")  # noqa: TRY004 - pydantic
        parts: list[P] = []
        wrong: list[tuple[KeyPath, ValidationError]] = []
        for place, item in enumerate(raw):
            for name, arguments in self._named(item):
                try:
                    parts.extend(self._make(name, arguments))
                except ValidationError as error:
                    wrong.append(((place,) if name is None else (place, str(name)), error))
        if wrong:
            raise ValidationError.from_exception_data(self.what, collected(wrong))
        return parts

    def _named(self, item: object) -> Iterator[tuple[object, object]]:
        """Split an item into names and what is behind each; shared parameters beside a name go into it."""
        if isinstance(item, str):
            yield item, {}
        elif isinstance(item, Mapping) and item.keys() - self.base.model_fields.keys():
            shared = {key: value for key, value in item.items() if key in self.base.model_fields}
            for name in (key for key in item if key not in shared):
                yield name, self._with_shared(name, item[name], shared)
        else:
            yield None, item

    def _with_shared(self, name: object, arguments: object, shared: dict[str, object]) -> object:
        if arguments is None or not shared:
            return arguments
        if isinstance(arguments, Mapping):
            return {**shared, **arguments}
        cls = self.registry.get(str(name))
        return {**shared, cls.own_parameters()[0]: arguments} if cls else arguments

    def _make(self, name: object, arguments: object) -> Iterator[P]:
        if name is None:
            if not isinstance(arguments, self.base):
                raise mistake((), arguments, f"a {self.what} is needed, written as 'name: ...'")
            name, part = arguments.name, arguments
        else:
            part = None
        cls = self.registry.get(str(name))
        if cls is None:
            raise mistake((), name, UnknownNameError(f"unknown {self.what} {str(name)!r}", str(name), self.registry))
        if reason := self.refuse(cls):
            raise mistake((), name, reason)
        if part is not None:
            yield part
        elif arguments is not None:
            maps = isinstance(arguments, Mapping)
            yield cls.model_validate(arguments if maps else {cls.own_parameters()[0]: arguments})

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read by `parse`, written as each part's YAML."""
        del source, handler
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda ps: [p.as_yaml() for p in ps]),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A list of names or of maps from a name to a value or to its parameters."""
        del schema, handler
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

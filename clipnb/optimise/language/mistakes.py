"""Mistakes in an experiment: collected with their places, bounded in number, and put into words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from reprlib import Repr
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from clipnb.errors import ConfigError, counted, nearest, shortened
from clipnb.optimise.language.layout import HOMES, KeyPath, Place, indentation, levels_of, missing_sign

MAX_MISTAKES = 20  # that are named; the rest is counted
_ITEM = TypeVar("_ITEM")
_VALUE = TypeVar("_VALUE")
_DECIMALS = re.compile(r"\d+( [\d. ]*)?")  # what stands behind a decimal comma in a map on one line
_OWN_WORDS = ("value_error", "part", "unknown_name")  # errors whose text is ours
# Words instead of pydantic's for what should stand somewhere.
_WANTED = {
    "tuple_type": "a list, one '- ...' a line,",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
_MAPS = {
    "TargetConfig": "a map such as 'features: [a cat]'",
    "FeatureConfig": "a text (in quotes, if it looks like a number, yes or no) or a map such as 'text: a cat'",
    "FramesConfig": "a map such as 'count: 300'",
    "SceneConfig": "a map such as '{text: a cat, frames: 48}'",
    "CameraConfig": "a map such as 'zoom: 1.02'",
    "InitConfig": "a map such as 'image: cat.jpg'",
    "JudgeConfig": "a name such as lite2, or a map such as 'models: [lite2]'",
}
# Other tools' names of keys.
_OTHER_KEYS = {
    **dict.fromkeys(("lr", "learning_rate", "rate"), "learnrate"),
    **dict.fromkeys(("size", "width", "height", "dimensions"), "resolution"),
    **dict.fromkeys(("iterations", "num_iterations", "n_steps", "num_steps"), "epochs"),
    **dict.fromkeys(("prompt", "prompts"), "targets"),
    "init_image": "init",
}


class _ShortRepr(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 60, 60

    def repr_int(self, x: int, level: int) -> str:
        del level
        return shortened(repr(x)) if x.bit_length() <= 1000 else "a number of more than 300 digits"


class UnknownNameError(PydanticCustomError):
    """A name that is not known. The nearest one is looked for only where the message is read: it takes a while.

    Attributes:
        is_placed: whether it may be right elsewhere in an experiment.
    """

    is_placed: ClassVar[bool] = True

    def __new__(cls, message: str, given: str, known: Iterable[str]) -> UnknownNameError:
        home = HOMES[given][0].words if cls.is_placed and given in HOMES else ""
        context = {"text": message, "given": given, "known": sorted(known), "home": home}
        return super().__new__(cls, "unknown_name", "{text}", context)

    def __str__(self) -> str:
        return _with_nearest(self.context or {})


@dataclass(frozen=True)
class Places:
    """Where values come from.

    Attributes:
        lines: where each path of keys stands.
        hints: what a person may not have meant, in words.
    """

    lines: Mapping[KeyPath, Place] = field(default_factory=dict, compare=False)
    hints: tuple[str, ...] = field(default=(), compare=False)

    def of(self, path: KeyPath) -> str:
        """Name file and line of a path, or of the nearest one above it; "" where nothing is known."""
        found = self._written(path)
        while found and found not in self.lines:
            found = found[:-1]
        place = self.lines.get(found)
        return f"{place.name}, line {place.line}: " if place is not None and place.name else ""

    def _written(self, path: KeyPath) -> KeyPath:
        """Return a path as it is written: where one thing stands instead of a list, it has no number."""
        written: KeyPath = ()
        for key in path:
            if key != 0 or (*written, key) in self.lines:
                written = (*written, key)
        return written

    @cached_property
    def _levels(self) -> dict[str, list[Place]]:
        return levels_of(self.lines)

    def mend_of(self, path: KeyPath) -> str:
        """Return how to mend the indentation of a key that is not known where it stands; "" where that is not it."""
        place = self.lines.get(self._written(path))
        return "" if place is None else indentation(str(path[-1]), place, self._levels)


def key_path(path: KeyPath) -> str:
    """Write a path of keys as people do; very long ones are cut.

    >>> key_path(("targets", 1, "transforms", 0, "noise"))
    'targets[1].transforms[0].noise'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{shortened(key, 100)}"
    return text.removeprefix(".")


def shown(value: object) -> str:
    """Quote a value in a message: short, and never failing, whatever it is."""
    return repr(shortened(value)) if isinstance(value, str) else _ShortRepr().repr(value)


def mistake(place: KeyPath, given: object, problem: str | PydanticCustomError) -> ValidationError:
    """Return an error of one mistake."""
    kind = PydanticCustomError("part", "{text}", {"text": problem}) if isinstance(problem, str) else problem
    return ValidationError.from_exception_data("part", [InitErrorDetails(type=kind, loc=place, input=given)])


def collected(
    errors: Iterable[tuple[KeyPath, ValidationError]], known: Sequence[str] = (), unseen: int = 0
) -> list[InitErrorDetails]:
    """Gather mistakes with their places; of those beyond `MAX_MISTAKES` only the number goes on.

    Args:
        errors: what was found, each with the place of the part that it was found in.
        known: the keys that are allowed in that part.
        unseen: how many items of lists were not looked at, see `read_items`.
    """
    details: list[InitErrorDetails] = []
    more = 0
    for place, error in errors:
        for wrong in error.errors(include_url=False):
            if wrong["type"] == "more_mistakes":
                more += wrong["ctx"]["count"]
                unseen += wrong["ctx"]["unseen"]
            elif len(details) < MAX_MISTAKES:
                details.append(_details(wrong, place, known))
            else:
                more += 1
    if more or unseen:
        told = f"and {counted(more, 'more mistake')}"
        told += f", {counted(unseen, 'item')} not looked at yet" if unseen else ""
        kind = PydanticCustomError("more_mistakes", "{text}", {"text": told, "count": more, "unseen": unseen})
        details.append(InitErrorDetails(type=kind, loc=(), input=None))
    return details


def read_items(items: Mapping[KeyPath, _ITEM], read: Callable[[_ITEM], _VALUE], what: str) -> list[_VALUE]:
    """Read the items of a list, each with its path; behind more than `MAX_MISTAKES` mistakes none is looked at.

    Raises:
        ValidationError: some are mistaken.
    """
    values: list[_VALUE] = []
    wrong: list[tuple[KeyPath, ValidationError]] = []
    found = seen = 0
    for path, item in items.items():
        seen += 1
        try:
            values.append(read(item))
        except ValidationError as error:
            wrong.append((path, error))
            found += error.error_count()
            if found > MAX_MISTAKES:
                break
    if wrong:
        raise ValidationError.from_exception_data(what, collected(wrong, unseen=len(items) - seen))
    return values


class OneByOne:
    """Has a field `tuple[..., ...]` read as `read_items` does: thousands of mistakes are found as soon as a few."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        one = TypeAdapter(get_args(source)[0])

        def read(raw: object, whole: Callable[[object], Any]) -> Any:
            if not isinstance(raw, (list, tuple)):
                return whole(raw)
            return tuple(read_items({(n,): item for n, item in enumerate(raw)}, one.validate_python, "list"))

        return core_schema.no_info_wrap_validator_function(read, handler(source))


def _details(wrong: Any, place: KeyPath, known: Sequence[str]) -> InitErrorDetails:
    kind, context, where = wrong["type"], wrong.get("ctx", {}), wrong["loc"]
    if kind == "extra_forbidden" and len(where) == 1 and known:
        kind = UnknownNameError(f"unknown key {shown(str(where[0]))}", str(where[0]), known)
    elif kind in _OWN_WORDS:  # keeps the words, which are not found by the type alone
        kind = PydanticCustomError(kind, "{text}", {**context, "text": wrong["msg"]})
    return InitErrorDetails(type=kind, loc=(*place, *where), input=wrong["input"], ctx=context)


def explain(error: ValidationError, places: Places) -> ConfigError:
    """Return the mistakes that pydantic found as one message: a line for each of the first, then how many more."""
    messages: list[str] = []
    for wrong in ValidationError.from_exception_data("", collected([((), error)])).errors(include_url=False):
        path = wrong["loc"]
        mend = places.mend_of(path) if wrong["type"] == "unknown_name" and wrong["ctx"].get("home") else ""
        text = f"{places.of(path)}{key_path(path) or 'the experiment'}: {mend or _words(wrong)}"
        if wrong["type"] == "more_mistakes":
            text = wrong["msg"]
        if text not in messages:
            messages.append(text)
    return ConfigError("\n".join(messages))


def _words(wrong: Any) -> str:
    kind, given, context = wrong["type"], wrong["input"], wrong.get("ctx", {})
    if kind == "missing":
        return "a value is needed here"
    if kind == "unknown_name":
        return _with_nearest(context)
    if kind in _OWN_WORDS:
        return str(wrong["msg"]).removeprefix("Value error, ")
    if kind in _WANTED or kind == "model_type":
        wanted = _WANTED.get(kind) or _MAPS.get(context["class_name"], "a map such as 'key: value'")
        return f"{wanted} is needed, given: {'nothing' if given is None else shown(given)}"
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        near = nearest(shown(given).strip("'"), allowed, 1)
        return f"{shown(given)} is not allowed; one of: {', '.join(allowed)}; nearest: {near}"
    message = str(wrong["msg"])
    return f"{message[:1].lower()}{message[1:]}, given: {shown(given)}"


def _with_nearest(context: Mapping[str, Any]) -> str:
    if context.get("home"):
        return f"{context['text']} here; it belongs {context['home']}: indent it as what stands there"
    if _DECIMALS.fullmatch(context["given"]):
        return f"{context['text']}; a decimal number has a point, not a comma"
    if sign := missing_sign(context["given"], context["known"]):
        return f"{context['text']}; {sign}"
    if (other := _OTHER_KEYS.get(context["given"].lower())) in context["known"]:
        return f"{context['text']}; it is called {other} here"
    if " " in context["given"].strip() and context["text"].startswith("unknown key"):
        return f"{context['text']}; a text with a colon goes into quotes: '{shortened(context['given'])}: ...'"
    return f"{context['text']}; nearest: {nearest(context['given'], context['known'])}"

"""YAML text -> plain values that remember their lines; merging of several; mistakes in words."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from clipnb.errors import ConfigError, first_line, nearest, reason, shortened

KeyPath = tuple[str | int, ...]
Read = tuple[Mapping[str, Any], "Places"]
"""A map and where its values come from."""

MAX_CHARACTERS = 64_000_000  # of a YAML text; room for an image_tensor
_MAX_NODES = 1_000_000  # values in it, aliases followed
# Lists that are one value, not a list of things: a later one replaces the earlier.
_REPLACED = {("resolution",), ("init", "mean"), ("init", "std"), ("init", "resolution"), ("init", "image_tensor")}


# Words instead of pydantic's for what should stand somewhere.
_WANTED = {
    "model_type": "a map such as 'key: value'",
    "tuple_type": "a list, one '- ...' a line,",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
# Scalars that stay as they are written: `text: 1984` and `text: no` are texts.
_TEXTS = {"text", "image", "name", "output"}


@dataclass(frozen=True)
class Places:
    """Where values come from.

    Attributes:
        lines: file and line (from 1) of each path of keys; the file is "" where it is known to be none.
    """

    lines: Mapping[KeyPath, tuple[str, int]] = field(default_factory=dict)

    def of(self, path: KeyPath) -> str:
        """Name file and line of a path, or of the nearest one above it; "" where nothing is known."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                name, line = self.lines[path[:length]]
                return f"{name}, line {line}: " if name else ""
        return ""


def without_file(changes: Mapping[str, Any]) -> Read:
    """Say of a map that it comes from no file, so that nothing in it is told to stand in one."""
    return changes, Places({(key,): ("", 0) for key in changes})


def read_file(path: str | Path) -> Read:
    """Read a YAML file; "-" is standard input.

    Raises:
        ConfigError: it cannot be read, or is no YAML map.
    """
    if str(path) == "-":
        if sys.stdin is None:
            raise ConfigError("standard input is closed; name a file, or give YAML on standard input")
        return read_yaml(sys.stdin.read(), "standard input")
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no experiment {path}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"cannot read the experiment {path}: {reason(error)}") from error
    return read_yaml(text, str(path))


def read_yaml(text: str, name: str) -> Read:
    """Read YAML text.

    Args:
        text: YAML with a map at the top.
        name: what to call it in messages.

    Raises:
        ConfigError: it is no YAML, or no map.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"{name} has {len(text)} characters; an experiment has at most {MAX_CHARACTERS}")
    try:
        reader = _Reader(text, name)
        value = reader.read()
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        raise ConfigError(f"{name} is no YAML{_yaml_problem(error)}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: an experiment is a map such as 'targets: ...', not {str(value)[:40]!r}")
    return value, Places(reader.lines)


def merged(parts: Sequence[Read]) -> Read:
    """Merge maps in order: later scalars win, maps merge, lists append; targets may merge by name.

    A later target that says `merge: true` goes into the earlier target of the same name.

    Raises:
        ConfigError: there is no earlier target of that name.
    """
    result: dict[str, Any] = {}
    lines: dict[KeyPath, tuple[str, int]] = {}
    for values, places in parts:
        moved: dict[KeyPath, KeyPath] = {}
        result = _merge(result, values, (), (), moved, places)
        for path, place in places.lines.items():
            lines[_moved(path, moved)] = place
    return result, Places(lines)


def explain(error: ValidationError, places: Places) -> ConfigError:
    """Turn the mistakes that pydantic found into one message, a line for each."""
    messages = []
    for wrong in error.errors(include_url=False):
        path = tuple(key for key in wrong["loc"])
        text = f"{places.of(path)}{key_path(path) or 'the experiment'}: {_words(wrong)}"
        if text not in messages:
            messages.append(text)
    return ConfigError("\n".join(messages))


def key_path(path: KeyPath) -> str:
    """Write a path of keys as people do.

    >>> key_path(("targets", 1, "transforms", 0, "noise"))
    'targets[1].transforms[0].noise'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")


class _Reader:
    """Builds plain values out of YAML nodes and notes where each came from."""

    def __init__(self, text: str, name: str) -> None:
        self._loader, self._name, self._visited = yaml.SafeLoader(text), name, 0
        self.lines: dict[KeyPath, tuple[str, int]] = {}

    def read(self) -> Any:
        try:
            root = self._loader.get_single_node()
            return {} if root is None else self._value(root, ())
        finally:
            self._loader.dispose()

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._visited += 1
        if self._visited > _MAX_NODES:  # aliases of aliases grow without end
            raise ValueError(": it holds too many values")
        self.lines.setdefault(path, (self._name, node.start_mark.line + 1))
        if isinstance(node, yaml.ScalarNode):
            is_text = path[-1:] and path[-1] in _TEXTS and not node.tag.endswith(":null")
            if is_text or node.tag.endswith(":timestamp"):
                return node.value
            return self._loader.construct_object(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, place)) for place, item in enumerate(node.value)]
        return self._map(node, path)

    def _map(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag.endswith(":merge"):
                merged = {**self._merged(value_node, path), **merged}
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag.endswith(":merge"):
                continue
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in result:
                raise ValueError(f", line {line}: the key {key!r} stands twice in one map")
            here = (*path, key)
            self.lines[here] = (self._name, line)
            result[key] = self._value(value_node, here)
        return {**merged, **result}

    def _merged(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        """Read what stands behind `<<`: a map, or several of which the first wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for part in nodes:
            if not isinstance(part, yaml.MappingNode):
                raise ValueError(  # noqa: TRY004 - told as no YAML
                    f", line {part.start_mark.line + 1}: '<<' takes a map, such as '<<: *name'"
                )
            result = {**self._value(part, path), **result}
        return result


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if isinstance(error, RecursionError):
        return ": it is nested too deeply"
    if mark is not None:
        return f", line {mark.line + 1}: {problem}"
    return problem if problem.startswith((",", ":")) else f": {first_line(error)}"


def _merge(
    old: Any, new: Any, old_path: KeyPath, new_path: KeyPath, moved: dict[KeyPath, KeyPath], places: Places
) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        result = dict(old)
        for key, value in new.items():
            paths = (*old_path, key), (*new_path, key)
            result[key] = _merge(old[key], value, *paths, moved, places) if key in old else value
        return result
    if isinstance(old, list) and isinstance(new, list) and new_path not in _REPLACED:
        return _append(old, new, old_path, new_path, moved, places)
    return new


def _append(
    old: list[Any], new: list[Any], old_path: KeyPath, new_path: KeyPath, moved: dict[KeyPath, KeyPath], places: Places
) -> list[Any]:
    result = list(old)
    for place, item in enumerate(new):
        at = len(result)
        if old_path == ("targets",) and isinstance(item, Mapping) and item.get("merge") is True:
            at = _earlier(result, item, places.of((*new_path, place)))
            item = {key: value for key, value in item.items() if key != "merge"}
        here = (*new_path, place)
        moved[here] = (*old_path, at)
        if at < len(result):
            result[at] = _merge(result[at], item, (*old_path, at), here, moved, places)
        else:
            result.append(item)
    return result


def _earlier(targets: list[Any], item: Mapping[str, Any], where: str) -> int:
    names = [target.get("name", "target") if isinstance(target, Mapping) else "" for target in targets]
    name = item.get("name", "target")
    if name not in names:
        near = nearest(str(name), [n for n in names if n]) or "none"
        raise ConfigError(f"{where}targets: no earlier target is called {name!r} to merge into; there is: {near}")
    return names.index(name)


def _moved(path: KeyPath, moved: Mapping[KeyPath, KeyPath]) -> KeyPath:
    for length in range(len(path), 0, -1):
        if path[:length] in moved:
            return (*moved[path[:length]], *path[length:])
    return path


def _words(wrong: Any) -> str:
    kind, given, context = wrong["type"], wrong["input"], wrong.get("ctx", {})
    if kind == "missing":
        return "a value is needed here"
    if kind in _WANTED:
        return f"{_WANTED[kind]} is needed, given: {'nothing' if given is None else shortened(repr(given))}"
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return f"{given!r} is not allowed; one of: {', '.join(allowed)}; nearest: {nearest(str(given), allowed, 1)}"
    message = str(wrong["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:] if kind not in ("part", "unknown_key", "value_error") else message
    if kind in ("part", "unknown_key", "value_error"):
        return message
    return f"{message}, given: {shortened(repr(given))}"

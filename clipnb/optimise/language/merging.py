"""Several experiments become one, of which every value remembers the file and line that it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipnb.errors import ConfigError, nearest
from clipnb.optimise.language.layout import KeyPath, Place
from clipnb.optimise.language.mistakes import Places, shown

Read = tuple[Mapping[str, Any], Places]
"""A map and where its values come from."""

# Lists that are one value, not a list of things: a later one replaces the earlier.
_REPLACED = {("resolution",), ("init", "mean"), ("init", "std"), ("init", "resolution"), ("init", "image_tensor")}


def without_file(changes: Mapping[str, Any]) -> Read:
    """Mark a map as coming from no file, so that nothing in it is said to stand in one."""
    return changes, Places({(key,): Place("", 0) for key in changes})


def merged(parts: Sequence[Read]) -> Read:
    """Merge maps in order: later scalars win, maps merge, lists append; targets may merge by name.

    A later target that says `merge: true` goes into the earlier target of the same name.

    Raises:
        ConfigError: there is no earlier target of that name.
    """
    if len(parts) == 1:
        return parts[0]
    result: dict[str, Any] = {}
    lines: dict[KeyPath, Place] = {}
    for values, places in parts:
        merging = _Merging(places)
        result = merging.merge(result, values, (), ())
        lines.update((merging.moved(path), place) for path, place in places.lines.items())
    return result, Places(lines, tuple(hint for _, places in parts for hint in places.hints))


class _Merging:
    """The merging of one later map into what there is; lists that append move what is in them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._moved: dict[KeyPath, KeyPath] = {}

    def merge(self, old: Any, new: Any, old_path: KeyPath, new_path: KeyPath) -> Any:
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            both = {
                key: self.merge(old[key], new[key], (*old_path, key), (*new_path, key)) for key in old if key in new
            }
            return {**old, **new, **both}
        if isinstance(old, list) and isinstance(new, list) and new_path not in _REPLACED:
            return self._append(old, new, old_path, new_path)
        return new

    def moved(self, path: KeyPath) -> KeyPath:
        """Return where a path of the later map is in the result."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._moved:
                return (*self._moved[path[:length]], *path[length:])
        return path

    def _append(self, old: list[Any], new: list[Any], old_path: KeyPath, new_path: KeyPath) -> list[Any]:
        result = list(old)
        targets: dict[str, int] = {}
        for place, item in enumerate(old if old_path == ("targets",) else ()):
            targets.setdefault(_name_of(item), place)
        for place, item in enumerate(new):
            at, here = len(result), (*new_path, place)
            if old_path == ("targets",) and isinstance(item, Mapping):
                if item.get("merge") is True:
                    at = self._earlier(_name_of(item), targets, here)
                    item = {key: value for key, value in item.items() if key != "merge"}
                targets.setdefault(_name_of(item), at)
            self._moved[here] = (*old_path, at)
            if at < len(result):
                result[at] = self.merge(result[at], item, (*old_path, at), here)
            else:
                result.append(item)
        return result

    def _earlier(self, name: str, targets: Mapping[str, int], here: KeyPath) -> int:
        if name not in targets:
            near = nearest(name, filter(None, targets)) or "none"
            raise ConfigError(
                f"{self._places.of(here)}targets: no earlier target is called {shown(name)} to merge into; "
                f"there is: {near}"
            )
        return targets[name]


def _name_of(target: object) -> str:
    return str(target.get("name", "target")) if isinstance(target, Mapping) else ""

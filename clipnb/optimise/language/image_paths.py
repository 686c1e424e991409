"""Where pictures are that an experiment names: beside its YAML file, then in the working folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from clipnb.errors import ConfigError
from clipnb.images import is_named_like_an_image, is_url
from clipnb.optimise.language.layout import KeyPath
from clipnb.optimise.language.merging import Read
from clipnb.optimise.language.mistakes import key_path, shown

_OF_PICTURES = ("like", "style")  # constraints whose plain value is a picture


def find_images(read: Read, folder: Path) -> Read:
    """Return an experiment whose pictures are named so that they are found from the working folder.

    Raises:
        ConfigError: a picture is in neither folder; the message has file, line, key and the folders.
    """
    values, places = read

    def found(name: str, path: KeyPath) -> str:
        if not _is_relative(name):
            return name
        beside = folder / name
        if _exists(beside) or _exists(Path(name)):
            return str(beside) if _exists(beside) else name
        searched = dict.fromkeys((str(folder.absolute()), str(Path.cwd())))
        raise ConfigError(
            f"{places.of(path)}{key_path(path)}: there is no picture {shown(name)}; searched in: {', '.join(searched)}"
        )

    return _changed(values, found), places


def with_absolute_images(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return an experiment as it is understood from any folder."""
    return _changed(plain, lambda name, _: str(Path(name).absolute()) if _is_relative(name) else name)


def is_picture(name: str) -> bool:
    """Whether a text that may be something else names a picture: an URL, or a path with a picture's suffix."""
    return is_url(name) or name.lower().startswith(("data:", "file:")) or is_named_like_an_image(Path(name).name)


def without_scheme(name: str) -> str:
    """Return the path that a `file://` URL means; other names stay."""
    return url2pathname(urlsplit(name).path) if name.lower().startswith("file://") else name


def _changed(values: Mapping[str, Any], change: Callable[[str, KeyPath], str]) -> dict[str, Any]:
    result: dict[str, Any] = _with(values, "keep", change, ())
    targets = values.get("targets")
    if isinstance(targets, list):
        result["targets"] = [_changed_target(target, change, ("targets", n)) for n, target in enumerate(targets)]
    elif isinstance(targets, Mapping):
        result["targets"] = _changed_target(targets, change, ("targets",))
    if isinstance(values.get("init"), Mapping):
        result["init"] = _with(values["init"], "image", change, ("init",))
    if isinstance(values.get("pixels"), Mapping):
        parts = values["pixels"].items()
        result["pixels"] = {name: _with(part, "image", change, ("pixels", name)) for name, part in parts}
    return result


def _changed_target(target: Any, change: Callable[[str, KeyPath], str], path: KeyPath) -> Any:
    if not isinstance(target, Mapping):
        return target
    result = _with(target, "region", change, path)
    if isinstance(target.get("features"), list):
        result["features"] = [
            _with(feature, "image", change, (*path, "features", place))
            for place, feature in enumerate(target["features"])
        ]
    if isinstance(target.get("constraints"), list):
        result["constraints"] = [
            _changed_constraint(one, change, (*path, "constraints", place))
            for place, one in enumerate(target["constraints"])
        ]
    return result


def _changed_constraint(constraint: Any, change: Callable[[str, KeyPath], str], path: KeyPath) -> Any:
    if not isinstance(constraint, Mapping):
        return constraint
    result = dict(constraint)
    for name, given in constraint.items():
        if name in _OF_PICTURES and isinstance(given, str):
            result[name] = change(given, (*path, name))
        else:
            result[name] = _with(given, "image", change, (*path, name))
    return result


def _with(part: Any, key: str, change: Callable[[str, KeyPath], str], path: KeyPath) -> Any:
    """Return a map with the picture behind a key renamed; of areas, only what has the name of one."""
    name = part.get(key) if isinstance(part, Mapping) else None
    if not isinstance(name, str) or (key != "image" and not is_picture(name)):
        return dict(part) if isinstance(part, Mapping) else part
    return {**part, key: change(name, (*path, key))}


def _is_relative(name: str) -> bool:
    return not (is_url(name) or name.lower().startswith(("data:", "file:", "~")) or Path(name).is_absolute())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False

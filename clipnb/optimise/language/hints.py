"""What is allowed in an experiment, but may not be what the person meant: told, not refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clipnb.optimise.language.image_paths import is_picture
from clipnb.optimise.language.layout import KeyPath
from clipnb.optimise.language.mistakes import Places, key_path, shown


def hints(config: Mapping[str, Any], places: Places) -> Iterator[str]:
    """Yield in words, with file, line and path of keys, what a person may not have meant.

    Args:
        config: a whole experiment that was checked, as plain dicts, lists and scalars.
        places: where its values stand.
    """

    def at(path: KeyPath) -> str:
        return f"{places.of(path)}{key_path(path)}: "

    for key in ("learnrate", "learnrate_scale"):
        if why := _rate_problem(config, config[key]):
            yield f"{at((key,))}{why}"
    if config["models"] and config["model"] != "auto":
        yield f"{at(('model',))}it is not used, since `models` names the encoders"
    for path, text in _named_like_pictures(config):
        yield f"{at(path)}{shown(text)} is a text; for what a picture shows write image: {shown(text)}"
    maps = list(_maps_in(config, ()))
    for path, one in maps:
        if one.keys() >= {"start", "end"} and type(one["start"]) is type(one["end"]) and one["start"] > one["end"]:
            yield f"{at(path)}it starts after its end, so it never counts"
    for path, one in maps if config["epochs"] > 2 else ():
        if type(one.get("end")) is int and one["end"] == 1:
            yield f"{at((*path, 'end'))}1 is the second step; for the whole run write 1.0 or 100%"


def _rate_problem(config: Mapping[str, Any], rate: Any) -> str:
    if not isinstance(rate, float | int) or rate > 0:
        return ""
    if rate < 0:
        return "below 0 the picture moves away from what is wanted; a text's weight may be negative"
    return "" if config["frames"] or config["postproc"] else "0 moves nothing: the picture stays what it is at first"


def _named_like_pictures(config: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the texts of features that look like paths of pictures, with the features' paths of keys."""
    for number, target in enumerate(config["targets"]):
        for place, feature in enumerate(target["features"]):
            text = feature["text"] or ""
            if is_picture(text) and " " not in text:
                yield ("targets", number, "features", place), text


def paths_of(value: Any, wanted: str, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the paths of keys behind which a text stands; of one in a list of numbers, that of the list."""
    if value == wanted:
        yield path[:-1] if path and isinstance(path[-1], int) else path
    for key, one in _items(value):
        yield from paths_of(one, wanted, (*path, key))


def _maps_in(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Yield a value and all that is in it, as far as they are maps, each with its path of keys."""
    if isinstance(value, Mapping):
        yield path, value
    for key, one in _items(value):
        if isinstance(one, (Mapping, list)):
            yield from _maps_in(one, (*path, key))


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()

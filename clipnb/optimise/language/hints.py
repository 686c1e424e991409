"""What is allowed in an experiment, but may not be what the person meant: told, not refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    for path in _falling_spans(config, ()):
        yield f"{at(path)}it starts after its end, so it never counts"
    for path in paths_of(config, 1, ()) if config["epochs"] > 2 else ():
        if path[-1] == "end":
            yield f"{at(path)}1 is the second step; for the whole run write 1.0 or 100%"


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


def paths_of(value: Any, wanted: str | int, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the paths of keys behind which a value stands; of one in a list of numbers, that of the list."""
    if type(value) is type(wanted) and value == wanted:
        yield path[:-1] if path and isinstance(path[-1], int) else path
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from paths_of(one, wanted, (*path, key))


def _falling_spans(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the paths of what starts after its end, where both are steps or both shares."""
    if isinstance(value, Mapping) and value.keys() >= {"start", "end"}:
        start, end = value["start"], value["end"]
        if type(start) is type(end) and start > end:
            yield path
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from _falling_spans(one, (*path, key))

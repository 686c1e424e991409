"""What every generator of pictures is to its reader: a name, a function, and an example."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clipnb.prompts.containers.texts import JsonObject, Texts
from clipnb.prompts.records import Prompt


@dataclass(frozen=True)
class Generator:
    """A program that writes its prompts into pictures.

    Attributes:
        name: what `Embedded.generator` says.
        read: of the texts of a picture returns the prompt, or None where another program wrote them.
        example: texts as it writes them, and the prompt that they hold; tests check it.
        last_resort: asked only when no other generator knows the texts.
    """

    name: str
    read: Callable[[Texts], Prompt | None]
    example: tuple[Mapping[str, str], Prompt]
    last_resort: bool = False


def plain(value: object) -> str:
    """Return a value of JSON as the text of a setting.

    >>> plain("a cat"), plain(["a", {"b": "c"}]), plain(None)
    ('a cat', '["a", {"b": "c"}]', '')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # which loading may just have passed
        return "..."


def settings_of(data: JsonObject, names: Mapping[str, str], without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the settings of a flat object as texts.

    Args:
        data: the object; `width` and `height` in it become `Size`.
        names: A1111's name for each key that has one; other keys stay.
        without: keys that are left out.

    >>> settings_of({"steps": "20", "width": "64", "height": "32", "eta": None}, {"steps": "Steps"})
    {'Steps': '20', 'Size': '64x32'}
    """
    settings: dict[str, str] = {}
    for key, value in data.items():
        text = plain(value)
        if text and key not in (*without, "width", "height"):
            settings.setdefault(names.get(key, key), text)
    if isinstance(data.get("width"), str) and isinstance(data.get("height"), str):
        settings.setdefault("Size", f"{data['width']}x{data['height']}")
    return settings


def first_text(data: JsonObject, *keys: str) -> str:
    """Return the first of these values that is a text and not blank."""
    return next((value for key in keys if isinstance(value := data.get(key), str) and value.strip()), "")


def joined(*texts: str) -> str:
    r"""Join texts by line breaks, each once, blank ones left out.

    >>> joined("a cat", "", "a cat", "fur")
    'a cat\nfur'
    """
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))

"""Palettes: named ones, lists of colours, and the main colours of a picture."""

from __future__ import annotations

from typing import Annotated

import torch
from PIL import Image
from pydantic import PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from torch import Tensor

from clipnb.optimise.language import variables
from clipnb.optimise.language.mistakes import UnknownNameError, shown
from clipnb.optimise.language.numbers import NumberField, ReadField, split_top

MOST_COLOURS = 256
PALETTES = {
    "blackwhite": "#000000 #ffffff",
    "c64": "#000000 #ffffff #68372b #70a4b2 #6f3d86 #588d43 #352879 #b8c76f #6f4f25 #433900 #9a6759 #444444 #6c6c6c "
    "#9ad284 #6c5eb5 #959595",
    "cga": "#000000 #0000aa #00aa00 #00aaaa #aa0000 #aa00aa #aa5500 #aaaaaa #555555 #5555ff #55ff55 #55ffff #ff5555 "
    "#ff55ff #ffff55 #ffffff",
    "gameboy": "#0f380f #306230 #8bac0f #9bbc0f",
    "pico8": "#000000 #1d2b53 #7e2553 #008751 #ab5236 #5f574f #c2c3c7 #fff1e8 #ff004d #ffa300 #ffec27 #00e436 #29adff "
    "#83769c #ff77a8 #ffccaa",
    "sepia": "#2b1a0e #5c3b1e #8f6337 #c09560 #e3c697 #f8ecd4",
    "spectrum": "#000000 #0000d7 #d70000 #d700d7 #00d700 #00d7d7 #d7d700 #d7d7d7 #0000ff #ff0000 #ff00ff #00ff00 "
    "#00ffff #ffff00 #ffffff",
}
"""Palettes by name, as lists of colours."""

_COLOUR = NumberField(float, (3,), variables.NONE, 0, 1, drawn=False)


class _PaletteField(ReadField):
    """A name of a palette, or a list of colours; kept as that name, or as a tuple of #rrggbb."""

    def parse(self, raw: object) -> str | tuple[str, ...] | None:
        if raw is None:
            return None
        items = list(split_top(raw, "," if "," in raw else " ")) if isinstance(raw, str) else raw
        if not isinstance(items, (list, tuple)):
            raise ValueError(f"a name of a palette or a list of colours is needed, not {shown(raw)}")  # noqa: TRY004
        if len(items) == 1 and isinstance(items[0], str):
            name = items[0].strip().lower()
            if name in PALETTES:
                return name
            if isinstance(raw, str) and not name.startswith("#"):
                raise UnknownNameError(f"unknown palette {shown(items[0])}", name, PALETTES)
        if not 2 <= len(items) <= MOST_COLOURS:
            raise ValueError(f"a palette has 2 to {MOST_COLOURS} colours, not {len(items)}")
        colours = tuple(_hex(item, place) for place, item in enumerate(items))
        if len(set(colours)) == 1:
            raise ValueError(f"all of them are {colours[0]}; a palette has at least 2 colours")
        return colours

    def json_schema(self) -> JsonSchemaValue:
        colours = {"type": "array", "minItems": 2, "maxItems": MOST_COLOURS}
        return {"anyOf": [{"enum": list(PALETTES)}, {"type": "string"}, colours, {"type": "null"}]}


FixedPalette = Annotated[str | tuple[str, ...] | None, _PaletteField(), PlainSerializer(_PaletteField().write)]


def colours_of(fixed: str | tuple[str, ...]) -> Tensor:
    """Return a palette as float [K, 3] in [0, 1]."""
    colours = PALETTES[fixed].split() if isinstance(fixed, str) else fixed
    return torch.tensor([list(bytes.fromhex(colour[1:])) for colour in colours]) / 255


def main_colours(picture: Image.Image, count: int) -> Tensor:
    """Return the main colours of a picture as float [count, 3] in [0, 1]; one several times where it has fewer."""
    picture = picture.convert("RGB")
    picture.thumbnail((256, 256), Image.Resampling.BOX)
    reduced = picture.quantize(count, Image.Quantize.MEDIANCUT, kmeans=4)
    used = 3 * len(reduced.getcolors() or ())
    found = torch.tensor((reduced.getpalette() or [])[:used]).view(-1, 3) / 255
    return torch.cat([found, found[-1:].expand(count - len(found), 3)])


def _hex(raw: object, place: int) -> str:
    try:
        channels = _COLOUR.parse(raw)
    except ValueError as error:
        raise ValueError(f"colour {place + 1}: {error}") from None
    return "#" + bytes(round(255 * channel) for channel in channels).hex()  # type: ignore[union-attr, operator]

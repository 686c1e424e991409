"""Many small pictures with their captions on one sheet, to be looked at side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from clipnb.images import require_raster

_GAP = 4  # pixels
_LINE = 14  # height of a caption in pixels


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[Image.Image]]], *, columns: int = 4, side: int = 128
) -> Image.Image:
    """Return images on one sheet, mode "RGB", with a caption over each, or over each group.

    Args:
        rows: captions, each with one or several images side by side under it; cut where their images end.
        columns: how many captions stand beside one another.
        side: longest side of an image in pixels; larger ones are scaled down.

    Raises:
        ValueError: there are no rows, or `columns` or `side` is below 1.

    >>> red = Image.new("RGB", (30, 20), "red")
    >>> contact_sheet([("red", [red]), ("twice red", [red, red])], columns=2, side=30).size
    (148, 56)
    """
    if not rows or columns < 1 or side < 1:
        raise ValueError("a contact sheet needs pictures, and at least one column and one pixel")
    across = max(len(pictures) for _, pictures in rows)
    width, height = across * (side + _GAP) + _GAP, _LINE + side + 2 * _GAP
    columns = min(columns, len(rows))
    sheet = Image.new("RGB", (columns * width + _GAP, -(-len(rows) // columns) * height + _GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    for place, (caption, pictures) in enumerate(rows):
        left, top = place % columns * width + _GAP, place // columns * height + _GAP
        draw.text((left, top), _cut(caption, width - 2 * _GAP, draw, font), fill="black", font=font)
        for number, picture in enumerate(pictures):
            require_raster(picture)
            small = picture.convert("RGB")
            small.thumbnail((side, side))
            sheet.paste(small, (left + number * (side + _GAP), top + _LINE))
    return sheet


def _cut(text: str, width: int, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    text = " ".join(text.split())
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(f"{text}...", font=font) > width:
        text = text[:-1]
    return f"{text}..."

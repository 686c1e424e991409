from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def make_images(folder: Path, captions: Mapping[str, str | None], size: tuple[int, int] = (64, 48)) -> None:
    """Write a small image of a colour of its own for each name, and its caption beside it where there is one."""
    for number, (name, caption) in enumerate(captions.items()):
        colour = (number * 83 % 256, number * 47 % 256, 255 - number * 61 % 256)
        Image.new("RGB", size, colour).save(folder / f"{name}.png")
        if caption is not None:
            (folder / f"{name}.txt").write_text(caption)

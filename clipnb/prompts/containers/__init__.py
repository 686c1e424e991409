"""Formats of pictures that hold texts: read without decoding a pixel."""

from __future__ import annotations

from typing import BinaryIO

from clipnb.prompts.containers.boxes import read_boxes
from clipnb.prompts.containers.chunks import read_jpeg, read_png, read_webp
from clipnb.prompts.containers.texts import Texts


def read_texts(file: BinaryIO) -> Texts:
    """Read the texts of a PNG, JPEG, WebP, AVIF or HEIF by name; what is wrong with them is in their `problems`."""
    texts = Texts()
    file.seek(0)
    start = file.read(12)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        read_png(file, texts)
    elif start.startswith(b"\xff\xd8\xff"):
        read_jpeg(file, texts)
    elif start.startswith(b"RIFF") and start.endswith(b"WEBP"):
        read_webp(file, texts)
    elif start[4:8] == b"ftyp":
        read_boxes(file, texts)
    else:
        texts.note("it is no PNG, JPEG, WebP, AVIF or HEIF, in which prompts are looked for")
    return texts

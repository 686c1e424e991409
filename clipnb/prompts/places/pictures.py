"""Captions beside pictures, and prompts inside of them; pictures are never decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from clipnb.errors import PromptsError, shortened
from clipnb.files import size_in_words
from clipnb.prompts.collection import Records
from clipnb.prompts.metadata import embedded_prompt, has_parameters, parse_parameters
from clipnb.prompts.places.reading import LONGEST_PROMPT, File, Reading, too_long
from clipnb.prompts.records import Prompt

LARGEST_CAPTION = 4 * 2**20  # bytes


def read_caption(reading: Reading, file: File, opened: BinaryIO, picture: Path | None) -> Records:
    """Read a caption: one prompt, over however many lines; what A1111 writes beside its pictures is taken apart."""
    pieces, size = [], 0
    for piece in reading.pieces(opened, file.path):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_CAPTION:
            raise PromptsError(f"cannot read {file.path}: a caption has {size_in_words(LARGEST_CAPTION)} at most")
    text = "".join(pieces).strip()
    prompt = parse_parameters(text) if has_parameters(text) else Prompt(text)
    if len(prompt.text) > LONGEST_PROMPT:
        raise PromptsError(f"cannot read {file.path}: {too_long(prompt.text)}")
    if not prompt.text.strip():
        if picture:
            reading.without_prompt.append(picture)
        return Records([])
    if picture is None:
        reading.without_picture.append(file.path)
    return Records([replace(prompt, source=str(file.path), picture=str(picture or ""))])


def read_picture(reading: Reading, file: File) -> Records:
    """Read the prompt inside of a picture."""
    embedded = embedded_prompt(file.path if file.content is None else file.content)
    reading.count(1, file.path)
    for problem in embedded.problems:
        reading.skip(str(file.path), shortened(problem, 200))
    if embedded.prompt is None:
        reading.without_prompt.append(file.path)
        return Records([])
    prompt = embedded.prompt
    if len(prompt.text) > LONGEST_PROMPT:
        raise PromptsError(f"cannot read {file.path}: {too_long(prompt.text)}")
    settings = dict(prompt.settings)
    settings.setdefault("generator", embedded.generator)
    return Records([replace(prompt, source=str(file.path), picture=str(file.path), settings=settings)])


def joined(parts: Iterable[Records]) -> Records:
    """Return one part of many."""
    return Records([prompt for part in parts for prompt in part.prompts])

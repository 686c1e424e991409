"""The prompt that a picture carries inside; its pixels are never decoded, and it is never changed."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from typing import BinaryIO

from clipnb.errors import PromptsError, reason
from clipnb.files import open_file, valid_unicode
from clipnb.prompts.containers import read_texts
from clipnb.prompts.generators import find_prompt
from clipnb.prompts.generators.a1111 import has_parameters as has_parameters
from clipnb.prompts.generators.a1111 import is_template as is_template
from clipnb.prompts.generators.a1111 import parse_dump as parse_dump
from clipnb.prompts.generators.a1111 import parse_parameters as parse_parameters
from clipnb.prompts.records import Prompt


@dataclass(frozen=True)
class Embedded:
    """What a picture carries inside.

    Attributes:
        prompt: the prompt with the generator's settings, None where there is none.
        generator: the program that wrote it, such as "A1111" or "ComfyUI"; empty where there is none.
        problems: what was damaged, too large or not understood, in a few words each.
    """

    prompt: Prompt | None
    generator: str = ""
    problems: tuple[str, ...] = ()


def embedded_prompt(source: str | os.PathLike[str] | bytes | BinaryIO, name: str = "") -> Embedded:
    r"""Read the prompt that a generator wrote into a picture: PNG, JPEG, WebP, AVIF or HEIF.

    Known are A1111 and its forks, ComfyUI, Draw Things, Easy Diffusion, Fooocus, InvokeAI, Midjourney, NovelAI and
    SwarmUI; where none of them wrote it, a description in XMP, EXIF, IPTC or a comment is taken. Settings have the
    names of A1111 (`Steps`, `Sampler`, `CFG scale`, `Seed`, `Size`, `Model`) whoever wrote them. Pixels are not
    decoded, and texts are read up to 16 MiB.

    Args:
        source: a path, the bytes of a file, or a binary file that can seek.
        name: what stands in the prompt's `source` and `picture`; the path unless given.

    Returns:
        The prompt, if any, with what was wrong with the picture's texts; damage is never an exception.

    Raises:
        PromptsError: the file is missing, a folder, or cannot be read.

    >>> import io
    >>> from PIL import Image, PngImagePlugin
    >>> text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    >>> text.add_text("parameters", "a cat, fur\nNegative prompt: dog\nSteps: 20, Model: dream")
    >>> Image.new("RGB", (8, 8)).save(file, "png", pnginfo=text)
    >>> found = embedded_prompt(file.getvalue())
    >>> found.generator, found.prompt.text, found.prompt.negative, found.prompt.settings["Model"]
    ('A1111', 'a cat, fur', 'dog', 'dream')
    """
    if isinstance(source, bytes):
        return _embedded(io.BytesIO(source), name)
    if not isinstance(source, (str, os.PathLike)):
        return _embedded(source, name)
    path = os.fspath(source)
    try:
        with open_file(path) as file:
            return _embedded(file, name or valid_unicode(path))
    except FileNotFoundError:
        raise PromptsError(f"there is no picture {path}") from None
    except IsADirectoryError:
        raise PromptsError(f"{path} is a folder; name a picture in it") from None
    except OSError as error:
        raise PromptsError(f"cannot read {path}: {reason(error)}") from error


def _embedded(file: BinaryIO, name: str) -> Embedded:
    texts = read_texts(file)
    prompt, generator = find_prompt(texts)
    if prompt:
        prompt = replace(prompt, source=name, picture=name)
    return Embedded(prompt, generator, tuple(texts.problems))

"""A prompt with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Prompt:
    """A prompt and what stands beside it.

    Attributes:
        text: the prompt, with its own line breaks.
        negative: the negative prompt, empty where there is none.
        source: the file that it was read from, and the row or line in it, for people.
        picture: path of the image that it describes, empty where there is none.
        settings: everything else that is known of it, such as `Steps`, `Sampler`, `Model` of the generator, or the
            other columns of its table; texts by name.
    """

    text: str
    negative: str = ""
    source: str = ""
    picture: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """Something that could not be read and was left out.

    Attributes:
        source: the file, and the row or line in it, for people.
        why: what is wrong with it, in a few words.
    """

    source: str
    why: str

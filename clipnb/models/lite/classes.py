"""The 1000 classes of ImageNet in words."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from clipnb.errors import OutputError
from clipnb.files import cache_folder, find_cached, read_bytes, write_atomically

_LARGEST = 2**20  # bytes of the file in the cache
_COUNT = 1000
_Texts = Annotated[list[str], Field(min_length=_COUNT, max_length=_COUNT)]


class Classes(NamedTuple):
    """Texts about each class, in the order of the logits.

    Attributes:
        names: as OpenAI curated them for CLIP.
        entries: words and definitions of WordNet.
    """

    names: _Texts
    entries: _Texts


_CLASSES = TypeAdapter(Classes)


def imagenet_classes() -> Classes:
    """Return the classes as open_clip and timm have them; from the cache, since importing those takes seconds."""
    file = f"imagenet-{version('open_clip_torch')}-{version('timm')}.json"
    with suppress(OSError, ValueError):
        return _CLASSES.validate_json(read_bytes(find_cached("lite", file), _LARGEST))
    from open_clip import IMAGENET_CLASSNAMES
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    entries = [str(info.index_to_description(index, detailed=True)) for index in range(_COUNT)]
    classes = Classes(list(IMAGENET_CLASSNAMES), entries)
    with suppress(OutputError), write_atomically(cache_folder("lite", file)) as temporary:
        temporary.write_text(json.dumps(classes), encoding="utf-8")
    return classes


def class_sentences(classes: Classes, template: str) -> list[list[str]]:
    """Return two lists with a sentence for each class, whose mean embedding stands for it.

    The template with the name, and WordNet's entry, which tells the animal from the machine where a name has two
    meanings (a crane, a tank).
    """
    return [[template.format(name) for name in classes.names], classes.entries]

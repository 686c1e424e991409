"""What people give in place of prompts: each kind is taken as what is meant by it, or refused in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from clipnb.errors import TagsError, quoted, shortened
from clipnb.prompts.read import SUFFIXES, Prompts
from clipnb.prompts.records import Prompt

if TYPE_CHECKING:
    from clipnb.prompts.caption_set import CaptionSet

    Given: TypeAlias = Iterable[str | Prompt] | CaptionSet

_LOOKED_AT = 16  # of a list's first entries, when they may be paths
_LONGEST_PATH = 1_000  # characters
_READ = "to read files, give read_prompts(path)"


def texts_of(prompts: Given) -> Iterator[str]:
    """Return the texts of prompts that were given: a list, `Prompts`, a column of a table, records, a `CaptionSet`.

    Raises:
        TagsError: one text, a table, paths, or anything else that holds no prompts; some of it when it is reached.

    >>> list(texts_of(["a cat, fur"]))
    ['a cat, fur']
    """
    if isinstance(prompts, Prompts):
        return iter(prompts)
    if callable(own := getattr(prompts, "prompts", None)):  # a CaptionSet, whose module brings Pillow along
        prompts = own()
    if isinstance(prompts, (str, Path)):
        raise TagsError(f"give a list of prompts, not one text: {quoted(prompts)}; {_READ}")
    if hasattr(prompts, "columns") and hasattr(prompts, "iloc"):
        raise TagsError("this is a table; give the column that holds the prompts, such as table['prompt']")
    if isinstance(prompts, (bytes, Mapping)) or not isinstance(prompts, Iterable):
        kind = type(prompts).__name__
        raise TagsError(f"prompts are a list of texts, and this is {quoted(prompts)} ({kind}); {_READ}")
    items = iter(prompts)
    first = list(islice(items, _LOOKED_AT))
    if first and all(map(_is_path, first)):
        raise TagsError(f"{quoted(first[0])} is a path and no prompt; {_READ}")
    return map(_text, chain(first, items))


def _text(item: object) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, Prompt):
        return item.text
    what = shortened(quoted(item))
    raise TagsError(f"prompts are texts, and among these is {what}; leave empty cells out, such as by dropna()")


def _is_path(item: object) -> bool:
    if not isinstance(item, str):
        return isinstance(item, Path)
    if len(item) > _LONGEST_PATH or "," in item:
        return False
    try:
        return item.lower().removesuffix(".gz").endswith(SUFFIXES) or (bool(item.strip()) and Path(item).exists())
    except (OSError, ValueError):
        return False

"""Which columns of a table hold the negative prompt and the picture, by the names that tools give them."""

from __future__ import annotations

from collections.abc import Iterable

_NAMES = {
    "negative": ("negative", "negative_prompt", "negative prompt", "negativePrompt", "neg_prompt"),
    "picture": ("picture", "image", "file_name", "filename", "image_path", "image_file", "url"),
}


def roles_in(names: Iterable[str], column: str) -> dict[str, str]:
    """Return the names of the columns of the negative prompt and the picture, where there are any.

    Args:
        names: of the columns.
        column: that of the prompt; where it is nested, as `meta.prompt`, those beside it come first.

    >>> roles_in(["meta.prompt", "meta.negativePrompt", "url"], "meta.prompt")
    {'negative': 'meta.negativePrompt', 'picture': 'url'}
    """
    there = set(names) - {column}
    beside = column.rpartition(".")[0]
    prefixes = (f"{beside}.", "") if beside else ("",)
    found = {
        role: next((p + name for p in prefixes for name in known if p + name in there), "")
        for role, known in _NAMES.items()
    }
    return {role: name for role, name in found.items() if name}

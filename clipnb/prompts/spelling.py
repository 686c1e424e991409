"""One tag under several spellings: the key that they share, and files that merge tags."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from clipnb.errors import PromptsError, reason, shortened
from clipnb.files import read_text
from clipnb.prompts.splitting import whole_text

LARGEST_ALIASES = 64 * 2**20  # bytes
_BLANKS = re.compile(r"\s+")


def key_of(tag: str) -> str:
    r"""Return the key that all spellings of a tag share.

    Case, the number and kind of blanks, composed and decomposed letters, and a full stop at the end make no difference.

    >>> key_of(" VRay ") == key_of("vray."), key_of("long\u00a0 hair")
    (True, 'long hair')
    """
    if tag.isascii():
        key = tag.casefold()
    else:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", whole_text(tag)).casefold())
    key = _BLANKS.sub(" ", key).strip()
    return key.rstrip(".").rstrip() or key


def read_aliases(path: str | Path) -> dict[str, str]:
    """Load which tags stand for which others: a CSV file with two columns, `tag` and `becomes`, a head or none.

    Args:
        path: a file in UTF-8; lines that begin with `#` are comments.

    Returns:
        The tag that each one becomes in the end, by the one's `key_of`.

    Raises:
        PromptsError: the file cannot be read, a row has not two texts, or tags become each other in a circle.
    """
    try:
        lines = read_text(path, LARGEST_ALIASES).splitlines()
        rows = list(csv.reader((line for line in lines if not line.startswith("#")), skipinitialspace=True))
    except (OSError, csv.Error) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise PromptsError(f"cannot read {path}: {why}") from error
    pairs: list[tuple[str, str]] = []
    for number, row in enumerate((row for row in rows if row), 1):
        if len(row) != 2 or not all(cell.strip() for cell in row):
            raise PromptsError(f"{path}, entry {number} has not two texts: a tag, a comma, and what it becomes")
        if number > 1 or [cell.strip().casefold() for cell in row] != ["tag", "becomes"]:
            pairs.append((row[0].strip(), row[1].strip()))
    return checked_aliases(pairs)


def checked_aliases(
    aliases: Mapping[str, str] | Iterable[tuple[str, str]], key: Callable[[str], str] = key_of
) -> dict[str, str]:
    """Return what each tag becomes in the end, by its key.

    Raises:
        PromptsError: tags become each other in a circle, or one becomes two others.

    >>> checked_aliases({"grey": "gray", "gray": "silver"})
    {'grey': 'silver', 'gray': 'silver'}
    """
    steps: dict[str, str] = {}
    for tag, other in aliases.items() if isinstance(aliases, Mapping) else aliases:
        if steps.setdefault(key(tag), other) != other:
            both = " and ".join(repr(shortened(one)) for one in (steps[key(tag)], other))
            raise PromptsError(f"{shortened(tag)!r} becomes both {both}; choose one")
    ends: dict[str, str] = {}
    for first in steps:
        path: dict[str, None] = {}
        one = first
        while one in steps and one not in ends:
            if one in path:
                raise PromptsError(f"{shortened(one)!r} becomes itself in a circle of aliases; leave one of them out")
            path[one] = None
            last = steps[one]
            if key(last) == one:
                break
            one = key(last)
        ends.update(dict.fromkeys(path, ends.get(one, last) if path else ""))
    return ends

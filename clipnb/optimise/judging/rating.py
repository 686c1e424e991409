"""Similarities of images to texts and to reference images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipnb.errors import ConfigError, LabelsError, reason
from clipnb.files import read_text
from clipnb.images import ImageSource, open_image

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.models.encoder import DualEncoder

MAX_TEXTS = 100_000
"""Most texts that are read from a file."""
MAX_BYTES = 16 * 2**20
"""Largest file of texts that is read."""
MAX_CHARACTERS = 100_000
"""Longest text in it."""
_AT_ONCE = 16  # pictures


def rate(
    pictures: Sequence[ImageSource],
    texts: Sequence[str],
    references: Sequence[ImageSource],
    *encoders: DualEncoder,
    sort: int | None = None,
) -> pd.DataFrame:
    """Compute the similarities of pictures to texts and to reference pictures.

    Args:
        pictures: rows of the table.
        texts: columns of the table.
        references: pictures that are further columns.
        encoders: one or more; of several, a column's name has the encoder's in brackets.
        sort: column to sort by, from 1; negative: largest first; None keeps the order.

    Returns:
        A frame of cosine x 100, with a row for each picture and a column for each text and reference, and encoder.

    Raises:
        ImageError: a picture cannot be read.
        ConfigError: there is nothing to compare with, no such column, an encoder stands twice, or a text is empty or
            not valid Unicode.
    """
    import pandas as pd

    if not texts and not references:
        raise ConfigError("nothing to compare with; give texts (-t), a file of texts (-tf) or pictures (-i)")
    if any("\ud800" <= character <= "\udfff" for character in "".join(texts)):
        raise ConfigError("a text to compare with holds halves of characters, which no encoder reads")
    if not all(text.strip() for text in texts):
        raise ConfigError("a text to compare with is empty; say what may be seen")
    if len({encoder.name for encoder in encoders}) < len(encoders):
        raise ConfigError("an encoder is named twice to rate with; name each once")
    things = [*texts, *_names(references)]
    columns = things if len(encoders) == 1 else [f"{thing} ({e.name})" for thing in things for e in encoders]
    if sort is not None and not 1 <= abs(sort) <= len(columns):
        raise ConfigError(f"there is no column {abs(sort)} to sort by; there are {len(columns)}")
    by_encoder = [_similarities(pictures, texts, references, encoder) for encoder in encoders]
    similarities = torch.stack(by_encoder, -1).flatten(1)  # those of a text stand beside one another
    frame: pd.DataFrame = pd.DataFrame(similarities.numpy(), index=_names(pictures), columns=columns)
    if sort is None:
        return frame
    order = frame.iloc[:, abs(sort) - 1].to_numpy().argsort(kind="stable")
    ordered: pd.DataFrame = frame.iloc[order if sort > 0 else order[::-1]]
    return ordered


def read_texts(path: str | Path) -> list[str]:
    """Read texts from a file, one a line; empty lines are left out.

    Raises:
        LabelsError: it cannot be read, holds none, more than `MAX_TEXTS`, or a longer one than `MAX_CHARACTERS`.
    """
    try:
        content = read_text(path, MAX_BYTES)
    except OSError as error:
        raise LabelsError(f"cannot read the texts in {path}: {reason(error)}") from error
    texts = [line.strip() for line in content.splitlines() if line.strip()]
    if not texts:
        raise LabelsError(f"{path} holds no text")
    if len(texts) > MAX_TEXTS:
        raise LabelsError(f"{path} holds {len(texts)} texts; at most {MAX_TEXTS} are compared with")
    if (longest := max(map(len, texts))) > MAX_CHARACTERS:
        raise LabelsError(f"{path} holds a text of {longest} characters; a text has at most {MAX_CHARACTERS}")
    return texts


def _similarities(
    pictures: Sequence[ImageSource], texts: Sequence[str], references: Sequence[ImageSource], encoder: DualEncoder
) -> Tensor:
    """Compute cosine x 100 of pictures and texts, then references; float32 [P, T + R] on the CPU."""
    wanted = [encoder.encode_text(list(texts))] if texts else []
    if references:
        wanted.append(_embedded(references, encoder))
    return (100 * _embedded(pictures, encoder) @ torch.cat(wanted).T).cpu()


@torch.no_grad()
def _embedded(pictures: Sequence[ImageSource], encoder: DualEncoder) -> Tensor:
    embedded = []
    for start in range(0, len(pictures), _AT_ONCE):
        pixels = [encoder.preprocess(open_image(picture)) for picture in pictures[start : start + _AT_ONCE]]
        embedded.append(encoder.encode_image(torch.stack(pixels)))
    return torch.cat(embedded)


def _names(pictures: Sequence[ImageSource]) -> list[str]:
    """Name pictures; the bytes of a file name that are no text are escaped, since no table can hold them."""
    names = [str(one) if isinstance(one, (str, Path)) else f"picture {place}" for place, one in enumerate(pictures, 1)]
    return [name.encode("utf-8", "backslashreplace").decode() for name in names]

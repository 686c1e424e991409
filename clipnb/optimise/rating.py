"""How similar pictures are to texts and to reference pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipnb.errors import ConfigError, LabelsError, reason
from clipnb.images import ImageSource, open_image

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.models.encoder import DualEncoder

_AT_ONCE = 16  # pictures


def rate(
    pictures: Sequence[ImageSource],
    texts: Sequence[str],
    references: Sequence[ImageSource],
    encoder: DualEncoder,
    sort: int | None = None,
) -> pd.DataFrame:
    """Compare pictures with texts and with reference pictures.

    Args:
        pictures: what is rated.
        texts: columns to compare with.
        references: further columns: pictures to compare with.
        encoder: any.
        sort: column to sort by, from 1; negative: largest first; None keeps the order.

    Returns:
        A frame with a row for each picture and a column for each text and reference: cosine x 100.

    Raises:
        ImageError: a picture cannot be read.
        ConfigError: there is nothing to compare with, or no such column.
    """
    import pandas as pd

    if not texts and not references:
        raise ConfigError("nothing to compare with; give texts (-t), a file of texts (-tf) or pictures (-i)")
    columns = [*texts, *(str(reference) for reference in references)]
    if sort is not None and not 1 <= abs(sort) <= len(columns):
        raise ConfigError(f"there is no column {abs(sort)} to sort by; there are {len(columns)}")
    wanted = [encoder.encode_text(list(texts))] if texts else []
    if references:
        wanted.append(_embedded(references, encoder))
    similarities = 100 * _embedded(pictures, encoder) @ torch.cat(wanted).T
    frame: pd.DataFrame = pd.DataFrame(similarities.cpu().numpy(), index=[str(p) for p in pictures], columns=columns)
    if sort is None:
        return frame
    order = frame.iloc[:, abs(sort) - 1].to_numpy().argsort(kind="stable")
    ordered: pd.DataFrame = frame.iloc[order if sort > 0 else order[::-1]]
    return ordered


def read_texts(path: Path) -> list[str]:
    """Read texts from a file, one a line; empty lines are left out.

    Raises:
        LabelsError: it cannot be read or holds none.
    """
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, RuntimeError, ValueError) as error:
        raise LabelsError(f"cannot read the texts in {path}: {reason(error)}") from error
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise LabelsError(f"{path} holds no text")
    return texts


@torch.no_grad()
def _embedded(pictures: Sequence[ImageSource], encoder: DualEncoder) -> Tensor:
    pixels = [encoder.preprocess(open_image(picture)) for picture in pictures]
    parts = [torch.stack(pixels[i : i + _AT_ONCE]) for i in range(0, len(pixels), _AT_ONCE)]
    return torch.cat([encoder.encode_image(part) for part in parts])

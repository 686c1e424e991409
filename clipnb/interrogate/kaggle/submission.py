"""Submission files of Kaggle's competition Stable Diffusion - Image to Prompts: 384 rows an image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipnb.errors import ClipnbError, OutputError, first_line, listed
from clipnb.files import IMAGE_SUFFIXES, expanded, given_back, is_claimed, valid_unicode, write_atomically
from clipnb.progress import log
from clipnb.spreadsheet import guard

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EMBEDDING_LENGTH = 384
"""Length of an embedding by all-MiniLM-L6-v2: rows of an image in a submission."""
_HEADER = "imgId_eId,val\n"
_ID = "\0"  # stands for the image's id in a row's pattern; no file name holds it
_ROWS = "".join(f"{_ID}_{index},%.9g\n" for index in range(EMBEDDING_LENGTH))  # nine digits give a float32 back
_QUOTED_ROWS = "".join(f'"{_ID}_{index}",%.9g\n' for index in range(EMBEDDING_LENGTH))
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


class SubmissionError(ClipnbError, ValueError):
    """Embeddings or image ids that make no submission."""


def write_submission(
    embeddings: ArrayLike, ids: Sequence[str | Path], path: str | Path = "submission.csv", *, overwrite: bool = False
) -> Path:
    """Write a submission: `imgId_eId,val`, then the rows `ID_0` to `ID_383` of each image.

    Args:
        embeddings: N embeddings, float [N, 384], or flat [N * 384].
        ids: N names of images; folders and the suffix of an image file are dropped.
        path: the file; Kaggle takes one of the name submission.csv.
        overwrite: replace a file that exists already.

    Returns:
        The path.

    Raises:
        SubmissionError: the numbers are not 384 an image or not all finite, or two images have the same id.
        OutputError: the file exists already, or cannot be written.
    """
    names = [image_id(name) for name in ids]
    rows = _checked(embeddings, names)
    place = expanded(path)
    is_new = is_claimed(place)
    if not is_new and not overwrite:
        raise OutputError(f"{place} is there already; give overwrite=True to replace it, or another path")
    formulas = [name for name in names if guard(name) != name]
    if formulas:  # Kaggle compares ids letter by letter: an apostrophe before them would make the submission worthless
        log.warning("%s begin as formulas do; do not open %s with a spreadsheet program", listed(formulas), place)
    with (
        given_back(*[place] if is_new else []),
        write_atomically(place) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(_HEADER)
        for name, row in zip(names, rows, strict=True):
            pattern = _QUOTED_ROWS if _NEEDS_QUOTES.search(name) else _ROWS
            file.write((pattern % tuple(row.tolist())).replace(_ID, name.replace('"', '""')))
    return place


def image_id(name: str | Path) -> str:
    """Return an image's id: its file name without folders and the suffix of an image format.

    >>> image_id("images/20057f34d.png"), image_id("20057f34d"), image_id("version-1.5")
    ('20057f34d', '20057f34d', 'version-1.5')
    """
    path = Path(name)
    return valid_unicode(path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name)


def refuse_doubles(ids: Sequence[str]) -> None:
    """Raise `SubmissionError` for images of the same id: their rows could not be told apart."""
    doubles = [name for name, count in Counter(ids).items() if count > 1]
    if doubles:
        raise SubmissionError(f"several pictures have the id {listed(doubles)}; a submission has one row of each name")


def _checked(embeddings: ArrayLike, ids: Sequence[str]) -> NDArray[np.float32]:
    try:
        numbers = np.asarray(embeddings, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise SubmissionError(f"embeddings must be an array of numbers on the CPU: {first_line(error)}") from error
    if numbers.shape not in ((len(ids), EMBEDDING_LENGTH), (len(ids) * EMBEDDING_LENGTH,)):
        raise SubmissionError(
            f"{len(ids)} pictures need embeddings of shape [{len(ids)}, {EMBEDDING_LENGTH}], not {list(numbers.shape)}"
        )
    rows = numbers.reshape(len(ids), EMBEDDING_LENGTH)
    wrong = [name for name, row in zip(ids, rows, strict=True) if not np.isfinite(row).all()]
    if wrong:
        raise SubmissionError(f"the embeddings of {listed(wrong)} hold numbers that are not finite (NaN or infinite)")
    refuse_doubles(ids)
    return rows

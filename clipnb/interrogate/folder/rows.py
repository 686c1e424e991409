"""What a run over many images writes about each of them, and what a place for such rows is."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from math import isnan
from pathlib import Path
from typing import Any

from clipnb.errors import OutputError, reason
from clipnb.interrogate.result import Interrogation

_DIGITS = 6  # of similarities: what rounding inside the encoder leaves certain
_HOW_TO_GO_ON = ". What was written stays; make room and start the same run again, and it goes on from there"


@dataclass(frozen=True)
class Row:
    """One image of a run; the same values whenever and wherever it is computed.

    Attributes:
        image: path below the folder, or path or URL as given.
        digest: first 32 hex digits of the SHA-256 of the file's bytes; "" where it could not be read.
        prompt: the result; "" where there is none.
        mode: name of the mode.
        caption: what the prompt begins with; "" in modes without one.
        caption_source: "given", "composed", the captioner's name, or "none".
        similarity: cosine similarity of prompt and image, in [-1, 1]; None where it was not measured.
        certainty: that a composed caption is right, in [0, 1]; None where it is not known.
        model: the encoder's name.
        error: why there is no prompt; "" where there is one.
        known: the prompt that the file carries inside, "" where it has none; None where it was not asked for.
        known_similarity: cosine similarity of that and the image; None where there is none.
        agreement: cosine similarity of that and `prompt`; None where there is none.
        embedding: what stands for the prompt in a submission, as a list in JSON, "" where there is none; None in modes
            without.
    """

    image: str
    digest: str = ""
    prompt: str = ""
    mode: str = ""
    caption: str = ""
    caption_source: str = ""
    similarity: float | None = None
    certainty: float | None = None
    model: str = ""
    error: str = ""
    known: str | None = None
    known_similarity: float | None = None
    agreement: float | None = None
    embedding: str | None = None

    @classmethod
    def of(cls, image: str, digest: str, found: Interrogation, *, measured: bool) -> Row:
        """Return the row of a result, its similarity rounded or left out."""
        texts = {name: getattr(found, name) for name in ("prompt", "mode", "caption", "caption_source", "model")}
        row = cls(image, digest, **texts, similarity=_rounded(found.similarity) if measured else None)
        if found.embedding:
            row = replace(row, embedding=json.dumps([round(number, _DIGITS) for number in found.embedding]))
        row = replace(row, certainty=_rounded(found.certainty))
        own = found.known
        if own is None:
            return row
        return replace(
            row, known=own.prompt, known_similarity=_rounded(own.similarity), agreement=_rounded(own.agreement)
        )

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Row:
        """Return a row from its columns, texts or typed.

        Raises:
            ValueError, TypeError, LookupError, OverflowError: they are no row.
        """
        if not isinstance(values, Mapping):  # JSON of another kind
            raise TypeError("no columns")
        known, embedding = (values.get(name) is not None for name in ("known", "embedding"))
        names = columns_of(known=known, embedding=embedding)
        texts = {name: values[name] for name in names if name not in NUMBERS}
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError("a column holds something else than text")
        given = {name: values[name] for name in names if name in NUMBERS}
        numbers: dict[str, Any] = {name: None if it in (None, "") else float(it) for name, it in given.items()}
        return cls(**texts, **numbers)

    def values(self) -> dict[str, Any]:
        """Return the columns as texts that any file can hold (halves of surrogate pairs escaped, no NUL) and floats."""
        return {
            name: value.replace("\0", "\ufffd").encode(errors="backslashreplace").decode()
            if isinstance(value, str)
            else None
            if value is None or isnan(value)
            else value
            for name in columns_of(known=self.known is not None, embedding=self.embedding is not None)
            for value in (getattr(self, name),)
        }


_NAMES = tuple(field.name for field in fields(Row))
ALL_COLUMNS = _NAMES[:-1]
COLUMNS = ALL_COLUMNS[:-3]
"""Of rows that were made without looking for prompts inside the images."""
VARIANTS = (COLUMNS, ALL_COLUMNS, (*COLUMNS, "embedding"), _NAMES)
"""All that rows may have."""
NUMBERS = ("similarity", "certainty", "known_similarity", "agreement")
NOT_A_ROW = (ValueError, TypeError, LookupError, OverflowError, RecursionError)
"""What reading something that is no row raises."""


def columns_of(*, known: bool, embedding: bool) -> tuple[str, ...]:
    """Return the columns of rows with the prompts inside the images, and with embeddings, or without."""
    return VARIANTS[known + 2 * embedding]


def last_rows(rows: Iterable[Row]) -> dict[str, Row]:
    """Return the last row about each image, sorted by its name."""
    by_image = {row.image: row for row in rows}
    return {image: by_image[image] for image in sorted(by_image)}


class Output(ABC):
    """Rows on disk, which grow as a run goes on. Of several rows about one image the last one counts.

    Attributes:
        path: the file or folder.
        columns: of the rows that are going to be written.
        is_outdated: whether rows that were read are written as earlier versions did it.
        is_scratch: whether it is a place of ours, whose rows are dropped where others are wanted.
    """

    is_outdated: bool = False
    is_scratch: bool = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns = COLUMNS

    @property
    @abstractmethod
    def sidecar(self) -> Path:
        """The file beside or in it that says how its rows are made."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether there is anything in this place."""

    @abstractmethod
    def read(self) -> Iterator[Row]:
        """Yield the rows in their order; torn and damaged ones are left out.

        Raises:
            OutputError: what is there is no output of this kind.
        """

    @abstractmethod
    def open(self) -> None:
        """Get ready to append; what a run that was killed has left half written is cut off."""

    @abstractmethod
    def append(self, rows: Sequence[Row]) -> None:
        """Add rows; they are on the disk soon, in any case when it is closed.

        Raises:
            OutputError: the disk is full, or takes no more for another reason; what was there before stays.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is left; may be called twice."""

    @abstractmethod
    def replace(self, rows: Sequence[Row]) -> None:
        """Write these rows in place of all others; a crash meanwhile loses none."""


def _rounded(number: float | None) -> float | None:
    return None if number is None or isnan(number) else round(number, _DIGITS)


@contextmanager
def errors_in_words(verb: str, path: Path) -> Iterator[None]:
    """Raise what the system refuses as `OutputError`; what is in words already stays as it is.

    Args:
        verb: "read" or "write".
        path: named in the message.
    """
    try:
        yield
    except OSError as error:
        cause = error.__cause__ if isinstance(error, OutputError) else error
        if not isinstance(cause, OSError):
            raise
        raise OutputError(f"cannot {verb} {path}: {reason(cause)}{_HOW_TO_GO_ON * (verb == 'write')}") from cause

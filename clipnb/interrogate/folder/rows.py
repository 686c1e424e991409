"""What a run over many pictures writes about each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from clipnb.interrogate.result import Interrogation

_DIGITS = 6  # of similarities: what rounding inside the encoder leaves certain


@dataclass(frozen=True)
class Row:
    """One picture of a run; the same values always, whenever and wherever it is computed.

    Attributes:
        image: its name: path below the folder, or path or URL as given.
        digest: first 32 hex digits of the SHA-256 of the file's bytes; "" where it could not be read.
        prompt: the result; "" where there is none.
        mode: how it was made.
        caption: what the prompt begins with; "" in modes that take none.
        caption_source: "given", "composed", the captioner's name, or "none".
        similarity: cosine of prompt and picture, in [-1, 1]; None where it was not measured.
        model: the encoder's name.
        error: why there is no prompt; "" where there is one.
    """

    image: str
    digest: str = ""
    prompt: str = ""
    mode: str = ""
    caption: str = ""
    caption_source: str = ""
    similarity: float | None = None
    model: str = ""
    error: str = ""

    @classmethod
    def of(cls, image: str, digest: str, found: Interrogation, *, measured: bool) -> Row:
        """Write down what was found."""
        return cls(
            image,
            digest,
            found.prompt,
            found.mode,
            found.caption,
            found.caption_source,
            round(found.similarity, _DIGITS) if measured else None,
            found.model,
        ).as_unicode()

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Row:
        """Take a row from its column values, texts or typed.

        Raises:
            ValueError, TypeError: they are no row.
        """
        similarity = values["similarity"]
        texts = {name: values[name] for name in COLUMNS if name != "similarity"}
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError("a column holds something else than text")
        return cls(**texts, similarity=None if similarity in (None, "") else float(similarity)).as_unicode()

    def as_unicode(self) -> Row:
        """Escape halves of surrogate pairs, which no file can hold."""
        return replace(self, **{name: _escaped(value) for name, value in vars(self).items() if isinstance(value, str)})

    def values(self) -> dict[str, Any]:
        """Give the columns as texts, a float and None."""
        return asdict(self)


COLUMNS = tuple(field.name for field in fields(Row))
"""Names of the columns, in their order."""


def _escaped(text: str) -> Any:
    return text.encode(errors="backslashreplace").decode()

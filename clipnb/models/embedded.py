"""Embeddings that are kept or decided by: memory that is not enough, and numbers that are none, are said in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import Tensor

from clipnb.errors import ClipnbError
from clipnb.models.device import is_out_of_memory

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder


class EmbeddingError(ClipnbError):
    """An encoder cannot embed what it was given."""


def embedded(encoder: DualEncoder, texts: Sequence[str]) -> Tensor:
    """Embed texts as `encode_text` does; float32 [N, D].

    Raises:
        EmbeddingError: memory is too small, or what was computed is no number.
    """
    with memory_for("texts"):
        return finite(encoder, encoder.encode_text(texts))


@contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Raise `EmbeddingError` where the memory of the device is not enough."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise too_little_memory(what) from error


def finite(encoder: DualEncoder, embeddings: Tensor) -> Tensor:
    """Return embeddings as they are; raises `EmbeddingError` where one of their numbers is NaN or infinite."""
    if not bool(embeddings.isfinite().all()):
        raise EmbeddingError(
            f"{encoder.name} computes embeddings that are no numbers (NaN or infinite) in {encoder.dtype}: its weights "
            "are damaged (clipnb doctor --model says more), or need another precision, such as fp32"
        )
    return embeddings


def too_little_memory(what: str) -> EmbeddingError:
    """Return the error for memory that is not enough even for the fewest at once."""
    return EmbeddingError(
        f"the memory of the device is not enough for {what}, even for few at once; close what else uses it, take a "
        "smaller model, or device cpu"
    )

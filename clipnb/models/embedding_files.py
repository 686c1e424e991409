"""Embeddings in files: one tensor each, with what it was made of; written whole or not at all, checked when read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from clipnb.errors import OutputError, first_line
from clipnb.files import open_file, write_atomically
from clipnb.progress import log

_LARGEST_HEADER = 2**20  # bytes

Facts = Callable[[Tensor], dict[str, str]]
"""Returns the metadata that the file of embeddings must have: what they were made of, and a digest of their numbers."""


@dataclass(frozen=True)
class EmbeddingFiles:
    """How embeddings of one kind are kept in files.

    Attributes:
        tensor: their name in a file.
        dtype: of their numbers.
        facts: the metadata of the file that holds them.
    """

    tensor: str
    dtype: torch.dtype
    facts: Facts

    def read(self, path: Path, shape: tuple[int, int]) -> Tensor | None:
        """Open embeddings [N, D], memory-mapped; None where there are none, or (with a warning) others."""
        from safetensors import SafetensorError

        if not os.path.exists(path):  # noqa: PTH110 - pathlib's may raise
            return None
        try:
            return self._opened(path, shape)
        except (SafetensorError, OSError, ValueError) as error:
            log.warning("%s in the cache cannot be used (%s); it is made again", path.name, first_line(error))
            return None

    def write(self, path: Path, embeddings: Tensor) -> None:
        """Write embeddings [N, D] of the dtype of this kind, on the CPU.

        Raises:
            OutputError: the file cannot be written.
        """
        write_tensors(path, {self.tensor: embeddings.contiguous()}, self.facts(embeddings))

    def try_to_write(self, path: Path, embeddings: Tensor) -> bool:
        """Write a file where that is possible; elsewhere it costs a warning, and the time to embed once more."""
        try:
            self.write(path, embeddings)
        except OutputError as error:
            log.warning("embeddings are not kept: %s", error)
            return False
        return True

    def _opened(self, path: Path, shape: tuple[int, int]) -> Tensor:
        from safetensors import safe_open

        expected = shape[0] * shape[1] * self.dtype.itemsize
        with open_file(path) as file:  # no pipe, which would be waited for
            if os.fstat(file.fileno()).st_size > expected + _LARGEST_HEADER:
                raise ValueError("it holds something else")
        with safe_open(path, framework="pt") as file:
            stated = file.metadata()
            embeddings: Tensor = file.get_tensor(self.tensor)
        if tuple(embeddings.shape) != shape or embeddings.dtype != self.dtype:
            raise ValueError("it holds something else")
        if stated != self.facts(embeddings):
            raise ValueError("its content is damaged or of something else")
        return embeddings


def write_tensors(path: Path, tensors: dict[str, Tensor], facts: dict[str, str] | None = None) -> None:
    """Write tensors, contiguous and on the CPU, and facts about them as a safetensors file.

    Raises:
        OutputError: the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        with write_atomically(path) as temporary:
            save_file(tensors, temporary, metadata=facts)
    except SafetensorError as error:  # which is no OSError, such as of a full disk
        raise OutputError(f"cannot write {path}: {first_line(error)}") from error

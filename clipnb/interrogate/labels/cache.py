"""Embeddings of label lists on disk: keyed by what they depend on, and made chunk by chunk."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipnb.files import bundle_folder
from clipnb.models.embedded import embedded
from clipnb.models.embedding_files import EmbeddingFiles

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder
    from clipnb.progress import Progress

_FORMAT = "clipnb label table 1"


@dataclass(frozen=True)
class TableCache:
    """One table's place in a folder; finished chunks lie beside it until the whole is there.

    Several processes may build the same table at once: each takes over the chunks that another has
    finished, and every file appears under its name only when it is complete.
    """

    folder: Path
    name: str
    key: str  # digest of everything that the embeddings depend on

    @classmethod
    def of(cls, folder: Path, name: str, labels: Sequence[str], encoder: DualEncoder) -> TableCache:
        """Return the place of these labels under this encoder's weights."""
        facts = json.dumps([_FORMAT, encoder.digest, *labels], ensure_ascii=True)
        return cls(folder, name, hashlib.sha256(facts.encode()).hexdigest()[:24])

    @property
    def path(self) -> Path:
        """The finished table's file."""
        return self.folder / f"{self.name}-{self.key}.safetensors"

    @property
    def _files(self) -> EmbeddingFiles:
        def facts(embeddings: Tensor) -> dict[str, str]:
            checksum = zlib.crc32(embeddings.contiguous().view(torch.uint8).numpy().data)
            return {"format": _FORMAT, "key": self.key, "crc32": str(checksum)}

        return EmbeddingFiles("embeddings", torch.float16, facts)

    def load(self, shape: tuple[int, int]) -> Tensor | None:
        """Open the finished table, from its folder or from the bundle in use.

        Returns:
            float16 [N, D], memory-mapped; None when it is missing, or (with a warning) damaged or of another shape.
        """
        bundled = bundle_folder("cache", "labels", self.path.name)
        places = [self.path, bundled] if bundled else [self.path]
        found = next((found for place in places if (found := self._files.read(place, shape)) is not None), None)
        if found is not None:
            self._remove_parts()  # which a process left that was killed at the end
        return found

    def build(
        self, labels: Sequence[str], encoder: DualEncoder, chunk_size: int, progress: Progress | None = None
    ) -> Tensor:
        """Embed the labels, going on from the chunks that are finished already, and write the result.

        Returns:
            float16 [N, D], unit length. A folder that cannot be written to costs a warning, not the result.
        """
        chunks = []
        for start in range(0, len(labels), chunk_size):
            chunk = labels[start : start + chunk_size]
            chunks.append(self._chunk(start, chunk, encoder, alone=len(chunk) == len(labels)))
            if progress:
                progress(start + len(chunk), len(labels))
        whole = torch.cat(chunks)
        if self._files.try_to_write(self.path, whole):
            self._remove_parts()
        return whole

    def _remove_parts(self) -> None:
        for part in self.folder.glob(f"{self.path.stem}.*.part.safetensors"):
            with suppress(OSError):  # gone already, or no file of ours
                part.unlink()

    def _chunk(self, start: int, labels: Sequence[str], encoder: DualEncoder, *, alone: bool) -> Tensor:
        path = self.path.with_suffix(f".{start}+{len(labels)}.part.safetensors")
        found = self._files.read(path, (len(labels), encoder.dim))
        if found is not None:
            return found.clone()  # the file goes away when the table is finished
        embeddings = embedded(encoder, labels).half().cpu()
        if not alone:
            self._files.try_to_write(path, embeddings)
        return embeddings

    def keep(self, embeddings: Tensor) -> Path:
        """Write the finished table, float16 [N, D] on the CPU, and return its file.

        Raises:
            OutputError: the folder cannot be written to.
        """
        self._files.write(self.path, embeddings)
        return self.path

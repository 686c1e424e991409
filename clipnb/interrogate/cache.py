"""Embeddings of label lists on disk: keyed by what they depend on, memory-mapped, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipnb.errors import OutputError
from clipnb.files import bundle_folder, write_atomically

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder
    from clipnb.progress import Progress

_log = logging.getLogger("clipnb")
_FORMAT = "clipnb label table 1"
_TENSOR = "embeddings"


@dataclass(frozen=True)
class TableCache:
    """One table's place in a folder; finished chunks lie beside it until the whole is there.

    Several processes may build the same table at once: each takes over the chunks that another has
    finished, and every file appears under its name only when it is complete.

    Attributes:
        folder: where files are kept; made when needed.
        name: of the table; begins the file's name.
        key: digest of everything that the embeddings depend on.
    """

    folder: Path
    name: str
    key: str

    @classmethod
    def of(cls, folder: Path, name: str, labels: Sequence[str], encoder: DualEncoder) -> TableCache:
        """Find the place of these labels under this encoder's weights."""
        facts = json.dumps([_FORMAT, encoder.digest, *labels], ensure_ascii=True)
        return cls(folder, name, hashlib.sha256(facts.encode()).hexdigest()[:24])

    @property
    def path(self) -> Path:
        """The finished table's file."""
        return self.folder / f"{self.name}-{self.key}.safetensors"

    def load(self, shape: tuple[int, int]) -> Tensor | None:
        """Open the finished table, from its folder or from the bundle in use.

        Args:
            shape: (labels, D) that it must have.

        Returns:
            float16 [N, D], memory-mapped; None when it is missing, or damaged (said in a warning).
        """
        bundled = bundle_folder("cache", "labels", self.path.name)
        places = [self.path, bundled] if bundled else [self.path]
        return next((found for place in places if (found := _read(place, self.key, shape)) is not None), None)

    def build(
        self, labels: Sequence[str], encoder: DualEncoder, chunk_size: int, progress: Progress | None = None
    ) -> Tensor:
        """Embed the labels, going on from the chunks that are finished already, and keep the result.

        Args:
            labels: N texts.
            encoder: embeds them.
            chunk_size: labels a chunk: what is lost at most when the work is interrupted.
            progress: told how many labels are done.

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
        if self._keep(self.path, whole):
            for part in self.folder.glob(f"{self.path.stem}.*.part.safetensors"):
                part.unlink(missing_ok=True)
        return whole

    def _chunk(self, start: int, labels: Sequence[str], encoder: DualEncoder, *, alone: bool) -> Tensor:
        path = self._chunk_path(start, len(labels))
        found = _read(path, self.key, (len(labels), encoder.dim))
        if found is not None:
            return found.clone()  # the file goes away when the table is finished
        embeddings = encoder.encode_text(labels).half().cpu()
        if not alone:
            self._keep(path, embeddings)
        return embeddings

    def _chunk_path(self, start: int, count: int) -> Path:
        return self.path.with_suffix(f".{start}+{count}.part.safetensors")

    def keep(self, embeddings: Tensor) -> Path:
        """Write the finished table.

        Args:
            embeddings: float16 [N, D], unit length, on the CPU.

        Returns:
            Its file.

        Raises:
            OutputError: the folder cannot be written to.
        """
        return self._write(self.path, embeddings)

    def _keep(self, path: Path, embeddings: Tensor) -> bool:
        try:
            self._write(path, embeddings)
        except OutputError as error:
            _log.warning("label embeddings are not kept: %s", error)
            return False
        return True

    def _write(self, path: Path, embeddings: Tensor) -> Path:
        from safetensors.torch import save_file

        facts = {"format": _FORMAT, "key": self.key, "crc32": str(_checksum(embeddings))}
        with write_atomically(path) as temporary:
            save_file({_TENSOR: embeddings.contiguous()}, temporary, metadata=facts)
        return path


def _read(path: Path, key: str, shape: tuple[int, int]) -> Tensor | None:
    """Open a file of embeddings; None when it is missing, or is not what it should be (said in a warning)."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            embeddings: Tensor = file.get_tensor(_TENSOR)
    except (SafetensorError, OSError, ValueError) as error:
        return _unusable(path, str(error))
    if facts.get("key") != key or tuple(embeddings.shape) != shape or embeddings.dtype != torch.float16:
        return _unusable(path, "it holds something else")
    if facts.get("crc32") != str(_checksum(embeddings)):
        return _unusable(path, "its content is damaged")
    return embeddings


def _unusable(path: Path, reason: str) -> Tensor | None:
    _log.warning("the label cache %s cannot be used (%s); it is made again", path.name, reason)
    return None


def _checksum(embeddings: Tensor) -> int:
    return zlib.crc32(embeddings.contiguous().view(torch.uint8).numpy().data)

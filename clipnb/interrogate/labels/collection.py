"""Collections of whole prompts, millions of them, and their embeddings on disk: searched block by block."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import torch
from torch import Tensor

from clipnb.errors import PromptsError, reason
from clipnb.files import cache_folder, expanded, open_file, sha256_of, shipped, write_atomically
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.models.embedded import embedded
from clipnb.models.embedding_files import EmbeddingFiles
from clipnb.progress import progress_bar
from clipnb.prompts.read import Prompts, read_prompts

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder

CollectionSource = str | Path | Sequence[str]
COLLECTION = "collection"
"""What ranked labels call the table that whole prompts come from."""
MOST_FILES = 100_000
"""Most files of a folder of prompts."""
_FORMAT = "clipnb collection 1"
_BLOCK = 16_384  # prompts that are embedded, kept in one file and searched at a time
_SEEN_THROUGH, _LEAST_SEARCHED = 32, 1024  # near-duplicates for each prompt that is wanted; hits in any case
_SAME = 0.8  # of the words of two near-duplicates are in both
_ALIKE = 0.08  # of the mean distance of all prompts, and less, is between near-duplicates
_COMPARED = 4  # times as many as are wanted have their embeddings compared


class Collection:
    """Whole prompts and their embeddings under one encoder, both on disk.

    Every block of embeddings is a file of its own with a digest. One that is missing, damaged or of something else is
    embedded when it is searched: so half a collection is gone on with, and none is ever searched wrongly.

    Attributes:
        name: the file or folder that the prompts come from.
        key: digest of the prompts and of the encoder's weights.
    """

    def __init__(self, name: str, key: str, folder: Path, encoder: DualEncoder, *, quiet: bool = False) -> None:
        """Use what `open` has put into a folder."""
        self.name, self.key = name, key
        self._folder, self._encoder, self._quiet = folder, encoder, quiet
        self._ends = _line_ends(folder / _TEXTS)

    @classmethod
    def open(
        cls,
        source: CollectionSource | None,
        encoder: DualEncoder,
        *,
        column: str = "prompt",
        folder: Path | None = None,
        quiet: bool = False,
    ) -> Collection:
        """Read the prompts the first time, later what is kept of them.

        Args:
            source: a file or folder as `read_prompts` takes it, or texts; the shipped prompts when None.
            encoder: embeds them, block by block, when they are searched for the first time.
            column: where prompts stand in tables.
            folder: where prompts and embeddings are kept; clipnb's cache unless given.
            quiet: show no bar while embedding.

        Raises:
            PromptsError: there are no prompts, or they cannot be read.
        """
        source = shipped("prompts") if source is None else source
        name, content = _identity(source, column)
        key = hashlib.sha256(json.dumps([_FORMAT, content, encoder.digest]).encode()).hexdigest()[:24]
        place = (folder / "collections" if folder else cache_folder("collections")) / f"{_plain(name)}-{key}"
        if not _is_whole(place / _TEXTS):
            prompts = _read(source, column) if isinstance(source, (str, Path)) else _listed(source)
            with write_atomically(place / _TEXTS) as temporary, temporary.open("wb") as file:
                file.writelines(prompt.encode() + b"\n" for prompt in prompts)
                file.write(b"\n")  # a blank line ends it: without one it is not whole
        return cls(name, key, place, encoder, quiet=quiet)

    def __len__(self) -> int:
        return len(self._ends)

    def nearest(self, features: Tensor, count: int, accept: Callable[[str], bool] = bool) -> list[list[RankedLabel]]:
        """Search the prompts nearest to each image: exact, one product over the whole table, block by block.

        Args:
            features: float32 [B, D], unit length.
            count: prompts for each image; fewer where the collection has no more that differ.
            accept: whether a prompt may be chosen.

        Returns:
            For each image its prompts, most similar first; of near-duplicates only the best. These have four fifths of
            their words in common, or lie closer together than a twelfth of the mean distance (1 - cosine) of all.
        """
        searched = min(max(_SEEN_THROUGH * count, _LEAST_SEARCHED), len(self))
        values = torch.empty(len(features), 0, device=features.device)
        rows = torch.empty(len(features), 0, dtype=torch.long, device=features.device)
        total = torch.zeros(self._encoder.dim)
        for start, block in self._blocks():
            single = block.to(features.device).float()
            total += single.sum(0).cpu()
            similarities = features.float() @ single.T
            best = similarities.topk(min(searched, similarities.shape[1]), dim=-1)
            values = torch.cat([values, best.values], dim=-1)
            rows = torch.cat([rows, best.indices + start], dim=-1)
            values, kept = values.topk(min(searched, values.shape[1]), dim=-1)
            rows = rows.gather(-1, kept)
        mean_distance = 1 - float((total / len(self)).square().sum())
        with open_file(self._folder / _TEXTS) as file:
            hits = [
                self._distinct(file, zip(*found, strict=True), _COMPARED * count, accept)
                for found in zip(rows.tolist(), values.tolist(), strict=True)
            ]
        embedded = self._embedded({row for some in hits for row, _ in some})
        return [_apart(some, embedded, 1 - _ALIKE * mean_distance)[:count] for some in hits]

    def _distinct(
        self, file: BinaryIO, hits: Iterator[tuple[int, float]], count: int, accept: Callable[[str], bool]
    ) -> list[_Hit]:
        """Return the first accepted hits that differ by their words."""
        found: list[_Hit] = []
        seen: list[frozenset[str]] = []
        for row, value in hits:
            text = self._text(file, row, row + 1)
            if not accept(text):
                continue
            words = frozenset(re.findall(r"\w+", text.casefold())) or frozenset([text])
            if not any(len(words & other) >= _SAME * len(words | other) for other in seen):
                seen.append(words)
                found.append((row, RankedLabel(text, value, COLLECTION)))
            if len(found) == count:
                break
        return found

    def _embedded(self, rows: set[int]) -> dict[int, Tensor]:
        """Return the embeddings, float32 [D], of some rows."""
        found: dict[int, Tensor] = {}
        for start, some in groupby(sorted(rows), key=lambda row: row // _BLOCK * _BLOCK):
            block = self._block(start, min(start + _BLOCK, len(self)))
            found |= {row: block[row - start].float() for row in some}
        return found

    def _blocks(self) -> Iterator[tuple[int, Tensor]]:
        """Yield the embeddings, float16 [n, D] on the CPU, with the row that each block begins at."""
        with progress_bar(f"Embedding {self.name}", "prompt", quiet=self._quiet or self._is_embedded()) as report:
            for start in range(0, len(self), _BLOCK):
                stop = min(start + _BLOCK, len(self))
                yield start, self._block(start, stop)
                report(stop, len(self))

    def _block(self, start: int, stop: int) -> Tensor:
        def facts(embeddings: Tensor) -> dict[str, str]:
            checksum = zlib.crc32(embeddings.contiguous().view(torch.uint8).numpy().data)
            return {"format": _FORMAT, "key": self.key, "rows": f"{start}+{stop - start}", "crc32": str(checksum)}

        files = EmbeddingFiles("embeddings", torch.float16, facts)
        path = self._block_path(start)
        found = files.read(path, (stop - start, self._encoder.dim))
        if found is None:
            with open_file(self._folder / _TEXTS) as file:
                texts = self._text(file, start, stop).split("\n")
            found = embedded(self._encoder, texts).half().cpu()
            files.try_to_write(path, found)
        return found

    def _block_path(self, start: int) -> Path:
        return self._folder / f"{start:09}.safetensors"

    def _is_embedded(self) -> bool:
        return all(self._block_path(start).exists() for start in range(0, len(self), _BLOCK))

    def _text(self, file: BinaryIO, start: int, stop: int) -> str:
        begin = int(self._ends[start - 1]) + 1 if start else 0
        file.seek(begin)
        return file.read(int(self._ends[stop - 1]) - begin).decode(errors="replace")


_TEXTS = "prompts.txt"
_Hit = tuple[int, RankedLabel]


def _apart(hits: Sequence[_Hit], embedded: Mapping[int, Tensor], most: float) -> list[RankedLabel]:
    """Return the hits that have no earlier one nearer than a cosine."""
    kept: list[_Hit] = []
    for row, hit in hits:
        if not kept or float((torch.stack([embedded[other] for other, _ in kept]) @ embedded[row]).max()) < most:
            kept.append((row, hit))
    return [hit for _, hit in kept]


def _identity(source: CollectionSource, column: str) -> tuple[str, object]:
    """Return a name for people, and what tells a source's content from any other, without reading its prompts."""
    if not isinstance(source, (str, Path)):
        return "a list", hashlib.sha256(json.dumps(_listed(source)).encode()).hexdigest()
    try:
        path = expanded(source)
        inside = islice(path.rglob("*"), MOST_FILES + 1) if path.is_dir() else [path]
        files = [file for file in sorted(inside) if file.is_file()]
        if len(files) > MOST_FILES:
            raise PromptsError(f"{path} holds more than {MOST_FILES:,} files, the most of a collection")
        if files:
            return path.name, [column, *((str(file.relative_to(path)), sha256_of(file)) for file in files)]
    except (OSError, RuntimeError, ValueError) as error:
        raise PromptsError(f"cannot read {source}: {reason(error)}") from error
    return "prompts", [column, list(_read(source, column))]  # a glob, or nothing, which is said


def _read(source: str | Path, column: str) -> Prompts:
    return read_prompts(source, column, repeats="once")  # each of a million repeats would be embedded and searched


def _listed(source: Sequence[str]) -> list[str]:
    if not all(isinstance(text, str) for text in source):
        raise PromptsError("a collection is a path or a list of texts")
    texts = (" ".join(text.encode(errors="replace").decode().split()) for text in source)
    prompts = list(dict.fromkeys(text for text in texts if text))
    if not prompts:
        raise PromptsError("the collection is empty; give prompts, or none for the ones that clipnb ships")
    return prompts


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name, flags=re.ASCII)[:40]


def _is_whole(texts: Path) -> bool:
    try:
        with open_file(texts) as file:
            return file.seek(0, 2) > 2 and file.seek(-2, 2) >= 0 and file.read() == b"\n\n"
    except OSError:
        return False


def _line_ends(texts: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where each line ends, but for the blank one at the end."""
    ends, start = [], 0
    with open_file(texts) as file:
        while block := file.read(2**24):
            ends.append(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + start)
            start += len(block)
    return np.concatenate(ends)[:-1]

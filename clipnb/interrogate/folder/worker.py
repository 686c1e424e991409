"""Rows about images, batch by batch: the work itself, the same on one machine and on many."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from clipnb.errors import ClipnbError
from clipnb.images import read_image_file
from clipnb.interrogate.batches import read_in_batches
from clipnb.interrogate.captions import one_line
from clipnb.interrogate.folder.image_files import ImageFile
from clipnb.interrogate.folder.manifest import Fingerprint, RunOptions, fingerprint
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.interrogator import Interrogator, Prepared
from clipnb.interrogate.modes import find_mode
from clipnb.prompts.metadata import embedded_prompt

REMEMBERED_ROWS = 16_384  # copies of an image that lie further apart are computed again


class BatchRows(NamedTuple):
    """The new rows of a batch, in order, and the number of its images that have a row in the output already."""

    rows: list[Row]
    kept: int


class Worker(Protocol):
    """What does the work of a run: on this machine, or on many."""

    @property
    def batch_size(self) -> int:
        """Images a batch."""

    @property
    def quiet(self) -> bool:
        """Whether no bar is shown."""

    def fingerprint(self) -> Fingerprint:
        """Collect what the rows depend on."""

    def remember(self, row: Row) -> None:
        """Use a finished row for all images of the same content."""

    def describe(self, images: Iterable[ImageFile]) -> Generator[BatchRows, None, None]:
        """Yield the rows of each batch, in the order of the images; an image that cannot be read has an error."""


class _Read(NamedTuple):
    digest: str = ""
    prepared: Prepared | None = None
    error: str = ""


class OwnWorker:
    """What workers of this machine have in common: one interrogator."""

    def __init__(self, interrogator: Interrogator, options: RunOptions) -> None:
        self._interrogator, self._options = interrogator, options

    @property
    def quiet(self) -> bool:
        return self._interrogator.settings.quiet

    def fingerprint(self) -> Fingerprint:
        return fingerprint(self._interrogator, self._options)

    def _failed(self, image: str, digest: str, error: str) -> Row:
        mode, model = self._options.mode, self._interrogator.encoder.name
        known, embedding = ("" if asked else None for asked in (self._options.known, find_mode(mode).embeds))
        return Row(image, digest, mode=mode, model=model, error=error, known=known, embedding=embedding)


class LocalWorker(OwnWorker):
    """Makes rows on this machine; remembers the last ones, so that copies of an image are computed once."""

    def __init__(self, interrogator: Interrogator, options: RunOptions) -> None:
        super().__init__(interrogator, options)
        self._remembered: OrderedDict[str, Row] = OrderedDict()

    @property
    def batch_size(self) -> int:
        return self._interrogator.batch_size(self._options.mode, self._options.batch_size)

    def remember(self, row: Row) -> None:
        if row.digest and not row.error:
            self._remembered[row.digest] = row
            while len(self._remembered) > REMEMBERED_ROWS:
                self._remembered.popitem(last=False)

    def describe(self, images: Iterable[ImageFile]) -> Generator[BatchRows, None, None]:
        """Read and prepare images in threads while the models work on earlier ones."""
        if self._options.caption is None:
            self._interrogator.load_captioner(self._options.mode)
        for batch in read_in_batches(self._read, images, self.batch_size, self._options.workers):
            yield self._describe(batch)

    def _describe(self, batch: Sequence[tuple[ImageFile, _Read]]) -> BatchRows:
        batch = [(file, self._prepared(file, read)) for file, read in batch]
        waiting = {
            read.digest: (file, read)
            for file, read in reversed(batch)
            if not read.error and read.digest != file.known and read.digest not in self._remembered
        }
        found = self._compute(list(reversed(waiting.values())))
        rows = []
        for file, read in batch:
            if read.error:
                if file.known != read.digest:
                    rows.append(self._failed(file.image, read.digest, read.error))
            elif read.digest != file.known:
                row = found.get(read.digest) or self._remembered[read.digest]
                rows.append(replace(row, image=file.image))
        for row in found.values():
            self.remember(row)
        return BatchRows(rows, len(batch) - len(rows))

    def _compute(self, waiting: Sequence[tuple[ImageFile, _Read]]) -> dict[str, Row]:
        """Interrogate images of different content together; rows by digest."""
        options = self._options
        prepared = [read.prepared for _, read in waiting if read.prepared is not None]
        found = self._interrogator.interrogate_batch(
            prepared,
            options.mode,
            [options.caption] * len(prepared),
            max_flavors=options.max_flavors,
            reasons=False,
            similarity=options.similarity,
        )
        return {
            read.digest: Row.of(file.image, read.digest, one, measured=options.similarity)
            for (file, read), one in zip(waiting, found, strict=True)
        }

    def _prepared(self, file: ImageFile, read: _Read) -> _Read:
        """Read an image again that was a copy of a remembered one, where that has been forgotten meanwhile."""
        enough = read.error or read.prepared or read.digest == file.known or read.digest in self._remembered
        return read if enough else self._read(file)

    def _read(self, file: ImageFile) -> _Read:
        """Read a file, and prepare it where that is needed; runs in threads."""
        digest = ""
        if file.error:
            return _Read(error=file.error)
        try:
            content = read_image_file(file.source, file.image)
            digest = hashlib.sha256(content).hexdigest()[:32]
            if digest == file.known or digest in self._remembered:
                return _Read(digest)
            prepared = self._interrogator.prepare(content, file.image)
            if self._options.known:
                prepared = prepared._replace(inside=embedded_prompt(content))
            return _Read(digest, prepared)
        except ClipnbError as error:
            return _Read(digest, error=one_line(str(error)))
        except Exception as error:  # noqa: BLE001 - decoders of damaged files raise anything at all
            return _Read(digest, error=one_line(f"{file.image} is damaged: {error!r}"))

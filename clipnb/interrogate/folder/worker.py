"""Rows about pictures, batch by batch: the work itself, the same on one machine and on many."""

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
from clipnb.interrogate.folder.facts import Facts, Wish, facts_of
from clipnb.interrogate.folder.image_files import Picture
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.interrogator import Interrogator, Prepared

_REMEMBERED = 16_384  # rows; copies of a picture that lie further apart are computed again


class Done(NamedTuple):
    """What became of one batch.

    Attributes:
        rows: the new rows, in the order of the pictures.
        kept: pictures whose content the output has a row for already.
    """

    rows: list[Row]
    kept: int


class Engine(Protocol):
    """What does the work of a run."""

    @property
    def batch_size(self) -> int:
        """Pictures a batch."""

    @property
    def quiet(self) -> bool:
        """Whether no bar is shown."""

    def facts(self) -> Facts:
        """Collect what the rows depend on."""

    def remember(self, row: Row) -> None:
        """Take a finished row for all pictures of the same content."""

    def describe(self, pictures: Iterable[Picture]) -> Generator[Done, None, None]:
        """Make rows, batch by batch, in the order of the pictures."""


class _Read(NamedTuple):
    digest: str = ""
    prepared: Prepared | None = None
    error: str = ""


class Describer:
    """Makes rows of pictures; remembers the last ones, so that copies of a picture are computed once."""

    def __init__(self, worker: Interrogator, wish: Wish) -> None:
        """Keep what is needed.

        Args:
            worker: the models.
            wish: what is asked for.
        """
        self._worker, self._wish = worker, wish
        self._remembered: OrderedDict[str, Row] = OrderedDict()

    @property
    def batch_size(self) -> int:
        """Pictures a batch."""
        return self._worker.batch_size(self._wish.mode, self._wish.batch_size)

    @property
    def quiet(self) -> bool:
        """Whether no bar is shown."""
        return self._worker.settings.quiet

    def facts(self) -> Facts:
        """Collect what the rows depend on."""
        return facts_of(self._worker, self._wish)

    def remember(self, row: Row) -> None:
        """Take a finished row for all pictures of the same content."""
        if row.digest and not row.error:
            self._remembered[row.digest] = row
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)

    def describe(self, pictures: Iterable[Picture]) -> Generator[Done, None, None]:
        """Make rows: threads read and prepare pictures while the models work on earlier ones.

        Args:
            pictures: any number, taken as they are needed.

        Yields:
            What became of each batch, in order. A picture that cannot be read is a row with an error.
        """
        if self._wish.caption is None:
            self._worker.load_captioner(self._wish.mode)
        for batch in read_in_batches(self._read, pictures, self.batch_size, self._wish.workers):
            yield self._describe(batch)

    def _describe(self, batch: Sequence[tuple[Picture, _Read]]) -> Done:
        batch = [(picture, self._prepared(picture, read)) for picture, read in batch]
        waiting = {
            read.digest: (picture, read)
            for picture, read in reversed(batch)
            if not read.error and read.digest != picture.known and read.digest not in self._remembered
        }
        found = self._compute(list(reversed(waiting.values())))
        rows = []
        for picture, read in batch:
            if read.error:
                if picture.known != read.digest:
                    rows.append(self._failed(picture, read))
            elif read.digest != picture.known:
                row = found.get(read.digest) or self._remembered[read.digest]
                rows.append(replace(row, image=picture.image))
        for row in found.values():
            self.remember(row)
        return Done(rows, len(batch) - len(rows))

    def _compute(self, waiting: Sequence[tuple[Picture, _Read]]) -> dict[str, Row]:
        """Interrogate pictures of different content together; rows by digest."""
        wish = self._wish
        prepared = [read.prepared for _, read in waiting if read.prepared is not None]
        found = self._worker.interrogate_batch(
            prepared,
            wish.mode,
            [wish.caption] * len(prepared),
            max_flavors=wish.max_flavors,
            reasons=False,
            similarity=wish.similarity,
        )
        return {
            read.digest: Row.of(picture.image, read.digest, one, measured=wish.similarity)
            for (picture, read), one in zip(waiting, found, strict=True)
        }

    def _prepared(self, picture: Picture, read: _Read) -> _Read:
        """Read a picture again that was a copy of a remembered one, where that has been forgotten meanwhile."""
        enough = read.error or read.prepared or read.digest == picture.known or read.digest in self._remembered
        return read if enough else self._read(picture)

    def _failed(self, picture: Picture, read: _Read) -> Row:
        name = self._worker.encoder.name
        return Row(picture.image, read.digest, mode=self._wish.mode, model=name, error=read.error)

    def _read(self, picture: Picture) -> _Read:
        """Read a picture, and prepare it where that is needed; runs in threads."""
        digest = ""
        if picture.error:
            return _Read(error=picture.error)
        try:
            content = read_image_file(picture.source, picture.image)
            digest = hashlib.sha256(content).hexdigest()[:32]
            if digest == picture.known or digest in self._remembered:
                return _Read(digest)
            return _Read(digest, self._worker.prepare(content, picture.image))
        except ClipnbError as error:
            return _Read(digest, error=one_line(str(error)))
        except Exception as error:  # noqa: BLE001 - decoders of damaged files raise anything at all
            return _Read(digest, error=one_line(f"{picture.image} is damaged: {error!r}"))

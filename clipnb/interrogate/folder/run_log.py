"""What an output says of the runs before: which rows are there, in which order, and where the last run was ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from clipnb.interrogate.folder.image_files import ImageFile
from clipnb.interrogate.folder.rows import Output, Row, last_rows
from clipnb.interrogate.folder.worker import Worker


class RunLog:
    """The rows of an output in the order in which they were written.

    Attributes:
        last: name of the image that was written last, or "".
        failed: names of the images whose row has an error.
        images: names of all images that have a row.
    """

    def __init__(self, place: Output) -> None:
        self._place = place
        self._sorted = True
        self.last = ""
        self.failed: set[str] = set()
        self.images: set[str] = set()

    def known(self, *, retry_errors: bool) -> dict[str, str]:
        """Read what is there; the digest of the content that each image's row was made of."""
        known: dict[str, str] = {}
        for row in self._place.read():
            self._note(row)
            known[row.image] = row.digest
        return {image: digest for image, digest in known.items() if not (retry_errors and image in self.failed)}

    def remind(self, worker: Worker, known: Mapping[str, str]) -> None:
        """Show the worker the rows that stay, for further copies of their images."""
        for row in self._place.read():
            if known.get(row.image) == row.digest:
                worker.remember(row)

    def append(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        self._place.append(rows)
        for row in rows:
            self._note(row)

    def settle(self, dropped: Set[str] = frozenset()) -> None:
        """Sort the rows by name, drop some and those that later ones have replaced, and write them as we do now."""
        if not self._sorted or self._place.is_outdated or dropped:
            rows = last_rows(self._place.read()).values()
            self._place.replace([row for row in rows if row.image not in dropped])

    def _note(self, row: Row) -> None:
        self._sorted = self._sorted and self.last < row.image
        self.last = row.image
        self.images.add(row.image)
        (self.failed.add if row.error else self.failed.discard)(row.image)


def forget_torn_batch(known: dict[str, str], last: str, images: Sequence[ImageFile], batch_size: int) -> None:
    """Do a batch again that was written in part, so that it is computed as it would have been in one go."""
    names = [file.image for file in images]
    if last in known and last in names:
        place = names.index(last)
        start = place // batch_size * batch_size
        torn = names[start : place + 1]
        rest = names[place + 1 : start + batch_size]
        if rest and not any(name in known for name in rest) and all(name in known for name in torn):
            for name in torn:
                del known[name]

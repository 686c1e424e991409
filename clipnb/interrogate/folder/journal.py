"""What a run has written and what is left to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clipnb.interrogate.folder.output import Output
from clipnb.interrogate.folder.outputs import last_rows
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.folder.worker import Engine


class Journal:
    """The rows of an output in the order in which they were written.

    Attributes:
        last: name of the image that was written last, or "".
        failed: names of the images whose row has an error.
    """

    def __init__(self, place: Output) -> None:
        """Begin with nothing read."""
        self._place = place
        self._sorted = True
        self.last = ""
        self.failed: set[str] = set()

    def known(self, *, retry_errors: bool) -> dict[str, str]:
        """Read what is there; the digest of the content that each image's row was made of."""
        known: dict[str, str] = {}
        for row in self._place.read():
            self._note(row)
            known[row.image] = row.digest
        return {image: digest for image, digest in known.items() if not (retry_errors and image in self.failed)}

    def remind(self, engine: Engine, known: Mapping[str, str]) -> None:
        """Give the engine the rows that stay, for further copies of their pictures."""
        for row in self._place.read():
            if known.get(row.image) == row.digest:
                engine.remember(row)

    def append(self, rows: Iterable[Row]) -> None:
        """Write rows."""
        rows = list(rows)
        self._place.append(rows)
        for row in rows:
            self._note(row)

    def settle(self) -> None:
        """Bring the rows into the order of their names, and drop those that later ones have replaced."""
        if not self._sorted or self._place.is_outdated:
            self._place.replace(list(last_rows(self._place.read()).values()))

    def _note(self, row: Row) -> None:
        self._sorted = self._sorted and self.last < row.image
        self.last = row.image
        (self.failed.add if row.error else self.failed.discard)(row.image)

"""Thumbnails of image files: made when somebody looks, in threads, and kept in the cache folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from clipnb.errors import ClipnbError, ImageError, OutputError, first_line, reason
from clipnb.files import cache_folder, read_bytes, write_atomically
from clipnb.widgets.common.still import small_jpeg

SIDE = 192  # pixels of the longer side
_LARGEST = 2**20  # bytes of a thumbnail in the cache
MOST_IN_A_FOLDER = 200  # thumbnails, in each of the 256 folders of the cache: some hundred MiB in all
_AT_ONCE = 6  # images that a thread takes at a time

Place = tuple[int, int]
"""The number of a data set that was opened, and of an image in it."""
Found = Callable[[Place, "bytes | str"], None]
"""Called with an image's place, and its thumbnail as JPEG or why there is none."""


def thumbnail(path: Path) -> bytes:
    """Return the thumbnail of an image file as JPEG, from the cache where the file has not changed since.

    Raises:
        ImageError: the file is missing, or no image that can be read.
    """
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read {path.name}: {reason(error)}") from error
    state = f"\0{facts.st_mtime_ns}\0{facts.st_size}\0{SIDE}".encode()
    key = hashlib.sha256(os.fsencode(path.absolute()) + state).hexdigest()
    kept = cache_folder("thumbnails", key[:2], f"{key[2:34]}.jpg")
    with suppress(OSError):
        return read_bytes(kept, _LARGEST)
    made = small_jpeg(path, path.name, SIDE)
    with suppress(OSError, OutputError), write_atomically(kept) as temporary:  # without a cache it only takes longer
        temporary.write_bytes(made)
    with suppress(OSError):  # another process removes them too
        _remove_oldest(kept.parent)
    return made


def _remove_oldest(folder: Path) -> None:
    if len(os.listdir(folder)) > MOST_IN_A_FOLDER:  # noqa: PTH208 - names are wanted
        kept = sorted(folder.glob("*.jpg"), key=lambda file: file.stat().st_mtime_ns)
        for old in kept[: -MOST_IN_A_FOLDER // 2]:
            old.unlink(missing_ok=True)


class ThumbnailLoader:
    """Makes thumbnails in threads; what is asked for newly comes first, and what was asked for before is dropped."""

    def __init__(self, found: Found) -> None:
        """Call `found` with each thumbnail, in the thread that made it."""
        self._found = found
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "clipnb-thumbnails")
        self._turn = 0

    def ask(self, wanted: Sequence[tuple[Place, Path]]) -> None:
        """Make the thumbnails of these images."""
        self._turn += 1
        for start in range(0, len(wanted), _AT_ONCE):
            self._pool.submit(self._make, self._turn, wanted[start : start + _AT_ONCE])

    def _make(self, turn: int, wanted: Sequence[tuple[Place, Path]]) -> None:
        for place, path in wanted:
            if turn != self._turn:
                return
            try:
                self._found(place, thumbnail(path))
            except ClipnbError as error:
                self._found(place, str(error))
            except Exception as error:  # noqa: BLE001 - nobody else would see it
                self._found(place, first_line(error))

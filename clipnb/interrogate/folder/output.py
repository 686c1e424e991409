"""What an output of rows is: it grows as a run goes on, and can be read and gone on with after any end."""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from clipnb.errors import OutputError, reason
from clipnb.interrogate.folder.rows import Row


class Output(ABC):
    """Rows on disk. Of several rows about one image the last one counts.

    Attributes:
        path: the file or folder.
        is_outdated: whether rows that were read are written as earlier versions did it.
    """

    is_outdated = False

    def __init__(self, path: Path) -> None:
        """Name the place; nothing is opened yet."""
        self.path = path

    @property
    @abstractmethod
    def sidecar(self) -> Path:
        """The file beside or in it that says how its rows are made."""

    @abstractmethod
    def exists(self) -> bool:
        """Tell whether there is anything in this place."""

    @abstractmethod
    def read(self) -> Iterator[Row]:
        """Read the rows as they lie there; what is torn or damaged is left out.

        Raises:
            OutputError: what is there is no output of this kind.
        """

    @abstractmethod
    def open(self) -> None:
        """Get ready to append: what a run that was killed has left half written is cut off."""

    @abstractmethod
    def append(self, rows: Sequence[Row]) -> None:
        """Add rows; they are on the disk soon, in any case when it is closed.

        Raises:
            OutputError: the disk is full, or takes no more for another reason; what was there before stays.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is left; may be called twice."""

    @abstractmethod
    def replace(self, rows: Sequence[Row]) -> None:
        """Write these rows in place of all others; a crash meanwhile loses none."""


def open_for_writing(path: Path) -> BinaryIO:
    """Open a regular file for reading and writing, unbuffered; made where it is missing, and never cut.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    wanted = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, wanted, 0o666)
    except ValueError as error:  # a null character, or half a surrogate pair
        raise OSError(errno.EINVAL, f"no file can have this name: {error}", str(path)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file, but a pipe, a device or a socket", str(path))
    return os.fdopen(handle, "r+b", buffering=0)


def cannot_go_on(path: Path, error: OSError) -> OutputError:
    """Make the error for a place that takes no more rows."""
    return OutputError(
        f"cannot write {path}: {reason(error)}. What was written stays; make room and start the same "
        "run again, and it goes on from there"
    )


def cannot_read(path: Path, error: OSError) -> OutputError:
    """Make the error for rows that cannot be read."""
    return OutputError(f"cannot read {path}: {reason(error)}")

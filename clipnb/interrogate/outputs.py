"""Where rows go: files that grow as a run goes on, and that can be read and gone on with after any end."""

from __future__ import annotations

import csv
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from clipnb.errors import OutputError
from clipnb.files import write_atomically
from clipnb.interrogate.rows import COLUMNS, Row

_SYNCED = 1.0  # seconds that a crash of the machine costs at most; waiting for the disk after each batch costs more


class Output(ABC):
    """Rows on disk. Of several rows about one image the last one counts.

    Attributes:
        path: the file or folder.
    """

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


class TextOutput(Output):
    """Rows as lines of text, one record a row."""

    header = b""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(path)
        self._file: BinaryIO | None = None
        self._synced = 0.0

    @abstractmethod
    def encode(self, row: Row) -> bytes:
        """Write one row, line break included."""

    @abstractmethod
    def decode(self, record: bytes) -> Row:
        """Read one row.

        Raises:
            ValueError, TypeError, LookupError: it is none.
        """

    def is_whole(self, record: bytes) -> bool:
        """Tell whether a record ends with this line."""
        return record.endswith(b"\n")

    @property
    def sidecar(self) -> Path:
        """The file beside it."""
        return self.path.with_name(f"{self.path.name}.settings.json")

    def exists(self) -> bool:
        """Tell whether the file has any content."""
        return self.path.exists() and (not self.path.is_file() or self.path.stat().st_size > 0)

    def read(self) -> Iterator[Row]:
        """Read the rows; what is torn or damaged is left out."""
        for record, _ in self._records():
            try:
                yield self.decode(record)
            except (ValueError, TypeError, LookupError):
                continue

    def open(self) -> None:
        """Open the file; a record that was cut short by the end of a run is cut off."""
        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("r+b" if self.path.exists() else "w+b", buffering=0)
            whole = self._file.read(len(self.header)) == self.header
            end = max((end for _, end in self._records()), default=len(self.header) if whole else 0)
            self._file.truncate(end)
            self._file.seek(end)
            if not whole:
                self._write(self.header)

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows by one write, after which nothing but a crash of the machine takes them away."""
        if rows:
            self._write(b"".join(map(self.encode, rows)))

    def close(self) -> None:
        """Close the file."""
        if self._file:
            with _writing(self.path), closing(self._file) as file:
                self._file = None
                os.fsync(file.fileno())

    def replace(self, rows: Sequence[Row]) -> None:
        """Write a new file and rename it."""
        self.close()
        with write_atomically(self.path) as temporary:
            temporary.write_bytes(self.header + b"".join(map(self.encode, rows)))

    def _write(self, content: bytes) -> None:
        file = self._file
        if file is None:
            raise OutputError(f"{self.path} is not open")
        before = file.tell()
        with _writing(self.path):
            try:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]
                if monotonic() - self._synced > _SYNCED:
                    os.fsync(file.fileno())
                    self._synced = monotonic()
            except OSError:
                file.truncate(before)  # so that no row is cut in two
                file.seek(before)
                raise

    def _records(self) -> Iterator[tuple[bytes, int]]:
        """Read whole records after the header, with the place in the file where each ends."""
        if not self.exists():
            return
        with _reading(self.path), self.path.open("rb") as file:
            start = file.read(len(self.header))
            if start != self.header:
                if not self.header.startswith(start):  # it may have been killed while it wrote its first line
                    raise OutputError(f"{self.path} has other columns than {', '.join(COLUMNS)}; choose another name")
                return
            end, record = len(start), b""
            for line in file:
                record += line
                if self.is_whole(record):
                    end += len(record)
                    yield record, end
                    record = b""


class JsonLines(TextOutput):
    """One JSON object a line."""

    def encode(self, row: Row) -> bytes:
        """Write one object."""
        return (json.dumps(row.values(), ensure_ascii=False) + "\n").encode()

    def decode(self, record: bytes) -> Row:
        """Read one object."""
        return Row.read(json.loads(record))


class Csv(TextOutput):
    """Comma-separated values; a value with line breaks is quoted."""

    header = (",".join(COLUMNS) + "\n").encode()

    def is_whole(self, record: bytes) -> bool:
        """Tell whether the line break at the end stands outside quotes."""
        return record.endswith(b"\n") and record.count(b'"') % 2 == 0

    def encode(self, row: Row) -> bytes:
        """Write one record."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row.values().values())
        return text.getvalue().encode()

    def decode(self, record: bytes) -> Row:
        """Read one record."""
        (values,) = csv.reader(io.StringIO(record.decode(), newline=""), strict=True)
        return Row.read(dict(zip(COLUMNS, values, strict=True)))


def last_rows(rows: Iterable[Row]) -> dict[str, Row]:
    """Keep the last row about each image, sorted by its name."""
    by_image = {row.image: row for row in rows}
    return {image: by_image[image] for image in sorted(by_image)}


def find_output(path: str | Path) -> Output:
    """Choose the kind of output by the suffix of its name.

    Raises:
        OutputError: the suffix means none.
    """
    from clipnb.interrogate.shards import Shards

    kinds: dict[str, Callable[[Path], Output]] = {".csv": Csv, ".jsonl": JsonLines, ".parquet": Shards}
    place = Path(path).expanduser()
    if place.suffix.lower() not in kinds:
        suffix = place.suffix or "no suffix"
        raise OutputError(f"cannot write rows to {place.name}: {suffix} is not known; use {', '.join(kinds)}")
    return kinds[place.suffix.lower()](place)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tell what to do when a place takes no more."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise cannot_go_on(path, error) from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error


def cannot_go_on(path: Path, error: OSError) -> OutputError:
    """Make the error for a place that takes no more rows."""
    return OutputError(
        f"cannot write {path}: {error.strerror or error}. What was written stays; make room and start the same "
        "run again, and it goes on from there"
    )

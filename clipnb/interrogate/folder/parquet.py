"""Rows as a folder of Parquet files, each written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from clipnb.errors import OutputError, first_line
from clipnb.files import open_file, write_atomically
from clipnb.interrogate.folder.output import Output, cannot_go_on
from clipnb.interrogate.folder.rows import COLUMNS, Row
from clipnb.temporary import remove_torn

_PART = re.compile(r"part-[0-9]+\.parquet", re.ASCII)
_AT_ONCE, _MOST_ROWS, _LARGEST = 64, 2**20, 2**30  # rows that are unfolded at once; rows and bytes of a shard
_ROWS, _SECONDS = 1024, 30.0  # a shard is written when it has so many rows, or is so old


class Shards(Output):
    """A folder of Parquet files `part-000000.parquet`, `part-000001.parquet`, ..., in the order of their rows."""

    def __init__(self, path: Path) -> None:
        """Name the folder."""
        super().__init__(path)
        self._waiting: list[Row] = []
        self._since = 0.0

    @property
    def sidecar(self) -> Path:
        """A file in the folder that readers of Parquet pass over."""
        return self.path / "_settings.json"

    def exists(self) -> bool:
        """Tell whether there is anything in the folder."""
        return self.path.exists() and (
            not self.path.is_dir() or any(one != self.sidecar for one in self.path.iterdir())
        )

    def read(self) -> Iterator[Row]:
        """Read the rows, shard by shard."""
        parquet = _pyarrow_parquet()
        for part in self._parts():
            try:
                with open_file(part) as file:
                    table = parquet.ParquetFile(file)
                    _require_small(table.metadata)
                    for batch in table.iter_batches(_AT_ONCE, columns=list(COLUMNS)):
                        yield from map(Row.read, batch.to_pylist())
            except (OSError, ValueError, TypeError, LookupError, ArithmeticError, NotImplementedError) as error:
                raise OutputError(f"{part} is no shard of rows: {first_line(error)}; choose another name") from error

    def open(self) -> None:
        """Make the folder."""
        _pyarrow_parquet()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            remove_torn(self.path)
        except OSError as error:
            raise cannot_go_on(self.path, error) from error

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows to the shard at hand."""
        if rows and not self._waiting:
            self._since = monotonic()
        self._waiting += rows
        if len(self._waiting) >= _ROWS or (self._waiting and monotonic() - self._since > _SECONDS):
            self.close()

    def close(self) -> None:
        """Write the shard at hand."""
        if self._waiting:
            self._write(self._waiting)
            self._waiting = []

    def replace(self, rows: Sequence[Row]) -> None:
        """Write new shards, then remove the old ones: after a crash in between the last rows are the new ones."""
        self._waiting = []
        old = self._parts()
        for start in range(0, len(rows), _ROWS):
            self._write(rows[start : start + _ROWS])
        for part in old:
            part.unlink(missing_ok=True)

    def _write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        kinds = [(name, pa.float64() if name == "similarity" else pa.string()) for name in COLUMNS]
        table = pa.Table.from_pylist([row.values() for row in rows], schema=pa.schema(kinds))
        parts = self._parts()
        number = int(parts[-1].stem.partition("-")[2]) + 1 if parts else 0
        try:
            with write_atomically(self.path / f"part-{number:06}.parquet") as temporary:
                _pyarrow_parquet().write_table(table, temporary)
        except OSError as error:
            cause = error.__cause__
            raise cannot_go_on(self.path, cause if isinstance(cause, OSError) else error) from error

    def _parts(self) -> list[Path]:
        return sorted(part for part in self.path.glob("part-*.parquet") if _PART.fullmatch(part.name))


def _require_small(metadata: Any) -> None:
    """Refuse a shard that unfolds to more than any shard of ours; raises ValueError."""
    size = sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    if metadata.num_rows > _MOST_ROWS or size > _LARGEST:
        raise ValueError(f"{metadata.num_rows} rows of {size} bytes are more than a shard may have")


def _pyarrow_parquet() -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise OutputError("Parquet needs pyarrow: pip install 'clipnb[parquet]', or write .csv or .jsonl") from error
    return parquet

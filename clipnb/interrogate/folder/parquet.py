"""Rows as a folder of Parquet files, each written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from clipnb.errors import OutputError, first_line
from clipnb.files import open_file, write_atomically
from clipnb.interrogate.folder.rows import COLUMNS, NOT_A_ROW, NUMBERS, VARIANTS, Output, Row, errors_in_words
from clipnb.temporary import remove_torn

_PART = re.compile(r"part-[0-9]+\.parquet", re.ASCII)
SHARD_ROWS, _SECONDS = 1024, 30.0  # a shard is written when it has so many rows, or is so old
_AT_ONCE, _MOST_ROWS, _LARGEST = 64, 2**20, 2**30  # rows that are unfolded at once; rows and bytes of a shard


class Shards(Output):
    """A folder of Parquet files `part-000000.parquet`, `part-000001.parquet`, ..., in the order of their rows."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._waiting: list[Row] = []
        self._since = 0.0

    @property
    def sidecar(self) -> Path:
        return self.path / "_settings.json"  # a name that readers of Parquet pass over

    def exists(self) -> bool:
        return self.path.exists() and (
            not self.path.is_dir() or any(one != self.sidecar for one in self.path.iterdir())
        )

    def read(self) -> Iterator[Row]:
        parquet = _pyarrow_parquet()
        for part in self._parts():
            try:
                with open_file(part) as file:
                    shard = parquet.ParquetFile(file)
                    _require_small(shard.metadata)
                    there = set(shard.schema_arrow.names)
                    names = next((names for names in reversed(VARIANTS) if there.issuperset(names)), COLUMNS)
                    for batch in shard.iter_batches(_AT_ONCE, columns=list(names)):
                        yield from map(Row.read, batch.to_pylist())
            except (*NOT_A_ROW, OSError, NotImplementedError) as error:
                raise OutputError(f"{part} is no shard of rows: {first_line(error)}; choose another name") from error

    def open(self) -> None:
        _pyarrow_parquet()
        with errors_in_words("write", self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            remove_torn(self.path)

    def append(self, rows: Sequence[Row]) -> None:
        if rows and not self._waiting:
            self._since = monotonic()
        self._waiting += rows
        if len(self._waiting) >= SHARD_ROWS or monotonic() - self._since > _SECONDS:
            self.close()

    def close(self) -> None:
        if self._waiting:
            self._write(self._waiting)
            self._waiting = []

    def replace(self, rows: Sequence[Row]) -> None:
        """Write new shards, then remove the old ones: after a crash in between the last rows are the new ones."""
        self._waiting = []
        old = self._parts()
        for start in range(0, len(rows), SHARD_ROWS):
            self._write(rows[start : start + SHARD_ROWS])
        for part in old:
            part.unlink(missing_ok=True)

    def _write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        kinds = [(name, pa.float64() if name in NUMBERS else pa.string()) for name in self.columns]
        table = pa.Table.from_pylist([row.values() for row in rows], schema=pa.schema(kinds))
        parts = self._parts()
        number = _number(parts[-1]) + 1 if parts else 0
        with (
            errors_in_words("write", self.path),
            write_atomically(self.path / f"part-{number:06}.parquet") as temporary,
        ):
            _pyarrow_parquet().write_table(table, temporary)

    def _parts(self) -> list[Path]:
        return sorted((part for part in self.path.glob("part-*.parquet") if _PART.fullmatch(part.name)), key=_number)


def _number(part: Path) -> int:
    return int(part.stem.removeprefix("part-"))


def _require_small(metadata: Any) -> None:
    """Raise ValueError for a shard that unfolds to more than any shard of ours."""
    size = sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    if metadata.num_rows > _MOST_ROWS or size > _LARGEST:
        raise ValueError(f"{metadata.num_rows} rows of {size} bytes are more than a shard may have")


def _pyarrow_parquet() -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise OutputError("Parquet needs pyarrow: pip install 'clipnb[parquet]', or write .csv or .jsonl") from error
    return parquet

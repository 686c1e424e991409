"""Parquet and tables of Arrow: the library holds the columns; repeated texts are one text here.

Fields of structs are columns too, named as `meta.prompt`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from clipnb.errors import PromptsError, first_line
from clipnb.prompts.collection import Part, Rows
from clipnb.prompts.places.reading import MOST_COLUMNS, Cells, File, Reading, as_text, check_column, no_text
from clipnb.prompts.places.roles import roles_in

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-not-found, unused-ignore]

_TEXT_TYPES = ("string", "large_string", "string_view", "dictionary<values=string", "dictionary<values=large_string")
_BATCH, _BUFFER, _CHUNK = 2**20, 2**20, 2**14  # rows, since each batch has its dictionary anew; bytes; rows
_DEEPEST = 8  # structs in structs
_PLAIN_TYPES = ("bool", "int", "uint", "float", "double", "halffloat", "decimal", "date", "time", "timestamp")


def read_parquet(reading: Reading, file: File, opened: BinaryIO) -> Part:
    """Read the prompts in a column of a Parquet file."""
    try:
        import pyarrow
    except ImportError as error:
        raise PromptsError(f"cannot read {file.path}: Parquet needs pyarrow; pip install pyarrow") from error
    try:
        whole = reading.whole(opened, file.path)
        fields = _fields(_opened(whole).schema_arrow)
        _check_text(reading, fields, str(file.path))
        # As a dictionary, or a few long texts that are repeated a million times would be written out.
        table = _opened(whole, [reading.column])
        reading.spend(_uncompressed(table.metadata, reading.column), file.path)
        part = _rows(reading, file, table.iter_batches(_BATCH, columns=[reading.column], use_threads=False), fields)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, PromptsError):
            raise
        raise PromptsError(f"cannot read {file.path} as Parquet: {first_line(error)}") from error

    def column(name: str) -> Sequence[str]:
        again = reading.again()
        try:
            with file.reopen() as reopened:
                table = _opened(again.whole(reopened, file.path), [name])
                again.spend(_uncompressed(table.metadata, name), file.path)
                return _texts(_column(table.read(columns=[name]), fields[name]), part.rows)
        except (pyarrow.ArrowException, ValueError, KeyError) as error:
            if isinstance(error, PromptsError):
                raise
            raise PromptsError(f"cannot read {file.path} as Parquet: {first_line(error)}") from error

    part.read = column
    return part


def read_arrow(reading: Reading, file: File, table: pa.Table) -> Part:
    """Read the prompts in a column of a table that is in memory."""
    fields = _fields(table.schema)
    _check_text(reading, fields, str(file.path))
    part = _rows(reading, file, table.select([fields[reading.column].path[0]]).to_batches(), fields)
    part.read = lambda name: _texts(_column(table, fields[name]), part.rows)
    return part


class _Field(NamedTuple):
    """Where a column stands: its name, or those of the structs around it and its own."""

    path: tuple[str, ...]
    kind: str


def _fields(schema: pa.Schema) -> dict[str, _Field]:
    """Return the columns by name, in their order."""

    def below(fields: Iterable[pa.Field], before: tuple[str, ...]) -> Iterator[_Field]:
        for field in fields:
            path, kind = (*before, field.name), str(field.type)
            if kind.startswith("struct<") and len(path) < _DEEPEST:
                yield from below(field.type, path)
            else:
                yield _Field(path, kind)

    found: dict[str, _Field] = {}
    for field in sorted(below(schema, ()), key=lambda field: len(field.path)):  # a name with a dot in it goes first
        found.setdefault(".".join(field.path), field)
    return found


def _column(table: Any, field: _Field) -> Any:
    """Return a column of a table or batch."""
    from pyarrow import compute  # type: ignore[import-not-found, unused-ignore]

    column = table.column(field.path[0])
    for name in field.path[1:]:
        column = compute.struct_field(column, name)
    return column


def _opened(whole: BinaryIO, dictionaries: Sequence[str] = ()) -> Any:
    from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found, unused-ignore]

    whole.seek(0, io.SEEK_SET)
    options = {"thrift_container_size_limit": MOST_COLUMNS * 10, "buffer_size": _BUFFER, "pre_buffer": False}
    return ParquetFile(whole, read_dictionary=list(dictionaries), **options)


def _check_text(reading: Reading, fields: Mapping[str, _Field], where: str) -> None:
    check_column(reading.column, fields, where)
    kind = fields[reading.column].kind
    if not kind.startswith(_TEXT_TYPES):
        texts = [name for name, field in fields.items() if field.kind.startswith(_TEXT_TYPES)]
        raise no_text(reading.column, where, f"the type {kind}"[:100], texts)


def _rows(reading: Reading, file: File, batches: Iterable[pa.RecordBatch], fields: Mapping[str, _Field]) -> Rows:
    cells = Cells(reading, file.path, "row")
    row = 1
    for batch in batches:
        column = _column(batch, fields[reading.column])
        rows = range(row, row + len(column))
        reading.count(len(column), file.path)
        row += len(column)
        if not hasattr(column, "dictionary"):
            column = column.dictionary_encode()
        values: Any
        used = column.indices.unique().drop_null()
        if len(used) < len(column.dictionary):  # it may be that of the whole file
            values = dict(zip(used.to_pylist(), column.dictionary.take(used).to_pylist(), strict=True))
        else:
            values = column.dictionary.to_pylist()
        for start in range(0, len(column), _CHUNK):
            indices = column.indices[start : start + _CHUNK].to_pylist()
            texts = [None if index is None else values[index] for index in indices]
            cells.extend(texts, rows[start : start + _CHUNK])
    if reading.keep:
        reading.spend(sum(map(len, cells.texts)), file.path)  # repeated ones are held once, but are read each time
    plain = (*_TEXT_TYPES, *_PLAIN_TYPES)
    names = [name for name, field in fields.items() if field.kind.startswith(plain) and name != reading.column]
    return Rows(
        cells.texts, cells.rows, cells.where, cells.wholes, lambda: names, None, lambda: roles_in(names, reading.column)
    )


def _texts(column: Any, rows: Sequence[int]) -> list[str]:
    chosen = column.take(_places(rows))
    known: dict[object, str] = {}
    return [known[cell] if cell in known else known.setdefault(cell, as_text(cell)) for cell in chosen.to_pylist()]


def _places(rows: Sequence[int]) -> Any:
    import numpy as np
    import pyarrow as pa

    return pa.array(np.asarray(rows, np.int64) - 1)  # rows are counted from 1


def _uncompressed(metadata: Any, column: str) -> int:
    """Bytes of a column's pages, as the file declares them."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    parts = (group.column(place) for group in groups for place in range(group.num_columns))
    return sum(part.total_uncompressed_size for part in parts if part.path_in_schema == column)

"""Label tables for a bundle: embedded here, found there under whatever precision the other machine computes in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from clipnb.files import cache_folder, copy_atomically
from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.table import LabelTable
from clipnb.interrogate.labels.word_lists import TABLES, builtin_labels, table_labels
from clipnb.models.device import PRECISIONS
from clipnb.models.load import load_as, load_model
from clipnb.models.sources import canonical_name

_BYTES_A_LABEL = 2 * 1024  # about: half precision, of the usual lengths of embeddings


def expected_size(tables: Sequence[str] = TABLES) -> int:
    """Guess the bytes of one encoder's tables, all precisions together."""
    return sum(len(_labels(table)) for table in tables) * _BYTES_A_LABEL * len(PRECISIONS)


def make_tables(name: str, cache: Path, tables: Sequence[str] = TABLES) -> list[Path]:
    """Embed an encoder's label tables into a cache.

    They are embedded once, in single precision, and filed under the digests that the weights have in every
    precision: the embeddings are kept in half precision anyway.

    Args:
        name: of the encoder.
        cache: the folder.
        tables: which ones.

    Returns:
        The files.
    """
    encoder = load_model(canonical_name(name), "cpu", "fp32")
    made = {table: LabelTable.build(table, _labels(table), encoder) for table in tables}
    files = []
    for precision in PRECISIONS:
        other = load_as(canonical_name(name), precision)
        for table, built in made.items():
            place = TableCache.of(cache / "labels", table, built.labels, other)
            files.append(place.keep(built.embeddings))
    return [*files, *(_copies_of_classes(cache) if name == "lite" else ())]


def _labels(table: str) -> tuple[str, ...]:
    return table_labels(table, builtin_labels(table))


def _copies_of_classes(cache: Path) -> Iterator[Path]:
    """Copy the embedded class names of `lite`, which each precision has made when it was loaded."""
    for source in sorted(cache_folder("lite").glob("classes-*.safetensors")):
        place = cache / "lite" / source.name
        copy_atomically(source, place)
        yield place

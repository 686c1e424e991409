"""What a bundle will hold, found out before anything of it is fetched."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from clipnb.bundle.manifest import BundleError
from clipnb.bundle.target import Target
from clipnb.bundle.wheels import Wheel, is_there, resolve, with_size
from clipnb.errors import counted, first_line, nearest
from clipnb.files import shipped, size_in_words
from clipnb.interrogate.labels.word_lists import TABLES, builtin_labels, table_labels
from clipnb.models.captioner import captioner_files
from clipnb.models.device import PRECISIONS
from clipnb.models.local import Portable
from clipnb.models.sources import encoder_files

WHEELS, MODELS, CACHE, NOTEBOOKS = "wheels", "models", "cache", "notebooks"
_LARGEST_SHOWN = 5
_LARGEST_DESCRIPTION = 2**20  # bytes of a text that describes a wheel
_BYTES_A_LABEL = 2 * 1024  # about: half precision, of the usual lengths of embeddings


@dataclass(frozen=True)
class Wishes:
    """What the user asks for: the other machine, names of models, packages that it has already, extras of clipnb."""

    target: Target
    models: Sequence[str] = ("lite",)
    captioners: Sequence[str] = ()
    without: Sequence[str] = ()
    extras: Sequence[str] = ("lite",)
    tables: Sequence[str] = TABLES


@dataclass(frozen=True)
class Plan:
    """Everything that goes into a bundle: clipnb's own wheel, all others, those of them that are missing, ..."""

    folder: Path
    wishes: Wishes
    own: Path
    wheels: tuple[Wheel, ...]
    missing: tuple[Wheel, ...]
    weights: tuple[Portable, ...]
    notebooks: tuple[Path, ...]

    @property
    def to_fetch(self) -> int:
        """Bytes that come over the network, as far as the index knows."""
        return sum(wheel.size or 0 for wheel in self.missing)

    @property
    def to_write(self) -> int:
        """Bytes that the folder will grow by at most."""
        weights = sum(_size(file.source) for file in self.weights)
        return self.to_fetch + weights + self._tables_size + _size(self.own) + sum(map(_size, self.notebooks))

    @property
    def _tables_size(self) -> int:
        return len(self.wishes.models) * expected_size(self.wishes.tables)

    def lines(self) -> Iterator[str]:
        """Yield lines about what it holds, how large it is, and what has to be fetched."""
        here = len(self.wheels) - len(self.missing)
        kept = f", {here} of them here already" if here else ""
        yield f"{'wheels':<14} {len(self.wheels) + 1} files{kept}; to fetch: {_text(self.to_fetch)}"
        largest = sorted(self.missing, key=lambda wheel: wheel.size or 0, reverse=True)[:_LARGEST_SHOWN]
        for wheel in largest:
            yield f"{'':<14}   {_text(wheel.size):>9}  {wheel.file}"
        unknown = [wheel.file for wheel in self.missing if wheel.size is None]
        if unknown:
            yield f"{'':<14} size not known: {', '.join(unknown)}"
        names = [*self.wishes.models, *self.wishes.captioners]
        weights = _text(sum(_size(file.source) for file in self.weights)) if self.weights else "in the wheels"
        yield f"{'weights':<14} {', '.join(names)}: {weights}"
        yield f"{'label tables':<14} embedded here, about {_text(self._tables_size)}"
        yield f"{'notebooks':<14} {len(self.notebooks)} files, {_text(sum(map(_size, self.notebooks)))}"
        target = self.wishes.target
        yield f"{'for':<14} Python {target.python} on {target.platform}"
        yield f"{'to fetch':<14} {_text(self.to_fetch)}, in all about {_text(self.to_write)} into {self.folder}"


def make_plan(folder: Path, wishes: Wishes, own: Path) -> Plan:
    """Return what goes into a bundle; asks the index for descriptions and sizes only.

    Args:
        folder: the bundle.
        wishes: what was asked for.
        own: the wheel of clipnb itself.

    Raises:
        BundleError: pip cannot find the wheels, or clipnb has no such extra.
        ModelUnavailableError: a model is not on this machine.
        UnknownModelError: nor anywhere else.
    """
    _require_extras(own, wishes.extras)
    weights = [file for name in wishes.models for file in encoder_files(name)]
    weights += [file for name in wishes.captioners for file in captioner_files(name)]
    root = f"clipnb[{','.join(wishes.extras)}] @ {own.resolve().as_uri()}"
    found = [wheel for wheel in resolve([root], wishes.target, wishes.without) if wheel.name != "clipnb"]
    missing = {wheel for wheel in found if not is_there(wheel, folder / WHEELS)}
    sizes = {wheel.file: wheel for wheel in with_size(sorted(missing, key=lambda wheel: wheel.name))}
    return Plan(
        folder=folder,
        wishes=wishes,
        own=own,
        wheels=tuple(found),
        missing=tuple(sizes.values()),
        weights=tuple(weights),
        notebooks=tuple(sorted(shipped("notebooks").glob("*.ipynb"))),
    )


def _require_extras(own: Path, extras: Sequence[str]) -> None:
    try:
        known = _description(own).get_all("Provides-Extra") or []
    except Exception as error:  # archives fail in many ways; the user gets one
        raise BundleError(f"{own.name} is no wheel that can be read: {first_line(error)}") from error
    for extra in extras:
        if extra not in known:
            raise BundleError(f"clipnb has no extra {extra!r}; it has: {nearest(extra, known)}")


def _description(wheel: Path) -> metadata.PackageMetadata:
    with zipfile.ZipFile(wheel) as archive:  # what is unpacked beyond the size that is told there is cut off
        texts = [part for part in archive.infolist() if ".dist-info/" in part.filename.lower()]
    if any(text.file_size > _LARGEST_DESCRIPTION for text in texts):
        raise ValueError(f"a text that describes it is larger than {size_in_words(_LARGEST_DESCRIPTION)}")
    described = [one.metadata for one in metadata.distributions(path=[str(wheel)])]
    if len(described) != 1:
        raise ValueError(f"it describes {counted(len(described), 'package')}")
    return described[0]


def labels_of(table: str) -> tuple[str, ...]:
    """Return the labels of one of our tables."""
    return table_labels(table, builtin_labels(table))


def expected_size(tables: Sequence[str] = TABLES) -> int:
    """Return about how many bytes one encoder's tables take, all precisions together."""
    return sum(len(labels_of(table)) for table in tables) * _BYTES_A_LABEL * len(PRECISIONS)


def _size(path: Path) -> int:
    return path.stat().st_size


def _text(size: int | None) -> str:
    return "?" if size is None else f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"

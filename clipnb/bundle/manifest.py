"""What a bundle holds: read, written, and compared with what is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from clipnb.errors import ClipnbError, listed, reason
from clipnb.files import sha256_of, write_atomically

MANIFEST = "manifest.json"


class BundleError(ClipnbError, ValueError):
    """A bundle that is incomplete, or cannot be made."""


class Entry(BaseModel):
    """One file: its size in bytes and its digest, 64 hex digits."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a bundle holds and for whom.

    Attributes:
        format: of this file.
        clipnb: version of the package.
        python: version that the wheels are for, such as "3.11".
        platform: that they are for, such as "linux_x86_64".
        without: packages that the other machine has already.
        models: names of the encoders and captioners in it.
        files: path below the bundle, with slashes -> entry.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["clipnb bundle 1"] = "clipnb bundle 1"
    clipnb: str
    python: str
    platform: str
    without: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    files: dict[str, Entry] = {}

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())


def measure_files(folder: Path, paths: Iterable[Path]) -> dict[str, Entry]:
    """Measure and digest files of a bundle; path below it -> entry."""
    return {
        path.relative_to(folder).as_posix(): Entry(size=path.stat().st_size, sha256=sha256_of(path)) for path in paths
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it, last of all: a folder with a manifest is complete."""
    with write_atomically(folder / MANIFEST) as temporary:
        temporary.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")


def check_bundle(folder: Path) -> Manifest:
    """Read a bundle's manifest and compare every file's size with it; takes milliseconds.

    Raises:
        BundleError: there is no bundle, or files are missing or of another size.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        near = f" (there is one in {inner[0]})" if (inner := [p.parent for p in folder.glob(f"*/{MANIFEST}")]) else ""
        raise BundleError(
            f"{folder} is no complete bundle: it has no {MANIFEST}{near}; `clipnb bundle DIR` makes one"
        ) from None
    except ValidationError as error:
        mistake = error.errors()[0]
        where = "".join(f"{part}: " for part in mistake["loc"])
        raise BundleError(f"{folder / MANIFEST} is no manifest of a bundle: {where}{mistake['msg']}") from error
    except OSError as error:
        raise BundleError(f"{folder / MANIFEST} cannot be read: {reason(error)}") from error
    wrong = [found for path, entry in manifest.files.items() if (found := _difference(folder, path, entry))]
    if wrong:
        raise BundleError(
            f"the bundle {folder} is damaged: {listed(wrong)}; copy it again, or mend it "
            f"where it was made: `clipnb bundle` fetches only what is missing"
        )
    return manifest


def _difference(folder: Path, path: str, entry: Entry) -> str:
    try:
        size = (folder / path).stat().st_size
    except OSError:
        return f"{path} is missing"
    return "" if size == entry.size else f"{path} has {size} bytes, not {entry.size}"

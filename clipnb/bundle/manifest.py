"""What a bundle holds: its manifest, and the folder that is written by it alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from clipnb.errors import ClipnbError, first_line, listed, reason
from clipnb.files import copy_atomically, is_claimed, read_bytes, sha256_of, write_atomically

MANIFEST, GUIDE = "manifest.json", "README.md"
_UNFINISHED = "manifest-unfinished.json"
_LARGEST = 16 * 2**20  # bytes of a manifest


class BundleError(ClipnbError, ValueError):
    """A bundle that is incomplete, or cannot be made."""


class Entry(BaseModel):
    """One file: its size in bytes and its digest, 64 hex digits."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> Entry:
        """Measure and digest a file."""
        return cls(size=file.stat().st_size, sha256=sha256_of(file))


def _stays_inside(path: str) -> str:
    if path.startswith("/") or "\\" in path or ".." in path.split("/") or ":" in path:
        raise ValueError(f"{path!r} leads out of the bundle")
    if not path or "\0" in path:
        raise ValueError(f"no file can have the name {path!r}")
    return path


class Manifest(BaseModel):
    """What a bundle holds and for which Python and platform, `without` packages that are there already.

    `files` are by their paths below the bundle, with slashes. `guide` is the README.md, which a user may change; None
    in bundles of earlier versions.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["clipnb bundle 1"] = "clipnb bundle 1"
    clipnb: str
    python: str
    platform: str
    without: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    files: dict[Annotated[str, AfterValidator(_stays_inside)], Entry] = {}
    guide: Entry | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    def write(self, place: Path) -> None:
        """Write it as JSON."""
        with write_atomically(place) as temporary:
            temporary.write_text(self.model_dump_json(indent=1, exclude_none=True), encoding="utf-8")


class BundleFolder:
    """A folder that a bundle is made in: a new one or its own, and nothing in it is replaced that was changed.

    What was put there is recorded, with its digest, before it appears; so an interrupted run goes on with its own.
    """

    def __init__(self, folder: Path) -> None:
        """Look at a folder; nothing is written yet.

        Raises:
            BundleError: it is neither new, nor empty, nor a bundle; or files in it were changed.
        """
        self.folder = folder
        self.earlier = self._read_record()
        self._known = dict(self.earlier.files) if self.earlier else {}
        if self.earlier and self.earlier.guide:
            self._known[GUIDE] = self.earlier.guide
        changed = [path for path in self._known if os.path.lexists(folder / path) and not self._is_own(path)]
        if changed:
            raise BundleError(
                f"{folder} holds files that were changed since they were put there: {listed(changed)}; "
                "move them away, or choose another folder"
            )

    def start(self, about: Manifest) -> None:
        """Begin to write what the bundle is going to be (its files do not count): it is not complete from here on."""
        self._about = about
        self._refuse_foreign_manifest()
        self._record()
        (self.folder / MANIFEST).unlink(missing_ok=True)

    def add(self, source: Path, place: str) -> str:
        """Copy a file to a place in the bundle (with slashes), and return the place.

        Raises:
            BundleError: a file is there that is not the bundle's own, or a link leads out of the bundle.
            OutputError: it cannot be written.
        """
        target, entry = self.folder / place, Entry.of(source)
        if not target.parent.resolve().is_relative_to(self.folder.resolve()):
            raise BundleError(f"{target.parent} is a link that leads out of the bundle; remove it")
        if os.path.lexists(target):
            if _is_same(target, entry) if target != source else _is_plain(target):
                self._record({place: entry})
                return place
            if not self._is_own(place):
                raise BundleError(f"{target} is a file that is not the bundle's own; move it, or choose another folder")
            target.unlink()
        self._record({place: entry})
        if not is_claimed(target):
            raise BundleError(f"{target} is being written by somebody else")
        copy_atomically(source, target)
        return place

    def finish(self, places: list[str]) -> Manifest:
        """Write the manifest, last of all: a folder that has one is complete."""
        files = {place: self._known[place] for place in places}
        manifest = self._about.model_copy(update={"files": files, "guide": self._known.get(GUIDE)})
        self._refuse_foreign_manifest()
        manifest.write(self.folder / MANIFEST)
        (self.folder / _UNFINISHED).unlink(missing_ok=True)
        return manifest

    def _record(self, new: dict[str, Entry] | None = None) -> None:
        self._known.update(new or {})
        self._about.model_copy(update={"files": self._known}).write(self.folder / _UNFINISHED)

    def _refuse_foreign_manifest(self) -> None:
        if os.path.lexists(self.folder / MANIFEST):
            _read_own(self.folder / MANIFEST)

    def _is_own(self, place: str) -> bool:
        entry, file = self._known.get(place), self.folder / place
        # A name that was claimed, by a run that ended there, is empty.
        return entry is not None and (_is_same(file, entry) or (_is_plain(file) and file.stat().st_size == 0))

    def _read_record(self) -> Manifest | None:
        for name in (_UNFINISHED, MANIFEST):
            place = self.folder / name
            if os.path.lexists(place):
                return _read_own(place)
        if os.path.isdir(self.folder):  # noqa: PTH112 - pathlib's raises for names that are too long
            strange = sorted(part.name for part in self.folder.iterdir() if not part.name.startswith(".clipnb-"))
            if strange:
                raise BundleError(
                    f"{self.folder} is no bundle, but holds {listed(strange)}; name a folder that is new or empty"
                )
        elif os.path.lexists(self.folder):
            raise BundleError(f"{self.folder} is no folder; name one that is new or empty")
        return None


def _read_own(place: Path) -> Manifest:
    try:
        manifest = _read(place)
    except (BundleError, FileNotFoundError) as error:
        raise BundleError(
            f"{place} is no bundle's; name a folder that is new or empty ({first_line(error)})"
        ) from error
    if read_bytes(place, _LARGEST).decode() != manifest.model_dump_json(indent=1, exclude_none=True):
        raise BundleError(f"{place} was changed since it was written; move it away, or choose another folder")
    return manifest


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _is_same(file: Path, entry: Entry) -> bool:
    return _is_plain(file) and file.stat().st_size == entry.size and sha256_of(file) == entry.sha256


def _read(place: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(read_bytes(place, _LARGEST))
    except ValidationError as error:
        mistake = error.errors()[0]
        where = "".join(f"{part}: " for part in mistake["loc"])
        raise BundleError(f"{place} is no manifest of a bundle: {where}{mistake['msg']}") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BundleError(f"{place} cannot be read: {reason(error)}") from error


def check_bundle(folder: Path) -> Manifest:
    """Return a bundle's manifest, with which every file's size was compared; takes milliseconds.

    Raises:
        BundleError: there is no bundle, or files are missing or of another size.
    """
    try:
        manifest = _read(folder / MANIFEST)
    except FileNotFoundError:
        near = f" (there is one in {inner[0]})" if (inner := [p.parent for p in folder.glob(f"*/{MANIFEST}")]) else ""
        raise BundleError(
            f"{folder} is no complete bundle: it has no {MANIFEST}{near}; `clipnb bundle DIR` makes one"
        ) from None
    wrong = [found for path, entry in manifest.files.items() if (found := _difference(folder, path, entry))]
    if wrong:
        raise BundleError(
            f"the bundle {folder} is damaged: {listed(wrong)}; copy it again, or delete these files where it was made "
            "and run `clipnb bundle` there: it fetches only what is missing"
        )
    return manifest


def _difference(folder: Path, path: str, entry: Entry) -> str:
    try:
        size = (folder / path).stat().st_size
    except OSError:
        return f"{path} is missing"
    return "" if size == entry.size else f"{path} has {size} bytes, not {entry.size}"

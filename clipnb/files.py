"""Where files are found and how they are written: shipped contents, the cache, atomic writing, names not yet taken."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from clipnb.errors import OutputError, reason
from clipnb.temporary import temporary_beside

_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """Find a file or folder that clipnb ships, in an installed wheel or in a checkout alike.

    Args:
        parts: path below `data/` (such as "labels", "mediums.txt"), or "prompts" or "notebooks" and what is below.

    Returns:
        The path; it need not exist.
    """
    installed = _PACKAGE / "_data"
    if installed.is_dir():
        return installed.joinpath(*parts)
    beside = ("data",) if parts[:1] not in (("prompts",), ("notebooks",)) else ()
    return _PACKAGE.parent.joinpath(*beside, *parts)


def cache_folder(*parts: str) -> Path:
    """Find the folder for what can be made again; `$CLIPNB_CACHE` moves it. It need not exist."""
    from platformdirs import user_cache_path

    root = os.environ.get("CLIPNB_CACHE")
    return (Path(root).expanduser() if root else user_cache_path("clipnb", appauthor=False)).joinpath(*parts)


def bundle_folder(*parts: str) -> Path | None:
    """Find the bundle of wheels, weights and tables that `$CLIPNB_BUNDLE` names, or something in it; None without one.

    It may be read-only; nothing is ever written to it here. What it holds need not exist.
    """
    root = os.environ.get("CLIPNB_BUNDLE")
    return Path(root).expanduser().joinpath(*parts) if root else None


def find_cached(*parts: str) -> Path:
    """Find a file of the cache: the own one, else the bundle's, else where the own one will be."""
    own, bundled = cache_folder(*parts), bundle_folder("cache", *parts)
    return bundled if bundled and bundled.exists() and not own.exists() else own


def sha256_of(path: Path) -> str:
    """Digest a file's bytes: 64 hex digits.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Write a file so that its name holds the whole content or does not change at all.

    What a killed process left of a file that it was writing into the same folder is removed.

    Args:
        path: the final name; its folder is made when missing.

    Yields:
        A temporary name in the same folder (same suffix) to write to; renamed when the block ends well,
        removed when it does not.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # made private at first; the user expects an ordinary file
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def copy_atomically(source: Path, place: Path) -> None:
    """Copy a file's content so that the new name holds the whole or does not change at all.

    Raises:
        OutputError: the source cannot be read, or the place cannot be written to.
    """
    with write_atomically(place) as temporary:
        shutil.copyfile(source, temporary)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def unused_path(path: Path) -> Path:
    """Find a name that is not taken yet: `name.png`, then `name-1.png`, `name-2.png`, ...

    Args:
        path: the wished name.

    Returns:
        The wished name when nothing has it, else the first free numbered one.
    """
    return next(candidate for candidate in numbered(path) if not candidate.exists())


def numbered(path: Path) -> Iterator[Path]:
    """Yield the names that a file may get: the wished one, then `name-1.png`, `name-2.png`, ... without end."""
    yield path
    for number in count(1):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")

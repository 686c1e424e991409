"""Where files are found and how they are written: shipped contents, the cache, atomic writing, names not yet taken."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clipnb.errors import OutputError

_PACKAGE = Path(__file__).resolve().parent
_TEMPORARY = re.compile(r"\.clipnb-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-.*", re.DOTALL)
_DAY = 24 * 60 * 60  # seconds; no file of ours is written for so long without a change to it


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
    temporary = _temporary_beside(path)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # made private at first; the user expects an ordinary file
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
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


def _temporary_beside(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_torn(path.parent)
        owner = f".clipnb-{_machine()}-{os.getpid()}"
        handle, name = tempfile.mkstemp(prefix=f"{owner}-{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError(
            f"cannot write into {path.parent}: {error.strerror or error}; choose another folder"
        ) from error
    return Path(name)


def remove_torn(folder: Path) -> None:
    """Remove the temporary files in a folder that no living process writes to.

    Whether a process lives can only be told on its own machine; what others write, such as into a folder of a
    network, is removed when it has not changed for a day.
    """
    for file in folder.glob(".clipnb-*"):
        with suppress(OSError):  # another process may be removing it too
            if _is_torn(file):
                file.unlink(missing_ok=True)


def _is_torn(file: Path) -> bool:
    owner = _TEMPORARY.fullmatch(file.name)
    if owner is None:
        return False
    is_dead = owner["machine"] == _machine() and not _lives(int(owner["process"]))
    return is_dead or time.time() - file.stat().st_mtime > _DAY


def _lives(process: int) -> bool:
    """Tell whether a process of this machine may be alive."""
    if os.name == "nt":  # there is no asking there without disturbing it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _machine() -> str:
    """Name, by 8 hex digits, where the numbers of processes count: this machine since its start, or a container."""
    facts = [platform.node()]
    with suppress(OSError):  # only Linux tells more
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:8]


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
    if not path.exists():
        return path
    number = 1
    while (candidate := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return candidate

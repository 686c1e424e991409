"""Files and folders that are not whole yet: their names, and what becomes of them when their process was killed."""

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

from clipnb.errors import OutputError, reason

_TEMPORARY = re.compile(r"\.clipnb-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-.*", re.DOTALL)
_DAY = 24 * 60 * 60  # seconds; no file of ours is written for so long without a change to it


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Make a folder for what is not whole yet, inside another one, so that the whole can be moved out by renaming.

    Args:
        folder: made when missing.

    Yields:
        An empty folder in it; removed with all that is left in it when the block ends.

    Raises:
        OutputError: nothing can be made there.
    """
    with _making(folder) as owner:
        scratch = Path(tempfile.mkdtemp(prefix=owner, dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def temporary_beside(path: Path) -> Path:
    """Make an empty file of another name in the folder of a file that is going to be written.

    Args:
        path: the final name; its folder is made when missing.

    Returns:
        The temporary one, of the same suffix.

    Raises:
        OutputError: nothing can be made there.
    """
    with _making(path.parent) as owner:
        handle, name = tempfile.mkstemp(prefix=f"{owner}{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    return Path(name)


@contextmanager
def _making(folder: Path) -> Iterator[str]:
    """Give what temporary names in a folder begin with; say what to do where nothing can be made there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_torn(folder)
        yield f".clipnb-{_machine()}-{os.getpid()}-"
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write into {folder}: {reason(error)}; choose another folder") from error


def remove_torn(folder: Path) -> None:
    """Remove the temporary files and folders in a folder that no living process writes to.

    Whether a process lives can only be told on its own machine; what others write, such as into a folder of a
    network, is removed when it has not changed for a day.
    """
    for left in folder.glob(".clipnb-*"):
        with suppress(OSError):  # another process may be removing it too
            if _is_torn(left):
                _remove(left)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()


def _is_torn(place: Path) -> bool:
    owner = _TEMPORARY.fullmatch(place.name)
    if owner is None:
        return False
    is_dead = owner["machine"] == _machine() and not _lives(int(owner["process"]))
    return is_dead or time.time() - place.stat().st_mtime > _DAY


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

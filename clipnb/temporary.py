"""Files and folders that are not whole yet: their names, and what becomes of them when their process was killed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
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
    """Make a folder for what is not whole yet in another one, so that the whole can be moved out by renaming.

    Yields:
        An empty folder; removed with all that is left in it when the block ends.

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
    """Make an empty file of another name, but the same suffix, in the folder of a file that is going to be written.

    Raises:
        OutputError: nothing can be made there.
    """
    with _making(path.parent) as owner:
        temporary = path.with_name(f"{owner}{path.stem[:40]}-{secrets.token_hex(4)}{path.suffix}")
        temporary.open("xb").close()
    return temporary


@contextmanager
def _making(folder: Path) -> Iterator[str]:
    """Yield what temporary names in a folder begin with; what killed processes left there is removed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_torn(folder)
        yield f".clipnb-{machine_name()}-{os.getpid()}-"
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write into {folder}: {reason(error)}; choose another folder") from error


def remove_torn(folder: Path) -> None:
    """Remove the temporary files and folders in a folder that no living process writes to.

    Whether a process lives can only be told on its own machine; what others write, such as into a folder of a
    network, is removed when it has not changed for a day.
    """
    for left in folder.glob(".clipnb-*"):
        with suppress(OSError):  # another process may be removing it too
            if not _is_torn(left):
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()


def _is_torn(place: Path) -> bool:
    owner = _TEMPORARY.fullmatch(place.name)
    if owner is None:
        return False
    is_dead = owner["machine"] == machine_name() and not _lives(int(owner["process"]))
    return is_dead or time.time() - place.lstat().st_mtime > _DAY


def _lives(process: int) -> bool:
    if os.name == "nt":  # there is no asking there without disturbing it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def machine_name() -> str:
    """Name, by 8 hex digits, where the numbers of processes count: this machine since its start, or a container."""
    facts = [platform.node()]
    with suppress(OSError):  # only Linux tells more
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:8]

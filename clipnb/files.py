"""Files: where they are, guarded reading, names that are claimed, atomic writing."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from clipnb.errors import OutputError, reason
from clipnb.temporary import remove_torn, temporary_beside

IMAGE_SUFFIXES = frozenset(
    ".apng .avif .avifs .bmp .dib .gif .icns .ico .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .pbm .pcx "  # noqa: SIM905
    ".pfm .pgm .png .pnm .ppm .psd .tga .tif .tiff .webp".split()
)
"""Suffixes of the files in a folder that are images; others are left alone."""
PACKAGE = Path(__file__).resolve().parent
_DEVICE = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))", re.IGNORECASE)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its writer


def shipped(*parts: str) -> Path:
    """Return the path of a file or folder that clipnb ships, in an installed wheel or in a checkout alike.

    Args:
        parts: path below `data/` (such as "labels", "mediums.txt"), or "prompts" or "notebooks" and what is below.
    """
    installed = PACKAGE / "_data"
    if installed.is_dir():
        return installed.joinpath(*parts)
    beside = ("data",) if parts[:1] not in (("prompts",), ("notebooks",)) else ()
    return PACKAGE.parent.joinpath(*beside, *parts)


def cache_folder(*parts: str) -> Path:
    """Return the folder for what can be made again, or a path in it; `$CLIPNB_CACHE` moves it. It need not exist."""
    from platformdirs import user_cache_path

    root = os.environ.get("CLIPNB_CACHE")
    return (expanded(root) if root else user_cache_path("clipnb", appauthor=False)).joinpath(*parts)


def bundle_folder(*parts: str) -> Path | None:
    """Return the bundle that `$CLIPNB_BUNDLE` names, or a path in it; None without one. It may be read-only."""
    root = os.environ.get("CLIPNB_BUNDLE")
    return expanded(root).joinpath(*parts) if root else None


def find_cached(*parts: str) -> Path:
    """Find a file of the cache: the own one, else the bundle's, else where the own one will be."""
    own, bundled = cache_folder(*parts), bundle_folder("cache", *parts)
    return bundled if bundled and bundled.exists() and not own.exists() else own


def expanded(path: str | Path) -> Path:
    """Return a path with a home folder in the place of `~`; `~draft.png`, which names none, stays."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's refuses such names


def valid_unicode(name: str) -> str:
    r"""Escape in a file's name what no text file can hold: bytes that are no UTF-8, and halves of surrogate pairs.

    >>> valid_unicode("caf\udce9.png"), valid_unicode("a\ud800")
    ('caf\\xe9.png', 'a\\ud800')
    """
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # no file has such a name, but a person or a program may give it
        return name.encode("utf-8", "backslashreplace").decode()


def no_device(name: str) -> str:
    """Return a file's name, or one beside it where it is a device's on Windows, whatever its suffix.

    >>> no_device("CON.png"), no_device("console.png")
    ('CON_.png', 'console.png')
    """
    return _DEVICE.sub(r"\1_", name)


def is_named_like_an_image(name: str) -> bool:
    """Return whether a file is by its name an image that is meant to be seen.

    >>> is_named_like_an_image("Holiday.JPG"), is_named_like_an_image("._Holiday.JPG")
    (True, False)
    """
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122 - a million names


def open_file(path: str | Path) -> BinaryIO:
    """Open a regular file for reading: the one way into any file that a user names.

    Pipes, devices and sockets, which could be waited for without end, are refused at once.

    Args:
        path: `~` is expanded.

    Raises:
        OSError: missing, unreadable, a folder, no regular file, or a path that no file can have; `errors.reason`
            puts it into words.
    """
    return os.fdopen(_opened(os.path.expanduser(path), os.O_RDONLY), "rb")  # noqa: PTH111 - of a hundred thousand files


def open_for_writing(path: Path) -> BinaryIO:
    """Open a regular file for reading and writing, unbuffered; made where it is missing, and never cut.

    Raises:
        OSError: as `open_file`.
    """
    return os.fdopen(_opened(path, os.O_RDWR | os.O_CREAT), "r+b", buffering=0)


def locked(file: BinaryIO) -> bool:
    """Lock until the process ends, by whatever; False where another process has the lock."""
    try:
        import fcntl
    except ImportError:  # Windows: two of them are not noticed there
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _opened(path: str | Path, flags: int) -> int:
    try:
        handle = os.open(path, flags | _NONBLOCK | getattr(os, "O_BINARY", 0), 0o666)
    except ValueError as error:  # a null character; half a surrogate pair
        raise OSError(errno.EINVAL, f"no file can have this name: {error}", str(path)) from error
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return handle
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    raise OSError(errno.EINVAL, "it is no regular file, but a pipe, a device or a socket", str(path))


def read_bytes(path: str | Path, limit: int) -> bytes:
    """Read a regular file whole.

    Args:
        path: as `open_file` takes it.
        limit: largest size in bytes.

    Raises:
        OSError: as `open_file`, or the file is larger than the limit.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= limit:
            content = file.read(size + 1)  # not the limit, which may be much more memory
            content += file.read(limit + 1 - len(content)) if len(content) > size else b""
            if len(content) <= limit:
                return content
    raise OSError(errno.EFBIG, f"it is larger than {size_in_words(limit)}, the most that is read", str(path))


def read_text(path: str | Path, limit: int) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Raises:
        OSError: as `read_bytes`, or the bytes are no UTF-8.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OSError(errno.EILSEQ, f"it is no UTF-8 text ({error.reason} at byte {error.start})", str(path)) from error


def size_in_words(size: int) -> str:
    """Return a number of bytes as people write it.

    >>> size_in_words(300), size_in_words(3 * 2**20)
    ('300 bytes', '3 MiB')
    """
    return f"{size} bytes" if size < 2**20 else f"{size / 2**20:.0f} MiB"


def sha256_of(path: Path) -> str:
    """Return the digest of a regular file: 64 hex digits; OSError where it cannot be read."""
    digest = hashlib.sha256()
    with open_file(path) as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Write a file so that its name holds the whole content or does not change at all.

    Args:
        path: the final name, which must be ours to replace (else see `write_new`); its folder is made when missing.

    Yields:
        A temporary name in the same folder (same suffix) to write to; renamed when the block ends well,
        removed when it does not.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    temporary = temporary_beside(path)
    rights = stat.S_IMODE(temporary.stat().st_mode)
    try:
        yield temporary
        temporary.chmod(rights)  # a library may have put a private file of its own there
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


def copy_missing(source: Path, place: Path) -> None:
    """Copy a file to a place that nothing has yet; anything that is there stays, a link that leads nowhere included.

    An empty file is what a copy that was killed has claimed, and gets the content.

    Raises:
        OutputError: the source cannot be read, or the place cannot be written to.
    """
    if is_claimed(place) or (place.is_file() and not place.is_symlink() and place.stat().st_size == 0):
        with given_back(place):
            copy_atomically(source, place)


def claim(path: Path) -> Path:
    """Claim a name that nothing has yet: `name.png`, then `name-1.png`, `name-2.png`, ...

    An empty file takes the name, in one step of the file system, so that no other thread, process or machine gets it.

    Args:
        path: the wished name; its folder is made when missing.

    Raises:
        OutputError: the place cannot be written to.
    """
    return next(candidate for candidate in numbered(path) if is_claimed(candidate))


def claim_folder(path: Path) -> Path:
    """Make an empty folder of a name that nothing has yet, as `claim` does for a file."""
    for candidate in numbered(path):
        if _made(candidate.mkdir, candidate):
            break
        with suppress(OSError):
            remove_torn(candidate)  # nobody else may ever write there again
    return candidate


def is_claimed(path: Path) -> bool:
    """Try to claim exactly this name; False where anything has it, a link that leads nowhere included.

    Raises:
        OutputError: the place cannot be written to.
    """
    return _made(lambda: path.open("xb").close(), path)


def _made(make: Callable[[], object], path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make()
    except FileExistsError:
        if not os.path.lexists(path):  # a file stands where a folder of the path should be
            raise OutputError(f"cannot write {path}: {path.parent} is no folder; choose another folder") from None
        return False
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {path}: {reason(error)}; choose another folder") from error
    return True


@contextmanager
def given_back(*claimed: Path) -> Iterator[None]:
    """Remove files whose names were claimed where the block that writes them fails."""
    try:
        yield
    except BaseException:
        for path in claimed:
            path.unlink(missing_ok=True)
        raise


@contextmanager
def write_new(path: Path) -> Iterator[tuple[Path, Path]]:
    """Write a file under a name that nothing has yet: nothing is overwritten, and nobody sees half a file.

    Args:
        path: the wished name; see `claim`.

    Yields:
        The name that it gets, and a temporary one to write to; when the block fails both are removed.

    Raises:
        OutputError: the place cannot be written to.
    """
    target = claim(path)
    with given_back(target), write_atomically(target) as temporary:
        yield target, temporary


def numbered(path: Path) -> Iterator[Path]:
    """Yield the names that a file may get: the wished one, then `name-1.png`, `name-2.png`, ... without end."""
    if path.name in ("", ".."):
        raise OutputError(f"cannot write {path}: it names a folder; add the name of a file")
    yield path
    for number in count(1):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")

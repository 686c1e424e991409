"""What is written into a folder's captions: logged before, so that a killed save goes on and every save can be undone.

The log lies in the folder, under `.clipnb-captions`: one file a save, with the bytes of each caption before and after.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from clipnb.errors import OutputError, PromptsError, reason, shortened
from clipnb.files import locked, open_for_writing, read_bytes, write_atomically
from clipnb.progress import progress_bar
from clipnb.prompts.caption_files import LONGEST_CAPTION
from clipnb.prompts.records import Skipped
from clipnb.temporary import scratch_folder

FOLDER = ".clipnb-captions"
LARGEST_LOG = 2**30  # bytes
_DONE, _SAVING, _UNDOING = "jsonl", "saving", "undoing"


@dataclass(frozen=True)
class Rewrite:
    """A file's bytes before and after; None where there is no file."""

    file: str
    before: bytes | None
    after: bytes | None

    def turned(self) -> Rewrite:
        return Rewrite(self.file, self.after, self.before)


@dataclass(frozen=True)
class Written:
    """What became of the files of a save.

    Attributes:
        count: number of files that hold the new text now.
        skipped: files that were left alone, with the reason: another program changed them, or they cannot be written.
    """

    count: int
    skipped: tuple[Skipped, ...] = ()

    def __str__(self) -> str:
        files = f"{self.count:,} caption{'s' * (self.count != 1)} written"
        left = "".join(f"\n  {one.source}: {one.why}" for one in self.skipped[:5])
        return files + (f", {len(self.skipped):,} left alone:{left}" if self.skipped else "")


class CaptionLog:
    """The saves into one folder of captions, one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / FOLDER

    def interrupted(self) -> Path | None:
        """Return the save or undoing that a killed process left half done."""
        return next((path for path in self._files(_SAVING, _UNDOING)), None)

    def last(self) -> Path | None:
        """Return the last save that can be undone."""
        return max(self._files(_DONE), default=None, key=_number)

    def save(self, rewrites: Iterable[Rewrite], *, quiet: bool = True) -> Written:
        """Log what is going to be written, then write it, file by file, each whole or not at all.

        Raises:
            OutputError: nothing can be written there, or another process saves into the same folder.
        """
        rows = list(rewrites)
        if not rows:
            return Written(0)
        with self._alone() as scratch:
            self._go_on(scratch, quiet=quiet)
            number = max(map(_number, self._files(_DONE)), default=0) + 1
            log = self.place / f"{number:06}.{_SAVING}"
            with write_atomically(log) as temporary, temporary.open("w", encoding="ascii") as file:
                file.writelines(_line(row) for row in rows)
                file.flush()
                os.fsync(file.fileno())
            return self._apply(log, rows, scratch, quiet=quiet)

    def undo(self, *, quiet: bool = True) -> Written:
        """Put back what the last save changed; files that were changed since are left alone.

        Raises:
            PromptsError: there is nothing to undo.
            OutputError: as `save`.
        """
        if self.last() is None and self.interrupted() is None:
            raise PromptsError(f"nothing to undo: no captions below {self.folder} were saved by clipnb")
        with self._alone() as scratch:
            self._go_on(scratch, quiet=quiet)
            last = self.last()
            if last is None:  # it was half undone already
                return Written(0)
            log = last.replace(last.with_suffix(f".{_UNDOING}"))
            return self._apply(log, [row.turned() for row in _rows(log)], scratch, quiet=quiet)

    def resume(self, *, quiet: bool = True) -> Written | None:
        """Finish what a killed process left half done; None where there is nothing, or another process is at it."""
        if self.interrupted() is None:
            return None
        with suppress(OutputError), self._alone() as scratch:
            return self._go_on(scratch, quiet=quiet)
        return None

    def _go_on(self, scratch: Path, *, quiet: bool) -> Written | None:
        log = self.interrupted()
        if log is None:
            return None
        rows = [row if log.suffix == f".{_SAVING}" else row.turned() for row in _rows(log)]
        return self._apply(log, rows, scratch, quiet=quiet)

    def _apply(self, log: Path, rows: list[Rewrite], scratch: Path, *, quiet: bool) -> Written:
        count, skipped, new = 0, [], str(scratch / "caption")
        with progress_bar("captions", "file", quiet=quiet) as report:
            for number, row in enumerate(rows, 1):
                why = _rewrite(self.folder, row, new)
                count += not why
                skipped += [Skipped(row.file, why)] if why else []
                report(number, len(rows))
        if log.suffix == f".{_SAVING}":
            log.replace(log.with_suffix(f".{_DONE}"))
        else:
            log.unlink()
        return Written(count, tuple(skipped))

    @contextmanager
    def _alone(self) -> Iterator[Path]:
        """Hold the folder against other processes; yield a place for files that are not whole yet."""
        with scratch_folder(self.place) as scratch, open_for_writing(self.place / "lock") as file:
            if not locked(file):
                raise OutputError(f"another program saves captions below {self.folder}; wait until it has ended")
            yield scratch

    def _files(self, *suffixes: str) -> list[Path]:
        return sorted(path for suffix in suffixes for path in self.place.glob(f"*.{suffix}") if path.stem.isdecimal())


def _number(path: Path) -> int:
    return int(path.stem)


def _rewrite(folder: Path, row: Rewrite, new: str) -> str:
    """Write one file; return why not, where it is left alone."""
    path = os.path.join(folder, row.file)  # noqa: PTH118 - of a hundred thousand files pathlib is a third of the time
    try:
        now, mode = _content(path)
        if mode is not None and stat.S_ISLNK(mode):
            return "it is a link"
        if now == row.after:
            return ""
        if now != row.before:
            return "another program changed it since it was read"
        if row.after is None:
            os.unlink(path)  # noqa: PTH108
            return ""
        with open(new, "wb", buffering=0) as file:  # noqa: PTH123
            file.write(row.after)
            if mode is not None and stat.S_IMODE(mode) != stat.S_IMODE(os.fstat(file.fileno()).st_mode):
                os.chmod(new, stat.S_IMODE(mode))  # noqa: PTH101
        if mode is None:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        os.replace(new, path)  # noqa: PTH105
    except OSError as error:
        return reason(error)
    return ""


def _content(path: str) -> tuple[bytes | None, int | None]:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None, None
    return (read_bytes(path, LONGEST_CAPTION) if stat.S_ISREG(mode) else None), mode


def _line(row: Rewrite) -> str:
    return json.dumps([row.file, _stored(row.before), _stored(row.after)]) + "\n"


def _stored(content: bytes | None) -> str | list[str] | None:
    """Return bytes as JSON holds them: as text, or in base64 where they are none."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return [base64.b64encode(content).decode()]


def _loaded(stored: object) -> bytes | None:
    if isinstance(stored, list):
        return base64.b64decode(stored[0], validate=True)
    return stored.encode() if isinstance(stored, str) else None


def _rows(log: Path) -> list[Rewrite]:
    try:
        lines = read_bytes(log, LARGEST_LOG).splitlines()
        rows = [
            Rewrite(_inside(file), _loaded(before), _loaded(after)) for file, before, after in map(json.loads, lines)
        ]
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise PromptsError(f"cannot read {log}: {shortened(str(error), 200)}; remove it to go on without it") from error
    return rows


def _inside(file: str) -> str:
    path = Path(file)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{file!r} leads out of the folder")
    return file

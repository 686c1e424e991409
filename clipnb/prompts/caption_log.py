"""What is written into a folder's captions: logged before, so that a killed save goes on and every save can be undone.

The log lies in the folder, under `.clipnb-captions`: one file a save, with the bytes of each caption before and after.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clipnb.errors import OutputError, PromptsError, counted, reason, shortened
from clipnb.files import locked, open_for_writing, read_bytes, write_atomically
from clipnb.progress import log as warnings
from clipnb.progress import progress_bar
from clipnb.prompts.caption_files import LONGEST_CAPTION, SUFFIXES, leads_out, write_whole
from clipnb.prompts.records import Skipped
from clipnb.prompts.replaced_files import freed_in_threads

FOLDER = ".clipnb-captions"
LARGEST_LOG = 2**30  # bytes
MOST_SAVES = 20  # that can be undone
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
        files = f"{counted(self.count, 'caption')} written"
        left = "".join(f"\n  {one.source}: {one.why}" for one in self.skipped[:5])
        return files + (f", {len(self.skipped):,} left alone:{left}" if self.skipped else "")


class CaptionLog:
    """The saves into one folder of captions, one process at a time."""

    def __init__(self, folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
        self.folder = folder
        self.place = folder / FOLDER
        self._suffixes = suffixes

    def interrupted(self) -> Path | None:
        """Return the save or undoing that a killed process left half done."""
        return next((path for path in self._files(_SAVING, _UNDOING)), None)

    def last(self) -> Path | None:
        """Return the last save that can be undone."""
        return max(self._files(_DONE), default=None, key=_number)

    def save(self, rewrites: Iterable[Rewrite], *, quiet: bool = True) -> Written:
        """Log what is going to be written, then write it, file by file, each whole or not at all.

        The last 20 saves can be undone.

        Raises:
            OutputError: nothing can be written there, it is too much for one save, or another process saves into the
                same folder.
        """
        rows = list(rewrites)
        if not rows:
            return Written(0)
        with self._alone():
            self._go_on(quiet=quiet)
            done = sorted(self._files(_DONE), key=_number)
            log = self.place / f"{_number(done[-1]) + 1 if done else 1:06}.{_SAVING}"
            with write_atomically(log) as temporary:
                self._write_log(temporary, rows)
            for old in done[: 1 - MOST_SAVES]:
                old.unlink()
            return self._apply(log, rows, quiet=quiet)

    def undo(self, *, quiet: bool = True) -> Written:
        """Put back what the last save changed; files that were changed since are left alone.

        Raises:
            PromptsError: there is nothing to undo.
            OutputError: as `save`.
        """
        if self.last() is None and self.interrupted() is None:
            raise PromptsError(f"nothing to undo: no captions below {self.folder} were saved by clipnb")
        with self._alone():
            was_undoing = any(self._files(_UNDOING))
            gone_on = self._go_on(quiet=quiet)
            last = self.last()
            if last is None or (was_undoing and gone_on is not None):
                return gone_on or Written(0)
            rows = [row.turned() for row in self._rows(last)]
            return self._apply(last.replace(last.with_suffix(f".{_UNDOING}")), rows, quiet=quiet)

    def resume(self, *, quiet: bool = True) -> Written | None:
        """Finish what a killed process left half done, and say so; None where there is nothing to finish.

        Where another process is at it, or nothing can be written, that is said and left.
        """
        if self.interrupted() is None:
            return None
        try:
            with self._alone():
                return self._go_on(quiet=quiet)
        except OutputError as error:
            warnings.warning("a save of captions is half done: %s", error)
            return None

    def _go_on(self, *, quiet: bool) -> Written | None:
        log = self.interrupted()
        if log is None:
            return None
        is_save = log.suffix == f".{_SAVING}"
        rows = [row if is_save else row.turned() for row in self._rows(log)]
        written = self._apply(log, rows, quiet=quiet)
        what = "a save" if is_save else "an undoing"
        warnings.warning("%s below %s that was interrupted is finished: %s", what, self.folder, written)
        return written

    def _write_log(self, place: Path, rows: list[Rewrite]) -> None:
        with place.open("w", encoding="ascii") as file:
            file.writelines(map(_line, rows))
            file.flush()
            os.fsync(file.fileno())
            if file.tell() > LARGEST_LOG:
                raise OutputError(f"{len(rows):,} captions are too much for one save (1 GiB of text); save fewer")

    def _apply(self, log: Path, rows: list[Rewrite], *, quiet: bool) -> Written:
        count, skipped = 0, []
        outside: dict[str, bool] = {}  # by folder
        with progress_bar("captions", "file", quiet=quiet) as report, freed_in_threads() as hold:
            for number, row in enumerate(rows, 1):
                here = os.path.dirname(row.file)  # noqa: PTH120 - of a hundred thousand files
                if here not in outside:
                    outside[here] = leads_out(self.folder, os.path.join(self.folder, here))  # noqa: PTH118
                why = "a link leads out of the folder" if outside[here] else _rewrite(self.folder, row, hold)
                count += not why
                skipped += [Skipped(row.file, why)] if why else []
                report(number, len(rows))
        left = {one.source for one in skipped}
        written = [row for row in rows if row.file not in left]
        if log.suffix == f".{_UNDOING}" or not written:
            log.unlink()
        else:
            if left:  # what was not written is not to be undone
                with write_atomically(log) as temporary:
                    self._write_log(temporary, written)
            log.replace(log.with_suffix(f".{_DONE}"))
        return Written(count, tuple(skipped))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder against other processes."""
        lock = self.place / "lock"
        for path in (self.place, lock):
            if path.is_symlink():
                raise OutputError(f"{path} is a link, which captions are not saved through; remove it")
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            file = open_for_writing(lock)
        except OSError as error:
            raise OutputError(f"cannot write into {self.place}: {reason(error)}") from error
        with file:
            if not locked(file):
                raise OutputError(f"another program saves captions below {self.folder}; wait until it has ended")
            yield

    def _rows(self, log: Path) -> list[Rewrite]:
        try:
            lines = read_bytes(log, LARGEST_LOG).splitlines()
            return [
                Rewrite(self._checked(file), _loaded(before), _loaded(after))
                for file, before, after in map(json.loads, lines)
            ]
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            why = reason(error) if isinstance(error, OSError) else shortened(str(error), 200)
            raise PromptsError(f"cannot go on with {log}: {why}; remove it to go on without it") from error

    def _checked(self, file: str) -> str:
        """Check the name of a caption in a log, which may have come with the folder from anywhere."""
        path = Path(file)
        if path.is_absolute() or "\0" in file or any(part.startswith(".") for part in path.parts):
            raise ValueError(f"{file!r} is no caption below the folder")
        if path.suffix.lower() not in self._suffixes:
            raise ValueError(f"{file!r} is no caption with the suffix {' or '.join(self._suffixes)}")
        return file

    def _files(self, *suffixes: str) -> list[Path]:
        return sorted(path for suffix in suffixes for path in self.place.glob(f"*.{suffix}") if path.stem.isdecimal())


def _number(path: Path) -> int:
    return int(path.stem)


def _rewrite(folder: Path, row: Rewrite, hold: Callable[[str], None]) -> str:
    """Write one file; return why not, where it is left alone."""
    path = os.path.join(folder, row.file)  # noqa: PTH118 - of a hundred thousand files pathlib is a third of the time
    try:
        mode = _mode(path)
        if mode is not None and not stat.S_ISREG(mode):
            return "it is a link" if stat.S_ISLNK(mode) else "it is a folder, or no regular file"
        now = None if mode is None else read_bytes(path, LONGEST_CAPTION)
        if now == row.after:
            return ""
        if now != row.before:
            return "another program changed it since it was read"
        hold(path)
        if row.after is None:
            os.unlink(path)  # noqa: PTH108
            return ""
        if mode is None:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        write_whole(path, row.after, None if mode is None else stat.S_IMODE(mode))
    except (OSError, ValueError) as error:
        return reason(error)
    return ""


def _mode(path: str) -> int | None:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


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

"""What all readers share: the limits of one reading, decoding piece by piece, and what was skipped."""

from __future__ import annotations

import codecs
import io
import os
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from clipnb.errors import PromptsError, nearest, reason, shortened
from clipnb.files import open_file, size_in_words
from clipnb.prompts.byte_order import mark_of
from clipnb.prompts.collection import flat
from clipnb.prompts.records import Skipped
from clipnb.prompts.splitting import whole_text

MOST_BYTES = 2**30  # of all files that are read at a time, decompressed
MOST_LINES = 20_000_000  # of all of them, blank ones included
LONGEST_LINE = 16 * 2**20  # bytes
LONGEST_PROMPT = 1_000_000  # characters
MOST_COLUMNS = 10_000  # of a table
MOST_MEMBERS = 100_000  # of a gzipped file: it may be many, one after the other
MOST_SKIPS = 1_000_000  # rows and records of a file that cannot be read
MOST_SKIPPED = 1_000  # that are kept with their reasons; the others are counted
UNREADABLE = (OSError, EOFError, zlib.error)
_BLOCK = 2**20
_BREAKS = re.compile("\r\n?")


class Stream(Protocol):
    """Bytes, forwards only."""

    def read(self, size: int, /) -> bytes: ...


class TooMuchError(PromptsError):
    """More than one reading may take; not the fault of one file."""


class OtherEncodingError(Exception):
    """A file is no UTF-8 and has to be read again in the encoding that was named."""


@dataclass
class File:
    """A file that is read, perhaps twice: once for its prompts, and again for other columns when they are asked for.

    Attributes:
        path: its name.
        content: its bytes where they are here already, such as an upload's.
    """

    path: Path
    content: bytes | None = None
    _state: tuple[int, ...] = ()

    def open(self) -> BinaryIO:
        if self.content is not None:
            return io.BytesIO(self.content)
        opened = open_file(self.path)
        state = os.fstat(opened.fileno())
        self._state = (state.st_size, state.st_mtime_ns)
        return opened

    @contextmanager
    def reopen(self) -> Iterator[BinaryIO]:
        """Open it once more.

        Raises:
            PromptsError: it is gone, or was changed since.
        """
        before = self._state
        try:
            with self.open() as opened:
                if before != self._state:
                    raise PromptsError(f"{self.path} was changed since its prompts were read; read it again")
                yield opened
        except UNREADABLE as error:
            raise PromptsError(f"cannot read {self.path} again: {reason(error)}") from error


@dataclass
class Reading:
    """One reading of files: what is wanted, what was spent of the limits, what was passed over."""

    column: str = "prompt"
    encoding: str | None = None
    strict: bool = False
    keep: bool = True  # repeats
    decode_as: str | None = None  # the file that is read, which is no UTF-8
    skipped: list[Skipped] = field(default_factory=list)
    skips: int = 0
    replaced: int = 0
    without_prompt: list[Path] = field(default_factory=list)
    without_picture: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _bytes: int = 0
    _lines: int = 0
    _skips_before: int = 0  # the file that is read

    def begin(self) -> None:
        """Begin with another file."""
        self._skips_before = self.skips

    def skip(self, source: str, why: str) -> None:
        """Count something that is left out.

        Raises:
            PromptsError: the reading is strict, or too much of the file that is read cannot be.
        """
        if self.strict:
            raise PromptsError(f"{source}: {why}")
        if self.skips - self._skips_before >= MOST_SKIPS:
            raise PromptsError(f"more than {MOST_SKIPS:,} rows or records cannot be read, such as {source}: {why}")
        self.skips += 1
        if len(self.skipped) < MOST_SKIPPED:
            self.skipped.append(Skipped(source, shortened(why, 300)))

    def forget(self) -> None:
        """Forget what was skipped in the file that is read: it is left out whole, or read again."""
        self.skips = self._skips_before
        del self.skipped[self.skips :]

    def again(self) -> Reading:
        """Return a reading that reads other columns of the file that is read now, some time later."""
        return Reading(self.column, self.encoding, decode_as=self.decode_as)

    def spend(self, amount: int, path: Path) -> None:
        self._bytes += amount
        if self._bytes > MOST_BYTES:
            raise TooMuchError(
                f"cannot read {path}: more than {size_in_words(MOST_BYTES)} at a time, decompressed; "
                "read fewer or smaller files"
            )

    def count(self, lines: int, path: Path) -> None:
        self._lines += lines
        if self._lines > MOST_LINES:
            raise TooMuchError(f"cannot read {path}: more than {MOST_LINES:,} lines at a time; read fewer files")

    def stream(self, file: BinaryIO, path: Path) -> Stream:
        """Return the bytes of a file, decompressed when its name says that it is gzipped, and counted."""
        plain = _Gunzipped(file, path) if path.name.lower().endswith(".gz") else file
        return _Spent(plain, self, path)

    def whole(self, file: BinaryIO, path: Path) -> BinaryIO:
        """Return a file that can be sought in, decompressed."""
        if not path.name.lower().endswith(".gz"):
            return file
        pieces = self.stream(file, path)
        return io.BytesIO(b"".join(iter(lambda: pieces.read(_BLOCK), b"")))

    def pieces(self, file: BinaryIO, path: Path, *, of_lines: bool = True) -> Iterator[str]:
        r"""Decode a text in pieces, of whole lines ended by `\n` unless these do not matter.

        Raises:
            PromptsError: it is no text, or has too long a line.
            OtherEncodingError: it is no UTF-8, and another encoding was named.
        """
        stream, rest = self.stream(file, path), b""
        block = stream.read(_BLOCK)
        mark, encoding = mark_of(block)
        block = block[len(mark) :]
        named = encoding if mark else self.decode_as
        if named and not (mark and named == "utf-8"):
            stream = _Transcoded(stream, block, named, path, None if mark else self)
            block = stream.read(_BLOCK)
        while block:
            if b"\0" in block:
                self._refuse_zeros(path)
            block = rest + block
            end = _line_end(block) if of_lines else _character_end(block)
            if len(block) - end > LONGEST_LINE:
                raise PromptsError(f"cannot read {path}: a line is longer than {size_in_words(LONGEST_LINE)}")
            if end:
                text = self._decode(block[:end])
                self.count(text.count("\n") if of_lines else 0, path)
                yield text
            rest, block = block[end:], stream.read(_BLOCK)
        if rest:
            yield self._decode(rest)

    def _refuse_zeros(self, path: Path) -> None:
        if self.encoding and not self.decode_as:
            raise OtherEncodingError
        raise PromptsError(
            f"{path} is no text: it holds zero bytes; where it is UTF-16 without a mark, name the encoding utf-16-le"
        )

    def lines(self, file: BinaryIO, path: Path) -> Iterator[list[str]]:
        for piece in self.pieces(file, path):
            yield piece.removesuffix("\n").split("\n")

    def _decode(self, data: bytes) -> str:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            if self.encoding and not self.decode_as:
                raise OtherEncodingError from error
            text = data.decode(errors="replace")
            self.replaced += text.count("\ufffd") - data.count("\ufffd".encode())
        return _BREAKS.sub("\n", text) if "\r" in text else text


class Cells:
    """The prompts in a column, cell by cell."""

    def __init__(self, reading: Reading, path: Path, word: str) -> None:
        self.texts: list[str] = []
        self.rows = array("i")
        self.wholes: dict[int, str] = {}
        self._reading, self.where = reading, f"{path}, {word}"

    def extend(self, cells: Sequence[object], rows: Iterable[int]) -> None:
        """Take the texts; what is there but no text, or too long, is skipped and told."""
        flattened: dict[str, tuple[str, str]] = {}  # a column's dictionary may hold one long text a million times
        for cell, row in zip(cells, rows, strict=False):
            if not isinstance(cell, str):
                if cell is not None and cell == cell:  # NaN is what pandas has where nothing is
                    column = shortened(self._reading.column)
                    self._reading.skip(f"{self.where} {row}", f"its {column} is {kind_of(cell)}, no text")
                continue
            if (pair := flattened.get(cell)) is None:
                pair = flattened[cell] = self._flat(cell)
            text, whole = pair
            if len(text) > LONGEST_PROMPT:
                self._reading.skip(f"{self.where} {row}", too_long(text))
            elif text:
                if whole:
                    self.wholes[len(self.texts)] = whole
                self.texts.append(text)
                self.rows.append(row)

    def _flat(self, cell: str) -> tuple[str, str]:
        """Return a cell on one line, and with its own line breaks where it has any."""
        if cell.isascii() and cell.isprintable():
            return cell.strip(), ""
        whole = whole_text(cell)  # half a surrogate pair, which JSON can spell, is replaced
        self._reading.replaced += whole.count("\ufffd") - cell.count("\ufffd")
        text, stripped = flat(whole), whole.strip()
        return text, stripped if text != stripped and len(stripped) <= LONGEST_PROMPT else ""


def too_long(text: str) -> str:
    return f"a line has {len(text):,} characters, and a prompt {LONGEST_PROMPT:,} at most"


def check_column(column: str, columns: Iterable[object], where: str) -> None:
    """Raise where a column is not there."""
    if column not in columns:
        names = nearest(column, map(str, columns)) or "none"
        raise PromptsError(f"no column {shortened(column)!r} in {where}; there is {names}")


def no_text(column: str, where: object, holds: str, texts: Sequence[str]) -> PromptsError:
    """Return the error for a column that holds no texts; it names those that do."""
    there = f"texts stand in {nearest(column, texts)}" if texts else "no column holds texts"
    return PromptsError(f"the column {shortened(column)!r} of {where} holds {holds}, no texts; {there}")


def kind_of(cell: object) -> str:
    kinds = {list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(cell), f"of the kind {type(cell).__name__}")


def as_text(cell: object) -> str:
    """Return what stands in a cell as a text; empty where nothing does."""
    if isinstance(cell, str):
        return whole_text(cell)
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a whole number in a column where some are missing
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def _line_end(block: bytes) -> int:
    return max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1  # a last \r may be half a line break


def _character_end(block: bytes) -> int:
    for back in range(1, min(4, len(block)) + 1):
        if block[-back] < 0x80:
            return len(block) - back + 1
        if block[-back] >= 0xC0:
            return len(block) - back
    return len(block)


class _Spent:
    def __init__(self, stream: Stream, reading: Reading, path: Path) -> None:
        self._stream, self._reading, self._path = stream, reading, path

    def read(self, size: int, /) -> bytes:
        block = self._stream.read(size)
        self._reading.spend(len(block), self._path)
        return block


class _Transcoded:
    """A text in another encoding, as UTF-8; bad bytes are an error, or replaced and counted in a reading."""

    def __init__(self, stream: Stream, first: bytes, encoding: str, path: Path, reading: Reading | None) -> None:
        self._stream, self._first, self._path, self._reading = stream, first, path, reading
        self._decoder = codecs.getincrementaldecoder(encoding)("replace" if reading else "strict")
        self._encoding = encoding

    def read(self, size: int, /) -> bytes:
        while block := self._first or self._stream.read(size):
            self._first = b""
            if text := self._decoded(block):
                return text
        return self._decoded(b"", final=True)

    def _decoded(self, block: bytes, *, final: bool = False) -> bytes:
        try:
            text = self._decoder.decode(block, final)
        except UnicodeError as error:
            raise PromptsError(f"cannot read {self._path}: it is no text in {self._encoding}") from error
        if self._reading:
            self._reading.replaced += text.count("\ufffd")
        return whole_text(text).encode()


class _Gunzipped:
    """A gzipped file, whose members are counted: millions of empty ones would take minutes."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._inflate, self._rest = zlib.decompressobj(31), b""
        self._members, self._inside = 0, False

    def read(self, size: int, /) -> bytes:
        blocks: list[bytes] = []
        while size > 0 and (data := self._rest or self._file.read(2**14)):
            data = data if self._inside else data.lstrip(b"\0")  # a last block may be filled with zeros
            self._inside = self._inside or bool(data)
            block = self._inflate.decompress(data, size)
            self._rest = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._end_member()
            blocks.append(block)
            size -= len(block)
        whole = b"".join(blocks)
        if not whole and self._inside:
            raise EOFError("it ends in the middle of its compressed data")
        return whole

    def _end_member(self) -> None:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise PromptsError(f"cannot read {self._path}: it is more than {MOST_MEMBERS:,} gzipped files in one")
        self._rest = self._inflate.unused_data
        self._inflate, self._inside = zlib.decompressobj(31), False

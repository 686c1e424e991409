"""Prompts from where they live: files, folders, tables, captions, pictures, standard input; read within limits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from clipnb.errors import PromptsError, counted, nearest, quoted, reason, shortened
from clipnb.files import size_in_words
from clipnb.prompts.byte_order import check_encoding
from clipnb.prompts.caption_files import PICTURES
from clipnb.prompts.caption_files import SUFFIXES as CAPTIONS
from clipnb.prompts.collection import Part, Prompts, Records, collect
from clipnb.prompts.places.csv_files import read_csv
from clipnb.prompts.places.finding import TEXT, Finder, Found
from clipnb.prompts.places.frames import is_table, read_table
from clipnb.prompts.places.json_files import read_json, read_json_lines
from clipnb.prompts.places.parquet_files import read_parquet
from clipnb.prompts.places.pictures import joined, read_caption, read_picture
from clipnb.prompts.places.reading import MOST_BYTES, UNREADABLE, File, OtherEncodingError, Reading, TooMuchError
from clipnb.prompts.places.text_files import read_dump, read_lines, read_text, read_wildcards

__all__ = ["KINDS", "REPEATS", "SUFFIXES", "Prompts", "load_prompts", "prompts_of", "read_prompts"]

PathLike = str | os.PathLike[str]
Reader = Callable[[Reading, File, BinaryIO], Part]
READERS: dict[str, tuple[Reader, tuple[str, ...]]] = {
    "text": (read_lines, (".txt",)),
    "csv": (read_csv, (".csv", ".tsv")),
    "jsonl": (read_json_lines, (".jsonl", ".ndjson")),
    "json": (read_json, (".json",)),
    "parquet": (read_parquet, (".parquet",)),
    "wildcards": (read_wildcards, (".txt",)),
    "parameters": (read_dump, (".txt",)),
}
"""How the files of a kind are read, and how their names end."""
KINDS = ("auto", *READERS, "captions", "images")
REPEATS = ("auto", "keep", "once")
_BY_SUFFIX = {suffix: kind for kind in ("csv", "jsonl", "json", "parquet") for suffix in READERS[kind][1]}
SUFFIXES = (*CAPTIONS, *_BY_SUFFIX)
"""How the names of files end that are read; pictures, which may hold prompts, beside them."""
_STDIN = Path("standard input")


def read_prompts(
    path: PathLike | Iterable[PathLike] | Any,
    column: str = "prompt",
    *,
    repeats: str = "auto",
    kind: str = "auto",
    encoding: str | None = None,
    strict: bool = False,
) -> Prompts:
    """Read prompts, wherever they live.

    What cannot be read is skipped, counted, and told by `Prompts.report`: a file among others, a row with more or
    fewer fields than its heading, a record without the column. A file that is read alone, and cannot be, is an error.

    Args:
        path: a file, a folder (with all below it, hidden ones left out), a glob such as `prompts/*.txt`, several of
            these, `-` for standard input, or a table of pandas or Arrow. Read are `.txt` (a prompt a line, or what
            A1111 writes), `.csv` and `.tsv`, `.jsonl`, `.json`, each also with `.gz`, `.parquet`, captions (`.txt` or
            `.caption` with the name of a picture beside it), and in a folder with nothing else the prompts inside of
            its pictures. At most 1 GiB of text in 20,000,000 lines at a time, and prompts of up to 1,000,000
            characters.
        column: where the prompts stand in tables and JSON; a key in an object of JSON is named as `meta.prompt`.
        repeats: `keep` or drop (`once`) prompts that repeat; `auto` drops those of text files and wildcards alone.
        kind: what the files are where their names do not tell: `text`, `csv`, `jsonl`, `json`, `parquet`,
            `wildcards` (lines that begin with `#` are comments), `parameters` (records of A1111), `captions`, `images`.
        encoding: of texts that are no UTF-8 and have no byte order mark, such as `cp1252`; without it their bad bytes
            are replaced and counted.
        strict: stop at the first thing that would be skipped.

    Returns:
        Prompts in the order of their sources; those of which repeats are dropped come first, sorted.

    Raises:
        PromptsError: nothing there, a column that is not there or holds no texts, a broken file, too much text, or not
            a single prompt; any fault at all when strict.

    >>> from clipnb.files import shipped
    >>> len(read_prompts(shipped("prompts"))) > 100
    True
    """
    reading = _reading(column, repeats, kind, encoding, strict=strict)
    if is_table(path):
        return _result(reading, repeats, [read_table(reading, path)], (), "the table")
    named = [path] if isinstance(path, (str, os.PathLike)) else _paths(path)
    finder = Finder(reading, kind, _suffixes(kind))
    contents: dict[Path, bytes] = {}
    for one in named:
        if one == "-":
            contents[_STDIN] = _standard_input()
            finder.add_input(_STDIN)
        else:
            finder.add(one)
    return _read_all(reading, repeats, finder.found(), contents, ", ".join(map(str, named)))


load_prompts = read_prompts
"""The older name of `read_prompts`."""


def prompts_of(
    uploads: Mapping[str, bytes],
    column: str = "prompt",
    *,
    repeats: str = "auto",
    kind: str = "auto",
    encoding: str | None = None,
    strict: bool = False,
) -> Prompts:
    """Read the prompts of files whose contents are here already, by name, such as uploads.

    >>> list(prompts_of({"mine.txt": b"a cat, fur"}))
    ['a cat, fur']
    """
    reading = _reading(column, repeats, kind, encoding, strict=strict)
    finder = Finder(reading, kind, _suffixes(kind))
    finder.add_names(list(uploads))
    contents = {Path(name): content for name, content in uploads.items()}
    return _read_all(reading, repeats, finder.found(), contents, ", ".join(uploads))


def _reading(column: str, repeats: str, kind: str, encoding: str | None, *, strict: bool) -> Reading:
    if not isinstance(column, str):
        raise PromptsError(f"a column is named by a text, not by {quoted(column)}")
    for word, given, known in (("repeats", repeats, REPEATS), ("kind", kind, KINDS)):
        if given not in known:
            raise PromptsError(f"{word} is {quoted(given)}, but must be one of {nearest(str(given), known, 9)}")
    check_encoding(encoding)
    return Reading(column, encoding, strict, keep=repeats != "once")


def _paths(given: Iterable[PathLike]) -> list[PathLike]:
    try:
        paths = list(given)
    except TypeError:
        paths = [given]  # type: ignore[list-item]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise PromptsError(f"prompts are read from files, folders and tables; this is none: {quoted(path)}")
    return paths


def _suffixes(kind: str) -> dict[str, str]:
    if kind == "auto":
        return {".txt": TEXT, ".caption": "captions", **_BY_SUFFIX}
    ends = {"captions": CAPTIONS, "images": PICTURES}
    return dict.fromkeys(ends[kind] if kind in ends else READERS[kind][1], kind)


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise PromptsError(f"{_STDIN} is closed; name a file or a folder")
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise PromptsError(f"cannot read {_STDIN}: more than {size_in_words(MOST_BYTES)}")
    return content


def _read_all(reading: Reading, repeats: str, found: Found, contents: Mapping[Path, bytes], named: str) -> Prompts:
    alone = len(found) == 1
    parts: dict[Path, Part] = {}

    def add(path: Path, read: Reader) -> None:
        part = _read_one(reading, File(path, contents.get(path)), read, alone=alone)
        if part is not None:
            parts[path] = part

    for path, kind in found.files.items():
        add(path, read_text if kind == TEXT else READERS[kind][0])
    whole = list(parts.values())
    for path, picture in found.captions.items():
        add(path, lambda reading, file, opened, picture=picture: read_caption(reading, file, opened, picture))  # type: ignore[misc]
    for path in found.pictures:
        add(path, lambda reading, file, _: read_picture(reading, file))
    reading.without_prompt += found.uncaptioned
    one_each = [part for part in list(parts.values())[len(whole) :] if isinstance(part, Records)]
    if alone and found.captions:
        reading.notes += _of_lines(one_each, next(iter(found.captions.values())))
    return _result(reading, repeats, [*whole, joined(one_each)], tuple(parts), named)


def _of_lines(parts: list[Records], picture: Path | None) -> list[str]:
    """Tell that a file of several lines is taken for one prompt, since a picture has its name: a graph's, maybe."""
    many = [one for part in parts for one in part.prompts if picture and len(one.text.splitlines()) > 1]
    told = 'is read as one prompt, the caption of {}; kind="text" (--kind text) reads a prompt a line'
    return [f"{Path(one.source).name} {told.format(picture.name)}" for one in many if picture]


def _read_one(reading: Reading, file: File, read: Reader, *, alone: bool) -> Part | None:
    """Read a file; where it cannot be, skip it, or raise where it is alone."""
    reading.begin()
    try:
        return _decoded(reading, file, read)
    except TooMuchError:
        raise
    except PromptsError as error:
        problem = str(error)
    except UNREADABLE as error:
        problem = f"cannot read {file.path}: {reason(error)}"
    if alone or reading.strict:
        raise PromptsError(problem)
    reading.forget()
    reading.skip(str(file.path), _without(problem, file.path))
    return None


def _decoded(reading: Reading, file: File, read: Reader) -> Part:
    try:
        with file.open() as opened:
            return read(reading, file, opened)
    except OtherEncodingError:
        reading.forget()
        reading.decode_as = reading.encoding
        with file.open() as opened:
            return read(reading, file, opened)
    finally:
        reading.decode_as = None


def _without(problem: str, path: Path) -> str:
    """Return what is wrong with a file without its name, which stands before it."""
    for before, after in ((f"cannot read {path}", "cannot be read"), (f" in {path}", ""), (f"{path} is", "it is")):
        problem = problem.replace(before, after, 1)
    return problem


def _result(reading: Reading, repeats: str, parts: list[Part], files: tuple[Path, ...], named: str) -> Prompts:
    keeps = [part.keeps if repeats == "auto" else repeats == "keep" for part in parts]
    texts, part_of, place_in, dropped = collect(parts, keeps)
    if not texts:
        why = f"{reading.skipped[0].source}: {reading.skipped[0].why}" if reading.skipped else "every line is blank"
        if reading.without_prompt and not reading.skipped:
            why = f"{counted(len(reading.without_prompt), 'picture')} without one"
        raise PromptsError(f"no prompts in {shortened(named, 300) or 'nothing'}: {why}")
    return Prompts(
        texts,
        files,
        reading.replaced,
        tuple(reading.skipped),
        reading.skips,
        repeats,
        dropped,
        tuple(reading.without_prompt),
        tuple(reading.without_picture),
        tuple(reading.notes),
        tuple(parts),
        part_of,
        place_in,
    )

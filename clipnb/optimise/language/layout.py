"""Mistakes of layout, each told with its mend: wrong indentation, tabs, and what is missing: blanks, colons, dashes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from clipnb.errors import shortened

KeyPath = tuple[str | int, ...]


class Home(NamedTuple):
    """Where a key belongs.

    Attributes:
        words: such as "under an item of targets".
        level: the keys above it, such as "targets[]".
        above: what it stands in, such as "inside the target above".
        is_part: whether it names a transform or a constraint, which needs nothing behind it.
    """

    words: str
    level: str
    above: str
    is_part: bool = False


class Place(NamedTuple):
    """Where a key or a value stands: file ("" where it is known to be none), line from 1, column from 0.

    The column is -1 for what does not begin its line.
    """

    name: str
    line: int
    column: int = -1


HOMES: dict[str, list[Home]] = {}
"""Where each key of the language belongs, the outermost place first."""
LISTS: set[str] = set()
"""The keys of the language that take a list of things, each with a dash of its own."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_KEY = re.compile(r"(?P<before>[ ]*(?:-[ ]+)*)(?P<key>[A-Za-z_]\w*)(?P<colon>:?)(?P<rest>.*)")
_DASHED = re.compile(r" *-(?P<key>[A-Za-z_]\w*) *:")
_SHOWN = 40  # characters of a line


def level_of(path: KeyPath) -> str:
    """Return a path without its numbers.

    >>> level_of(("targets", 1, "features", 0))
    'targets[].features[]'
    """
    return "".join("[]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def mend(text: str, numbers: Iterable[int], lines: Mapping[KeyPath, Place]) -> tuple[int, str] | None:
    """Return what is mistaken in one of some lines of text that is no YAML, and how to mend it.

    Args:
        text: the text.
        numbers: the lines to look at, from 0; the first that has a mistake counts.
        lines: where the keys stand that could be read.

    Returns:
        The number of the line, from 0, and words; None where nothing is known.
    """
    written = text.splitlines()
    for number in numbers:
        if 0 <= number < len(written) and (words := _mend_of_line(written[number][:1000], number + 1, lines)):
            return number, words
    return None


def levels_of(lines: Mapping[KeyPath, Place]) -> dict[str, list[Place]]:
    """Return where keys stand that begin their lines, by their level."""
    levels: dict[str, list[Place]] = {}
    for path, place in lines.items():
        if path and place.column >= 0:
            levels.setdefault(level_of(path[:-1]), []).append(place)
    return levels


def indentation(key: str, here: Place, keys: Mapping[str, list[Place]], *, dashed: bool = False) -> str:
    """Return where a key belongs that stands too far out or in, and by how much; "" where nothing is known.

    Args:
        key: the key.
        here: where it stands.
        keys: where others stand, by their level.
        dashed: whether a dash stands before it.
    """
    homes = {home.level: home.above for home in HOMES.get(key, ())}
    if any(here in keys.get(level, ()) for level in homes):
        return ""
    if dashed:
        homes = {level: "in the list above" for level in keys if level.endswith("[]")}
    found: list[tuple[int, str]] = []
    for level, words in homes.items() if here.column >= 0 else ():
        above = [place for place in keys.get(level, ()) if place.name == here.name and place.line < here.line]
        if above:
            found.append((max(above, key=lambda place: place.line).column - here.column, words))
    if not found or any(not off for off, _ in found):
        return ""
    off, words = min(found, key=lambda one: (abs(one[0]), -one[0]))
    count = _NUMBERS[abs(off)] if abs(off) < len(_NUMBERS) else str(abs(off))
    how = f"indent it by {count}" if off > 0 else f"take {count} blank{'s'[: abs(off) > 1]} away before it"
    return f"{f'- {key}' if dashed else key!r} belongs {words}: {how}"


def missing_sign(given: str, known: Iterable[str]) -> str:
    """Return what is missing in what was taken for a name, such as "noise:.1" or "noise .1"; "" for nothing."""
    name, _, rest = given.partition(":")
    if rest and name.strip() in known:
        return f"after '{name.strip()}:' a blank is missing"
    if given.startswith("-") and given.lstrip("-").strip() in known:
        return "after the dash a blank is missing"
    name, _, rest = given.partition(" ")
    if name in known and rest[:1] in tuple("0123456789.-[{"):
        return f"a colon is missing: '{name}: {shortened(rest, _SHOWN)}'"
    return ""


def _mend_of_line(line: str, number: int, lines: Mapping[KeyPath, Place]) -> str:
    if tab := _tab(line):
        return tab
    if glued := _DASHED.match(line):
        return f"after the dash a blank is missing: '- {glued['key']}: ...'"
    found = _KEY.fullmatch(line.rstrip())
    if not found:
        return ""
    key, rest, dashed = found["key"], found["rest"], "-" in found["before"]
    homes = HOMES.get(key, [])
    if homes and found["colon"] and rest and not rest.startswith(" "):
        return f"after '{key}:' a blank is missing: '{key}: {shortened(rest, _SHOWN)}'"
    if dashed or found["colon"]:
        name = next(iter(lines.values())).name if lines else ""
        place = Place(name, number, len(found["before"]))
        if words := indentation(key, place, levels_of(lines), dashed=dashed):
            return words
    needs_colon = homes and not found["colon"] and not any(home.is_part for home in homes)
    if needs_colon and ":" not in rest and rest[:1] in ("", " "):
        return f"after '{key}' a colon is missing: '{key}:{shortened(rest, _SHOWN)}'"
    return ""


def _tab(line: str) -> str:
    content = line.lstrip(" \t-")
    if "\t" in line[: len(line) - len(content)]:
        return f"a tab stands before '{shortened(content.rstrip(), _SHOWN)}'; YAML is indented by blanks, two a level"
    before, tab, _ = content.partition("\t")
    if tab and before.endswith(":"):
        return f"a tab stands after '{shortened(before, _SHOWN)}'; write a blank"
    return ""

"""YAML text -> plain values that remember their lines.

Read event by event, so that what is too large is refused before it fills the memory. Numbers are YAML 1.2's: no base
60, no octal by a leading zero.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader

from clipnb.errors import ConfigError, first_line, reason, shortened
from clipnb.files import read_text
from clipnb.optimise.language.layout import LISTS, KeyPath, Place, mend
from clipnb.optimise.language.merging import Read
from clipnb.optimise.language.mistakes import Places, shown

MAX_BYTES = 8 * 2**20  # of a YAML text; room for an image_tensor
MAX_VALUES = 20_000  # in it, aliases followed; without the image_tensor
MAX_CHARACTERS = 300_000  # of all its values together, likewise
MAX_PIXELS = 200_000  # numbers of an image_tensor: 3 x 256 x 256
MAX_DEPTH = 40
_MAX_TAGS = 100  # directives; libyaml compares each one with all before it
_FEW_LINES = 3  # in which a text that is no map is looked through for what makes it none
_MAX_DIGITS = 300  # of a number; more are left as text
_PIXELS = ("init", "image_tensor")
# Scalars that stay as they are written: `text: 1984` and `text: no` are texts.
_TEXTS = {"text", "image", "name", "output"}

_LONG = 20_000  # characters, from which on the parser in C is worth that its messages say less
FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = {"", "~", "null"}
_WORDS: dict[str, Any] = {
    **dict.fromkeys(_NULL),
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
    **{f"{sign}.inf": float(f"{sign}inf") for sign in ("", "+", "-")},
    ".nan": float("nan"),
}
_HEX = r"#(?:[0-9a-fA-F]{3}){1,2}\b"
_HEX_COLOURS = re.compile(rf"[ \t]+({_HEX}(?:[ \t,]+{_HEX})*)[ \t]*(?:\s#.*)?$", re.MULTILINE)
_COMMENT = re.compile(r"[ \t]+(#[^\s#].*)$", re.MULTILINE)
_GLUED = re.compile(r"(?:^|\s)((?:text|image|weight|scale|loss|start|end):)\S")
# What YAML takes for something else than a text, where a text begins with it or has it inside.
_NEEDS_QUOTES = re.compile(
    r"(?m)(?:^\s*-|:)[ \t]+(?:[@%*&!`|>{[]|[\"'].*[\"'][ \t]*\w|[^#\n]*:(?:\s|$)|[^\"'#\n]*[\"'][^\"'\n]*$)"
)
_QUOTES = "; a text that holds such signs goes into quotes: 'a text'"
_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def read_file(path: str | Path) -> Read:
    """Read a YAML file; "-" is standard input.

    Raises:
        ConfigError: it cannot be read, or is no YAML map.
    """
    return read_yaml(read_source(path), "standard input" if str(path) == "-" else str(path))


def read_source(path: str | Path) -> str:
    """Return the text of a YAML file, as it is; "-" is standard input.

    Raises:
        ConfigError: it cannot be read.
    """
    standard_input = str(path) == "-"
    if standard_input and sys.stdin is None:
        raise ConfigError("standard input is closed; name a file, or give YAML on standard input")
    try:
        return sys.stdin.read(MAX_BYTES + 1) if standard_input else read_text(path, MAX_BYTES)
    except FileNotFoundError:
        raise ConfigError(f"there is no experiment {path}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the experiment {path}: {reason(error)}") from error


def loader_for(text: str) -> Any:
    """Return the class that parses a text: PyYAML's own for its messages, libyaml's where that would take long."""
    return yaml.SafeLoader if len(text) < _LONG else FastLoader


def read_yaml(text: str, name: str) -> Read:
    """Read YAML text.

    Args:
        text: YAML with a map at the top.
        name: what to call it in messages.

    Raises:
        ConfigError: it is no YAML, no map, or too large.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name} has {len(text)} characters; an experiment has at most {MAX_BYTES}")
    reader = _Reader(text, name)
    try:
        value = reader.read()
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        raise ConfigError(f"{name} is no YAML{_yaml_problem(error, text, reader.lines)}") from None
    if not isinstance(value, dict):
        if isinstance(value, str) and (found := mend(text, range(_FEW_LINES), {})):
            raise ConfigError(f"{name} is no YAML, line {found[0] + 1}: {found[1]}")
        raise ConfigError(f"{name}: an experiment is a map such as 'targets: ...', not {shown(value)}")
    return value, Places(reader.lines, tuple(reader.hints))


class _Reader:
    """Builds plain values out of YAML's events and notes where each came from."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name
        self.hints: list[str] = []
        self._events: list[Any] = []
        self._next = 0
        self._has_anchors = "&" in text
        self._anchors: dict[str, int] = {}
        self._values = self._characters = self._pixels = 0
        self.lines: dict[KeyPath, Place] = {}

    def read(self) -> Any:
        if found := Reader.NON_PRINTABLE.search(self._text):
            line = self._text.count("\n", 0, found.start()) + 1
            raise ValueError(f": unacceptable character #x{ord(found[0]):04x} in line {line}")
        if self._text.count("%TAG") > _MAX_TAGS:
            raise ValueError(f": it has more than {_MAX_TAGS} directives %TAG")
        self._parser = loader_for(self._text)(self._text)
        try:
            self._advance()  # the stream begins
            if isinstance(self._advance(), yaml.StreamEndEvent):
                return {}
            value = self._value(())
            self._advance()  # the document ends
            if not isinstance(self._current, yaml.StreamEndEvent):
                raise ValueError(f", line {self._line}: a second document begins here")  # noqa: TRY004 - no YAML
            return value
        finally:
            self._parser.dispose()

    @property
    def _current(self) -> Any:
        if self._next == len(self._events):
            self._events.append(self._parser.get_event())
        return self._events[self._next]

    @property
    def _line(self) -> int:
        return int(self._current.start_mark.line) + 1

    def _advance(self) -> Any:
        event = self._current
        if not self._has_anchors:
            self._events[self._next] = None  # nothing will be read again
        self._next += 1
        return event

    def _value(self, path: KeyPath) -> Any:
        event = self._current
        if not isinstance(event, yaml.ScalarEvent) or path[:2] != _PIXELS:  # of many numbers their row is enough
            self.lines.setdefault(path, Place(self._name, event.start_mark.line + 1))
        if len(path) > MAX_DEPTH:
            raise ValueError(": it is nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event.anchor, path)
        self._count(event, path)
        self._advance()
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(self._current, yaml.SequenceEndEvent):
                items.append(self._value((*path, len(items))))
            self._advance()
            return items
        return self._map(path)

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        is_text = bool(path) and path[-1] in _TEXTS
        end = event.end_mark.index
        if event.implicit[0] and not event.value and (colours := _HEX_COLOURS.match(self._text, end)):
            return colours[1]
        if is_text and (mark := self._lost(event)):
            raise ValueError(f", line {event.start_mark.line + 1}: {mark!r} would be lost{_QUOTES}")
        value = _scalar(event, is_text=is_text)
        if not event.implicit[0] or not isinstance(value, str):
            return value
        line = event.start_mark.line + 1
        if found := _GLUED.search(value):
            raise ValueError(f", line {line}: after {found[1]!r} in {shown(value)} a blank is missing{_QUOTES}")
        if event.end_mark.line + 1 > line and path and path[-1] in LISTS:
            one = f"what stands below {path[-1]!r} is one text"
            self.hints.append(f"{self._name}, line {line}: {one}; of several each begins with '- '")
        if comment := _COMMENT.match(self._text, end):
            self.hints.append(
                f"{self._name}, line {line}: {shown(comment[1])} is a comment, the text before it {shown(value)}; "
                "where it belongs to the text, put all of it into quotes"
            )
        return value

    def _lost(self, event: Any) -> str:
        """Return the first word of a text where YAML takes it for a tag, or for an anchor that nothing refers to."""
        if event.tag and event.tag != "!" and not event.tag.startswith("tag:yaml.org,2002:"):
            return str(event.tag)
        return f"&{event.anchor}" if event.anchor is not None and f"*{event.anchor}" not in self._text else ""

    def _aliased(self, anchor: str | None, path: KeyPath) -> Any:
        """Read what an alias stands for once more, so that aliases of aliases count for all that they hold."""
        if anchor not in self._anchors:
            raise ValueError(f", line {self._line}: there is no anchor &{anchor} before this alias")
        after, self._next = self._next + 1, self._anchors[anchor]
        value = self._value(path)
        self._next = after
        return value

    def _count(self, event: Any, path: KeyPath) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = self._next
        if path[:2] == _PIXELS and isinstance(event, yaml.ScalarEvent):
            self._pixels += 1
            if self._pixels > MAX_PIXELS:
                raise ValueError(
                    f": init.image_tensor has more than {MAX_PIXELS} numbers; save the picture as a file and name it "
                    "in init.image"
                )
            return
        self._values += 1
        self._characters += len(getattr(event, "value", ""))
        if self._values > MAX_VALUES:
            raise ValueError(f": it holds too many values; an experiment has at most {MAX_VALUES}")
        if self._characters > MAX_CHARACTERS:
            raise ValueError(f": its values are too long; together they have at most {MAX_CHARACTERS} characters")

    def _map(self, path: KeyPath) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        result: dict[str, Any] = {}
        own: dict[KeyPath, Place] = {}
        while not isinstance(self._current, yaml.MappingEndEvent):
            event, line = self._current, self._line
            if not isinstance(event, yaml.ScalarEvent):
                raise ValueError(  # noqa: TRY004 - told as no YAML
                    f", line {line}: a key is a plain word, not a list, a map or an alias"
                )
            self._count(event, path)
            self._advance()
            key = event.value
            if key == "<<" and event.implicit[0]:
                merged = {**self._merged(path), **merged}
                continue
            if key in result:
                several = "; of several each begins with '- '" if path and path[-1] in LISTS else ""
                raise ValueError(f", line {line}: the key {key!r} stands twice in one map{several}")
            here = (*path, key)
            own[here] = self.lines[here] = Place(self._name, line, self._column(event))
            result[key] = self._value(here)
        self._advance()
        self.lines.update(own)  # before those of a map that was merged in
        return {**merged, **result}

    def _column(self, event: Any) -> int:
        """Return where a key begins that has nothing but blanks and dashes before it in its line; else -1."""
        column, index = event.start_mark.column, event.start_mark.index
        return -1 if self._text[index - column : index].strip(" -") else int(column)

    def _merged(self, path: KeyPath) -> dict[str, Any]:
        """Read what stands behind `<<`: a map, or several of which the first wins."""
        line, value = self._line, self._value(path)
        result: dict[str, Any] = {}
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise ValueError(f", line {line}: '<<' takes a map, such as '<<: *name'")  # noqa: TRY004 - no YAML
            result = {**part, **result}
        return result


def _scalar(event: Any, *, is_text: bool) -> Any:
    text, low = event.value, event.value.lower()
    is_plain = event.implicit[0]
    if is_text or not is_plain:
        return None if is_plain and low in _NULL else text if is_text else _tagged(event)
    if low in _WORDS:
        return _WORDS[low]
    if len(text) <= _MAX_DIGITS:
        if _INT.fullmatch(text):
            return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _tagged(event: Any) -> Any:
    if event.tag in (None, "!") or event.tag.endswith(":timestamp"):
        return event.value
    if len(event.value) > _MAX_DIGITS:
        raise ValueError(f", line {event.start_mark.line + 1}: a value with a tag is too long")
    node = yaml.ScalarNode(event.tag, event.value, event.start_mark, event.end_mark)
    return yaml.SafeLoader("").construct_object(node)


def _yaml_problem(error: Exception, text: str, places: Mapping[KeyPath, Place]) -> str:
    mark, begin = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is not None:  # some are found where the next line begins
        suspects = [mark.line, mark.line - 1, *([] if begin is None else [begin.line])]
        if mended := mend(text, suspects, places):
            return f", line {mended[0] + 1}: {mended[1]}"
    problem = shortened(getattr(error, "problem", None) or str(error), 300)  # which may repeat a tag of any length
    if isinstance(error, RecursionError):
        return ": it is nested too deeply"
    found = re.match(r", line (\d+)", problem)
    number = mark.line if mark is not None else int(found[1]) - 1 if found else -1
    lines = text.splitlines()
    line = "\n".join(lines[max(0, number - 1) : number + 1])  # some are found where the next begins
    if _QUOTES not in problem and (glued := _GLUED.search(line)):
        problem += f"; after {glued[1]!r} a blank is missing"
    elif _QUOTES not in problem and _NEEDS_QUOTES.search(line):
        problem += _QUOTES
    if mark is not None:
        return f", line {mark.line + 1}: {problem}"
    return problem if problem.startswith((",", ":")) else f": {first_line(error)}"

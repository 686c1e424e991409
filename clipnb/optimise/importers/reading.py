"""Reading what somebody told another tool: a command line, or settings in YAML. Nothing of it is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from clipnb.errors import ConfigError, nearest, quoted
from clipnb.optimise.importers.options import FLAG, MANY, ONE, Given, Option, Tool
from clipnb.optimise.language.mistakes import Places

_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e-?\d+)?", re.IGNORECASE)
WHOLE = re.compile(r"\d{1,30}")
_WORDS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
_FIRST_WORDS = 6  # of a command line, among which its program stands


def read_command(line: str, name: str, tool: Tool) -> Given:
    """Read a command line.

    Raises:
        ConfigError: it is none, or has an option or a value that the tool does not know.
    """
    try:
        words = shlex.split(line.replace("\\\n", " "), comments=False)
    except ValueError as error:
        raise ConfigError(f"the command line cannot be read: {str(error).lower()}; look at its quotes") from None
    options, words = _after_program(words, tool)
    by_spelling = {spelling: option for option in options for spelling in _spellings(option)}
    values: dict[str, Any] = {}
    plain: list[str] = []
    place = 0
    while place < len(words):
        word, place = words[place], place + 1
        spelling, has_value, behind = word.partition("=")
        spelling = "--" + spelling[2:].replace("-", "_") if spelling.startswith("--") else spelling
        if not word.startswith("-") or word == "-" or _NUMBER.fullmatch(word):
            plain.append(word)
            continue
        option = by_spelling.get(spelling)
        if option is None:
            raise _unknown(name, spelling, by_spelling)
        if option.name in values:
            raise ConfigError(f"{spelling} is given twice; give it once")
        given = [behind] if has_value else []
        while not has_value and place < len(words) and _takes_more(option, given, words[place], by_spelling):
            given.append(words[place])
            place += 1
        values[option.name] = _value(option, given, spelling)
    return _complete(_with_plain(values, plain, name, tool), options)


def read_settings(settings: Mapping[str, Any], name: str, tool: Tool, places: Places) -> Given:
    """Read settings in YAML, a map of options by their names; one without a value is not given.

    Raises:
        ConfigError: an option or a value is not known to the tool; the message has file and line.
    """
    by_name = {option.name: option for options in tool.programs.values() for option in options}
    values: dict[str, Any] = {}
    lost: list[tuple[str, str]] = []
    for key, raw in settings.items():
        option = by_name.get(key.replace("-", "_"))
        if option is None:
            raise ConfigError(f"{places.of((key,))}{_unknown(name, key, by_name)}")
        if isinstance(raw, str) and raw.startswith("${"):
            lost.append((key, f"{raw} is filled in by a program of its own"))
            continue
        if raw is None or raw == "":
            continue
        given = list(raw) if isinstance(raw, list) else [raw]
        values[option.name] = _value(option, [str(one) for one in given], f"{places.of((key,))}{key}")
    return _complete(values, tuple(by_name.values()), lost)


def _after_program(words: Sequence[str], tool: Tool) -> tuple[tuple[Option, ...], list[str]]:
    """Return the options of the program that a command line calls, and what stands behind it."""
    for place, word in enumerate(words[:_FIRST_WORDS]):
        program = PurePosixPath(word.lstrip("!%").replace("\\", "/")).name.removesuffix(".py")
        if program in tool.programs:
            return tool.programs[program], list(words[place + 1 :])
    first = words[0].lstrip("!%") if words else ""
    if first.startswith("python") and len(words) > 1:
        raise ConfigError(f"{quoted(words[1])} is not known here; known are: {', '.join(tool.programs)}")
    return tool.options, list(words)


def _spellings(option: Option) -> Iterable[str]:
    for spelling in option.spellings.split():
        yield "--" + spelling[2:].replace("-", "_") if spelling.startswith("--") else spelling


def _takes_more(option: Option, given: Sequence[str], word: str, known: Mapping[str, Option]) -> bool:
    if word.partition("=")[0] in known or (word.startswith("--") and not _NUMBER.fullmatch(word)):
        return False
    if option.count == FLAG:
        return not given and word.lower() in _WORDS
    return option.count == MANY or len(given) < option.count


def _value(option: Option, given: Sequence[str], spelling: str) -> Any:
    if option.count == FLAG and not given:
        return not option.default
    needed = 1 if option.count == FLAG else option.count
    if option.count != MANY and len(given) != needed:
        raise ConfigError(f"{spelling} takes {needed} value{'s' * (needed > 1)}; given: {len(given)}")
    values = [_one(option, text, spelling) for text in given]
    return values[0] if option.count in (FLAG, ONE) else values


def _one(option: Option, text: str, spelling: str) -> Any:
    kind = option.default[0] if isinstance(option.default, list) and option.default else option.default
    if isinstance(kind, bool):
        if text.lower() not in _WORDS:
            raise ConfigError(f"{spelling} is true or false, not {quoted(text)}")
        return _WORDS[text.lower()]
    if isinstance(kind, (int, float)):
        if not _NUMBER.fullmatch(text):
            raise ConfigError(f"{spelling} is a number, not {quoted(text)}")
        number = float(text)
        if isinstance(kind, int) and not number.is_integer():
            raise ConfigError(f"{spelling} is a whole number, not {quoted(text)}")
        return int(number) if isinstance(kind, int) else number
    return text


def _with_plain(values: dict[str, Any], plain: Sequence[str], name: str, tool: Tool) -> dict[str, Any]:
    if not plain:
        return values
    if not tool.plain or tool.plain in values or len(plain) > 1:
        raise ConfigError(f"{quoted(plain[-1])} stands behind no option of {name}; put a text with blanks in quotes")
    return {**values, tool.plain: plain[0]}


def _complete(values: Mapping[str, Any], options: Sequence[Option], lost: Sequence[tuple[str, str]] = ()) -> Given:
    return Given({option.name: option.default for option in options} | dict(values), frozenset(values), list(lost))


def _unknown(name: str, given: str, known: Iterable[str]) -> ConfigError:
    return ConfigError(f"{name} has no option {quoted(given)} that is known here; nearest: {nearest(given, known)}")

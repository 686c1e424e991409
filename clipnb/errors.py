"""Errors written for the person: what was given, what is allowed, what to do.

The command line prints them as one line and exits with 2; in a notebook they are ordinary exceptions.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

_MOST_KNOWN, _LONGEST_COMPARED = 1000, 60  # words, and characters of each, among which near ones are looked for
_LONGEST_LINE = 500  # characters of a name, or of a library's error, which may repeat what it was given
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 60
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONG_WORD = re.compile(r"(?<!\S)(\S{400})\S+")  # such as an option's value of thousands of characters


class ClipnbError(Exception):
    """Any mistake that the user can mend; the message says how, and is safe to print."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(told(arg) if isinstance(arg, str) else arg for arg in args))


class UnknownModelError(ClipnbError, ValueError):
    """A model name that neither clipnb nor open_clip knows."""


class ModelUnavailableError(ClipnbError, RuntimeError):
    """A known model whose weights cannot be had, or are not what they claim to be."""


class CaptionerError(ClipnbError, ValueError):
    """A wish that a captioner cannot fulfil, such as an instruction for one that takes none."""


class DeviceError(ClipnbError, ValueError):
    """A device or a precision that this machine does not offer."""


class ImageError(ClipnbError, ValueError):
    """Something that is no readable picture, or one beyond the size limit."""


class LabelsError(ClipnbError, ValueError):
    """A label file that is missing or empty."""


class PromptsError(ClipnbError, ValueError):
    """A prompt file or folder that is missing, empty or unreadable."""


class TagsError(ClipnbError, ValueError):
    """A tag, a filter, a measure or a way of grouping that is not known."""


class ConfigError(ClipnbError, ValueError):
    """A mistake in an experiment's description."""


class OutputError(ClipnbError, OSError):
    """A place where nothing can be written."""


def nearest(given: str, known: Iterable[str], count: int = 3) -> str:
    """Return the known words nearest to a mistyped one, joined by commas; all of them, cut at ten, when none is near.

    >>> nearest("besst", ["best", "fast", "classic"])
    'best'
    """
    cut = (shortened(word, 100) for word in islice(known, _MOST_KNOWN))
    by_folded = {word[:_LONGEST_COMPARED].casefold(): word for word in cut}  # comparing takes long with many, long ones
    given = given[:_LONGEST_COMPARED].casefold()
    close = [by_folded[word] for word in get_close_matches(given, by_folded, count, cutoff=0.6)]
    if close:
        return ", ".join(close)
    words = list(by_folded.values())
    return ", ".join(words[:10]) + (", ..." if len(words) > 10 else "")


def listed(things: Sequence[str], most: int = 5, between: str = ", ") -> str:
    """Join names for a message, and count those beyond the first few; very long ones are cut.

    >>> listed(["a.png", "b.png", "c.png"], most=2)
    'a.png, b.png and 1 more'
    """
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return between.join(shortened(thing, _LONGEST_LINE) for thing in things[:most]) + more


def counted(number: int, word: str) -> str:
    """Return a number of things.

    >>> counted(1, "file"), counted(2_000, "file")
    ('1 file', '2,000 files')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    r"""Escape what would act on a terminal or hide in a text: control characters, overrides of direction, surrogates.

    Line breaks and tabs stay.

    >>> printable("a \x1b[31mcat")
    'a \\x1b[31mcat'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def told(text: str) -> str:
    r"""Return a message as it may be shown: `printable`, and a word without end that it repeats is cut.

    >>> len(told("no mode " + "x" * 10**6))
    411
    """
    return _LONG_WORD.sub(r"\1...", printable(text))


def first_line(error: BaseException) -> str:
    r"""Return the first line of a library's error that is not blank, else its kind.

    >>> first_line(ValueError("no such file\n  at line 3"))
    'no such file'
    >>> first_line(KeyboardInterrupt())
    'KeyboardInterrupt'
    """
    lines = (line.strip() for line in str(error).splitlines() if line.strip())
    return shortened(next(lines, type(error).__name__), _LONGEST_LINE)


def reason(error: BaseException) -> str:
    """Return why the system refused something, without its number and the path, which a message names anyway.

    >>> reason(FileNotFoundError(2, "No such file or directory", "cat.png")), reason(ValueError("embedded null byte"))
    ('No such file or directory', 'embedded null byte')
    """
    return str(getattr(error, "strerror", None) or error)


def shortened(text: str, length: int = 60, mark: str = "...") -> str:
    """Cut a text that a message quotes to so many characters, the mark of the cut included.

    >>> shortened("a castle in the evening light", 11)
    'a castle...'
    """
    return text if len(text) <= length else text[: length - len(mark)] + mark


def quoted(value: object) -> str:
    """Return how Python writes any value that a user gave, short enough for a message.

    >>> quoted("a cat"), quoted(list(range(10**6)))
    ("'a cat'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    try:
        return _REPR.repr(value)
    except ValueError:  # a number of too many digits
        return f"{type(value).__name__} that is too long to be written"

"""The texts of a picture by name, and what was wrong with them; bounded, since the picture may be hostile."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MOST_TEXT = 16 * 2**20  # bytes of all texts of a picture together, decompressed
LONGEST_TEXT = 1_000_000  # characters of a text that is no JSON
MOST_PROBLEMS = 20
JsonObject = dict[str, object]
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_OBJECT = re.compile(r'[\s\[]*\{\s*"')  # how JSON begins; a prompt may begin with a brace too
_BETWEEN_WORDS, _CONTROL = re.compile("[\\s,]"), re.compile("[\0-\10\16-\37]")
_WEST = re.compile("[\t\n\r -\u0fff]")
_EAST = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef\U0001f000-\U0001ffff]")


class Number(str):
    """A number or constant of JSON as it was written, so that long seeds stay exact and long digits cost nothing."""

    __slots__ = ()


class Texts(dict[str, str]):
    """Texts by name: keywords of PNG, tags of EXIF (`UserComment`, ...), properties of XMP (`dc:description`, ...).

    Attributes:
        problems: what was damaged or too large, in a few words each.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        super().__init__(texts or {})
        self.problems: list[str] = []
        self._left = MOST_TEXT
        self._objects: dict[str, JsonObject | None] = {}

    def keep(self, name: str, text: str) -> None:
        """Keep a text unless it is blank or one of its name came before."""
        text = text.strip("\0")
        if text.strip() and not self.get(name):
            self[name] = text

    def note(self, problem: str) -> None:
        """Note what is wrong, once, and at most `MOST_PROBLEMS` things."""
        if len(self.problems) < MOST_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)

    def affords(self, size: int, what: str) -> bool:
        """Take so many bytes from what the texts of a picture may have; False, and noted, where it is not there."""
        if size > self._left:
            self.note(f"{what} is left out: texts of a picture have at most {MOST_TEXT // 2**20} MiB")
            return False
        self._left -= size
        return True

    @property
    def left(self) -> int:
        """Bytes that the texts may still have."""
        return self._left

    def text(self, name: str) -> str:
        """Return a text that is no JSON, whole or damaged; empty, and noted, where it is too long."""
        text = self.get(name, "")
        if self.json(name) is not None or _OBJECT.match(text):
            return ""
        if len(text) > LONGEST_TEXT:
            self.note(f"the text {name!r} is not read: it has more than {LONGEST_TEXT:,} characters")
            return ""
        return text

    def json(self, name: str) -> JsonObject | None:
        """Return the JSON object that a text holds; None where it is another text, or not there."""
        if name not in self._objects:
            self._objects[name] = self._load(name)
        return self._objects[name]

    def _load(self, name: str) -> JsonObject | None:
        text = self.get(name, "").strip().strip("\0")
        try:
            return json_object(text)
        except RecursionError:
            self.note(f"the JSON of {name!r} is nested too deeply")
        except ValueError:
            if _OBJECT.match(text):
                self.note(f"the JSON of {name!r} is damaged")
        return None


def json_object(text: str) -> JsonObject | None:
    """Load a JSON object, numbers as `Number`; None of a text that is something else.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    if not text.startswith(("{", "[")):
        return None
    numbers: dict[str, Number] = {}  # each once, since ten million of one digit would fill a gibibyte

    def number(text: str) -> Number:
        return numbers.setdefault(text, Number(text))

    data = json.loads(text, parse_int=number, parse_float=number, parse_constant=number)
    return data if isinstance(data, dict) else None


def decoded(data: bytes, likely_utf16: bool = False, little_endian: bool = False) -> str:
    """Decode a text by what its bytes look like, since programs write other encodings than they say.

    Args:
        data: the bytes, perhaps with a byte order mark.
        likely_utf16: what is no UTF-8, or a single word of ASCII, is UTF-16.
        little_endian: the byte order of UTF-16 where its bytes do not show it.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    body = data.rstrip(b"\0")
    encodings = ["utf-16-le", "utf-16-be"] if little_endian else ["utf-16-be", "utf-16-le"]
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if not likely_utf16 and b"\0" not in body:
            return body.decode("latin-1")
    else:
        is_word = likely_utf16 and len(body) % 2 == 0 and text.isascii() and not _BETWEEN_WORDS.search(text)
        if not is_word and not _CONTROL.search(text):
            return text
        encodings += [] if is_word else ["utf-8"]
    likelihoods = {_likelihood(data[:2048].decode(encoding, "replace")): encoding for encoding in reversed(encodings)}
    return data.decode(likelihoods[max(likelihoods)], "replace")


def _likelihood(text: str) -> int:
    """Of letters of the West in the wrong byte order, most look like letters of the East; seldom the other way."""
    return 3 * len(_WEST.findall(text)) + 2 * len(_EAST.findall(text)) - 3 * len(_CONTROL.findall(text))

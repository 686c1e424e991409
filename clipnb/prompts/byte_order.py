"""Byte order marks: what a text begins with to tell its encoding."""

from __future__ import annotations

import codecs

_MARKS = (  # the longer ones first, as one begins with another
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def mark_of(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark that a text begins with, and the encoding that it means; UTF-8 without one."""
    return next((pair for pair in _MARKS if content.startswith(pair[0])), (b"", "utf-8"))

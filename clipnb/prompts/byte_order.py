"""The encoding of a text: by the byte order mark that it begins with, or by a name."""

from __future__ import annotations

import codecs

from clipnb.errors import PromptsError, quoted

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


def check_encoding(name: str | None) -> None:
    """Raise where a name is that of no encoding of texts; None is UTF-8."""
    try:
        "\n".encode(name or "utf-8")
    except (LookupError, ValueError, TypeError) as error:
        raise PromptsError(f"no encoding {quoted(name)}; name one such as cp1252, shift_jis or utf-16-le") from error

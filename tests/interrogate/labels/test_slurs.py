"""No list or prompt that is shipped holds a slur: a tool should not put one into anybody's prompt."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from clipnb.files import shipped

# SHA-256 of each word without its plural s, the first 8 hex digits: so that the words need not stand here. To add one:
# python -c "import hashlib; print(hashlib.sha256(b'word').hexdigest()[:8])"
SLURS = """
08a841e9 09cc1b93 0b67579a 0be9b885 120f6e5b 12e6274e 158869a9 16ea09fc 1c4bfd10 22fc75e6 27a62b68 27eb0c4a 2a6937d7
3160c321 333f7618 33740da8 3b1e0d7c 43508b5c 46505206 469c0fdb 4b18aefe 4c58f5d5 566f532d 6122fdf4 619bc82e 6628813c
66415f8c 6f1b028a 7c686cf2 886d51e9 8f5083e3 94a877e2 96c91fa8 98b52c4b 9915ba2d 9ae315a9 9d574366 a40ccba8 a4d7510f
a6e165f8 a7bf072c ad412adb ad6cacf3 b3cec2f6 b9ef6083 bb87adf8 bd331fb1 be00f1af c1b4ed05 c2c3b68b c3de533e c55fd8a7
c709d1a2 cc020323 d067075b d75a838d da884392 e742d17f e7b98c6a ee5a869b eef3bd09 f64c6fad f9d0d9b1 fd70ad90
"""
FILES = sorted([*shipped("labels").glob("*.txt"), *shipped("prompts").glob("*.txt")])


def slurs_in(text: str) -> list[str]:
    words = {word.rstrip("s") for word in re.findall(r"[^\W\d_]+", text.casefold())}
    return [word for word in words if hashlib.sha256(word.encode()).hexdigest()[:8] in SLURS]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_shipped_lists_hold_no_slurs(file: Path) -> None:
    assert slurs_in(file.read_text(encoding="utf-8")) == []


def test_slurs_are_found_where_there_are_some() -> None:
    assert len(FILES) > 10
    assert slurs_in("a GOLLIWOG, two golliwogs") == ["golliwog"]
    assert slurs_in("golliwogging, a cat") == []

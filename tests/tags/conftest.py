"""Tags that try to be more than text."""

from __future__ import annotations

import base64
import gzip
import json
import re
import struct
from typing import Any

import numpy as np
import pytest

from clipnb.tags.graph import build_graph
from clipnb.tags.tag_graph import TagGraph

SETTLED = """read => new Promise((settled, failed) => {
  let last = null, same = 0, looks = 0;
  const look = () => {
    const now = JSON.stringify(read());
    same = now && now === last ? same + 1 : 0;
    last = now;
    if (same > 30) settled();
    else if (++looks > 3000) failed(new Error("the names never come to rest"));
    else requestAnimationFrame(look);
  };
  look();
})"""
"""A function of the page: waits until what `read` returns has been the same for thirty frames."""
HOSTILE = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=2</script>",
    "<img src=x onerror=window.ran=3>",
    "<!--<script>",
    "]]>&lt b&amp x",
    "javascript:window.ran=4",
    "{{data}} ${window.ran=5} {{constructor}}",
    '" onload="window.ran=6',
    "href <a href='javascript:window.ran=7'>x</a>",
    '=HYPERLINK("http://evil.example")',
    "+1+cmd",
    "@SUM(A1)",
    "-2+3",
    "$\\frac{a}{b}$ $x$",
    "__proto__",
    "constructor",
    "👩‍🚀 family 👨‍👩‍👧‍👦",
    "שלום עולם",
    "\u202egnp.exe",
    "red \x1b[31m bell \x07 null \x00",
    "half \ud800 pair",
    "zero\u200bwidth",
    "\u2028 line separator",
    "w" * 20_000,
)


@pytest.fixture
def hostile() -> TagGraph:
    """A graph of hostile tags that all go with each other, beside ordinary ones."""
    return build_graph([f"x; {tag}; {other}; plain" for tag in HOSTILE for other in (*HOSTILE[:3], "tag")])


def data_of(page: str) -> dict[str, Any]:
    """What the page knows: its header, and the columns by name."""
    found = re.search(r'<script type="text/plain" id="graph-data">(.*?)</script>', page, re.S)
    assert found
    packed = gzip.decompress(base64.b64decode(found[1]))
    (size,) = struct.unpack_from("<I", packed)
    data = json.loads(packed[4 : 4 + size])
    place = 4 + size
    for name, kind, length in data["columns"]:
        data[name] = np.frombuffer(packed, f"<{kind}", length, place)
        place += data[name].nbytes
    assert place == len(packed)
    return data

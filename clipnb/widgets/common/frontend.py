"""What runs in the browser: whether it loads here, our programs, and large scripts, each sent there only once."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ipywidgets as w

from clipnb.environment.host import find_host


def third_party_widgets_load() -> bool:
    """Tell whether widgets with a program of their own show here."""
    return find_spec("anywidget") is not None and find_host().loads_widgets


def carrier_of(read: Callable[[], str]) -> Any:
    """Give the one model that carries a script for all widgets; another one when all widgets were closed.

    Args:
        read: gives the script.

    Returns:
        A model whose `value` is the gzipped script as base64; widgets name it by its `model_id`, and `loadLibrary`
        of `static/library.js` makes a module of it.
    """
    found = _carrier(read)
    if found.comm is None:
        _carrier.cache_clear()
        found = _carrier(read)
    return found


def program(*names: str) -> str:
    """Join our own front-end files to the program of one widget."""
    folder = Path(__file__).parents[1] / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


@cache
def _carrier(read: Callable[[], str]) -> Any:
    return w.HTML(value=base64.b64encode(gzip.compress(read().encode(), mtime=0)).decode("ascii"))

"""How panels look: one style sheet of our own, in the notebook's colours."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import ipywidgets as w


def style(*more: str) -> w.HTML:
    """Make the widget that brings the style sheet of all panels, and further ones by name; it takes no room."""
    sheets = "".join(_sheet(name) for name in ("panel.css", *more))
    return w.HTML(f"<style>{sheets}</style>", layout={"display": "none"})


@cache
def _sheet(name: str) -> str:
    return (Path(__file__).parents[1] / "static" / name).read_text(encoding="utf-8")

"""How panels look: one style sheet of our own, in the notebook's colours."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import ipywidgets as w


def style() -> w.HTML:
    """Make the widget that brings the style sheet; it takes no room."""
    return w.HTML(f"<style>{_sheet()}</style>", layout={"display": "none"})


@cache
def _sheet() -> str:
    return (Path(__file__).parent / "static" / "panel.css").read_text(encoding="utf-8")

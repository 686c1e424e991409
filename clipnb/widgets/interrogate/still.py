"""The picture that stays in a saved notebook: what was described, the prompt, and what each phrase added."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from clipnb.errors import printable
from clipnb.html import signed
from clipnb.interrogate.result import Interrogation, shown_similarity
from clipnb.widgets.common.still import blank_figure, drawn
from clipnb.widgets.interrogate.results import length
from clipnb.widgets.interrogate.session import Described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STILL_WIDTH = 900
"""Width of the picture in pixels."""
_DPI, _HEIGHT = 100, 3.3
_ACCENT, _LESS, _BASE, _INK, _SOFT = "#0f766e", "#c53030", "#cbd5d3", "#222222", "#666666"
_WRAP, _LINES, _PHRASE = 88, 4, 34
_MOST, _COLOURS = 14, 200  # phrases, and colours of the palette


def still_picture(made: Described, compared: Sequence[Interrogation] = ()) -> Image.Image:
    """Draw a result, in a palette: some ten KB as PNG.

    Args:
        made: the image and its prompt.
        compared: results of the same image; their similarities are drawn in place of what each phrase added.
    """
    figure = blank_figure(STILL_WIDTH / _DPI, _HEIGHT, _DPI)
    left = figure.add_axes((0.015, 0.05, 0.29, 0.9))
    left.imshow(Image.open(BytesIO(made.request.image.preview), formats=["JPEG"]))
    left.set_axis_off()
    lines = textwrap.wrap(printable(made.result.prompt), _WRAP, max_lines=_LINES, placeholder=" …")
    figure.text(0.32, 0.95, "\n".join(lines), va="top", color=_INK, fontsize=9.5, parse_math=False)
    result = made.result
    facts = printable(f"similarity {shown_similarity(result.similarity)}, mode {result.mode}, {result.model}")
    below = 0.95 - 0.058 * len(lines)
    figure.text(0.32, below, facts, va="top", color=_SOFT, fontsize=8, parse_math=False)
    rows = _compared(compared, made.result.mode) if compared else _reasons(made.result)
    _draw_bars(figure.add_axes((0.57, 0.04, 0.36, below - 0.12)), rows)
    return drawn(figure).quantize(_COLOURS)


class _Row(NamedTuple):
    label: str
    length: float
    said: str
    colour: str


def _compared(results: Sequence[Interrogation], best: str) -> list[_Row]:
    values = [(found.mode, 100 * length(found)) for found in results]
    return [_Row(mode, value, f"{value:.1f}", _ACCENT if mode == best else _BASE) for mode, value in values]


def _reasons(found: Interrogation) -> list[_Row]:
    """Return what each phrase added; the first is a number alone, since its bar would dwarf the others."""
    first, *others = [(reason.phrase, 100 * reason.added) for reason in found.reasons[:_MOST]]
    rows = [_Row(phrase, value, signed(value), _ACCENT if value >= 0 else _LESS) for phrase, value in others]
    return [_Row(first[0], 0.0, f"{first[1]:.1f}", _SOFT), *rows]


def _draw_bars(axes: Axes, rows: Sequence[_Row]) -> None:
    places = range(len(rows))
    axes.barh(places, [row.length for row in rows], color=[row.colour for row in rows], height=0.62)
    for place, row in enumerate(rows):
        axes.text(max(row.length, 0), place, f" {row.said}", va="center", fontsize=8, color=_SOFT)
    labels = [printable(row.label) for row in rows]  # no font draws half a surrogate pair
    shown = [textwrap.shorten(label, _PHRASE, placeholder=" …") or label[:_PHRASE] for label in labels]
    axes.set_yticks(places, shown, fontsize=8)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.axvline(0, color=_BASE, linewidth=0.8)
    axes.set_xticks([])
    axes.set_ylim(max(len(rows), 4) - 0.5, -0.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=_INK)

"""The picture that stays in a saved notebook: what was described, the prompt, and what each phrase added."""

from __future__ import annotations

import textwrap
from io import BytesIO

from PIL import Image

from clipnb.widgets.describing import Description

STILL_WIDTH = 900
"""Width of the picture in pixels."""
_DPI, _HEIGHT = 100, 3.3
_ACCENT, _LESS, _BASE, _INK, _SOFT = "#0f766e", "#c53030", "#cbd5d3", "#222222", "#666666"
_WRAP, _LINES, _PHRASE = 88, 4, 34
_MOST = 14  # phrases


def still_picture(made: Description) -> Image.Image:
    """Draw a description.

    Returns:
        A picture with a palette, some ten KB as PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(STILL_WIDTH / _DPI, _HEIGHT), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    left = figure.add_axes((0.015, 0.05, 0.29, 0.9))
    left.imshow(Image.open(BytesIO(made.job.picture.preview)))
    left.set_axis_off()
    lines = textwrap.wrap(made.found.prompt, _WRAP, max_lines=_LINES, placeholder=" …")
    figure.text(0.32, 0.95, "\n".join(lines), va="top", color=_INK, fontsize=9.5, parse_math=False)
    facts = f"similarity {100 * made.found.similarity:.1f}, mode {made.found.mode}, {made.found.model}"
    below = 0.95 - 0.058 * len(lines)
    figure.text(0.32, below, facts, va="top", color=_SOFT, fontsize=8, parse_math=False)
    _draw_bars(figure.add_axes((0.57, 0.04, 0.36, below - 0.12)), made)
    buffer = BytesIO()
    canvas.print_figure(buffer, format="png", facecolor="white")
    return Image.open(buffer).convert("RGB").quantize(64)


def _draw_bars(axes: object, made: Description) -> None:
    """Draw what each phrase added; the first, whose bar would dwarf the others, pale and cut to their length."""
    reasons = made.found.reasons[:_MOST]
    added = [100 * reason.added for reason in reasons]
    longest = max((abs(value) for value in added[1:]), default=0.0) or 1.0
    lengths = [longest, *added[1:]]
    colours = [_BASE, *(_ACCENT if value >= 0 else _LESS for value in added[1:])]
    axes.barh(range(len(reasons)), lengths, color=colours, height=0.66)  # type: ignore[attr-defined]
    for place, (value, length) in enumerate(zip(added, lengths, strict=True)):
        said = f"{value:.1f}" if place == 0 else f"{value:+.1f}"
        axes.text(max(length, 0), place, f" {said}", va="center", fontsize=8, color=_SOFT)  # type: ignore[attr-defined]
    axes.set_yticks(  # type: ignore[attr-defined]
        range(len(reasons)), [textwrap.shorten(r.phrase, _PHRASE, placeholder=" …") for r in reasons], fontsize=8
    )
    for label in axes.get_yticklabels():  # type: ignore[attr-defined]
        label.set_parse_math(False)
    axes.set_xticks([])  # type: ignore[attr-defined]
    axes.set_ylim(len(reasons) - 0.5, -0.5)  # type: ignore[attr-defined]
    axes.spines[["top", "right", "bottom"]].set_visible(False)  # type: ignore[attr-defined]
    axes.tick_params(length=0, colors=_INK)  # type: ignore[attr-defined]

"""The picture of a graph that stays in a saved notebook: small, and made in any thread."""

from __future__ import annotations

from PIL import Image

from clipnb.tags.drawing import choose_drawing
from clipnb.tags.picture import draw_on
from clipnb.tags.view import TagView
from clipnb.widgets.common.still import blank_figure, drawn

STILL_WIDTH = 960
"""Width of the picture in pixels."""

_MOST, _DPI = 80, 100
_COLOURS = 160


def still_picture(view: TagView) -> Image.Image:
    """Draw the most frequent tags of a graph that is not empty.

    Returns:
        A picture with a palette, about 60 KB as PNG.
    """
    figure = blank_figure(STILL_WIDTH / _DPI, 0.62 * STILL_WIDTH / _DPI, _DPI)
    draw_on(figure, choose_drawing(view.graph, min(_MOST, view.settings.max_nodes)))
    return drawn(figure).quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)

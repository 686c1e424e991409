"""The similarity of every feature over time: a live plotly figure, or a still picture where that does not load."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.widgets.common.frontend import third_party_widgets_load
from clipnb.widgets.live.history import Curve

_LONGEST = 48  # characters of a curve's name
COLOURS = ("#0f766e", "#d97706", "#7c3aed", "#dc2626", "#2563eb", "#65a30d", "#db2777", "#57534e")
_HEIGHT = 230  # pixels
_GREY, _GRID = "#7a7f87", "rgba(128, 134, 145, 0.22)"


class SimilarityChart:
    """Draws curves of cosine x 100 against steps.

    Attributes:
        widget: what to put into a panel.
        is_live: whether it is a plotly figure.
    """

    def __init__(self, live: bool | None = None) -> None:
        """Take whether a third-party widget loads here; by default whether `anywidget` is here and not in Kaggle."""
        self.is_live = third_party_widgets_load() if live is None else live
        if self.is_live:
            from clipnb.widgets.live.plot import Plot

            self.widget: Any = Plot(_design())
        else:
            self.widget = w.Image(value=_still([]), format="png", layout={"width": "100%"})

    def draw(self, curves: Sequence[Curve]) -> None:
        """Show curves instead of those before; safe from any thread."""
        if not self.is_live:
            self.widget.value = _still(curves)
            return
        self.widget.data = [_trace(curve, COLOURS[place % len(COLOURS)]) for place, curve in enumerate(curves)]


def _trace(curve: Curve, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": html.escaped(html.cut(curve.label, _LONGEST)),
        "x": list(curve.steps),
        "y": [round(value, 3) for value in curve.values],
        "line": {"width": 2, "color": colour},
    }


def _design() -> dict[str, Any]:
    axis = {"gridcolor": _GRID, "zeroline": False, "linecolor": _GRID, "ticks": "outside", "tickcolor": _GRID}
    return {
        "height": _HEIGHT,
        "autosize": True,
        "margin": {"l": 52, "r": 12, "t": 8, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 11, "color": _GREY},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        "xaxis": {**axis, "title": {"text": "step", "standoff": 6}, "rangemode": "tozero"},
        "yaxis": {**axis, "title": {"text": "similarity (cosine × 100)", "standoff": 8}},
        "uirevision": "kept",
        "hovermode": "x unified",
    }


def _still(curves: Sequence[Curve]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2.3), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for place, curve in enumerate(curves):
        label = html.cut(curve.label, _LONGEST).replace("$", r"\$")
        axes.plot(curve.steps, curve.values, color=COLOURS[place % len(COLOURS)], label=label, linewidth=1.8)
    axes.set_xlabel("step")
    axes.set_ylabel("similarity (cosine × 100)")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if curves:
        axes.legend(frameon=False, loc="lower right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

"""The similarity of every feature over time, live by plotly or as a still picture; and all statistics as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.images import to_png
from clipnb.optimise.statistics import Statistics
from clipnb.widgets.common.frontend import BrowserWidget, carrier_of, static, third_party_widgets_load
from clipnb.widgets.common.still import blank_figure, drawn
from clipnb.widgets.live.history import Curve

# `plot.js` has the light kind of each, for dark themes.
COLOURS = ("#0f766e", "#d97706", "#7c3aed", "#dc2626", "#2563eb", "#65a30d", "#db2777", "#57534e")
_LONGEST = 48  # characters of a curve's name
_COLUMNS = ("target", "feature", "weight", "counted", "loss", "similarity")


class Plot(BrowserWidget):
    """A plotly figure whose traces are plain state: it survives reloads, and changes before it is drawn."""

    data: Any = traitlets.List().tag(sync=True)
    library: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        from plotly.offline import get_plotlyjs

        super().__init__(static("library.js"), static("plot.js"), library=carrier_of(get_plotlyjs).model_id)


class SimilarityChart:
    """Draws curves of cosine x 100 against steps; safe from any thread."""

    def __init__(self, live: bool | None = None) -> None:
        self.is_live = third_party_widgets_load() if live is None else live
        still = {} if self.is_live else {"value": _still([]), "format": "png", "layout": {"width": "100%"}}
        self.widget: Any = Plot() if self.is_live else w.Image(**still)

    def draw(self, curves: Sequence[Curve]) -> None:
        if self.is_live:
            self.widget.data = [_trace(curve, colour) for curve, colour in _coloured(curves)]
        else:
            self.widget.value = _still(curves)


def statistics_table(statistics: Statistics | None) -> str:
    rows = []
    for line in statistics.lines if statistics else ():
        mean = "" if line.similarity is None else f"{line.similarity.mean:.2f}"
        span = "" if line.similarity is None else f"{line.similarity.low:.2f} – {line.similarity.high:.2f}"
        similarity = html.element("span", mean, title=span)
        rows.append(
            (line.target, line.label, f"{line.weight:.3g}", f"{line.share:.0%}", f"{line.loss.mean:.3f}", similarity)
        )
    verdict = statistics.verdict if statistics else None
    for look in verdict.looks if verdict else ():
        title = f"{look.first:.2f} at first; what guides sees {look.guide:.2f}, at first {look.guide_first:.2f}"
        rows.append(
            (f"judge {look.judge}", look.text, "", "", "", html.element("span", f"{look.seen:.2f}", title=title))
        )
    warning = html.notice(verdict.warning if verdict else "")
    return html.joined([warning, html.table(_COLUMNS, rows, css="clipnb-statistics")])


def _coloured(curves: Sequence[Curve]) -> list[tuple[Curve, str]]:
    """Give each text or image a colour, which its curves by judges have too."""
    labels = list(dict.fromkeys(curve.label for curve in curves))
    return [(curve, COLOURS[labels.index(curve.label) % len(COLOURS)]) for curve in curves]


def _name(curve: Curve) -> str:
    return html.cut(f"{curve.judge}: {curve.label}" if curve.judge else curve.label, _LONGEST)


def _trace(curve: Curve, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": html.for_plotly(_name(curve)),
        "x": list(curve.steps),
        "y": [round(value, 3) for value in curve.values],
        "line": {"width": 2, "color": colour, "dash": "dash" if curve.judge else "solid"},
    }


def _still(curves: Sequence[Curve]) -> bytes:
    figure = blank_figure(6.4, 2.3, 110)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for curve, colour in _coloured(curves):
        style: Any = {"color": colour, "linestyle": "--" if curve.judge else "-", "linewidth": 1.8}
        axes.plot(curve.steps, curve.values, label=_name(curve).replace("$", r"\$"), **style)
    axes.set_xlabel("step")
    axes.set_ylabel("similarity (cosine × 100)")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if curves:
        axes.legend(frameon=False, loc="lower right")
    return to_png(drawn(figure))

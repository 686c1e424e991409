"""A bar figure of what each phrase added to a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from clipnb.interrogate.result import Reason

_LONGEST = 48  # characters of a phrase beside its bar
_ROW = 24  # pixels a bar
_MARGIN = 120  # pixels for title and axis


def reasons_figure(reasons: Sequence[Reason]) -> go.Figure:
    """Draw what each phrase added to the similarity.

    Args:
        reasons: the phrases in the prompt's order.

    Returns:
        A plotly figure: one horizontal bar a phrase, in percent of cosine similarity, coloured by origin,
        the first phrase on top.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for origin in dict.fromkeys(reason.origin for reason in reasons):
        rows = [(place, reason) for place, reason in enumerate(reasons) if reason.origin == origin]
        figure.add_bar(
            name=origin,
            orientation="h",
            x=[100 * reason.added for _, reason in rows],
            y=[place for place, _ in rows],
            customdata=[(escape(reason.phrase), 100 * reason.similarity) for _, reason in rows],
            hovertemplate="%{customdata[0]}<br>adds %{x:.2f}, prompt so far %{customdata[1]:.2f}<extra></extra>",
        )
    figure.update_layout(
        height=_MARGIN + _ROW * len(reasons),
        margin={"l": 10, "r": 10, "t": 40, "b": 40},
        title="What each phrase adds",
        xaxis={"title": "cosine similarity x 100"},
        yaxis={
            "autorange": "reversed",
            "automargin": True,
            "tickvals": list(range(len(reasons))),
            "ticktext": [_short(reason.phrase) for reason in reasons],
        },
        legend={"orientation": "h"},
    )
    return figure


def _short(phrase: str) -> str:
    return escape(phrase if len(phrase) <= _LONGEST else phrase[: _LONGEST - 1] + "…")

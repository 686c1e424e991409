"""Charts of counts, of pairs and of trends, with plotly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipnb.errors import TagsError
from clipnb.html import for_plotly
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.drawing import PALETTE, cut_name
from clipnb.tags.graph import graph_of

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from clipnb.tags.counting.counts import Countable
    from clipnb.tags.graph import Graphable
    from clipnb.tags.trends import Trends

_LONGEST = 60  # characters of a name that is pointed at


def plot_counts(counts: Countable, n: int = 30) -> go.Figure:
    """Draw the most frequent tags as bars, the most frequent at the top.

    Args:
        counts: counted tags, or prompts.
        n: how many at most.
    """
    import plotly.graph_objects as go

    counts = TagCounts.of(counts)
    rows = counts.most_common(n)
    bars = go.Bar(
        x=[count for _, count in rows],
        y=list(range(len(rows))),
        orientation="h",
        marker_color=PALETTE[0],
        customdata=[
            [for_plotly(cut_name(name, _LONGEST)), f"{count / max(counts.total, 1):.2%}"] for name, count in rows
        ],
        hovertemplate="%{customdata[0]}<br>%{x} times, %{customdata[1]} of all tags<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        template="plotly_white",
        height=120 + 20 * len(rows),
        margin={"l": 10, "r": 20, "t": 20, "b": 40},
        xaxis_title="times",
        yaxis=_named_axis([name for name, _ in rows]) | {"autorange": "reversed"},
        bargap=0.3,
    )
    return figure


def adjacency(graph: Graphable, top: int = 40, by: str = "count") -> pd.DataFrame:
    """Return the matrix of how the most frequent tags go with each other.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        top: how many tags at most, the most frequent ones.
        by: the measure in the cells.

    Returns:
        A symmetric frame with tags as index and columns, most frequent first; 0 where two never meet.

    >>> from clipnb.tags.graph import build_graph
    >>> adjacency(build_graph(["x, a, b", "x, a"])).loc["a", "b"].item()
    1.0
    """
    import pandas as pd

    graph = graph_of(graph)
    nodes = graph.most_frequent(top)
    names = [graph.names[node] for node in nodes.tolist()]
    place = np.full(len(graph), -1)
    place[nodes] = np.arange(len(nodes))
    source, target = place[graph.pairs.source], place[graph.pairs.target]
    drawn = (source >= 0) & (target >= 0)
    cells = np.zeros((len(nodes), len(nodes)))
    cells[source[drawn], target[drawn]] = cells[target[drawn], source[drawn]] = graph.measure(by)[drawn]
    table: pd.DataFrame = pd.DataFrame(cells, index=names, columns=names)
    return table


def plot_adjacency(graph: Graphable, top: int = 40, by: str = "count") -> go.Figure:
    """Draw `adjacency` as a heat map.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        top: how many tags at most, the most frequent ones.
        by: the measure that colours the cells.
    """
    import plotly.graph_objects as go

    table = adjacency(graph, top, by)
    names = [for_plotly(cut_name(name, _LONGEST)) for name in table.index]
    places = list(range(len(names)))
    both_ways = bool(table.to_numpy().min(initial=0.0) < 0)
    cells = go.Heatmap(
        z=table.to_numpy(),
        zmid=0.0 if both_ways else None,
        x=places,
        y=places,
        colorscale="RdBu_r" if both_ways else "Blues",
        colorbar_title=by,
        customdata=[[[a, b] for b in names] for a in names],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3g}<extra></extra>",
    )
    figure = go.Figure(cells)
    axis = _named_axis(list(table.index))
    figure.update_layout(
        template="plotly_white",
        height=220 + 16 * len(names),
        width=320 + 16 * len(names),
        margin={"l": 10, "r": 10, "t": 20, "b": 10},
        xaxis=axis | {"tickangle": -55, "showgrid": False},
        yaxis=axis | {"autorange": "reversed", "showgrid": False},
    )
    return figure


def plot_trends(trends: Trends, n: int = 6) -> go.Figure:
    """Draw how tags rise and fall: shares of the prompts of each period, or of each value of a column.

    Args:
        trends: of `counts_by`.
        n: how many tags at most that rise most clearly, and as many that fall; over values, twice as many of those
            that are used most unevenly.

    Returns:
        Lines over time, those of falling tags dashed; over values, a heat map.

    Raises:
        TagsError: n is less than one.
    """
    if n < 1:
        raise TagsError(f"n is {n}, but must be at least 1")
    return _lines(trends, n) if trends.period else _heat(trends, 2 * n)


def _lines(trends: Trends, n: int) -> go.Figure:
    import plotly.graph_objects as go

    strength = trends.strength
    order = trends.clearest()
    rising, falling = [i for i in order if strength[i] > 0][:n], [i for i in order if strength[i] < 0][:n]
    figure = go.Figure()
    for number, i in enumerate(rising + falling):
        name = for_plotly(cut_name(trends.names[i], _LONGEST))
        figure.add_scatter(
            x=list(trends.groups),
            y=trends.shares[i],
            name=for_plotly(cut_name(trends.names[i], 32)),
            mode="lines+markers",
            line={"color": PALETTE[number % len(PALETTE)], "dash": "solid" if i in rising else "dot"},
            customdata=[
                [name, int(count), int(all_)] for count, all_ in zip(trends.counts[i], trends.prompts, strict=True)
            ],
            hovertemplate="%{customdata[0]}<br>%{x}: %{y:.1%}, %{customdata[1]} of %{customdata[2]}<extra></extra>",
        )
    figure.update_layout(
        template="plotly_white",
        height=420,
        margin={"l": 10, "r": 20, "t": 20, "b": 40},
        xaxis={"title": f"{for_plotly(trends.by)}, by {trends.period}", "type": "category"},
        yaxis={"title": "share of prompts", "tickformat": ".0%", "rangemode": "tozero", "automargin": True},
        legend_title="rising; dotted: falling",
    )
    return figure


def _heat(trends: Trends, n: int) -> go.Figure:
    import plotly.graph_objects as go

    chosen = trends.clearest(n)
    names = [trends.names[i] for i in chosen]
    full = [[for_plotly(cut_name(text, _LONGEST)) for text in texts] for texts in (names, trends.groups)]
    cells = go.Heatmap(
        z=trends.shares[chosen],
        x=list(range(len(trends.groups))),
        y=list(range(len(names))),
        colorscale="Blues",
        zmin=0,
        colorbar={"title": "share of prompts", "tickformat": ".0%"},
        customdata=[[[tag, group] for group in full[1]] for tag in full[0]],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}: %{z:.1%} of the prompts<extra></extra>",
    )
    figure = go.Figure(cells)
    figure.update_layout(
        template="plotly_white",
        height=160 + 22 * len(names),
        margin={"l": 10, "r": 10, "t": 20, "b": 10},
        xaxis=_named_axis(list(trends.groups)) | {"title": for_plotly(trends.by), "showgrid": False},
        yaxis=_named_axis(names) | {"autorange": "reversed", "showgrid": False},
    )
    return figure


def _named_axis(names: list[str]) -> dict[str, object]:
    """Return an axis by place, named by tags; two tags that are cut to the same text stay two."""
    labels = [for_plotly(cut_name(name, 32)) for name in names]
    return {"tickvals": list(range(len(names))), "ticktext": labels, "tickfont": {"size": 11}, "automargin": True}

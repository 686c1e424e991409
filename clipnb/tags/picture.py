"""A still picture of a tag graph, for papers and for places where no script runs."""

from __future__ import annotations

import io
import math
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from clipnb.errors import OutputError, TagsError, first_line
from clipnb.files import write_new
from clipnb.tags.drawing import CERTAIN, Drawing, bonds, choose_drawing, cut_name, printed
from clipnb.tags.graph import graph_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox, BboxBase

    from clipnb.tags.graph import Graphable

PICTURES = (".png", ".svg", ".pdf")
"""The kinds of pictures that can be written."""

_MOST = 400
_GRAVITY = 0.1
_INK, _SOFT = "#1d2330", "#5b6475"
_Places = dict[int, tuple[float, float]]


def plot_graph(
    graph: Graphable,
    path: str | Path | None = None,
    max_nodes: int = 80,
    *,
    max_edges: int | None = None,
    size: tuple[float, float] = (11.0, 7.0),
    seed: int = 0,
) -> Figure:
    """Draw a tag graph with matplotlib: size by count, colour by community, width by weight.

    A name is drawn where it has room, the most frequent first; none covers another.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        path: also write it to this file (`.png`, `.svg`, `.pdf`); see `save_plot`.
        max_nodes: how many tags at most, up to 400.
        max_edges: how many edges at most; None is two and a half for each tag drawn.
        size: width and height in inches.
        seed: the same seed gives the same places.

    Returns:
        The figure, which a notebook shows as a cell's result.

    Raises:
        TagsError: more than 400 tags are asked for, or less than one.
        OutputError: the file cannot be written.
    """
    graph = graph_of(graph)
    if max_nodes > _MOST:
        raise TagsError(f"a picture has room for {_MOST} tags at most, not {max_nodes:,}; show_graph has more")
    try:
        import matplotlib.pyplot as plt
    except (ImportError, ValueError) as error:  # by a backend that is not known
        raise TagsError(f"matplotlib does not start; MPLBACKEND names its backend: {first_line(error)}") from error

    drawing = choose_drawing(graph, max_nodes, max_edges)
    figure = plt.figure(figsize=size, dpi=130, facecolor="white")
    plt.close(figure)  # shown once, by whoever gets it
    draw_on(figure, drawing, seed)
    if path is not None:
        save_plot(figure, path)
    return figure


def draw_on(figure: Figure, drawing: Drawing, seed: int = 0) -> None:
    """Draw on an empty figure with a canvas, in any thread: nothing of pyplot is touched."""
    wide, high = figure.get_size_inches()
    axes = figure.add_axes((0.01, 0.05, 0.75, 0.94))
    places = _places(drawing, seed, wide * 0.75 / high)
    _draw_lines(axes, drawing, places)
    _draw_names(figure, axes, drawing, places)
    _draw_legend(figure, drawing)


def save_plot(figure: Figure, path: str | Path) -> Path:
    """Write a figure under a name that is free, and return that.

    Raises:
        OutputError: another kind of picture is asked for, or it cannot be written.
    """
    wished = Path(path)
    if wished.suffix.lower() not in PICTURES:
        raise OutputError(f"cannot write a picture as {wished.name}: choose {', '.join(PICTURES)}")
    drawn = io.BytesIO()  # a full disk would break the writers of some formats in ways of their own
    with _no_glyph_warnings():
        figure.savefig(drawn, format=wished.suffix[1:].lower(), facecolor="white")
    with write_new(wished) as (target, temporary):
        temporary.write_bytes(drawn.getvalue())
    return target


def _places(drawing: Drawing, seed: int, aspect: float) -> _Places:
    """Return places in units of the picture's height, communities apart from the start."""
    start: _Places = {}
    members: Counter[int] = Counter()
    order = {group: place for place, group in enumerate(dict.fromkeys(drawing.group_of[drawing.nodes].tolist()))}
    for node in drawing.nodes.tolist():
        group = int(drawing.group_of[node])
        x, y = _spiral(order[group], 1.0)
        dx, dy = _spiral(members[group], 0.12)
        members[group] += 1
        start[node] = (x + dx, y + dy)
    if not start:
        return {}
    attracting: nx.Graph[int] = nx.Graph()
    attracting.add_nodes_from(start)
    for a, b, inside in _lines(drawing):
        attracting.add_edge(a, b, weight=1.0 if inside else 0.15)
    centre = max(start) + 1  # pulls at all, or parts that nothing joins would fly away from each other
    attracting.add_weighted_edges_from((node, centre, _GRAVITY) for node in list(start))
    start[centre] = (0.0, 0.0)
    distance = 1.9 / math.sqrt(len(start))
    placed = nx.spring_layout(attracting, k=distance, pos=start, iterations=120, seed=seed)
    return {node: (float(at[0]) * aspect, float(at[1])) for node, at in placed.items() if node != centre}


def _spiral(i: int, step: float) -> tuple[float, float]:
    return step * math.sqrt(i) * math.cos(2.4 * i), step * math.sqrt(i) * math.sin(2.4 * i)


def _lines(drawing: Drawing) -> list[tuple[int, int, bool]]:
    """Both ends of each edge, and whether they are of one community."""
    pairs, group_of = drawing.graph.pairs, drawing.group_of
    source, target = pairs.source[drawing.edges], pairs.target[drawing.edges]
    return list(zip(source.tolist(), target.tolist(), (group_of[source] == group_of[target]).tolist(), strict=True))


def _draw_lines(axes: Axes, drawing: Drawing, places: _Places) -> None:
    from matplotlib.collections import LineCollection

    edges = _lines(drawing)
    weights = drawing.graph.measure()[drawing.edges]
    span = (weights.max() - weights.min() if len(edges) else 0.0) or 1.0
    faint = (bonds(drawing.graph, drawing.edges) != CERTAIN).tolist()
    lines = LineCollection(
        [(places[a], places[b]) for a, b, _ in edges],
        linewidths=[0.5 + 3.0 * math.sqrt((weight - weights.min()) / span) for weight in weights.tolist()],
        colors=[drawing.colour(int(drawing.group_of[a])) if inside else "#7a8496" for a, _, inside in edges],
        alpha=[0.12 if near else 0.4 if inside else 0.22 for (_, _, inside), near in zip(edges, faint, strict=True)]
        or None,
        zorder=1,
    )
    axes.add_collection(lines)
    axes.margins(0.09, 0.05)
    axes.set_axis_off()


def _draw_names(figure: Figure, axes: Axes, drawing: Drawing, places: _Places) -> None:
    ranked, counts = drawing.nodes.tolist(), np.maximum(drawing.graph.count[drawing.nodes], 1)
    shares = dict(zip(ranked, np.sqrt(counts / counts.max(initial=1)).tolist(), strict=True))
    axes.scatter(
        [places[node][0] for node in ranked],
        [places[node][1] for node in ranked],
        s=[(3.5 + 11 * shares[node]) ** 2 for node in ranked],
        c=[drawing.colour(int(drawing.group_of[node])) for node in ranked],
        edgecolors="white",
        linewidths=0.8,
        zorder=2,
    )
    taken: list[Bbox] = []
    with _no_glyph_warnings():
        figure.canvas.draw()
        for node in ranked:
            _place_name(axes, drawing.graph.names[node], places[node], shares[node], taken, figure.bbox)


def _place_name(
    axes: Axes, name: str, at: tuple[float, float], share: float, taken: list[Bbox], whole: BboxBase
) -> None:
    """Write a name beside its dot where there is room, or not at all."""
    away = 2.5 + 5.5 * share
    spots = (
        (away, 0, "left", "center"),
        (0, -away, "center", "top"),
        (-away, 0, "right", "center"),
        (0, away, "center", "bottom"),
    )
    for dx, dy, across, up in spots:
        text = axes.annotate(
            cut_name(printed(name), 34),
            at,
            xytext=(dx, dy),
            textcoords="offset points",
            ha=across,
            va=up,
            fontsize=7 + 5 * share,
            color=_INK,
            zorder=3,
            parse_math=False,
            usetex=False,
            annotation_clip=False,
        )
        _halo(text)
        box = text.get_window_extent().padded(1)
        inside = whole.x0 <= box.x0 and box.x1 <= whole.x1
        if inside and not any(box.overlaps(other) for other in taken):
            taken.append(box)
            return
        text.remove()


def _halo(text: Text) -> None:
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2, foreground="white", alpha=0.85)])


def _draw_legend(figure: Figure, drawing: Drawing) -> None:
    from matplotlib.lines import Line2D

    seen = set(drawing.group_of[drawing.nodes].tolist())
    groups = [i for i, group in enumerate(drawing.communities) if len(group) > 1 and i in seen][:12]
    dots = [Line2D([], [], marker="o", linestyle="", markersize=7, color=drawing.colour(group)) for group in groups]
    names = [
        "\n".join(cut_name(printed(tag), 26) for tag in drawing.communities[group].name.split(", ")[:2])
        for group in groups
    ]
    if groups:
        legend = figure.legend(
            dots, names, loc="center left", bbox_to_anchor=(0.775, 0.5), frameon=False, fontsize=8, labelspacing=0.9
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
            text.set_color(_INK)
    figure.text(0.012, 0.015, drawing.note, fontsize=7, color=_SOFT, parse_math=False)


@contextmanager
def _no_glyph_warnings() -> Iterator[None]:
    """Signs that the font lacks are drawn as empty boxes; that is no fault of the caller's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield

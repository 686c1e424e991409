"""Pictures and charts: what they hold, that names do not cover each other, that text stays text."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest
from PIL import Image

from clipnb.errors import OutputError, TagsError
from clipnb.files import shipped
from clipnb.html import for_plotly
from clipnb.prompts.read import load_prompts
from clipnb.tags.charts import adjacency, plot_adjacency, plot_counts
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.graph import build_graph
from clipnb.tags.picture import plot_graph, save_plot


def test_bars_are_the_most_frequent_tags() -> None:
    figure = plot_counts(TagCounts(["x, a, b", "x, a"]), 1)
    assert list(figure.data[0].x) == [2]
    assert list(figure.layout.yaxis.ticktext) == ["a"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert len(plot_counts(TagCounts()).data[0].x) == 0


def test_adjacency_is_symmetric_and_by_frequency() -> None:
    graph = build_graph(["x, a, b, c", "x, a, b", "x, a", "x, d"])
    table = adjacency(graph, 3)
    assert list(table.index) == list(table.columns) == ["a", "b", "c"]
    assert (table.to_numpy() == table.to_numpy().T).all()
    assert table.loc["a", "b"] == 2
    assert adjacency(graph, by="npmi").loc["a", "d"] == 0
    assert plot_adjacency(graph, 3).data[0].z.shape == (3, 3)
    assert plot_adjacency(graph, 3).data[0].zmid is None
    rarer_than_chance = build_graph(["x, a, b", "x, a, c", "x, b, c"])
    assert plot_adjacency(rarer_than_chance, by="npmi").data[0].zmid == 0
    assert adjacency(nx.Graph()).shape == (0, 0)


def test_charts_show_markup_and_tex_as_text(hostile: nx.Graph[int]) -> None:
    names = plot_adjacency(hostile).layout.xaxis.ticktext
    assert not [name for name in names if set(name) & set("<>$")]
    assert for_plotly("$x$ <b>") == "&#36;x&#36; &lt;b&gt;"


def test_two_tags_cut_to_the_same_text_stay_two() -> None:
    figure = plot_counts(TagCounts(["x, " + "a" * 50 + "1, " + "a" * 50 + "2"]))
    assert len(figure.layout.yaxis.ticktext) == 2
    assert list(figure.data[0].y) == [0, 1]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_written_once(tmp_path: Path, suffix: str) -> None:
    graph = build_graph(["x, a, b", "x, b, c"])
    figure = plot_graph(graph, tmp_path / f"g{suffix}")
    assert save_plot(figure, tmp_path / f"g{suffix}").name == f"g-1{suffix}"
    if suffix == ".png":
        assert Image.open(tmp_path / "g.png").size == (1430, 910)
    with pytest.raises(OutputError, match=r"choose \.png"):
        save_plot(figure, tmp_path / "g.bmp")


def test_names_in_the_picture_do_not_cover_each_other() -> None:
    figure = plot_graph(build_graph(load_prompts(shipped("prompts"))))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) > 40
    assert not [1 for a, b in combinations(boxes, 2) if a.overlaps(b)]
    assert "80 most frequent" in figure.texts[0].get_text()


def test_the_same_seed_gives_the_same_picture() -> None:
    graph = build_graph(["x, a, b", "x, b, c", "y, d, e"])
    places = [plot_graph(graph, seed=1).axes[0].collections[1].get_offsets().tolist() for _ in range(2)]
    assert places[0] == places[1]


def test_hostile_tags_are_drawn_as_they_are(hostile: nx.Graph[int]) -> None:
    shown = [text.get_text() for text in plot_graph(hostile).axes[0].texts]
    assert "$\\frac{a}{b}$ $x$" in shown


def test_limits() -> None:
    with pytest.raises(TagsError, match="400"):
        plot_graph(build_graph(["x, a"]), max_nodes=401)
    assert plot_graph(nx.Graph()) is not None
    assert plot_graph(build_graph(["x, alone"])) is not None

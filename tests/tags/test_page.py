"""What is drawn, and the page as text: self-contained, bounded, and with tags as data only."""

from __future__ import annotations

import html
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from clipnb.errors import OutputError, TagsError
from clipnb.prompts.splitting import whole_text
from clipnb.tags.communities import communities, modularity
from clipnb.tags.counting.interning import Ints
from clipnb.tags.drawing import GREY, PALETTE, Drawing, choose_drawing, cut_name, ranked
from clipnb.tags.export import export_graph, export_web
from clipnb.tags.graph import build_graph, graph_of
from clipnb.tags.page import graph_page, read_positions, show_graph
from tests.tags.conftest import HOSTILE, data_of


@pytest.fixture
def large() -> nx.Graph[int]:
    return build_graph([f"x, t{i % 400}, t{i * 7 % 400}, t{i * 3 % 50}" for i in range(900)]).to_networkx()


def test_the_page_asks_for_nothing_from_outside(large: nx.Graph[int]) -> None:
    page = graph_page(large)
    assert not re.search(r"<link|<iframe|\ssrc=|@import|url\(", re.sub(r"<script.*?</script>", "", page, flags=re.S))
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    script_sources = policy.split(";")[1]
    assert "unsafe" not in script_sources


def test_hostile_tags_stay_inside_the_data(hostile: nx.Graph[int]) -> None:
    page = graph_page(hostile, title="</title><script>window.ran=9</script>")
    assert page.count("<script") == graph_page(build_graph(["x, a"])).count("<script")
    assert "window.ran" in page, "in the title"
    assert "<script>window.ran" not in page
    assert "window.ran" not in page.split('id="graph-data">')[1].split("</script>")[0]
    names = set(data_of(page)["names"])
    assert {" ".join(whole_text(tag).split()) for tag in HOSTILE if len(tag) < 300} <= names
    page.encode()


def test_what_is_drawn_is_bounded_and_the_rest_is_told(large: nx.Graph[int]) -> None:
    page = graph_page(large, max_nodes=30, max_edges=40)
    data = data_of(page)
    assert data["drawn"] == 30
    assert len(choose_drawing(graph_of(large), 30, 40).edges) == 40
    assert f"30 most frequent of {len(large):,} tags" in page
    assert f"of {large.number_of_edges():,} pairs" in page
    assert len(data["names"]) == len(large), "what is not drawn can be found"
    assert data["count"].tolist() == sorted(data["count"].tolist(), reverse=True)


def test_a_small_graph_is_drawn_whole() -> None:
    drawing = choose_drawing(build_graph(["x, a, b", "y, c"]))
    assert drawing.note == "All 3 tags and all 1 pairs are drawn."
    assert (len(drawing.nodes), len(drawing.edges)) == (3, 1)


def test_tags_left_out_by_the_graph_are_told_too() -> None:
    assert "hold 3 tags in all" in choose_drawing(build_graph(["x, a, b", "x, a, c"], top=1)).note


def degrees(drawing: Drawing) -> Ints:
    pairs = drawing.graph.pairs
    ends = [pairs.source[drawing.edges], pairs.target[drawing.edges]]
    return np.bincount(np.concatenate(ends), minlength=len(drawing.graph))


def test_no_connected_tag_floats_when_edges_are_few(large: nx.Graph[int]) -> None:
    few, all_ = (choose_drawing(graph_of(large), 60, edges) for edges in (60, 10**6))
    assert len(few.edges) == 60
    assert ((degrees(few) > 0) == (degrees(all_) > 0)).all()


def test_pairs_rarer_than_chance_are_drawn_only_when_there_are_no_others() -> None:
    rare = build_graph(["x, a, b", "x, a, c", "x, b, c"])
    assert (rare.measure("npmi") < 0).all()
    assert len(choose_drawing(rare).edges) == 3
    mixed = choose_drawing(build_graph(["x, a, b"] * 5 + ["x, a, c", "x, c"] * 3 + ["x, d, b"]))
    assert (mixed.graph.measure("npmi")[mixed.edges] > 0).all()


def test_pairs_near_chance_come_after_those_that_stand_out() -> None:
    prompts = ["x, fur, paws"] * 30 + ["x, steel, glass"] * 30 + ["x, fur, glass"] * 9 + ["x, fur", "x, glass"]
    graph = build_graph(prompts)
    order, classes = ranked(graph, np.arange(len(graph.pairs)))
    assert classes == (2, 0, 1)
    named = [{graph.names[graph.pairs.source[edge]], graph.names[graph.pairs.target[edge]]} for edge in order]
    assert named[2] == {"fur", "glass"}


def test_the_chosen_weight_decides_what_is_drawn() -> None:
    prompts = ["x, a, b"] * 20 + ["x, a, c"] * 20 + ["x, b, c"] * 12 + ["x, d, e"] * 6 + ["x, a, d"] * 2 + ["y, z"] * 90
    by_count, by_npmi = (choose_drawing(build_graph(prompts, weight=weight)) for weight in ("count", "npmi"))
    assert by_count.graph.pairs.count[by_count.edges[0]] == 20
    first = by_npmi.edges[0]
    assert {by_npmi.graph.names[end[first]] for end in (by_npmi.graph.pairs.source, by_npmi.graph.pairs.target)} == {
        "d",
        "e",
    }


def test_companions_and_communities_are_those_of_the_whole_graph(large: nx.Graph[int]) -> None:
    graph = graph_of(large)
    groups = communities(graph)
    data = data_of(graph_page(graph, max_nodes=20))
    assert [one["size"] for one in data["communities"]] == [len(group) for group in groups]
    assert len(data["source"]) == len(graph.pairs)


@pytest.mark.parametrize(("weight", "by"), [("count", "surprise"), ("jaccard", "jaccard")])
def test_of_a_large_graph_each_tag_keeps_its_closest_companions(
    weight: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [f"x, t{i * i % 83}, t{i % 97}, t{i * 3 % 61}, t{i * i * i % 71}" for i in range(3000)]
    graph = build_graph(prompts, weight=weight)
    monkeypatch.setattr("clipnb.tags.payload.ALL_PAIRS", 100)
    data = data_of(graph_page(graph))
    assert len(data["source"]) < len(graph.pairs)
    known = {frozenset(pair) for pair in zip(data["id"][data["source"]], data["id"][data["target"]], strict=True)}
    for node in range(len(graph)):
        others, edges = graph.companions(node, 15)
        close = graph.measure(by)
        for other, edge in zip(others, edges, strict=True):
            assert close[edge] <= max(close[edges].min(), 0) or frozenset((node, other)) in known


def test_examples_are_prompts_that_have_drawn_pairs_and_no_more_than_asked_for() -> None:
    graph = build_graph([f"a cat, fur, paws, t{i}" for i in range(900)])
    examples = data_of(graph_page(graph, max_nodes=3))["examples"]
    assert 0 < len(examples) < 8
    assert examples[0]["text"] == "a cat, fur, paws, t0"
    assert data_of(graph_page(graph.to_networkx()))["examples"] == []


def test_given_communities_are_kept() -> None:
    graph = build_graph(["x, a, b", "x, b, c", "x, d"]).to_networkx()
    nx.set_node_attributes(graph, {0: 7, 1: 7, 2: 9, 3: 9}, "community")
    drawing = choose_drawing(graph_of(graph))
    assert sorted(group.nodes for group in drawing.communities) == [(1, 0), (2, 3)]


def test_drawing_changes_nothing(large: nx.Graph[int]) -> None:
    before = large.copy()
    graph_page(large)
    graph_page(large, None)
    assert nx.utils.graphs_equal(before, large)


def test_colours_are_for_communities_lone_tags_are_grey() -> None:
    drawing = choose_drawing(build_graph(["x, a, b", "x, a, b", "y, c", "z, d, e"]))
    colours = {group.name: drawing.colour(group.id) for group in drawing.communities}
    assert colours["c"] == GREY
    assert colours["a, b"] in PALETTE


@pytest.mark.parametrize("limits", [{"max_nodes": 0}, {"max_nodes": -3}, {"max_edges": -1}])
def test_limits_are_checked(limits: dict[str, int]) -> None:
    with pytest.raises(TagsError, match="at least 1 tag"):
        graph_page(build_graph(["x, a"]), **limits)


def test_an_empty_graph_and_a_foreign_one_have_pages_too() -> None:
    assert data_of(graph_page(nx.Graph()))["names"] == []
    foreign = data_of(graph_page(nx.path_graph(4)))
    assert foreign["names"] == ["0", "1", "2", "3"]
    assert len(foreign["source"]) == 3


def test_in_a_notebook_the_page_is_framed_and_cannot_reach_out(large: nx.Graph[int]) -> None:
    page = show_graph(large, height=500)
    shown = page._repr_html_()
    assert 'sandbox="allow-scripts allow-downloads"' in shown
    assert "allow-same-origin" not in shown
    assert "height: 500px" in shown
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', shown)[1]) == page.html
    assert len(repr(page)) < 80


def test_saving_never_overwrites(tmp_path: Path) -> None:
    page = show_graph(build_graph(["x, a, b"]))
    assert page.save(tmp_path / "g.html").name == "g.html"
    assert page.save(tmp_path / "g.html").name == "g-1.html"
    with pytest.raises(OutputError):
        page.save(tmp_path / "g.html" / "below.html")


def test_names_are_cut() -> None:
    assert cut_name("a\n b\u2028c", 9) == "a b c"
    assert cut_name("abcdef", 4) == "abc…"


def test_a_page_holds_as_many_prompts_as_it_is_told_and_none_on_demand(tmp_path: Path) -> None:
    graph = build_graph([f"a cat, fur, paws, t{i}" for i in range(90)])
    assert data_of(graph_page(graph, examples=0))["examples"] == []
    assert len(data_of(graph_page(graph, None, examples=5))["examples"]) == 5
    assert "a cat" not in str(data_of(export_graph(graph, tmp_path / "g.html", examples=0).read_text("utf-8")))
    assert data_of(export_web(graph, tmp_path / "web", examples=0).read_text("utf-8"))["examples"] == []
    with pytest.raises(TagsError, match="examples is -1"):
        graph_page(graph, examples=-1)


def test_the_page_tells_the_modularity_of_the_whole_graph(large: nx.Graph[int]) -> None:
    graph = graph_of(large)
    communities(graph)
    assert data_of(graph_page(graph, max_nodes=5))["modularity"] == pytest.approx(modularity(graph), abs=1e-4)


def test_positions_are_read_as_a_page_or_a_graph_saves_them(tmp_path: Path) -> None:
    saved = export_graph(build_graph(["x, a, b", "x, a, c"]), tmp_path / "g.json")
    kept = read_positions(saved)
    assert [node["name"] for node in kept["nodes"]] == ["a", "b", "c"]
    assert data_of(graph_page(build_graph(["x, a, b"]), positions=saved))["saved"] == kept
    odd = '{"view": {"x": 1e999, "scale": 2, "hidden": ["a", 7]}, "nodes": [{"name": 5, "x": NaN, "y": 3}, {}]}'
    (tmp_path / "odd.json").write_text(odd)
    kept = read_positions(tmp_path / "odd.json")
    assert (kept["view"]["x"], kept["view"]["scale"], kept["view"]["hidden"]) == (None, 2, ["a"])
    assert kept["nodes"][0] == {"id": None, "name": "5", "x": None, "y": 3}
    graph_page(build_graph(["x, a, b"]), positions=tmp_path / "odd.json")


@pytest.mark.parametrize("text", ["", "[]", '{"nodes": 3}', '{"nodes": [3]}', "[" * 100_000, "\x89PNG"])
def test_a_file_without_positions_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(TagsError, match="holds no positions"):
        read_positions(tmp_path / "p.json")


def test_positions_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TagsError, match=r"cannot read positions from .*p\.json: No such file"):
        graph_page(build_graph(["x, a"]), positions=tmp_path / "p.json")
    monkeypatch.setattr("clipnb.tags.page.MOST_POSITIONS", 3)
    (tmp_path / "p.json").write_text('{"nodes": []}')
    with pytest.raises(TagsError, match="cannot read positions"):
        read_positions(tmp_path / "p.json")

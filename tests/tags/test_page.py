"""What is drawn, and the page as text: self-contained, bounded, and with tags as data only."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import networkx as nx
import pytest

from clipnb.errors import OutputError, TagsError
from clipnb.prompts.splitting import whole_text
from clipnb.tags.drawing import GREY, PALETTE, choose_drawing, cut_name
from clipnb.tags.graph import build_graph
from clipnb.tags.page import graph_page, show_graph
from tests.tags.conftest import HOSTILE


def data_of(page: str) -> dict[str, list[dict[str, object]]]:
    found = re.search(r'<script type="application/json" id="graph-data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


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
    assert "vis.js is dual licensed" in page


def test_hostile_tags_stay_inside_the_data(hostile: nx.Graph[int]) -> None:
    page = graph_page(hostile, title="</title><script>window.ran=9</script>")
    assert page.count("<script") == graph_page(build_graph(["x, a"])).count("<script")
    assert "window.ran" in page
    assert "<script>window.ran" not in page
    names = {node["name"] for node in data_of(page)["nodes"]}
    assert {" ".join(whole_text(tag).split()) for tag in HOSTILE if len(tag) < 300} <= names
    page.encode()


def test_what_is_drawn_is_bounded_and_the_rest_is_told(large: nx.Graph[int]) -> None:
    page = graph_page(large, max_nodes=30, max_edges=40)
    data = data_of(page)
    assert len(data["nodes"]) == 30
    assert len(data["links"]) <= 40
    assert f"30 most frequent of {len(large):,} tags" in page
    assert f"of {large.number_of_edges():,} pairs" in page
    ends = {node["id"] for node in data["nodes"]}
    assert all({link["source"], link["target"]} <= ends for link in data["links"])


def test_a_small_graph_is_drawn_whole() -> None:
    drawing = choose_drawing(build_graph(["x, a, b", "y, c"]))
    assert drawing.note == "All 3 tags and all 1 pairs are drawn."
    assert len(drawing.graph) == 3
    assert drawing.graph.number_of_edges() == 1


def test_tags_left_out_by_the_graph_are_told_too() -> None:
    assert "hold 3 tags in all" in choose_drawing(build_graph(["x, a, b", "x, a, c"], top=1)).note


def test_no_connected_tag_floats_when_edges_are_few(large: nx.Graph[int]) -> None:
    drawing = choose_drawing(large, 60, 60)
    whole = choose_drawing(large, 60, 10**6)
    for node in drawing.graph:
        assert bool(drawing.graph.degree[node]) == bool(whole.graph.degree[node])


def test_pairs_rarer_than_chance_are_drawn_only_when_there_are_no_others() -> None:
    rare = build_graph(["x, a, b", "x, a, c", "x, b, c"]).to_networkx()
    assert all(edge["npmi"] < 0 for _, _, edge in rare.edges(data=True))
    assert choose_drawing(rare).graph.number_of_edges() == 3
    mixed = choose_drawing(build_graph(["x, a, b"] * 5 + ["x, a, c", "x, c"] * 3 + ["x, d, b"]))
    assert all(edge["npmi"] > 0 for _, _, edge in mixed.graph.edges(data=True))


def test_given_communities_are_kept() -> None:
    graph = build_graph(["x, a, b", "x, b, c", "x, d"]).to_networkx()
    nx.set_node_attributes(graph, {0: 7, 1: 7, 2: 9, 3: 9}, "community")
    drawing = choose_drawing(graph)
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
    assert data_of(graph_page(nx.Graph()))["nodes"] == []
    foreign = data_of(graph_page(nx.path_graph(4)))
    assert [node["name"] for node in foreign["nodes"]] == ["0", "1", "2", "3"]
    assert len(foreign["links"]) == 3


def test_in_a_notebook_the_page_is_framed_and_cannot_reach_out(large: nx.Graph[int]) -> None:
    page = show_graph(large, height=500)
    shown = page._repr_html_()
    assert 'sandbox="allow-scripts"' in shown
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

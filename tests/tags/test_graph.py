"""Pairs, weights, thresholds and the backbone, against plain Python."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import TagsError
from clipnb.prompts.splitting import extract_tags
from clipnb.tags.communities import communities
from clipnb.tags.counting import pairs as pairs_module
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.pairs import Pairs, count_pairs
from clipnb.tags.graph import backbone, build_graph, disparity, graph_of
from clipnb.tags.meaning import joined
from clipnb.tags.relations import neighbours
from clipnb.tags.weights import EXAMPLE, EXAMPLES, WEIGHTS, by_chance, edge_strength, register_weight, surprise, weigh

PROMPTS = st.lists(
    st.lists(st.sampled_from("abcdefgH"), max_size=8).map(lambda tags: ",".join(["x", *tags])), max_size=25
)


def plain_pairs(prompts: list[str]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for prompt in prompts:
        found.update(combinations(sorted({tag.casefold() for tag in extract_tags(prompt)}), 2))
    return found


@given(PROMPTS)
def test_edges_are_the_pairs_of_a_plain_loop(prompts: list[str]) -> None:
    graph = build_graph(prompts).to_networkx()
    names = nx.get_node_attributes(graph, "name")
    edges = {tuple(sorted((names[a].casefold(), names[b].casefold()))): n for a, b, n in graph.edges(data="count")}
    assert edges == plain_pairs(prompts)


@given(PROMPTS)
def test_measures_are_what_their_definitions_say(prompts: list[str]) -> None:
    graph = build_graph(prompts, weight="tagnet").to_networkx()
    having = Counter(tag for prompt in prompts for tag in {t.casefold() for t in extract_tags(prompt)})
    names = nx.get_node_attributes(graph, "name")
    for a, b, edge in graph.edges(data=True):
        one, other, both = having[names[a].casefold()], having[names[b].casefold()], edge["count"]
        together = both / len(prompts)
        assert edge["weight"] == pytest.approx(both / graph.number_of_edges())
        assert edge["jaccard"] == pytest.approx(both / (one + other - both))
        if together < 1:
            pmi = math.log(together / (one / len(prompts) * other / len(prompts)))
            assert edge["npmi"] == pytest.approx(pmi / -math.log(together))
        assert -1 < edge["npmi"] <= 1 + 1e-9
        assert edge_strength(edge) == pytest.approx(both * edge["npmi"])


@given(PROMPTS)
def test_surprise_is_the_g_test_of_scipy(prompts: list[str]) -> None:
    stats = pytest.importorskip("scipy.stats")
    pairs = build_graph(prompts).pairs
    for a, b, both, found in zip(pairs.source, pairs.target, pairs.count, surprise(pairs), strict=True):
        one, other = pairs.prompts_of[a], pairs.prompts_of[b]
        cells = np.array([[both, one - both], [other - both, pairs.prompts - one - other + both]])
        expected = 0.0
        if cells.sum(0).all() and cells.sum(1).all():
            test = stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood")
            expected = test.statistic * (1 if both >= test.expected_freq[0, 0] else -1)
            assert by_chance(pairs)[(pairs.source == a) & (pairs.target == b)] == pytest.approx(
                test.expected_freq[0, 0]
            )
        assert found == pytest.approx(expected, abs=1e-9)


def test_pairs_within_chance_are_left_out() -> None:
    rng = np.random.default_rng(3)
    prompts = [f"x, a{rng.integers(5)}, b{rng.integers(5)}" for _ in range(2_000)] + ["x, fur, paws"] * 12
    assert build_graph(prompts, chance=0.001).to_frame()[["source", "target"]].values.tolist() == [["fur", "paws"]]
    assert build_graph(prompts, chance=0.9).number_of_edges() > 5
    with pytest.raises(TagsError, match="chance is 1, but"):
        build_graph(prompts, chance=1)


@given(PROMPTS, st.sampled_from(["count", "npmi", "jaccard"]))
def test_disparity_is_that_of_a_plain_loop(prompts: list[str], weight: str) -> None:
    graph = build_graph(prompts, weight=weight)
    plain = graph.to_networkx()
    found = disparity(graph.pairs.source, graph.pairs.target, graph.measure())
    for place, (a, b) in enumerate(zip(graph.pairs.source.tolist(), graph.pairs.target.tolist(), strict=True)):
        expected = 1.0
        for end in (a, b):
            bonds = [max(edge["weight"], 0) for edge in plain.adj[end].values()]
            if len(bonds) > 1 and sum(bonds) > 0:
                share = max(plain.edges[a, b]["weight"], 0) / sum(bonds)
                expected = min(expected, (1 - share) ** (len(bonds) - 1))
        assert found[place] == pytest.approx(expected)


@given(PROMPTS)
def test_a_graph_survives_networkx(prompts: list[str]) -> None:
    graph = build_graph(prompts, weight="npmi")
    again = graph_of(graph.to_networkx())
    assert nx.utils.graphs_equal(again.to_networkx(), graph.to_networkx())
    assert again.measure("strength") == pytest.approx(graph.measure("strength"))
    assert again.measure("surprise") == pytest.approx(graph.measure("surprise"))


@given(PROMPTS)
def test_the_closest_of_a_node_are_those_of_a_plain_sort(prompts: list[str]) -> None:
    graph = build_graph(prompts)
    closeness = np.random.default_rng(0).permutation(len(graph.pairs)) - 2.0
    kept = set(graph.pairs.closest(np.arange(len(graph.pairs)), closeness, 2).tolist())
    expected: set[int] = set()
    for node in range(len(graph)):
        _, edges = graph.neighbours(node)
        firsts = sorted(edges.tolist(), key=lambda edge: -closeness[edge])[:2]
        expected |= {edge for edge in firsts if closeness[edge] > 0}
    assert {edge for edge in kept if closeness[edge] > 0} == expected


@given(PROMPTS)
def test_neighbours_are_those_of_networkx(prompts: list[str]) -> None:
    graph = build_graph(prompts)
    plain = graph.to_networkx()
    for node in plain:
        others, edges = graph.neighbours(node)
        assert set(others.tolist()) == set(plain.adj[node])
        assert graph.pairs.count[edges].tolist() == [plain.edges[node, other]["count"] for other in others.tolist()]
        assert graph.degree[node] == plain.degree[node]
        near, edges = graph.companions(node, 2, "strength")
        ranked = sorted(plain.adj[node], key=lambda other: (-round(edge_strength(plain.edges[node, other]), 9), other))
        strength = [edge_strength(plain.edges[node, other]) for other in ranked[:2]]
        assert graph.measure("strength")[edges] == pytest.approx(strength)
        shares = [plain.edges[node, other]["count"] / graph.pairs.prompts_of[node] for other in near.tolist()]
        assert graph.share(node, edges) == pytest.approx(shares)


@given(PROMPTS, st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_edges_that_are_joined_stay_sorted_and_keep_the_others(prompts: list[str], ends: list[tuple[int, int]]) -> None:
    graph = build_graph(prompts)
    ends = [pair for pair in ends if pair[0] != pair[1] and max(pair) < len(graph)]
    values = {tuple(sorted(pair)): float(place) for place, pair in reversed(list(enumerate(ends)))}
    more = joined(graph, np.array(ends, dtype=np.int64).reshape(-1, 2), "own", "value", np.arange(len(ends)) * 1.0)
    expected = graph.to_networkx()
    for (a, b), value in values.items():
        if not expected.has_edge(a, b):
            expected.add_edge(a, b, count=0, weight=0, jaccard=0.0, npmi=0.0, kind="own")
        expected.edges[a, b]["value"] = value
    assert nx.utils.graphs_equal(more.to_networkx(), expected)
    assert sorted(zip(more.pairs.source, more.pairs.target, strict=True)) == list(
        zip(more.pairs.source, more.pairs.target, strict=True)
    )


def test_names_of_networkx_say_where_they_are() -> None:
    with pytest.raises(AttributeError, match="to_networkx"):
        _ = build_graph(["x, a, b"]).adj


def test_pyvis_draws_the_same_nodes_and_edges() -> None:
    pytest.importorskip("pyvis")
    graph = build_graph(["x, a, <b>", "x, a, c", "x, c, =d", "x, lone"])
    communities(graph)
    page = graph.to_pyvis(cdn_resources="in_line").generate_html()
    nodes = json.loads(re.search(r"nodes = new vis.DataSet\((\[.*?\])\);", page)[1])
    edges = json.loads(re.search(r"edges = new vis.DataSet\((\[.*?\])\);", page)[1])
    plain = graph.to_networkx()
    assert {node["id"]: node["label"] for node in nodes} == nx.get_node_attributes(plain, "name")
    assert {(edge["from"], edge["to"]): edge["value"] for edge in edges} == nx.get_edge_attributes(plain, "weight")
    assert {node["id"]: node["group"] for node in nodes} == nx.get_node_attributes(plain, "community")
    assert "<b>" not in re.search(r"nodes = new vis.DataSet\((\[.*?\])\);", page)[0]


def test_pyvis_takes_a_hundred_thousand_nodes() -> None:
    pytest.importorskip("pyvis")
    graph = build_graph([f"x, t{i}" for i in range(100_000)])
    assert graph.to_pyvis().num_nodes() == 100_000
    assert len(communities(graph)) == 100_000


@given(PROMPTS, st.integers(1, 4), st.integers(1, 4), st.none() | st.integers(1, 5))
def test_thresholds(prompts: list[str], min_count: int, min_edge: int, top: int | None) -> None:
    graph = build_graph(prompts, min_count, min_edge, top).to_networkx()
    kept = [(name, n) for name, n in TagCounts(prompts).most_common(top) if n >= min_count]
    assert sorted(nx.get_node_attributes(graph, "count").values()) == sorted(n for _, n in kept)
    assert set(nx.get_node_attributes(graph, "name").values()) == {name for name, _ in kept}
    assert all(n >= min_edge for _, _, n in graph.edges(data="count"))


def test_every_tag_is_one_node_and_numbers_are_plain() -> None:
    graph = build_graph(["x, VRay, 3D, 3d", "y, vray"]).to_networkx()
    assert list(graph.nodes) == [0, 1]
    assert graph.nodes[0] == {"id": 0, "name": "VRay", "count": 2, "rank": 0.5}
    assert graph.edges[0, 1]["count"] == 1
    kinds = {type(value) for _, _, edge in graph.edges(data=True) for value in edge.values()}
    assert kinds <= {int, float}


def test_a_condition_on_counts() -> None:
    graph = build_graph(["x, a, b", "x, a"], condition="= 1")
    assert graph.names == ["b"]


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_measure_weighs_its_example_as_it_says(name: str) -> None:
    graph = build_graph(EXAMPLE, weight=name)
    assert neighbours(graph, "a").set_index("tag").loc["b", "weight"] == pytest.approx(EXAMPLES[name])


@pytest.mark.parametrize("name", WEIGHTS)
def test_any_measure_can_be_the_weight(name: str) -> None:
    graph = build_graph(["x, a, b", "x, a, c", "x, b"], weight=name)
    assert graph.weight == name
    assert graph.measure().tolist() == graph.measure(name).tolist()


def test_a_measure_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.tags.weights.WEIGHTS", dict(WEIGHTS))
    monkeypatch.setattr("clipnb.tags.weights.EXAMPLES", dict(EXAMPLES))

    def own_dice(pairs: Pairs) -> np.ndarray:
        return 2 * pairs.count / (pairs.prompts_of[pairs.source] + pairs.prompts_of[pairs.target])

    register_weight(own_dice)
    assert build_graph(["x, a, b", "x, a"], weight="own_dice").measure().tolist() == pytest.approx([2 / 3])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weight": "npmy"}, "there is npmi"),
        ({"top": 0}, "top is 0"),
        ({"min_count": 0}, "min_count is 0, but must be at least 1"),
        ({"min_edge": -1}, "min_edge is -1"),
        ({"backbone": 0.0}, "alpha"),
        ({"backbone": 1.5}, "alpha"),
        ({"condition": "=1x"}, "cannot read the filter"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(TagsError, match=words):
        build_graph(["x, a, b"], **arguments)


def test_no_prompts_give_an_empty_graph() -> None:
    assert len(build_graph([])) == 0
    assert build_graph(["", ";;", "head only"]).number_of_edges() == 0


def test_tallies_merge_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    prompts = [",".join(["x", *map(str, rng.integers(0, 40, 9))]) for _ in range(300)]
    once = build_graph(prompts).to_networkx()
    monkeypatch.setattr(pairs_module, "PENDING", 50)
    monkeypatch.setattr("clipnb.tags.counting.counts.CHUNK", 7)
    assert nx.utils.graphs_equal(once, build_graph(prompts).to_networkx())


def test_a_prompt_of_very_many_tags_makes_a_bounded_number_of_pairs() -> None:
    graph = build_graph(["x," + ",".join(f"t{i}" for i in range(3_000)), "y, t0, t2999"])
    assert len(graph) == 3_000
    assert graph.number_of_edges() == 1_000 * 999 // 2 + 1
    assert graph.pairs.cut_prompts == 1


def test_counting_pairs_of_no_tags() -> None:
    pairs = count_pairs(TagCounts(), np.zeros(0, dtype=np.bool_))
    assert len(pairs) == 0
    assert all(len(weigh(pairs, name)) == 0 for name in WEIGHTS)


def test_disparity_is_that_of_its_formula() -> None:
    source, target = np.array([0, 0, 0]), np.array([1, 2, 3])
    found = disparity(source, target, np.array([8.0, 1.0, 1.0]))
    assert found == pytest.approx([0.2**2, 0.9**2, 0.9**2])
    assert disparity(np.array([0]), np.array([1]), np.array([-1.0])) == pytest.approx([1.0])


@given(PROMPTS, st.floats(0.01, 1.0))
def test_the_backbone_of_a_graph_is_that_of_its_pairs(prompts: list[str], alpha: float) -> None:
    early, late = build_graph(prompts, backbone=alpha), backbone(build_graph(prompts), alpha)
    assert early.to_frame().equals(late.to_frame())
    assert early.names == late.names


def test_tags_are_found_in_any_case() -> None:
    graph = build_graph(["x, VRay, Straße"])
    assert graph.find(" STRASSE ") == 1
    with pytest.raises(TagsError, match="there is VRay"):
        graph.find("vrey")


def test_a_part_keeps_the_graph_as_it_was() -> None:
    graph = build_graph(["x, c, a, b", "x, a, b", "x, a"])
    part = graph.part(graph.most_frequent(2))
    assert (part.names, part.ids.tolist(), part.count.tolist()) == (["a", "b"], [1, 2], [3, 2])
    assert part.to_frame()[["source", "target", "count"]].values.tolist() == [["a", "b", 2]]
    assert len(graph) == 3

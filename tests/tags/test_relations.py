"""Communities, neighbours, suggestions, centralities, containment, meaning, comparison."""

from __future__ import annotations

import random
import sys
from importlib.util import find_spec
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from clipnb.errors import TagsError
from clipnb.files import shipped
from clipnb.prompts.read import load_prompts
from clipnb.tags.communities import METHODS, communities, modularity, regroup
from clipnb.tags.comparison import compare
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.graph import build_graph
from clipnb.tags.meaning import add_contained, add_meaning
from clipnb.tags.relations import centralities, neighbours, suggest
from clipnb.tags.tag_graph import TagGraph
from clipnb.tags.weights import edge_strength

THEMES = [["fur", "paws", "tail", "whiskers"], ["steel", "glass", "concrete", "tower"], ["sea", "wave", "sand", "sun"]]


@pytest.fixture(scope="module")
def themed() -> TagGraph:
    """Three themes, and a tag that goes with everything."""
    rng = np.random.default_rng(1)
    prompts = []
    for i in range(120):
        tags = list(rng.choice(THEMES[i % 3], 3, replace=False)) + (["detailed"] if rng.random() < 0.7 else [])
        prompts.append("x, " + ", ".join(tags))
    return build_graph(prompts)


@pytest.mark.parametrize("method", METHODS)
def test_communities_are_the_themes(themed: TagGraph, method: str) -> None:
    if method == "leiden":
        pytest.importorskip("igraph")
    groups = communities(themed, method)
    found = {frozenset(group.tags) - {"detailed"} for group in groups} - {frozenset()}
    assert found == {frozenset(theme) for theme in THEMES}
    assert [group.id for group in groups] == list(range(len(groups)))
    assert all(themed.community[node] == group.id for group in groups for node in group.nodes)
    assert [group.count for group in groups] == sorted((group.count for group in groups), reverse=True)
    assert regroup(themed) == groups


def test_label_propagation_that_finds_one_group_alone_is_told(caplog: pytest.LogCaptureFixture) -> None:
    topics = [[f"{name} {number}" for number in range(5)] for name in ("sea", "town", "wood", "sky")]
    pairs = [pair for topic in topics for pair in combinations(topic, 2)]
    graph = build_graph([f"x, detailed, {one}, {other}" for one, other in pairs])
    assert len(communities(graph, "propagation", by="count")) == 1
    assert "label propagation put 21 of 21 tags into one group; leiden tells more apart" in caplog.text
    caplog.clear()
    assert len(communities(graph, "propagation")) == 5
    assert not caplog.records


def test_leiden_without_igraph_says_what_to_install(themed: TagGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "igraph", None)
    monkeypatch.setattr("clipnb.tags.communities.find_spec", lambda name: None)
    with pytest.raises(TagsError, match="pip install igraph"):
        communities(themed, "leiden")
    assert communities(themed) == communities(themed, "louvain")


def test_chance_elsewhere_is_left_alone(themed: TagGraph) -> None:
    state = random.getstate()
    for method in METHODS:
        if method != "leiden" or find_spec("igraph"):
            communities(themed, method)
    assert random.getstate() == state


def test_modularity_is_that_of_networkx(themed: TagGraph) -> None:
    groups = communities(themed)
    plain, bond = themed.to_networkx(), nx.Graph()
    bond.add_nodes_from(plain)
    bond.add_weighted_edges_from((a, b, edge_strength(e)) for a, b, e in plain.edges(data=True) if edge_strength(e) > 0)
    expected = nx.community.modularity(bond, [set(group.nodes) for group in groups])
    assert modularity(themed) == pytest.approx(expected)


def planted(prompts: int = 4_000, topics: int = 8) -> tuple[TagGraph, dict[str, int]]:
    """Prompts of a topic each, half of whose tags all topics share; and each tag's topic."""
    rng = np.random.default_rng(0)
    law = 1 / np.arange(1, 151)
    law /= law.sum()
    lines = []
    for topic in rng.integers(topics, size=prompts).tolist():
        own, shared = rng.choice(150, 4, p=law), rng.choice(150, 4, p=law)
        lines.append(", ".join(["x", *(f"topic {topic} tag {i}" for i in own), *(f"shared {i}" for i in shared)]))
    return build_graph(lines, 2), {f"topic {t} tag {i}": t for t in range(topics) for i in range(150)}


@pytest.mark.parametrize("closest", [50, None])
def test_planted_topics_are_found_by_the_closest_companions_as_by_all(closest: int | None) -> None:
    graph, topic_of = planted()
    groups = communities(graph, closest=closest)
    topics = [[topic_of[tag] for tag in group.tags if tag in topic_of] for group in groups]
    right = sum(max(map(found.count, found)) for found in topics if found)
    assert right > 0.93 * sum(map(len, topics))
    assert sum(len(found) > 20 for found in topics) == 8


def test_a_tag_is_bound_by_its_closest_companions_alone() -> None:
    graph, _ = planted(1_000)
    binds, bond = graph.bonds()
    assert (bond > 0).all()
    for node in graph.most_frequent(20).tolist():
        others, _ = graph.companions(node, 50, "surprise")
        assert set(others.tolist()) <= set(binds.neighbours(node)[0].tolist())
    bare, _ = graph.bonds(closest=None)
    assert len(binds.pairs) < len(bare.pairs) == (graph.measure("strength") > 0).sum()


def test_the_same_seed_gives_the_same_groups(themed: TagGraph) -> None:
    assert communities(themed, seed=3) == communities(themed, seed=3)


def test_a_community_is_named_by_typical_tags_not_by_those_that_go_with_all() -> None:
    groups = communities(build_graph(load_prompts(shipped("prompts")), top=200))
    assert 4 <= sum(len(group) > 3 for group in groups) <= 25
    assert all(len(group.name.split(", ")) <= 3 for group in groups)
    together = {tag.casefold(): group.id for group in groups for tag in group.tags}
    assert together["oil painting"] == together["oil on canvas"]
    assert together["3d"] == together["octane render"]
    assert together["oil painting"] != together["3d"]


def test_an_unknown_method_names_the_known(themed: TagGraph) -> None:
    with pytest.raises(TagsError, match="louvain"):
        communities(themed, "louvian")


def test_neighbours_are_ordered_by_what_is_asked(themed: TagGraph) -> None:
    assert neighbours(themed, "FUR", 4, "count")["count"].is_monotonic_decreasing
    assert set(neighbours(themed, "fur", 3, by="npmi")["tag"]) == {"paws", "tail", "whiskers"}
    assert len(neighbours(themed, "fur", None)) == 4
    assert len(neighbours(build_graph(["x, alone"]), "alone")) == 0
    with pytest.raises(TagsError, match="there is fur"):
        neighbours(themed, "furr")


def test_suggestions_go_with_all_that_is_given(themed: TagGraph) -> None:
    assert set(suggest(themed, ["fur", "tail"], 2)["tag"]) == {"paws", "whiskers"}
    assert "fur" not in suggest(themed, ["fur"])["tag"].tolist()
    assert suggest(themed, ["fur"])["score"].is_monotonic_decreasing
    with pytest.raises(TagsError, match="at least one"):
        suggest(themed, [])


def test_centralities_agree_with_networkx(themed: TagGraph) -> None:
    table = centralities(themed).set_index("tag")
    node, plain = themed.find("detailed"), themed.to_networkx()
    assert table.index[0] == "detailed"
    assert table.loc["detailed", "degree"] == plain.degree[node]
    assert table.loc["detailed", "strength"] == plain.degree(node, weight="count")
    assert table.loc["detailed", "betweenness"] == pytest.approx(nx.betweenness_centrality(plain)[node])
    assert len(centralities(nx.Graph())) == 0


def test_tags_that_contain_one_another() -> None:
    graph = build_graph(
        ["x, Abstract style, abstracted", "x, abstract, very Abstract style indeed", "x, abstract style, Abstract"]
    )
    widened = add_contained(graph).to_networkx()
    names = nx.get_node_attributes(widened, "name")
    pairs = {frozenset((names[a], names[b])) for a, b, yes in widened.edges(data="contained") if yes}
    short, middle, long = "abstract", "Abstract style", "very Abstract style indeed"
    assert pairs == {frozenset((short, middle)), frozenset((short, long)), frozenset((middle, long))}
    assert "kind" not in widened.edges[graph.find(short), graph.find(middle)]
    assert widened.edges[graph.find(middle), graph.find(long)]["kind"] == "contained"
    assert not any("contained" in edge for _, _, edge in graph.to_networkx().edges(data=True))


def test_containment_of_very_long_tags_ends() -> None:
    graph = build_graph(["x, " + "word " * 200_000, "x, word"])
    assert add_contained(graph).number_of_edges() == 1


class Towers:
    """A text tower that knows four words."""

    def encode_text(self, texts: list[str]) -> np.ndarray:
        known = {"fur": [1, 0], "pelt": [0.95, 0.1], "steel": [0, 1], "iron": [0.1, 0.9]}
        return np.array([known[text] for text in texts])


def test_edges_by_meaning() -> None:
    graph = build_graph(["x, fur, steel", "x, pelt", "x, iron", "x, fur, pelt"])
    for source in (Towers(), Towers().encode_text(["fur", "steel", "pelt", "iron"])):
        widened = add_meaning(graph, source, nearest=1).to_networkx()
        alike = {(a, b) for a, b, s in widened.edges(data="similarity") if s}
        assert alike == {(0, 2), (1, 3)}
        assert widened.edges[1, 3]["kind"] == "meaning"
        assert "kind" not in widened.edges[0, 2]
    with pytest.raises(TagsError, match="shape"):
        add_meaning(graph, [[1.0, 0.0]])
    assert add_meaning(build_graph(["x, a"]), [[1.0]]).number_of_edges() == 0


def test_meaning_takes_a_tensor_of_an_encoder() -> None:
    torch = pytest.importorskip("torch")
    graph = build_graph(["x, fur", "x, pelt"])
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1]], requires_grad=True)
    assert add_meaning(graph, vectors).number_of_edges() == 1


def test_comparison_finds_what_tells_apart() -> None:
    cats = TagCounts(["x, fur, purr, detailed"] * 20)
    dogs = TagCounts(["x, Fur, bark, detailed"] * 20)
    table = compare(cats, dogs)
    assert set(table["tag"][:2]) == {"purr", "bark"}
    assert table.set_index("tag").loc["purr", "ratio"] > 4
    assert table.set_index("tag").loc["bark", "ratio"] < -4
    assert table["surprise"].iloc[-1] == pytest.approx(0, abs=1e-9)
    assert len(table) == 4
    with pytest.raises(TagsError, match="without tags"):
        compare(cats, TagCounts())

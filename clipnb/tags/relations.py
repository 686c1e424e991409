"""Neighbours of a tag, suggestions for several, and centralities of all tags of a graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import networkx as nx

from clipnb.errors import TagsError
from clipnb.tags.graph import find_tag, graph_of, name_of

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.tags.graph import Graphable

_EXACT_BETWEENNESS = 1_000


def neighbours(graph: Graphable, tag: str, n: int | None = 20, by: str = "weight") -> pd.DataFrame:
    """List the tags that stand together with one, the closest first.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        tag: in any case.
        n: how many at most; None is all.
        by: the edge attribute that orders them.

    Returns:
        Columns `tag` and the edge's attributes, such as `count`, `weight`, `jaccard`, `npmi`.

    Raises:
        TagsError: the graph has no such tag.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur, paws", "x, fur, paws", "x, fur, ears"])
    >>> neighbours(graph, "Fur")["tag"].tolist()
    ['paws', 'ears']
    """
    import pandas as pd

    graph = graph_of(graph)
    node = find_tag(graph, tag)
    near = sorted(graph.adj[node].items(), key=lambda item: (-item[1].get(by, 0.0), item[0]))
    rows = [{"tag": name_of(graph, other)} | data for other, data in near[:n]]
    table: pd.DataFrame = pd.DataFrame(rows) if rows else pd.DataFrame({"tag": []})
    return table


def suggest(graph: Graphable, tags: Iterable[str], n: int = 10) -> pd.DataFrame:
    """Suggest tags that usually go with some tags.

    A candidate's score is its mean, over the given tags, of P(candidate | tag) * npmi: how often it goes with
    the tag, counted as far as that is beyond chance.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        tags: one or several, in any case.
        n: how many at most.

    Returns:
        Columns `tag`, `score` (at most 1), `share` (mean of P(candidate | tag)), the best first; tags that go with
        the given ones by chance only are left out.

    Raises:
        TagsError: no tag given, or one that the graph does not have.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur, paws", "x, fur, paws", "x, fur, ears", "x, steel"])
    >>> suggest(graph, ["fur"], 1)["tag"].tolist()
    ['paws']
    """
    import pandas as pd

    graph = graph_of(graph)
    given = [find_tag(graph, tag) for tag in ([tags] if isinstance(tags, str) else tags)]
    if not given:
        raise TagsError("name at least one tag to get suggestions for")
    score: dict[int, float] = {}
    share: dict[int, float] = {}
    for node in given:
        data = graph.nodes[node]
        for other, edge in graph.adj[node].items():
            usual = edge.get("count", 0) / max(data.get("prompts") or data.get("count", 1), 1)
            score[other] = score.get(other, 0.0) + usual * edge.get("npmi", 0.0) / len(given)
            share[other] = share.get(other, 0.0) + usual / len(given)
    fitting = [node for node in score if score[node] > 0 and node not in given]
    best = sorted(fitting, key=lambda node: (-score[node], node))[:n]
    names = [name_of(graph, node) for node in best]
    table: pd.DataFrame = pd.DataFrame(
        {"tag": names, "score": [score[node] for node in best], "share": [share[node] for node in best]}
    )
    return table


def centralities(graph: Graphable, by: str = "weight", seed: int = 0) -> pd.DataFrame:
    """Measure how much each tag matters in a graph.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        by: the edge attribute that `strength` adds up; what is not positive counts as 0.
        seed: of the sample from which betweenness is estimated above 1,000 tags.

    Returns:
        One row a tag, strongest first: `tag`, `count`, `degree` (number of neighbours), `strength` (sum of its
        edges' `by`), `core` (k-core it belongs to), `betweenness` (share of shortest paths through it, in
        [0, 1]), `clustering` (share of its neighbours that go with each other, in [0, 1]).
    """
    import pandas as pd

    graph = graph_of(graph)
    simple = nx.Graph(graph)
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    sample = None if len(graph) <= _EXACT_BETWEENNESS else _EXACT_BETWEENNESS // 4
    core = nx.core_number(simple)
    between = nx.betweenness_centrality(simple, k=sample, seed=seed)
    clustering = cast("dict[int, float]", nx.clustering(simple))
    rows: list[dict[str, Any]] = [
        {
            "tag": name_of(graph, node),
            "count": data.get("count", 0),
            "degree": len(simple.adj[node]),
            "strength": sum(max(edge.get(by, 0.0), 0.0) for edge in simple.adj[node].values()),
            "core": core[node],
            "betweenness": between[node],
            "clustering": clustering[node],
        }
        for node, data in graph.nodes(data=True)
    ]
    columns = ["tag", "count", "degree", "strength", "core", "betweenness", "clustering"]
    rows.sort(key=lambda row: -row["strength"])
    table: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return table

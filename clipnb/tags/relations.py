"""Neighbours of a tag, suggestions for several, and centralities of all tags of a graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from clipnb.errors import TagsError
from clipnb.tags.graph import graph_of

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.tags.graph import Graphable

_EXACT_BETWEENNESS = 1_000


def neighbours(graph: Graphable, tag: str, n: int | None = 20, by: str | None = None) -> pd.DataFrame:
    """List the tags that stand together with one, the closest first.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        tag: in any case.
        n: how many at most; None is all.
        by: the measure that orders them; None is the graph's weight, but `surprise` where that is a mere count, by
            which the tags that go with everything would come first.

    Returns:
        Columns `tag` and what is known of the pair: `count`, `weight`, `jaccard`, `npmi`.

    Raises:
        TagsError: the graph has no such tag, or there is no such measure.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur, paws", "x, fur, paws", "x, fur, ears"])
    >>> neighbours(graph, "Fur")["tag"].tolist()
    ['paws', 'ears']
    """
    import pandas as pd

    graph = graph_of(graph)
    others, edges = graph.companions(graph.find(tag), n, by)
    columns = {name: column[edges] for name, column in graph.edge_columns().items()}
    table: pd.DataFrame = pd.DataFrame({"tag": [graph.names[other] for other in others.tolist()]} | columns)
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
    given = [graph.find(tag) for tag in ([tags] if isinstance(tags, str) else tags)]
    if not given:
        raise TagsError("name at least one tag to get suggestions for")
    npmi = graph.measure("npmi")
    score, share = np.zeros(len(graph)), np.zeros(len(graph))
    for node in given:
        others, edges = graph.neighbours(node)
        usual = graph.share(node, edges) / len(given)
        score[others] += usual * npmi[edges]
        share[others] += usual
    score[given] = 0.0
    best = np.argsort(-score, kind="stable")[: min(n, int((score > 0).sum()))]
    names = [graph.names[node] for node in best.tolist()]
    table: pd.DataFrame = pd.DataFrame({"tag": names, "score": score[best], "share": share[best]})
    return table


def centralities(graph: Graphable, by: str = "weight", seed: int = 0) -> pd.DataFrame:
    """Measure how much each tag matters in a graph.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        by: the measure that `strength` adds up; what is not positive counts as 0.
        seed: of the sample from which betweenness is estimated above 1,000 tags.

    Returns:
        One row a tag, strongest first: `tag`, `count`, `degree` (number of neighbours), `strength` (sum of its
        edges' `by`), `core` (k-core it belongs to), `betweenness` (share of shortest paths through it, in
        [0, 1]), `clustering` (share of its neighbours that go with each other, in [0, 1]).
    """
    import pandas as pd

    graph = graph_of(graph)
    bond = np.maximum(graph.measure(by), 0.0)
    ends = graph.pairs.source, graph.pairs.target
    simple: nx.Graph[int] = nx.Graph()
    simple.add_nodes_from(range(len(graph)))
    simple.add_edges_from(zip(ends[0].tolist(), ends[1].tolist(), strict=True))
    sample = None if len(graph) <= _EXACT_BETWEENNESS else _EXACT_BETWEENNESS // 4
    table = pd.DataFrame(
        {
            "tag": list(graph.names),
            "count": graph.count,
            "degree": graph.degree,
            "strength": sum(np.bincount(end, weights=bond, minlength=len(graph)) for end in ends),
            "core": pd.Series(nx.core_number(simple), dtype=np.int64),
            "betweenness": pd.Series(nx.betweenness_centrality(simple, k=sample, seed=seed), dtype=np.float64),
            "clustering": pd.Series(nx.clustering(simple), dtype=np.float64),
        }
    )
    ranked: pd.DataFrame = table.sort_values("strength", ascending=False, kind="stable", ignore_index=True)
    return ranked

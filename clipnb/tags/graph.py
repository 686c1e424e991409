"""Graphs of tags that occur together: built of prompts, taken from networkx; their backbone."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx
import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.progress import log
from clipnb.tags.counting.count_filter import CountFilter
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.hints import why_no_tags
from clipnb.tags.counting.interning import Ints, SmallInts
from clipnb.tags.counting.pairs import Pairs, check_edges, count_pairs, least_edges
from clipnb.tags.tag_graph import Column, TagGraph
from clipnb.tags.weights import WEIGHTS, Floats, beyond_chance, edge_strength, find_weight, weigh

if TYPE_CHECKING:
    from clipnb.tags.counting.counts import Countable

    Graphable: TypeAlias = TagGraph | nx.Graph[Any] | Countable


def build_graph(
    prompts: Countable,
    min_count: int = 1,
    min_edge: int = 1,
    top: int | None = None,
    weight: str = "count",
    backbone: float | None = None,
    *,
    condition: str | CountFilter | None = None,
    chance: float | None = None,
) -> TagGraph:
    """Build the graph of tags that occur together.

    Args:
        prompts: prompts whose first part is the subject, or counts made in another way; when there is no tag, a
            warning says why.
        min_count: leave out tags that occur less often.
        min_edge: leave out pairs that fewer prompts have.
        top: keep this many tags at most, the most frequent ones.
        weight: the measure that becomes `weight`: `count`, `tagnet`, `jaccard`, `npmi`, `surprise` (G-test), `strength`
            (count * npmi) or one registered.
        backbone: keep only edges that stand out by their weight (disparity filter), at this significance.
        condition: leave out tags whose count does not pass, such as `"<= 100"`.
        chance: keep only pairs that stand together more often than tags that are independent would with this
            probability (G-test), such as 0.001.

    Returns:
        The graph; `graph.to_networkx()` makes a networkx Graph of it.

    Raises:
        TagsError: prompts that are none, an unknown measure, a limit out of its range, a condition that cannot be
            read, or more pairs than can be counted (a billion, 50 million different ones) or held (20 million
            different ones).

    >>> graph = build_graph(["a cat, VRay, 3D", "a dog, VRay, 3D, blue", "a cow, blue"])
    >>> graph.to_frame().round(3).iloc[0].to_dict()
    {'source': 'VRay', 'target': '3D', 'count': 2, 'weight': 2, 'jaccard': 1.0, 'npmi': 1.0}
    """
    _check_limits(min_count, min_edge, top, backbone, chance)
    find_weight(weight)
    counts = TagCounts.of(prompts)
    if not len(counts):
        log.warning(why_no_tags(counts))
    kept = _kept(counts, min_count, top)
    if condition is not None:
        passes = CountFilter.parse(condition)
        kept &= np.array([passes(count) for count in counts.values.tolist()], dtype=np.bool_)
    if min_edge <= 1 and backbone is None and chance is None:
        check_edges(least_edges(counts, kept))
    pairs = count_pairs(counts, kept)
    pairs = pairs.where(pairs.count >= min_edge) if min_edge > 1 else pairs
    if chance is not None:
        pairs = pairs.where(beyond_chance(pairs, chance))
    if backbone is not None:
        pairs = pairs.where(disparity(pairs.source, pairs.target, weigh(pairs, weight)) < backbone)
    check_edges(len(pairs))
    names = [counts.names[i] for i in np.flatnonzero(kept)]
    ids = np.flatnonzero(kept)
    columns = names, counts.values[kept], ids, pairs.among(kept)
    return TagGraph(*columns, weight, len(counts), counts.total, prompts=counts)


def graph_of(given: Graphable) -> TagGraph:
    """Return a graph as it is given, that of prompts or counts, or a networkx graph's columns.

    Raises:
        TagsError: as `build_graph`.

    >>> graph_of(["a cat, VRay, 3D"]).number_of_edges()
    1
    """
    if isinstance(given, TagGraph):
        return given
    return from_networkx(given) if isinstance(given, nx.Graph) else build_graph(given)


def name_of(graph: nx.Graph[int], node: int) -> str:
    """Return the name of a node; of a graph that is none of ours, the node itself."""
    return str(graph.nodes[node].get("name", node))


def from_networkx(given: nx.Graph[Any]) -> TagGraph:
    """Return the columns of a networkx graph, one of ours or any other.

    Names are the nodes' `name`, or the nodes themselves. A measure that an edge lacks counts as 0, a `weight` as 1.
    Edges from a node to itself are left out.
    """
    data = list(given.nodes.values())
    place = {node: i for i, node in enumerate(given)}
    found = {tuple(sorted((place[a], place[b]))): edge for a, b, edge in given.edges(data=True) if a != b}
    edges = [found[ends] for ends in sorted(found)]
    keys = dict.fromkeys(key for edge in edges for key in edge)
    columns = {key: _column([edge.get(key) for edge in edges]) for key in keys if key != "count"}
    columns["weight"] = np.array([edge.get("weight", 1.0) for edge in edges], dtype=np.float64)
    if "prompts" not in given.graph:
        columns["strength"] = np.array([edge_strength(edge) for edge in edges], dtype=np.float64)
        columns = dict.fromkeys(set(WEIGHTS) - {"count"}, np.zeros(len(edges))) | columns  # which cannot be computed
    count = np.array([node.get("count", 0) for node in data], dtype=np.int64)
    together = np.array([edge.get("count", 1) for edge in edges], dtype=np.int32)
    ends = np.array(sorted(found), dtype=np.int32).reshape(-1, 2).T
    prompts_of = np.array([node.get("prompts", node.get("count", 0)) for node in data], dtype=np.int64)
    pairs = Pairs(
        ends[0], ends[1], together, prompts_of, given.graph.get("prompts", 0), given.graph.get("cut_prompts", 0)
    )
    groups = [node.get("community") for node in data]
    return TagGraph(
        names=[str(node.get("name", own)) for own, node in given.nodes.items()],
        count=count,
        ids=_column(list(given)),
        pairs=pairs,
        weight=given.graph.get("weight", "weight"),
        tags=given.graph.get("tags", len(data)),
        total=int(count.sum()),
        columns=columns,
        measures=tuple(keys),
        community=np.array(groups) if groups and all(isinstance(group, int) for group in groups) else None,
    )


def disparity(source: Ints | SmallInts, target: Ints | SmallInts, weight: Floats) -> Floats:
    """Return the significance of E edges by the disparity filter of Serrano, Boguñá and Vespignani (2009).

    At an end with k edges, of whose total weight the edge has the share p, chance gives as much with probability
    (1 - p) ** (k - 1); an edge has the smaller one of its two ends. It is 1 at an end with one edge, and without a
    positive weight. Ends are small numbers from 0.
    """
    positive = np.maximum(weight, 0.0)
    ends = np.concatenate([source, target])
    degree = np.bincount(ends)
    strength = np.bincount(ends, weights=np.concatenate([positive, positive]))
    alpha = np.ones(len(weight))
    for end in (source, target):
        share = positive / np.where(strength[end] > 0, strength[end], 1.0)
        chance = np.where(degree[end] > 1, (1.0 - share) ** np.maximum(degree[end] - 1, 0), 1.0)
        alpha = np.minimum(alpha, chance)
    return alpha


def backbone(graph: Graphable, alpha: float = 0.05) -> TagGraph:
    """Return a graph with all nodes and the edges that stand out.

    Args:
        graph: a tag graph; its edges are judged by their `weight`.
        alpha: keep edges of a significance below this, in (0, 1]; smaller keeps less.

    Raises:
        TagsError: alpha is out of its range.

    >>> graph = build_graph(["x, a, b", "x, a, b", "x, a, b", "x, a, b", "x, a, c", "x, a, d"])
    >>> backbone(graph, 0.2).to_frame()[["source", "target"]].values.tolist()
    [['a', 'b']]
    """
    check_alpha(alpha)
    graph = graph_of(graph)
    return graph.where(disparity(graph.pairs.source, graph.pairs.target, graph.measure()) < alpha)


def check_alpha(alpha: float) -> None:
    if not 0 < alpha <= 1:
        raise TagsError(f"the backbone's alpha is {alpha}, but must be above 0 and at most 1, such as 0.05")


def _check_limits(min_count: int, min_edge: int, top: int | None, backbone: float | None, chance: float | None) -> None:
    if chance is not None and not 0 < chance < 1:
        raise TagsError(f"chance is {chance}, but must be between 0 and 1, such as 0.001")
    if top is not None and top < 1:
        raise TagsError(f"top is {top}, but must be at least 1")
    for name, least in (("min_count", min_count), ("min_edge", min_edge)):
        if not least >= 1:
            raise TagsError(f"{name} is {least}, but must be at least 1; 1 keeps all")
    if backbone is not None:
        check_alpha(backbone)


def _kept(counts: TagCounts, min_count: int, top: int | None) -> npt.NDArray[np.bool_]:
    kept = counts.values >= min_count
    if top is not None:
        among_top = np.zeros(len(counts), dtype=np.bool_)
        among_top[np.argsort(-counts.values, kind="stable")[:top]] = True
        kept &= among_top
    return kept


def _column(values: list[Any]) -> Column:
    """Return values as numbers where all are, NaN where one is missing; else as they are."""
    if any(isinstance(value, bool) or not isinstance(value, Real) for value in values if value is not None):
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    if values and all(isinstance(value, Integral) for value in values):
        return np.array(values, dtype=np.int64)
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

"""Tags and the pairs they make, as a networkx graph; its most frequent part, its backbone."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import networkx as nx
import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError, nearest, shortened
from clipnb.progress import log
from clipnb.prompts.spelling import key_of
from clipnb.prompts.tag_line import with_blanks
from clipnb.tags.counts import CountFilter, TagCounts
from clipnb.tags.hints import why_no_tags
from clipnb.tags.interning import Ints, SmallInts
from clipnb.tags.pairs import Pairs, check_edges, count_pairs, least_edges
from clipnb.tags.weights import find_weight, weigh

if TYPE_CHECKING:
    from clipnb.tags.counts import Countable

    Graphable: TypeAlias = nx.Graph[int] | Countable

_CHUNK = 1 << 17
_ALWAYS = ("count", "jaccard", "npmi")
Floats = npt.NDArray[np.float64]


def build_graph(
    prompts: Countable,
    min_count: int = 1,
    min_edge: int = 1,
    top: int | None = None,
    weight: str = "count",
    backbone: float | None = None,
    *,
    condition: str | CountFilter | None = None,
) -> nx.Graph[int]:
    """Build the graph of tags that occur together.

    Nodes are tag ids with the attributes `id`, `name` (the most frequent spelling), `count`, `rank` (share of all
    tags) and, where some prompts repeat the tag, `prompts` (those with it). Edges have `count` (prompts with both),
    `jaccard`, `npmi`, and `weight`, one of the measures.

    Args:
        prompts: prompts whose first part is the subject, or counts made in another way; when there is no tag, a
            warning says why.
        min_count: leave out tags that occur less often.
        min_edge: leave out pairs that fewer prompts have.
        top: keep this many tags at most, the most frequent ones.
        weight: the measure that becomes `weight`: `count`, `tagnet`, `jaccard`, `npmi` or one registered.
        backbone: keep only edges that stand out by their weight (disparity filter), at this significance.
        condition: leave out tags whose count does not pass, such as `"<= 100"`.

    Returns:
        The graph; `graph.graph` holds `prompts`, `tags`, `weight` and, where prompts had too many tags to
        pair them all, `cut_prompts`.

    Raises:
        TagsError: prompts that are none, an unknown measure, a limit out of its range, a condition that cannot be
            read, or more pairs than can be counted (a billion, 50 million different ones) or held (20 million
            different ones).

    >>> graph = build_graph(["a cat, VRay, 3D", "a dog, VRay, 3D, blue", "a cow, blue"])
    >>> graph.nodes[0]
    {'id': 0, 'name': 'VRay', 'count': 2, 'rank': 0.3333333333333333}
    >>> graph.edges[0, 1]["count"], graph.edges[0, 1]["jaccard"]
    (2, 1.0)
    """
    _check_limits(min_count, min_edge, top, backbone)
    find_weight(weight)
    counts = TagCounts.of(prompts)
    if not len(counts):
        log.warning(why_no_tags(counts))
    kept = _kept(counts, min_count, top)
    if condition is not None:
        passes = CountFilter.parse(condition)
        kept &= np.array([passes(count) for count in counts.values.tolist()], dtype=np.bool_)
    if min_edge <= 1 and backbone is None:
        check_edges(least_edges(counts, kept))
    pairs = count_pairs(counts, kept)
    pairs = pairs.where(pairs.count >= min_edge) if min_edge > 1 else pairs
    if backbone is not None:
        pairs = pairs.where(disparity(pairs.source, pairs.target, weigh(pairs, weight)) < backbone)
    check_edges(len(pairs))
    graph: nx.Graph[int] = nx.Graph(prompts=pairs.prompts, tags=len(counts), weight=weight)
    if pairs.cut_prompts:
        graph.graph["cut_prompts"] = pairs.cut_prompts
    with _no_collection():
        graph.add_nodes_from(_nodes(counts, kept, pairs.prompts_of))
        graph.add_edges_from(_edges(pairs, weight, list(range(len(kept)))))
    return graph


def graph_of(given: Graphable) -> nx.Graph[int]:
    """Return a graph as it is given, or that of prompts or counts.

    Raises:
        TagsError: as `build_graph`.

    >>> graph_of(["a cat, VRay, 3D"]).number_of_edges()
    1
    """
    return given if isinstance(given, nx.Graph) else build_graph(given)


def name_of(graph: nx.Graph[int], node: int) -> str:
    """Return the name of a node; of a graph that is none of ours, the node itself."""
    return str(graph.nodes[node].get("name", node))


def find_tag(graph: nx.Graph[int], tag: str) -> int:
    """Return the node of a tag, in any case.

    Raises:
        TagsError: the graph has no such tag.

    >>> find_tag(build_graph(["a cat, VRay, 3D"]), "3d")
    1
    """
    for key in dict.fromkeys((key_of(tag), key_of(with_blanks(tag)))):
        for node in graph:
            if key_of(name_of(graph, node)) == key:
                return node
    names = (name_of(graph, node) for node in most_frequent(graph, 1_000))
    raise TagsError(f"no tag {shortened(tag)!r} in the graph; there is {nearest(tag, names)}")


def most_frequent(graph: nx.Graph[int], top: int | None) -> nx.Graph[int]:
    """Return the part of a graph with its most frequent tags, a copy; the graph itself when it is small enough."""
    if top is None or len(graph) <= top:
        return graph
    ranked = sorted(graph, key=lambda node: -graph.nodes[node].get("count", 0))
    return nx.Graph(graph.subgraph(ranked[:top]))


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


def backbone(graph: Graphable, alpha: float = 0.05) -> nx.Graph[int]:
    """Return a graph with all nodes and the edges that stand out.

    Args:
        graph: a tag graph; its edges are judged by their `weight`.
        alpha: keep edges of a significance below this, in (0, 1]; smaller keeps less.

    Raises:
        TagsError: alpha is out of its range.

    >>> graph = build_graph(["x, a, b", "x, a, b", "x, a, b", "x, a, b", "x, a, c", "x, a, d"])
    >>> sorted(graph.nodes[end]["name"] for edge in backbone(graph, 0.2).edges for end in edge)
    ['a', 'b']
    """
    check_alpha(alpha)
    graph = graph_of(graph)
    edges = list(graph.edges(data="weight", default=1.0))
    place = {node: i for i, node in enumerate(graph)}
    source = np.array([place[edge[0]] for edge in edges], dtype=np.int64)
    target = np.array([place[edge[1]] for edge in edges], dtype=np.int64)
    weight = np.array([edge[2] for edge in edges], dtype=np.float64)
    stands_out = disparity(source, target, weight) < alpha
    kept = graph.copy()
    kept.remove_edges_from([edge[:2] for edge, keep in zip(edges, stands_out, strict=True) if not keep])
    return kept


def check_alpha(alpha: float) -> None:
    if not 0 < alpha <= 1:
        raise TagsError(f"the backbone's alpha is {alpha}, but must be above 0 and at most 1, such as 0.05")


def _check_limits(min_count: int, min_edge: int, top: int | None, backbone: float | None) -> None:
    if top is not None and top < 1:
        raise TagsError(f"top is {top}, but must be at least 1")
    if min_count < 0 or min_edge < 0:
        raise TagsError("min_count and min_edge cannot be negative")
    if backbone is not None:
        check_alpha(backbone)


def _kept(counts: TagCounts, min_count: int, top: int | None) -> npt.NDArray[np.bool_]:
    kept = counts.values >= min_count
    if top is not None:
        among_top = np.zeros(len(counts), dtype=np.bool_)
        among_top[np.argsort(-counts.values, kind="stable")[:top]] = True
        kept &= among_top
    return kept


def _nodes(counts: TagCounts, kept: npt.NDArray[np.bool_], prompts_of: Ints) -> Iterator[tuple[int, dict[str, object]]]:
    total = max(counts.total, 1)
    for i in np.flatnonzero(kept).tolist():
        count = int(counts.values[i])
        data: dict[str, object] = {"id": i, "name": counts.names[i], "count": count, "rank": count / total}
        if (prompts := int(prompts_of[i])) != count:
            data["prompts"] = prompts
        yield i, data


def _edges(pairs: Pairs, weight: str, nodes: list[int]) -> Iterator[tuple[int, int, dict[str, object]]]:
    """Yield edges piece by piece; all edges share the number objects of `nodes`."""
    weights = None if weight in _ALWAYS else weigh(pairs, weight)
    for start in range(0, len(pairs), _CHUNK):
        part = pairs.where(slice(start, start + _CHUNK))
        columns = {"count": part.count.tolist()}
        columns |= {name: weigh(part, name).tolist() for name in ("jaccard", "npmi")}
        chosen = columns[weight] if weights is None else weights[start : start + _CHUNK].tolist()
        ends = (part.source.tolist(), part.target.tolist())
        for a, b, n, w, j, i in zip(*ends, columns["count"], chosen, columns["jaccard"], columns["npmi"], strict=True):
            yield nodes[a], nodes[b], {"count": n, "weight": w, "jaccard": j, "npmi": i}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spare the garbage collector's walks over millions of new edges; reference counting goes on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

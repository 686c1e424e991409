"""The backbone of a dense graph: the edges that stand out at one of their ends (disparity filter)."""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.tags.interning import Ints, SmallInts

Floats = npt.NDArray[np.float64]


def disparity(source: Ints | SmallInts, target: Ints | SmallInts, weight: Floats) -> Floats:
    """How easily chance would give an edge its share of an end's total weight, the smaller of its two ends.

    The disparity filter of Serrano, Boguñá and Vespignani (2009): at an end with k edges and the share p of
    its total weight, (1 - p) ** (k - 1). An end with one edge says nothing (1).

    Args:
        source: one end of each edge, shape (E,), small numbers from 0.
        target: the other end, shape (E,).
        weight: shape (E,); an edge of no positive weight does not stand out (1).

    Returns:
        The significance of each edge, shape (E,), in [0, 1]; the smaller, the more it stands out.
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


def backbone(graph: nx.Graph[int], alpha: float = 0.05) -> nx.Graph[int]:
    """Keep the edges that stand out and all nodes.

    Args:
        graph: a tag graph; its edges' `weight` is what is judged.
        alpha: keep edges of a significance below this, in (0, 1]; smaller keeps less.

    Returns:
        A new graph.

    Raises:
        TagsError: alpha is out of its range.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, a, b", "x, a, b", "x, a, b", "x, a, b", "x, a, c", "x, a, d"])
    >>> sorted(graph.nodes[end]["name"] for edge in backbone(graph, 0.2).edges for end in edge)
    ['a', 'b']
    """
    check_alpha(alpha)
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
    """Check a significance.

    Raises:
        TagsError: it is not in (0, 1].
    """
    if not 0 < alpha <= 1:
        raise TagsError(f"the backbone's alpha is {alpha}, but must be above 0 and at most 1, such as 0.05")

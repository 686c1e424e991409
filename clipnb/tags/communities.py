"""Groups of tags that stand together more than with others, each named by its most typical tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx

from clipnb.errors import TagsError, nearest
from clipnb.tags.graph import graph_of, name_of
from clipnb.tags.weights import edge_strength

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

_LOUVAIN_EDGES = 50_000


@dataclass(frozen=True)
class Community:
    """A group of tags.

    Attributes:
        id: 0 for the group whose tags occur most often, then on.
        name: the three tags most bound to the rest of the group, joined by commas.
        nodes: its nodes, most frequent first.
        tags: the nodes' names in the same order.
        count: occurrences of its tags.
    """

    id: int
    name: str
    nodes: tuple[int, ...]
    tags: tuple[str, ...]
    count: int

    def __len__(self) -> int:
        return len(self.nodes)


def communities(
    graph: Graphable,
    method: str = "auto",
    *,
    by: str = "strength",
    resolution: float = 1.0,
    seed: int = 0,
) -> list[Community]:
    """Find the communities of a tag graph, and set each node's attribute `community` to its group's id.

    Args:
        graph: a tag graph, or prompts or counts to make one of; pairs whose measure is not positive do not bind.
        method: `louvain`, `propagation` (label propagation, for large graphs), or `auto`: Louvain up to
            50,000 edges.
        by: the edge attribute that binds, such as `weight` or `npmi`; `strength` is count * npmi, so that
            tags that go with everything do not glue all together.
        resolution: above 1 gives more and smaller groups; Louvain only.
        seed: the same seed gives the same groups.

    Returns:
        The groups, the most frequent first; a tag that nothing binds is a group of its own.

    Raises:
        TagsError: an unknown method.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur, paws", "x, fur, paws", "x, steel, glass", "x, steel, glass"])
    >>> [group.name for group in communities(graph)]
    ['fur, paws', 'steel, glass']
    """
    graph = graph_of(graph)
    if method == "auto":
        method = "louvain" if graph.number_of_edges() <= _LOUVAIN_EDGES else "propagation"
    if method not in METHODS:
        raise TagsError(f"no way of grouping called {method!r}; there is {nearest(method, METHODS)}")
    bound = _bound(graph, by)
    named = _named(graph, METHODS[method](bound, resolution, seed), bound)
    for group in named:
        for node in group.nodes:
            graph.nodes[node]["community"] = group.id
    return named


def regroup(graph: nx.Graph[int]) -> list[Community]:
    """List the communities that a graph's nodes carry as `community` already; ids are numbered anew."""
    groups: dict[object, set[int]] = {}
    for node, group in graph.nodes(data="community"):
        groups.setdefault(group, set()).add(node)
    return _named(graph, groups.values(), _bound(graph, "strength"))


def _bound(graph: nx.Graph[int], by: str) -> nx.Graph[int]:
    """Return the same nodes, and the edges whose measure is positive, with that as `weight`."""
    bound: nx.Graph[int] = nx.Graph()
    bound.add_nodes_from(graph)
    measured = (
        (a, b, edge_strength(data) if by == "strength" else data.get(by, 0.0)) for a, b, data in graph.edges(data=True)
    )
    bound.add_edges_from((a, b, {"weight": weight}) for a, b, weight in measured if weight > 0)
    return bound


def _louvain(graph: nx.Graph[int], resolution: float, seed: int) -> Iterable[set[int]]:
    found: list[set[int]] = nx.community.louvain_communities(graph, resolution=resolution, seed=seed)
    return found


def _propagation(graph: nx.Graph[int], resolution: float, seed: int) -> Iterable[set[int]]:  # noqa: ARG001
    found: Iterable[set[int]] = nx.community.fast_label_propagation_communities(graph, weight="weight", seed=seed)
    return found


METHODS: dict[str, Callable[[nx.Graph[int], float, int], Iterable[set[int]]]] = {
    "louvain": _louvain,
    "propagation": _propagation,
}
"""The ways of grouping by name."""


def _named(graph: nx.Graph[int], groups: Iterable[set[int]], bound: nx.Graph[int]) -> list[Community]:
    counts: dict[int, int] = {node: data.get("count", 0) for node, data in graph.nodes(data=True)}
    ranked = [sorted(group, key=lambda node: (-counts[node], node)) for group in groups]
    ranked.sort(key=lambda nodes: (-sum(counts[node] for node in nodes), nodes[0]))
    return [_community(graph, number, nodes, bound) for number, nodes in enumerate(ranked)]


def _community(graph: nx.Graph[int], number: int, nodes: list[int], bound: nx.Graph[int]) -> Community:
    names = {node: name_of(graph, node) for node in nodes}
    inside = {node: sum(edge["weight"] for other, edge in bound.adj[node].items() if other in names) for node in nodes}
    typical = sorted(nodes, key=lambda node: -inside[node])[:3]
    count = sum(graph.nodes[node].get("count", 0) for node in nodes)
    name = ", ".join(names[node] for node in typical)
    return Community(number, name, tuple(nodes), tuple(names.values()), count)

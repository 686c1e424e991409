"""Groups of tags that stand together more than with others, each named by its most typical tags."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from clipnb.errors import TagsError, nearest
from clipnb.progress import log
from clipnb.tags.counting.interning import Ints
from clipnb.tags.graph import graph_of
from clipnb.tags.tag_graph import CLOSEST, TagGraph
from clipnb.tags.weights import Floats

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

_LOUVAIN_EDGES = 500_000  # half a minute with networkx
_ONE_GROUP = 0.9
_DRAWING_LOTS = Lock()


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
    closest: int | None = CLOSEST,
    seed: int = 0,
) -> list[Community]:
    """Find the communities of a tag graph, and set the graph's `community` to each node's group.

    Page, panel, files, legend and `modularity` all tell of these. What binds a tag are its fifty companions that chance
    explains least (G-test): in a large collection a frequent tag meets nearly all others, and the many pairs that say
    nothing cost time and tell the groups apart no better.

    Args:
        graph: a tag graph, or prompts or counts to make one of; pairs whose measure is not positive do not bind. Of a
            networkx graph the nodes' attribute `community` is set.
        method: `leiden` (Traag, Waltman and van Eck 2019; needs `igraph`), `louvain` (networkx), `propagation` (label
            propagation, which tends to one large group), or `auto`: Leiden where igraph is here, else Louvain up to
            500,000 pairs.
        by: the measure that binds, such as `weight` or `npmi`; `strength` is count * npmi, so that
            tags that go with everything do not glue all together.
        resolution: above 1 gives more and smaller groups; not in label propagation.
        closest: how many companions bind a tag; None is all.
        seed: the same seed gives the same groups.

    Returns:
        The groups, the most frequent first; a tag that nothing binds is a group of its own.

    Raises:
        TagsError: an unknown method or measure, or igraph is asked for and not here.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur, paws", "x, fur, paws", "x, steel, glass", "x, steel, glass"])
    >>> [group.name for group in communities(graph)]
    ['fur, paws', 'steel, glass']
    """
    columns = graph_of(graph)
    binds, bond = columns.bonds(by, closest)
    if method == "auto":
        small = binds.number_of_edges() <= _LOUVAIN_EDGES
        method = "leiden" if _has_igraph() else "louvain" if small else "propagation"
    if method not in METHODS:
        raise TagsError(f"no way of grouping called {method!r}; there is {nearest(method, METHODS)}")
    columns.community = binds.community = METHODS[method](binds, bond, resolution, seed)
    groups = _named(binds, bond)
    largest = max(map(len, groups), default=0)
    if method == "propagation" and len(groups) < largest and largest > _ONE_GROUP * len(columns):
        log.warning(
            "label propagation put %d of %d tags into one group; leiden tells more apart", largest, len(columns)
        )
    for group in groups:
        columns.community[list(group.nodes)] = group.id
    return groups if isinstance(graph, TagGraph) else _given_back(graph, columns, groups)


def regroup(graph: Graphable) -> list[Community]:
    """List the communities that a graph carries as `community`, ids numbered anew; those it has none of are found."""
    columns = graph_of(graph)
    if columns.community is None:
        return communities(graph)
    groups = _named(*columns.bonds())
    return groups if isinstance(graph, TagGraph) else _given_back(graph, columns, groups)


def modularity(
    graph: Graphable, by: str = "strength", resolution: float = 1.0, *, closest: int | None = CLOSEST
) -> float:
    """Return how much more the tags of a group go with each other than chance would have it, after Newman (2004).

    Args:
        graph: a tag graph that carries its communities, or whose communities are found.
        by: the measure that binds; what is not positive counts as 0.
        resolution: that of the communities.
        closest: how many companions bind a tag, as for the communities.

    Returns:
        In [-0.5, 1]; 0 where nothing binds.

    >>> from clipnb.tags.graph import build_graph
    >>> modularity(build_graph(["x, fur, paws", "x, steel, glass"]))
    0.5
    """
    columns = graph_of(graph)
    if columns.community is None:
        communities(columns, by=by, resolution=resolution, closest=closest)
    binds, bond = columns.bonds(by, closest)
    group = columns.community
    total = float(bond.sum())
    if group is None or total <= 0:
        return 0.0
    ends = group[binds.pairs.source], group[binds.pairs.target]
    inside = float(bond[ends[0] == ends[1]].sum())
    strength = sum(np.bincount(end.astype(np.intp), weights=bond, minlength=int(group.max()) + 1) for end in ends)
    return inside / total - resolution * float(np.square(strength / (2 * total)).sum())


def _leiden(graph: TagGraph, bond: Floats, resolution: float, seed: int) -> Ints:
    bare = _igraph_of(graph)
    with _lots(seed):
        found = bare.community_leiden("modularity", bond.tolist(), resolution, n_iterations=2)
    return np.array(found.membership, dtype=np.int64)


def _louvain(graph: TagGraph, bond: Floats, resolution: float, seed: int) -> Ints:
    groups = nx.community.louvain_communities(_networkx_of(graph, bond), "weight", resolution, seed=seed)
    return _group_of(groups, len(graph))


def _propagation(graph: TagGraph, bond: Floats, resolution: float, seed: int) -> Ints:  # noqa: ARG001
    groups = nx.community.fast_label_propagation_communities(_networkx_of(graph, bond), weight="weight", seed=seed)
    return _group_of(groups, len(graph))


METHODS: dict[str, Callable[[TagGraph, Floats, float, int], Ints]] = {
    "leiden": _leiden,
    "louvain": _louvain,
    "propagation": _propagation,
}
"""The ways of grouping by name."""


def _has_igraph() -> bool:
    return find_spec("igraph") is not None


def _igraph_of(graph: TagGraph) -> Any:
    if not _has_igraph():
        raise TagsError("Leiden needs igraph; pip install igraph, or choose louvain")
    import igraph

    return igraph.Graph(len(graph), np.stack([graph.pairs.source, graph.pairs.target], axis=1))


@contextmanager
def _lots(seed: int) -> Iterator[None]:
    """Let igraph, which has one source of chance for all, draw from a seeded one of ours."""
    import igraph

    with _DRAWING_LOTS:
        igraph.set_random_number_generator(random.Random(seed))  # noqa: S311
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)


def _networkx_of(graph: TagGraph, bond: Floats) -> nx.Graph[int]:
    """Return nodes by their places, and edges with nothing but a weight."""
    bare: nx.Graph[int] = nx.Graph()
    bare.add_nodes_from(range(len(graph)))
    bare.add_weighted_edges_from(
        zip(graph.pairs.source.tolist(), graph.pairs.target.tolist(), bond.tolist(), strict=True)
    )
    return bare


def _group_of(groups: Iterable[set[int]], size: int) -> Ints:
    found = np.empty(size, dtype=np.int64)
    for number, group in enumerate(groups):
        found[list(group)] = number
    return found


def _named(graph: TagGraph, bond: Floats) -> list[Community]:
    """Return a graph's groups, the most frequent first, named by those of their tags that are most bound inside."""
    assert graph.community is not None  # noqa: S101 - both callers have set it
    source, target = graph.pairs.source, graph.pairs.target
    inside = (graph.community[source] == graph.community[target]) * bond
    bound = np.bincount(source, inside, len(graph)) + np.bincount(target, inside, len(graph))
    order = np.lexsort((np.arange(len(graph)), -graph.count, graph.community))
    starts = np.flatnonzero(np.diff(graph.community[order], prepend=-1)) if len(order) else order
    members = [nodes.tolist() for nodes in np.split(order, starts[1:])] if len(order) else []
    typical, count = (-bound).tolist(), graph.count.tolist()
    counts = [sum(count[node] for node in nodes) for nodes in members]
    ranked = sorted(zip(counts, members, strict=True), key=lambda group: (-group[0], group[1][0]))
    groups = []
    for number, (times, nodes) in enumerate(ranked):
        names = [graph.names[node] for node in sorted(nodes, key=typical.__getitem__)[:3]]
        groups.append(
            Community(number, ", ".join(names), tuple(nodes), tuple(graph.names[node] for node in nodes), times)
        )
    return groups


def _given_back(graph: Graphable, columns: TagGraph, groups: list[Community]) -> list[Community]:
    """Return groups of a networkx graph's own nodes, which get their group as `community`."""
    if not isinstance(graph, nx.Graph):
        return groups
    own = columns.ids.tolist()
    groups = [replace(group, nodes=tuple(own[node] for node in group.nodes)) for group in groups]
    nx.set_node_attributes(graph, {node: group.id for group in groups for node in group.nodes}, "community")
    return groups

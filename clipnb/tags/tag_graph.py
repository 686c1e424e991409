"""Tags and the pairs they make, as columns: the graph that everything else of this room takes and gives."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from clipnb.errors import OutputError, TagsError, nearest, shortened
from clipnb.prompts.spelling import key_of
from clipnb.prompts.tag_line import with_blanks
from clipnb.tags.counting.interning import Ints, SmallInts
from clipnb.tags.counting.pairs import Pairs
from clipnb.tags.weights import Floats, weigh

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    import pyvis.network

    from clipnb.tags.counting.counts import TagCounts

CLOSEST = 50
"""Companions of a tag that bind it."""
_PIECE = 1 << 17
Mask = npt.NDArray[np.bool_]
Column = npt.NDArray[Any]


@dataclass(eq=False)
class TagGraph:
    """N tags and the E pairs of them that stand together in a prompt.

    A node is a place in the columns of tags, an edge one in those of pairs. `len(graph)` is N.

    Attributes:
        names: the tags, each in its most frequent spelling; N of them.
        count: how often each occurs, shape (N,).
        ids: the number that each had among all counted, or that a networkx graph called it; shape (N,).
        pairs: the pairs by nodes, sorted by `source` and `target`, with `count` (prompts that have both), `prompts_of`
            (prompts that have a tag) and the number of `prompts`.
        weight: the measure that is the edges' weight.
        tags: number of tags before any was left out.
        total: occurrences of all those tags.
        columns: further columns of edges by name, shape (E,); None or NaN where an edge has no such value.
        measures: names of the columns that files and networkx get, see `measure`.
        community: the group of each node, shape (N,); None until `communities` found them.
        prompts: the counts that it was built of, from which a page takes examples; None where they are not known.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["a cat, VRay, 3D", "a dog, VRay, 3D, blue", "a cow, blue"])
    >>> graph
    <TagGraph: 3 tags, 3 pairs, weight count>
    >>> graph.names[0], graph.count[0].item(), graph.measure("jaccard").round(2).tolist()
    ('VRay', 2, [1.0, 0.33, 0.33])
    """

    names: Sequence[str]
    count: Ints
    ids: Column
    pairs: Pairs
    weight: str = "count"
    tags: int = 0
    total: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    measures: tuple[str, ...] = ("count", "weight", "jaccard", "npmi")
    community: Ints | None = None
    prompts: TagCounts | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<TagGraph: {len(self):,} tags, {len(self.pairs):,} pairs, weight {self.weight}>"

    def number_of_nodes(self) -> int:
        """Return N, the number of tags."""
        return len(self.names)

    def number_of_edges(self) -> int:
        """Return E, the number of pairs."""
        return len(self.pairs)

    if not TYPE_CHECKING:  # or a type checker would believe every name

        def __getattr__(self, name: str) -> NoReturn:
            """Say where those who know networkx find what they look for."""
            more = "" if name.startswith("_") else "; graph.to_networkx() gives a networkx Graph"
            raise AttributeError(f"a TagGraph has no {name!r}{more}", name=name, obj=self)

    # columns

    @property
    def rank(self) -> Floats:
        """Share of all tags' occurrences, in [0, 1], shape (N,)."""
        return self.count / max(self.total, 1)

    @cached_property
    def degree(self) -> Ints:
        """Number of neighbours of each node, shape (N,)."""
        return np.bincount(self._both_ends, minlength=len(self))

    def measure(self, name: str = "weight") -> Floats:
        """Return a column of numbers for the edges, shape (E,): `weight`, one of `columns`, or a measure by name.

        0 where two tags never stand together, or a column has no value.

        Raises:
            TagsError: neither a column nor a measure.
        """
        if name not in self.columns and name == "weight":
            name = self.weight
        if name in self.columns:
            return np.nan_to_num(self.columns[name].astype(np.float64))  # of None too
        if self.pairs.count.all():
            return weigh(self.pairs, name)
        meet = self.pairs.count > 0
        found = np.zeros(len(meet))
        found[meet] = weigh(self.pairs.where(meet), name)
        return found

    @cached_property
    def surprise(self) -> npt.NDArray[np.float32]:
        """The G-test of each edge, below 0 where two tags avoid each other, shape (E,)."""
        return self.measure("surprise").astype(np.float32)

    def bonds(self, by: str = "strength", closest: int | None = CLOSEST) -> tuple[TagGraph, Floats]:
        """Return a graph of the pairs that bind, and how much each does: what communities are made of.

        They have a positive measure, and are among the closest of either end: where `strength` binds and the number of
        prompts is known those that chance explains least, else those that bind most. They are found once.
        """
        if (by, closest) not in self._bonds:
            bond = self.measure(by)
            kept = np.flatnonzero(bond > 0)
            if closest is not None:
                by_test = by == "strength" and self.pairs.prompts > 0
                kept = self.pairs.closest(kept, (self.surprise if by_test else bond)[kept], closest)
            self._bonds[by, closest] = kept, self.where(kept), bond[kept]
        return self._bonds[by, closest][1:]

    @property
    def bound(self) -> Ints:
        """The edges that bind: those of `bonds()`."""
        self.bonds()
        return self._bonds["strength", CLOSEST][0]

    # looking

    def find(self, tag: str) -> int:
        """Return the node of a tag, in any case.

        Raises:
            TagsError: the graph has no such tag.

        >>> from clipnb.tags.graph import build_graph
        >>> build_graph(["a cat, VRay, 3D"]).find("3d")
        1
        """
        for key in (key_of(tag), key_of(with_blanks(tag))):
            if key in self.node_of:
                return self.node_of[key]
        names = (self.names[node] for node in self.most_frequent(1_000))
        raise TagsError(f"no tag {shortened(tag)!r} in the graph; there is {nearest(tag, names)}")

    @cached_property
    def node_of(self) -> dict[str, int]:
        """Nodes by the `key_of` of their names."""
        return {key_of(name): node for node, name in reversed(list(enumerate(self.names)))}

    def most_frequent(self, n: int | None = None) -> Ints:
        """Return the nodes of the n most frequent tags, the most frequent first."""
        return np.argsort(-self.count, kind="stable")[:n]

    def neighbours(self, node: int) -> tuple[SmallInts, Ints]:
        """Return the neighbours of a node, and the edges that lead to them; shape (its degree,) both."""
        starts, others, edges = self._adjacent
        part = slice(starts[node], starts[node + 1])
        return others[part], edges[part]

    @property
    def closeness(self) -> str:
        """The measure by which companions are the closest: the weight, but `surprise` where that is a mere count.

        By count all tags go with those that go with everything.
        """
        return "surprise" if self.weight in ("count", "tagnet") and self.pairs.prompts else "weight"

    def companions(self, node: int, n: int | None = 15, by: str | Floats | None = None) -> tuple[SmallInts, Ints]:
        """Return a node's closest neighbours, the closest first, and the edges that lead to them.

        Args:
            node: in the whole graph, whatever part of it is drawn.
            n: how many at most.
            by: a measure, or a column of numbers for the edges, which is quicker for many nodes; None is `closeness`.
        """
        others, edges = self.neighbours(node)
        by = self.closeness if by is None else by
        closeness = (self.measure(by) if isinstance(by, str) else by)[edges]
        order = np.lexsort((others, -closeness))[:n]
        return others[order], edges[order]

    def share(self, node: int, edges: Ints) -> Floats:
        """Return, for edges of a node, the share of its prompts that also have the other tag; in [0, 1]."""
        return self.pairs.count[edges] / max(int(self.pairs.prompts_of[node]), 1)

    # parts

    def part(self, nodes: Column) -> TagGraph:
        """Return the graph of some nodes, given as places or as a mask, in their order here."""
        kept = np.zeros(len(self), dtype=np.bool_)
        kept[nodes] = True
        edges = kept[self.pairs.source] & kept[self.pairs.target]
        part = self.where(edges)
        part.names = [name for name, keep in zip(self.names, kept.tolist(), strict=True) if keep]
        part.count, part.ids, part.pairs = self.count[kept], self.ids[kept], part.pairs.among(kept)
        part.community = None if self.community is None else self.community[kept]
        return part

    def where(self, edges: Mask | Ints) -> TagGraph:
        """Return a graph with all nodes, and the edges for which a mask of shape (E,) is true, or those given."""
        return replace(
            self,
            pairs=self.pairs.where(edges),
            columns={name: column[edges] for name, column in self.columns.items()},
        )

    # for other libraries

    def nodes_data(self) -> Iterator[tuple[Hashable, dict[str, object]]]:
        """Yield each node's id and what is known of it, in plain Python."""
        prompts_of, count = self.pairs.prompts_of.tolist(), self.count.tolist()
        groups = None if self.community is None else self.community.tolist()
        rows = zip(self.ids.tolist(), self.names, count, self.rank.tolist(), prompts_of, strict=True)
        for node, (id_, name, times, rank, prompts) in enumerate(rows):
            data = {"id": id_, "name": name, "count": times, "rank": rank}
            if prompts != times:
                data["prompts"] = prompts
            if groups is not None:
                data["community"] = groups[node]
            yield id_, data

    def edge_columns(self) -> dict[str, Column]:
        """Return the columns that files and networkx get: `measures`, whole numbers as such."""
        found: dict[str, Column] = {}
        for name in self.measures:
            whole = name == "count" or (name == "weight" and self.weight == "count")
            own = self.columns.get(name)
            found[name] = own if own is not None else self.pairs.count if whole else self.measure(name)
        return found

    def to_networkx(self) -> nx.Graph[Any]:
        """Return a networkx Graph: about 400 bytes an edge.

        Its nodes are `ids`, with the attributes `id`, `name`, `count`, `rank`, where some prompts repeat a tag
        `prompts`, and `community` once found; its edges have `count`, `weight`, `jaccard`, `npmi`.

        >>> from clipnb.tags.graph import build_graph
        >>> build_graph(["a cat, VRay, 3D"]).to_networkx().edges[0, 1]["count"]
        1
        """
        import networkx as nx

        graph: nx.Graph[Any] = nx.Graph(prompts=self.pairs.prompts, tags=self.tags, weight=self.weight)
        if self.pairs.cut_prompts:
            graph.graph["cut_prompts"] = self.pairs.cut_prompts
        graph.add_nodes_from(self.nodes_data())
        columns, ids = self.edge_columns(), self.ids.tolist()
        for start in range(0, len(self.pairs), _PIECE):
            part = slice(start, start + _PIECE)
            values = zip(*(column[part].tolist() for column in columns.values()), strict=True)
            ends = zip(self.pairs.source[part].tolist(), self.pairs.target[part].tolist(), strict=True)
            graph.add_edges_from(
                (ids[a], ids[b], {key: value for key, value in zip(columns, row, strict=True) if is_there(value)})
                for (a, b), row in zip(ends, values, strict=True)
            )
        return graph

    def to_pyvis(self, **options: Any) -> pyvis.network.Network:
        """Return pyvis's Network, made in time linear in the number of pairs.

        Args:
            options: of `pyvis.network.Network`, such as `height="800px"`.

        Raises:
            OutputError: pyvis is not here.
        """
        try:
            from pyvis.network import Network
        except ImportError as error:
            raise OutputError("drawing with pyvis needs pyvis: pip install 'clipnb[pyvis]'") from error
        network = Network(**options)
        for id_, data in self.nodes_data():
            group = {"group": data["community"]} if "community" in data else {}
            network.add_node(id_, str(data["name"]) or " ", value=data["count"], **group)
            network.node_ids.clear()  # a list that is searched for every node
        network.node_ids.extend(self.ids.tolist())
        ids, pairs = self.ids.tolist(), self.pairs
        rows = zip(pairs.source.tolist(), pairs.target.tolist(), self.measure().tolist(), strict=True)
        network.edges.extend({"from": ids[a], "to": ids[b], "value": weight} for a, b, weight in rows)
        return network

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each pair: columns `source`, `target` (tags), `count`, `weight`, `jaccard`, `npmi`."""
        import pandas as pd

        names = np.array([*self.names, None], dtype=object)[:-1]  # None keeps numpy from measuring the texts
        ends = {"source": names[self.pairs.source], "target": names[self.pairs.target]}
        table: pd.DataFrame = pd.DataFrame(ends | self.edge_columns())
        return table

    @cached_property
    def _bonds(self) -> dict[tuple[str, int | None], tuple[Ints, TagGraph, Floats]]:
        return {}

    @cached_property
    def _both_ends(self) -> Column:
        return narrow(np.concatenate([self.pairs.source, self.pairs.target]), len(self))

    @cached_property
    def _adjacent(self) -> tuple[Ints, SmallInts, Ints]:
        """Where each node's neighbours begin, shape (N + 1,), all neighbours and the edges to them, shape (2E,)."""
        order = np.argsort(self._both_ends, kind="stable")
        others = np.concatenate([self.pairs.target, self.pairs.source])[order]
        return np.concatenate(([0], np.cumsum(self.degree))), others, order % max(len(self.pairs), 1)


def narrow(nodes: Column, size: int) -> Column:
    """Return places below `size` in the least bits: numpy sorts 16 of them in a tenth of the time."""
    return nodes.astype(np.uint16) if size <= 1 << 16 else nodes


def is_there(value: object) -> bool:
    """Return whether an edge has a value: neither None nor NaN."""
    return value is not None and value == value

"""The part of a graph that is drawn: its most frequent tags, its strongest pairs; and what was left out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import networkx as nx

from clipnb.errors import TagsError, shortened
from clipnb.tags.communities import Community, communities, regroup
from clipnb.tags.graph import most_frequent, networkx_of
from clipnb.tags.weights import edge_strength

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

_LOUVAIN_EDGES = 5_000
_UNPRINTED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PALETTE = (
    "#2f6fde", "#e0632b", "#1f9d6b", "#c63d7e", "#8a5fd3", "#b98a00",
    "#1294ab", "#d1403f", "#6f8f1f", "#a4592f", "#5767c9", "#c259c9",
)  # fmt: skip
"""Colours of the largest communities, dark enough for a white ground."""

GREY = "#8b93a1"
"""Colour of every further community."""


@dataclass(frozen=True)
class Drawing:
    """A part of a tag graph that can be looked at.

    Attributes:
        graph: the nodes and edges that are drawn.
        communities: its communities, the most frequent first.
        note: what is drawn and what was left out, in one or two sentences.
    """

    graph: nx.Graph[int]
    communities: tuple[Community, ...]
    note: str

    @cached_property
    def group_of(self) -> dict[int, int]:
        """Community of each node."""
        return {node: group.id for group in self.communities for node in group.nodes}

    def colour(self, community: int) -> str:
        """Colour of a community by id, as `#rrggbb`."""
        large = community < len(PALETTE) and len(self.communities[community]) > 1
        return PALETTE[community] if large else GREY


def choose_drawing(graph: Graphable, max_nodes: int | None = 300, max_edges: int | None = None) -> Drawing:
    """Choose the part of a graph that can be read: its most frequent tags.

    Each tag keeps its strongest edge, so that nothing that was connected floats about; the strongest of all fill up
    the rest (by default two and a half edges a tag). Pairs rarer than chance are drawn only when there are no others.
    Where every node has a `community`, that is kept.

    Raises:
        TagsError: a limit below 1 (0 for edges).
    """
    if (max_nodes is not None and max_nodes < 1) or (max_edges is not None and max_edges < 0):
        raise TagsError("a drawing needs room for at least 1 tag and 0 edges")
    graph = networkx_of(graph)
    part = most_frequent(graph, max_nodes)
    limit = round(2.5 * len(part)) if max_edges is None else max_edges
    drawn = _strongest(part, limit)
    return Drawing(drawn, tuple(_communities(graph, drawn)), _note(graph, part, drawn))


def _strongest(graph: nx.Graph[int], limit: int) -> nx.Graph[int]:
    drawn: nx.Graph[int] = nx.Graph(**graph.graph)
    drawn.add_nodes_from(graph.nodes(data=True))
    telling = [edge for edge in graph.edges(data=True) if edge_strength(edge[2]) > 0 or "kind" in edge[2]]
    telling = telling or list(graph.edges(data=True))
    ranked = sorted(telling, key=lambda edge: -edge_strength(edge[2]))
    if len(ranked) > limit:
        touched: Counter[int] = Counter()
        is_first = []
        for a, b, _ in ranked:
            is_first.append(not (touched[a] and touched[b]))
            touched.update((a, b))
        order = sorted(range(len(ranked)), key=lambda i: not is_first[i])
        ranked = [ranked[i] for i in order[:limit]]
    drawn.add_edges_from(ranked)
    return drawn


def _communities(graph: nx.Graph[int], drawn: nx.Graph[int]) -> list[Community]:
    given = [graph.nodes[node].get("community") for node in drawn]
    if given and all(isinstance(group, int) for group in given):
        return regroup(drawn)
    return communities(drawn, "louvain" if drawn.number_of_edges() <= _LOUVAIN_EDGES else "propagation")


def _note(graph: nx.Graph[int], part: nx.Graph[int], drawn: nx.Graph[int]) -> str:
    tags, edges = graph.number_of_nodes(), graph.number_of_edges()
    if len(part) == tags and drawn.number_of_edges() == edges:
        note = f"All {tags:,} tags and all {edges:,} pairs are drawn."
    else:
        note = (
            f"Drawn: the {len(part):,} most frequent of {tags:,} tags, "
            f"{drawn.number_of_edges():,} of {edges:,} pairs (those that say most)."
        )
    before = graph.graph.get("tags", tags)
    if before > tags:
        note += f" The prompts hold {before:,} tags in all."
    if cut := graph.graph.get("cut_prompts"):
        note += f" {cut:,} very long prompts made pairs of their first tags only."
    return note


def cut_name(name: str, length: int) -> str:
    """Cut a name to so many characters; blanks of any kind become one blank each."""
    return shortened(" ".join(name.split()), length, mark="…")


def printed(text: str) -> str:
    r"""Replace by U+FFFD what no XML, PDF or font can hold: control characters, halves of surrogate pairs.

    >>> printed("bell \x07")
    'bell �'
    """
    return _UNPRINTED.sub("\ufffd", text)

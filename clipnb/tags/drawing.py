"""What of a graph is drawn first: its most frequent tags, the pairs that say most; its communities are the whole's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError, shortened
from clipnb.tags.communities import Community, communities, regroup
from clipnb.tags.counting.interning import Ints
from clipnb.tags.tag_graph import TagGraph
from clipnb.tags.weights import EVIDENT

_UNPRINTED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LINES_PER_TAG = 2.5
PALETTE = (
    "#2f6fde", "#e0632b", "#1f9d6b", "#c63d7e", "#8a5fd3", "#b98a00",
    "#1294ab", "#d1403f", "#6f8f1f", "#a4592f", "#5767c9", "#c259c9",
)  # fmt: skip
"""Colours of the largest communities, dark enough for a white ground."""

GREY = "#8b93a1"
"""Colour of lone tags and small communities."""
_LARGE = 50  # tags of a further community that has a colour, one that another has too

CERTAIN, LIKELY, RARE = 0, 1, 2
"""A pair stands out; is near chance; is rarer than chance."""


@dataclass(frozen=True)
class Drawing:
    """A part of a tag graph that can be looked at.

    Attributes:
        graph: the whole graph.
        nodes: those that are drawn, the most frequent first, shape (D,).
        edges: those that are drawn, the ones that say most first, shape (L,).
        communities: those of the whole graph, the most frequent first.
        note: what is drawn and what was left out, in one or two sentences.
    """

    graph: TagGraph
    nodes: Ints
    edges: Ints
    communities: tuple[Community, ...]
    note: str

    @cached_property
    def group_of(self) -> Ints:
        """Community of each node of the graph, as its place in `communities`; shape (N,)."""
        found = np.zeros(len(self.graph), dtype=np.int64)
        for place, group in enumerate(self.communities):
            found[list(group.nodes)] = place
        return found

    def colour(self, community: int) -> str:
        """Colour of a community by its place, as `#rrggbb`."""
        return colour_of(community, len(self.communities[community]))


def colour_of(place: int, size: int) -> str:
    """Return the colour of a community by its place among all and its number of tags, as `#rrggbb`."""
    least = 1 if place < len(PALETTE) else _LARGE
    return PALETTE[place % len(PALETTE)] if size > least else GREY


def choose_drawing(graph: TagGraph, max_nodes: int | None = 300, max_edges: int | None = None) -> Drawing:
    """Choose the part of a graph that can be read: its most frequent tags.

    Each tag keeps its strongest edge by the graph's weight, so that nothing that was connected floats about; the
    strongest of all fill up the rest (by default two and a half edges a tag), those first that are no chance. Pairs
    rarer than chance are drawn only when there are no others. Communities that were found before are kept.

    Raises:
        TagsError: a limit below 1 (0 for edges).
    """
    if (max_nodes is not None and max_nodes < 1) or (max_edges is not None and max_edges < 0):
        raise TagsError("a drawing needs room for at least 1 tag and 0 edges")
    nodes = graph.most_frequent(max_nodes)
    limit = round(LINES_PER_TAG * len(nodes)) if max_edges is None else max_edges
    edges = _strongest(graph, nodes, limit)
    groups = communities(graph) if graph.community is None else regroup(graph)
    return Drawing(graph, nodes, edges, tuple(groups), _note(graph, len(nodes), len(edges)))


def bonds(graph: TagGraph, edges: Ints) -> npt.NDArray[np.int8]:
    """Return for E edges whether they are `CERTAIN`, `LIKELY` or `RARE`, shape (E,).

    Certain is what two prompts or more have, and what independent tags would have less than once in a thousand pairs
    (G-test); of a graph that does not know its prompts every edge is.
    """
    if not graph.pairs.prompts:
        return np.full(len(edges), CERTAIN, dtype=np.int8)
    excess = graph.surprise[edges]
    found = np.where(excess > 0, LIKELY, RARE).astype(np.int8)
    found[(excess > EVIDENT) & (graph.pairs.count[edges] > 1)] = CERTAIN
    if (kind := graph.columns.get("kind")) is not None:
        found[[name in ("contained", "meaning") for name in kind[edges]]] = CERTAIN
    return found


def ranked(graph: TagGraph, edges: Ints) -> tuple[Ints, tuple[int, int, int]]:
    """Return edges in the order in which they are drawn, and how many are certain, likely, rare."""
    classes = bonds(graph, edges)
    order = np.lexsort((-graph.measure()[edges], classes))
    certain, likely, rare = np.bincount(classes, minlength=3).tolist()
    return edges[order], (certain, likely, rare)


def _strongest(graph: TagGraph, nodes: Ints, limit: int) -> Ints:
    drawn = np.zeros(len(graph), dtype=np.bool_)
    drawn[nodes] = True
    source, target = graph.pairs.source, graph.pairs.target
    edges, (certain, likely, _) = ranked(graph, np.flatnonzero(drawn[source] & drawn[target]))
    edges = edges[: certain + likely or None]
    if len(edges) <= limit:
        return edges
    touched = np.zeros(len(graph), dtype=np.bool_)
    is_first = np.zeros(len(edges), dtype=np.bool_)
    for place, (a, b) in enumerate(zip(source[edges].tolist(), target[edges].tolist(), strict=True)):
        if not (touched[a] and touched[b]):
            is_first[place] = touched[a] = touched[b] = True
    return edges[np.argsort(~is_first, kind="stable")[:limit]]


def _note(graph: TagGraph, nodes: int, lines: int) -> str:
    tags, edges = len(graph), len(graph.pairs)
    if nodes == tags and lines == edges:
        note = f"All {tags:,} tags and all {edges:,} pairs are drawn."
    else:
        note = (
            f"Drawn: the {nodes:,} most frequent of {tags:,} tags, {lines:,} of {edges:,} pairs (those that say most)."
        )
    if graph.tags > tags:
        note += f" The prompts hold {graph.tags:,} tags in all."
    if cut := graph.pairs.cut_prompts:
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

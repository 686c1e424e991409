"""A view of a collection of prompts: counts, graph and drawing, and what is known of each tag; no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipnb.errors import TagsError, nearest
from clipnb.prompts.spelling import key_of
from clipnb.tags.communities import METHODS, communities
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.drawing import Drawing, choose_drawing
from clipnb.tags.graph import build_graph, check_alpha
from clipnb.tags.relations import neighbours, suggest
from clipnb.tags.tag_graph import TagGraph
from clipnb.tags.weights import find_weight


@dataclass(frozen=True)
class TagSettings:
    """What of a collection becomes a graph, and what of the graph is drawn.

    Attributes:
        min_count: leave out tags that occur less often.
        min_edge: leave out pairs that fewer prompts have.
        top: tags in the graph at most, the most frequent ones.
        max_nodes: tags drawn at most.
        weight: the measure of edges, such as `count` or `npmi`.
        method: the way of grouping: `auto`, `louvain`, `propagation`.
        backbone: keep only edges that stand out at this significance; None keeps all.
    """

    min_count: int = 1
    min_edge: int = 1
    top: int = 2_000
    max_nodes: int = 100
    weight: str = "strength"
    method: str = "auto"
    backbone: float | None = None

    def __post_init__(self) -> None:
        """Raise a TagsError for an unknown measure or way of grouping, or a limit out of its range."""
        find_weight(self.weight)
        if self.method not in ("auto", *METHODS):
            raise TagsError(f"no way of grouping called {self.method!r}; there is {nearest(self.method, METHODS)}")
        if min(self.min_count, self.min_edge, self.top, self.max_nodes) < 1:
            raise TagsError("min_count, min_edge, top and max_nodes must each be at least 1")
        if self.backbone is not None:
            check_alpha(self.backbone)


@dataclass(frozen=True)
class Row:
    """A line of a list of tags."""

    tag: str
    amount: str  # for people
    colour: str  # of its community, as `#rrggbb`


@dataclass(frozen=True)
class About:
    """What is known of one tag."""

    tag: str
    count: int
    rank: float  # share of all tags, in [0, 1]
    place: int  # 1 for the most frequent tag
    is_drawn: bool
    neighbours: tuple[Row, ...]  # the closest first
    suggestions: tuple[Row, ...]  # what usually goes with it, the best first
    prompts: tuple[str, ...]  # some of those that have it
    in_prompts: int  # number of prompts that have it


@dataclass(frozen=True)
class TagView:
    """Counts, graph and drawing that belong together; nodes are those of the graph."""

    counts: TagCounts
    graph: TagGraph
    drawing: Drawing
    settings: TagSettings

    def node_of(self, tag: str) -> int | None:
        """Return a tag's node, in any case; None when the graph does not have it."""
        return self.graph.node_of.get(key_of(tag))

    def name_of(self, node: int) -> str:
        return self.graph.names[node]

    def nodes_of(self, tags: Sequence[str]) -> list[int]:
        """Return the nodes of those tags that the graph has."""
        found = (self.node_of(tag) for tag in tags)
        return [node for node in found if node is not None]

    def matching(self, text: str, n: int = 12) -> list[Row]:
        """Return tags that hold a text, in any case: those that begin with it first, then the most frequent."""
        wanted = key_of(text)
        found = [(key, node) for key, node in self.graph.node_of.items() if wanted in key]
        found.sort(key=lambda item: (not item[0].startswith(wanted), -self.graph.count[item[1]], item[1]))
        return [self._row(node, f"{self.graph.count[node]:,}") for _, node in found[:n]]

    def suggestions(self, tags: Sequence[str], n: int = 10) -> list[Row]:
        """Return what usually goes with some tags, the best first; those that the graph does not have are ignored."""
        known = [tag for tag in tags if self.node_of(tag) is not None]
        if not known:
            return []
        table = suggest(self.graph, known, n)
        return [self._named(tag, f"{share:.0%}") for tag, share in zip(table["tag"], table["share"], strict=True)]

    def about(self, tag: str, n: int = 8, prompts: int = 6) -> About:
        """Return what is known of a tag, with n neighbours and suggestions at most; raises TagsError."""
        near = neighbours(self.graph, tag, n, "weight")
        weights: list[float] = near["weight"].tolist() if len(near) else []
        node = self.graph.find(tag)
        count = int(self.graph.count[node])
        having = self.counts.prompts_with(tag)
        return About(
            tag=self.name_of(node),
            count=count,
            rank=count / max(self.counts.total, 1),
            place=1 + int((self.counts.values > count).sum()),
            is_drawn=node in self.drawing.nodes,
            neighbours=tuple(self._named(name, f"{w:.3g}") for name, w in zip(near["tag"], weights, strict=True)),
            suggestions=tuple(self.suggestions([tag], n)),
            prompts=tuple(having[:prompts]),
            in_prompts=len(having),
        )

    def _named(self, tag: str, amount: str) -> Row:
        return self._row(self.graph.node_of[key_of(tag)], amount)

    def _row(self, node: int, amount: str) -> Row:
        return Row(self.name_of(node), amount, self.drawing.colour(int(self.drawing.group_of[node])))


def make_graph(counts: TagCounts, settings: TagSettings) -> TagGraph:
    return build_graph(counts, settings.min_count, settings.min_edge, settings.top, settings.weight, settings.backbone)


def make_view(counts: TagCounts, graph: TagGraph, settings: TagSettings) -> TagView:
    """Find a graph's communities and choose what is drawn."""
    communities(graph, settings.method)
    return TagView(counts, graph, choose_drawing(graph, settings.max_nodes), settings)


def why_empty(view: TagView | None) -> str:
    """Return why there is nothing to draw; "" when there is something."""
    if view is None:
        return "No prompts yet. Name a file or folder, upload files, or paste some lines under Prompts."
    if len(view.graph):
        return ""
    if not len(view.counts):
        return (
            f"{len(view.counts.prompts):,} prompts, and no tag in them. The first part of a prompt is its subject; "
            "if yours are tags only, say so under Prompts."
        )
    (tag, count), *_ = view.counts.most_common(1)
    return (
        f"No tag is left: even the most frequent one, {tag[:60]}, occurs {count:,} times, and the least count is "
        f"{view.settings.min_count:,}. Lower it under Graph."
    )

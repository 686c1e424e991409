"""Edges beside co-occurrence: tags that contain one another, and tags that mean alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import networkx as nx
import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.tags.graph import graph_of, name_of

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

Floats = npt.NDArray[np.float32]

_MOST_WORDS = 24
_BLOCK = 1024


class TextEncoder(Protocol):
    """Embeds texts, such as a `DualEncoder`."""

    def encode_text(self, texts: list[str], /) -> npt.ArrayLike:
        """Embed N texts as [N, D]."""
        ...


def add_contained(graph: Graphable) -> nx.Graph[int]:
    """Add edges between tags of which one holds all words of the other in a row (`Abstract style`, `Abstract`).

    Args:
        graph: a tag graph, or prompts or counts to make one of.

    Returns:
        A copy. Where the tags stand together already the edge gets `contained=True`; else a new edge has that,
        `kind="contained"` and a count and weight of 0.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = add_contained(build_graph(["x, Abstract style", "x, abstract"]))
    >>> graph.edges[0, 1]["kind"]
    'contained'
    """
    graph = graph_of(graph)
    widened = graph.copy()
    by_words = {tuple(_words(graph, node)): node for node in graph}
    for node in graph:
        words = _words(graph, node)
        for part in _parts(words):
            other = by_words.get(part)
            if other is not None and other != node:
                _connect(widened, node, other, "contained", contained=True)
    return widened


def add_meaning(
    graph: Graphable, encoder: TextEncoder | npt.ArrayLike, nearest: int = 3, at_least: float = 0.7
) -> nx.Graph[int]:
    """Add edges between tags that mean alike, whether they stand together or not.

    Args:
        graph: a tag graph, or prompts or counts to make one of; N tags.
        encoder: embeds the tags; or their embeddings themselves, [N, D] in the graph's order of nodes.
        nearest: each tag is connected to this many others at most, those most alike.
        at_least: cosine similarity from which two tags are alike; encoders differ much in what is high.

    Returns:
        A copy. Where the tags stand together already the edge gets `similarity`; else a new edge has that,
        `kind="meaning"` and a count and weight of 0.

    Raises:
        TagsError: embeddings of another number of tags.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur", "x, pelt", "x, steel"])
    >>> add_meaning(graph, [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]).edges[0, 1]["kind"]
    'meaning'
    """
    graph = graph_of(graph)
    nodes = list(graph)
    embeddings = _embeddings(encoder, [name_of(graph, node) for node in nodes])
    widened = graph.copy()
    for i, j, similarity in _alike(embeddings, nearest, at_least):
        _connect(widened, nodes[i], nodes[j], "meaning", similarity=round(similarity, 4))
    return widened


def _connect(graph: nx.Graph[int], a: int, b: int, kind: str, **attributes: object) -> None:
    if not graph.has_edge(a, b):
        graph.add_edge(a, b, count=0, weight=0.0, kind=kind)
    graph.edges[a, b].update(attributes)


def _words(graph: nx.Graph[int], node: int) -> list[str]:
    return name_of(graph, node).casefold().split()


def _parts(words: list[str]) -> Iterator[tuple[str, ...]]:
    """All shorter runs of words; of very long tags only runs of up to 24 words that begin within the first 200."""
    for start in range(min(len(words), 200)):
        for stop in range(start + 1, min(len(words), start + _MOST_WORDS) + 1):
            if stop - start < len(words):
                yield tuple(words[start:stop])


def _embeddings(encoder: TextEncoder | npt.ArrayLike, names: list[str]) -> Floats:
    given = encoder.encode_text(names) if hasattr(encoder, "encode_text") else encoder
    if hasattr(given, "detach"):  # a tensor of torch, perhaps on a GPU
        given = given.detach().cpu().numpy()
    table = np.asarray(given, dtype=np.float32)
    if table.ndim != 2 or len(table) != len(names):
        raise TagsError(f"{len(names)} tags need embeddings of shape ({len(names)}, D), not {table.shape}")
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(table / np.maximum(length, 1e-12), dtype=np.float32)


def _alike(embeddings: Floats, nearest: int, at_least: float) -> Iterator[tuple[int, int, float]]:
    """Each row's most similar rows above a bound, some thousand rows at a time."""
    count = min(nearest, len(embeddings) - 1)
    if count < 1:
        return
    for start in range(0, len(embeddings), _BLOCK):
        similar = embeddings[start : start + _BLOCK] @ embeddings.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -2.0
        best = np.argpartition(-similar, count - 1, axis=1)[:, :count]
        for row, others in enumerate(best.tolist()):
            for other in others:
                if similar[row, other] >= at_least:
                    yield start + row, other, float(similar[row, other])

"""Edges beside co-occurrence: tags that contain one another, and tags that mean alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.tags.counting.interning import Ints
from clipnb.tags.graph import graph_of
from clipnb.tags.tag_graph import Column, TagGraph

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

Floats = npt.NDArray[np.float32]

_MOST_WORDS = 24
_BLOCK, _BATCH = 1024, 256


class TextEncoder(Protocol):
    """Embeds texts, such as a `DualEncoder`."""

    def encode_text(self, texts: list[str], /) -> npt.ArrayLike:
        """Embed N texts as [N, D]."""
        ...


def add_contained(graph: Graphable) -> TagGraph:
    """Add edges between tags of which one holds all words of the other in a row (`Abstract style`, `Abstract`).

    Args:
        graph: a tag graph, or prompts or counts to make one of.

    Returns:
        Another graph. Where the tags stand together already the edge has 1 in the column `contained`; else a new edge
        has that, the `kind` "contained" and a count and weight of 0.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = add_contained(build_graph(["x, Abstract style", "x, abstract"]))
    >>> graph.columns["kind"].tolist()
    ['contained']
    """
    graph = graph_of(graph)
    words_of = [name.casefold().split() for name in graph.names]
    node_of = {tuple(words): node for node, words in enumerate(words_of)}
    found = [(node, node_of[part]) for node, words in enumerate(words_of) for part in _parts(words) if part in node_of]
    ends = np.array([pair for pair in found if pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)
    return joined(graph, ends, "contained", "contained", np.ones(len(ends), dtype=np.int64))


def add_meaning(
    graph: Graphable, encoder: TextEncoder | npt.ArrayLike, nearest: int = 3, at_least: float = 0.7
) -> TagGraph:
    """Add edges between tags that mean alike, whether they stand together or not.

    Args:
        graph: a tag graph, or prompts or counts to make one of; N tags.
        encoder: embeds the tags; or their embeddings themselves, [N, D] in the graph's order of nodes.
        nearest: each tag is connected to this many others at most, those most alike.
        at_least: cosine similarity from which two tags are alike; encoders differ much in what is high.

    Returns:
        Another graph. Where the tags stand together already the edge has their `similarity`; else a new edge has that,
        the `kind` "meaning" and a count and weight of 0.

    Raises:
        TagsError: embeddings of another number of tags.

    >>> from clipnb.tags.graph import build_graph
    >>> graph = build_graph(["x, fur", "x, pelt", "x, steel"])
    >>> add_meaning(graph, [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]).columns["kind"].tolist()
    ['meaning']
    """
    graph = graph_of(graph)
    ends, similarity = _alike(_embeddings(encoder, list(graph.names)), nearest, at_least)
    return joined(graph, ends, "meaning", "similarity", similarity.round(4))


def joined(graph: TagGraph, ends: Ints, kind: str, name: str, values: Column) -> TagGraph:
    """Return a graph with further edges, given by their K ends, shape (K, 2), and K values of a column `name`.

    Where two tags stand together already their edge gets the value; else a new one has also that `kind`, and a
    count of 0.
    """
    keys, firsts = np.unique(ends.min(axis=1) * len(graph) + ends.max(axis=1), return_index=True)
    own = graph.pairs.source.astype(np.int64) * len(graph) + graph.pairs.target
    fresh = keys[~np.isin(keys, own)]
    everything = np.concatenate([own, fresh])
    order = np.argsort(everything, kind="stable")
    source, target = (end.astype(np.int32) for end in np.divmod(everything[order], max(len(graph), 1)))
    count = np.concatenate([graph.pairs.count, np.zeros(len(fresh), dtype=np.int32)])[order]
    missing = np.full(len(own), None)
    columns = graph.columns | {"kind": graph.columns.get("kind", missing), name: graph.columns.get(name, missing)}
    columns = {key: np.concatenate([column, np.full(len(fresh), None)])[order] for key, column in columns.items()}
    columns["kind"][order >= len(own)] = kind
    columns[name][np.searchsorted(everything[order], keys)] = values[firsts]
    measures = tuple(dict.fromkeys((*graph.measures, "kind", name)))
    return replace(
        graph,
        pairs=replace(graph.pairs, source=source, target=target, count=count),
        columns=columns,
        measures=measures,
    )


def _parts(words: list[str]) -> Iterator[tuple[str, ...]]:
    """All shorter runs of words; of very long tags only runs of up to 24 words that begin within the first 200."""
    for start in range(min(len(words), 200)):
        for stop in range(start + 1, min(len(words), start + _MOST_WORDS) + 1):
            if stop - start < len(words):
                yield tuple(words[start:stop])


def _embeddings(encoder: TextEncoder | npt.ArrayLike, names: list[str]) -> Floats:
    if hasattr(encoder, "encode_text"):
        batches = [encoder.encode_text(names[start : start + _BATCH]) for start in range(0, len(names), _BATCH)]
        table = np.concatenate([_array(batch) for batch in batches]) if batches else np.empty((0, 1), dtype=np.float32)
    else:
        table = _array(encoder)
    if table.ndim != 2 or len(table) != len(names):
        raise TagsError(f"{len(names)} tags need embeddings of shape ({len(names)}, D), not {table.shape}")
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(table / np.maximum(length, 1e-12), dtype=np.float32)


def _array(given: npt.ArrayLike) -> Floats:
    if hasattr(given, "detach"):  # a tensor of torch, perhaps on a GPU
        given = given.detach().cpu().numpy()
    return np.asarray(given, dtype=np.float32)


def _alike(embeddings: Floats, nearest: int, at_least: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Each row's most similar rows above a bound, and how similar they are; some thousand rows at a time."""
    count = min(nearest, len(embeddings) - 1)
    ends, values = [np.empty((0, 2), dtype=np.int64)], [np.empty(0)]
    for start in range(0, len(embeddings) if count > 0 else 0, _BLOCK):
        similar = embeddings[start : start + _BLOCK] @ embeddings.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -2.0
        best = np.argpartition(similar, -count, axis=1)[:, -count:]
        found = np.take_along_axis(similar, best, axis=1)
        row, column = np.nonzero(found >= at_least)
        ends.append(np.stack([start + row, best[row, column]], axis=1))
        values.append(found[row, column].astype(np.float64))
    return np.concatenate(ends), np.concatenate(values)

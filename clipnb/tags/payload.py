"""What a page or a widget knows of a graph: every tag with its companions, packed into a few bytes for each."""

from __future__ import annotations

import gzip
import json
import struct
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from clipnb.errors import TagsError
from clipnb.tags.communities import modularity
from clipnb.tags.counting.interning import Ints
from clipnb.tags.drawing import CERTAIN, Drawing, bonds, cut_name, ranked
from clipnb.tags.map import layout

if TYPE_CHECKING:
    import numpy.typing as npt

    from clipnb.tags.counting.counts import TagCounts

MOST_TAGS = 100_000
"""Tags that a page knows, the most frequent ones."""
COMPANIONS = 15
"""Pairs that it knows of each tag, at least: its closest companions, and the heaviest that are no chance."""
EXAMPLES = 300
"""Prompts that it holds as examples at most, unless told otherwise."""
ALL_PAIRS = 30_000
"""Pairs up to which it knows all of them."""
_UNMAPPED = 1_500  # tags that the browser finds places for
_LONGEST_NAME, _LONGEST_EXAMPLE, _MOST_LOOKED_AT = 300, 400, 50_000
_KINDS = {"contained": 1, "meaning": 2}


def pack(
    drawing: Drawing,
    counts: TagCounts | None = None,
    examples: int = EXAMPLES,
    saved: dict[str, object] | None = None,
) -> bytes:
    """Pack a drawing and all that can be asked of its graph, as `static/data.js` reads it.

    Gzipped: the length of a JSON object as four bytes, the object, then the columns that it lists as `columns`. Tags
    are in the order of their counts, pairs in that in which they are drawn.

    Args:
        drawing: what is drawn at first.
        counts: the prompts from which examples are taken.
        examples: how many prompts at most.
        saved: positions as `read_positions` returns them.

    Raises:
        TagsError: a number of examples below 0.
    """
    if examples < 0:
        raise TagsError(f"examples is {examples}, but must be 0 (none) or more")
    graph = drawing.graph
    tags = graph.most_frequent(MOST_TAGS)
    place = np.full(len(graph), -1, dtype=np.int64)
    place[tags] = np.arange(len(tags))
    edges, classes = ranked(graph, _known_edges(drawing, place))
    ends = np.sort(np.stack([place[graph.pairs.source[edges]], place[graph.pairs.target[edges]]]), axis=0)
    group = drawing.group_of[tags]
    kinds = graph.columns.get("kind")
    columns: dict[str, npt.NDArray[Any]] = {
        "id": tags.astype("<i4"),
        "count": graph.count[tags].astype("<i4"),
        "prompts": graph.pairs.prompts_of[tags].astype("<i4"),
        "community": group.astype("<i4"),
        "source": ends[0].astype("<i4"),
        "target": ends[1].astype("<i4"),
        "together": graph.pairs.count[edges].astype("<i4"),
        "weight": graph.measure()[edges].astype("<f4"),
        "kind": np.array([0 if kinds is None else _KINDS.get(name, 0) for name in _part(kinds, edges)], dtype="u1"),
    }
    header: dict[str, Any] = {
        "names": [cut_name(graph.names[node], _LONGEST_NAME) for node in tags.tolist()],
        "communities": [
            {
                "name": cut_name(one.name, _LONGEST_NAME),
                "size": len(one),
                "count": one.count,
                "colour": drawing.colour(i),
            }
            for i, one in enumerate(drawing.communities)
        ],
        "weight_name": graph.weight,
        "closeness_name": graph.weight if graph.closeness == "weight" else graph.closeness,
        "note": drawing.note,
        "tags": len(graph),
        "drawn": len(drawing.nodes),
        "prompts_in_all": graph.pairs.prompts,
        "modularity": round(modularity(graph), 4),
        "bonds": classes,
        "examples": _examples(drawing, counts, place, examples) if counts is not None else [],
        "saved": saved,
    }
    if len(tags) > _UNMAPPED:
        places = layout(graph)[:, tags]
        columns |= {axis: places[i].astype("<f4") for i, axis in enumerate("xy")}
        for i, (x, y) in enumerate(_centres(group, places, len(drawing.communities)).T.round(1).tolist()):
            header["communities"][i] |= {"x": x, "y": y}
    header["columns"] = [[name, column.dtype.str[1:], len(column)] for name, column in columns.items()]
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    parts = [struct.pack("<I", len(text)), text, *(column.tobytes() for column in columns.values())]
    return gzip.compress(b"".join(parts), compresslevel=6, mtime=0)


def _part(kinds: npt.NDArray[Any] | None, edges: Ints) -> npt.NDArray[Any]:
    return np.zeros(len(edges)) if kinds is None else kinds[edges]


def _known_edges(drawing: Drawing, place: Ints) -> Ints:
    graph = drawing.graph
    is_known = place >= 0
    known = np.flatnonzero(is_known[graph.pairs.source] & is_known[graph.pairs.target])
    if len(known) <= ALL_PAIRS:
        return known
    near = known
    if graph.closeness == "surprise":  # what binds are more of the same
        near = graph.bound[is_known[graph.pairs.source[graph.bound]] & is_known[graph.pairs.target[graph.bound]]]
    near = graph.pairs.closest(near, graph.measure(graph.closeness)[near], COMPANIONS)
    certain = known[bonds(graph, known) == CERTAIN]
    heavy = graph.pairs.closest(certain, graph.measure()[certain], COMPANIONS)
    return np.unique(np.concatenate([near, heavy, drawing.edges]))


def _examples(drawing: Drawing, counts: TagCounts, place: Ints, most: int) -> list[dict[str, object]]:
    """Return prompts that have pairs which are drawn, two for a pair as far as they reach."""
    graph = drawing.graph
    known = np.full(len(counts), -1, dtype=np.int64)
    known[graph.ids[drawing.nodes]] = place[drawing.nodes]
    ends = np.stack([place[graph.pairs.source[drawing.edges]], place[graph.pairs.target[drawing.edges]]])
    missing = {(min(pair), max(pair)): 2 for pair in ends.T.tolist()}
    found: list[dict[str, object]] = []
    start = 0
    for tags, lengths in counts.chunks():
        stops = np.cumsum(lengths).tolist()
        here = known[tags].tolist()
        for prompt, (begin, stop) in enumerate(zip([0, *stops], stops, strict=False)):
            if len(found) >= most or not missing or start + prompt >= _MOST_LOOKED_AT:
                return found
            inside = sorted({tag for tag in here[begin:stop] if tag >= 0})
            new = [pair for pair in combinations(inside[:40], 2) if pair in missing]
            if new:
                found.append({"text": cut_name(counts.prompts[start + prompt], _LONGEST_EXAMPLE), "tags": inside})
            for pair in new:
                missing[pair] -= 1
                if not missing[pair]:
                    del missing[pair]
        start += len(lengths)
    return found


def _centres(group: Ints, places: npt.NDArray[np.float64], groups: int) -> npt.NDArray[np.float64]:
    size = np.maximum(np.bincount(group, minlength=groups), 1)
    return np.stack([np.bincount(group, axis, minlength=groups) / size for axis in places])

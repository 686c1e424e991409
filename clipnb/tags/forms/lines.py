"""The pairs of a graph as lines of text, some thousand at a time: memory stays bounded, whatever the form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from clipnb.progress import log
from clipnb.tags.communities import regroup
from clipnb.tags.drawing import GREY, PALETTE
from clipnb.tags.interning import tally
from clipnb.tags.tag_graph import Column, TagGraph, is_there
from clipnb.tags.weights import Floats

LARGE_FILE = 100_000_000  # bytes, from which a file's size is told before it is written
_GROUPED_PAIRS = 1_000_000  # a few seconds of Leiden
_PIECE = 1 << 16
Cell = Callable[[str], tuple[str, str]]
"""Of a column's name, what stands before and after its value in a line."""


def pair_lines(
    graph: TagGraph,
    columns: dict[str, Column],
    ends: Sequence[str],
    head: str,
    cell: Cell,
    tail: str,
    text_of: Callable[[object], str],
    blank: bool = False,
) -> Iterator[list[str]]:
    """Yield a line for each pair: its ends in the two `%s` of the head, its values, the tail.

    Args:
        graph: whose pairs are written.
        columns: of the pairs, by name; numbers are written with nine digits.
        ends: how each node is written, N texts.
        head: with two `%s`.
        cell: what stands around a value.
        tail: the end of a line.
        text_of: how a value of another kind than numbers is written.
        blank: whether a value that an edge lacks leaves its cell empty; else it has no cell.
    """
    template = head
    around = {name: cell(name) for name in columns}
    for name, column in columns.items():
        place = "%s" if column.dtype == object else "%d" if column.dtype.kind in "iu" else "%.9g"
        before, after = ("", "") if column.dtype == object else around[name]
        template += before.replace("%", "%%") + place + after.replace("%", "%%")
    template += tail
    for start in range(0, len(graph.pairs), _PIECE):
        part = slice(start, start + _PIECE)
        values: list[list[object]] = [
            [ends[node] for node in end[part].tolist()] for end in (graph.pairs.source, graph.pairs.target)
        ]
        for name, column in columns.items():
            cells = column[part].tolist()
            if column.dtype == object:
                before, after = around[name]
                empty = before + after if blank else ""
                cells = [before + text_of(value) + after if is_there(value) else empty for value in cells]
            values.append(cells)
        yield [template % row for row in zip(*values, strict=True)]


def write_pieces(path: Path, start: str, pieces: Iterator[list[str]], between: str, end: str, pairs: int) -> None:
    """Write lines as they come, and tell the size of a large file after the first of them."""
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(start)
        for number, lines in enumerate(pieces):
            text = between.join(lines)
            size = len(text) * pairs // len(lines)
            if number == 0 and size > LARGE_FILE:
                log.warning(
                    "this file will have about %d MB, for %d pairs; a least count, a backbone or .parquet make it "
                    "smaller",
                    size // 10**6,
                    pairs,
                )
            file.write((between if number else "") + text)
        file.write(end)


def with_groups(graph: TagGraph) -> TagGraph:
    """Return a graph that carries its communities: those found before, else found now where that takes seconds."""
    grouped = replace(graph)
    if graph.community is None and len(graph.pairs) <= _GROUPED_PAIRS:
        regroup(grouped)
    return grouped


def colours(graph: TagGraph) -> list[str]:
    """Return each node's colour as `#rrggbb`: that of its community, grey where it has none or is alone in it."""
    if graph.community is None or not len(graph):
        return [GREY] * len(graph)
    size = tally(graph.community)
    return [PALETTE[group] if group < len(PALETTE) and size[group] > 1 else GREY for group in graph.community.tolist()]


def places(graph: TagGraph) -> Floats:
    """Return a place for each node, shape (N, 2): communities apart, the most frequent tags in their middle."""
    group = np.zeros(len(graph), dtype=np.int64) if graph.community is None else graph.community
    order = np.lexsort((-graph.count, group))
    size = tally(group, 1)
    before = np.cumsum(size) - size
    inside = np.empty(len(graph))
    inside[order] = np.arange(len(graph)) - before[group[order]]
    turn = np.pi * (3 - np.sqrt(5))
    apart = 40 * np.sqrt(before + size / 2)[group] * (size.size > 1)
    near = 14 * np.sqrt(inside + 0.5)
    x = apart * np.cos(turn * group) + near * np.cos(turn * inside)
    y = apart * np.sin(turn * group) + near * np.sin(turn * inside)
    return np.stack([x, y], axis=1)


def sizes(graph: TagGraph) -> Floats:
    """Return each node's size, shape (N,): area by count, from 4 to 40."""
    return 4 + 36 * np.sqrt(graph.count / max(int(graph.count.max(initial=1)), 1))

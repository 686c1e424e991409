"""The pairs of a graph as lines of text, some thousand at a time: memory stays bounded, whatever the form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from clipnb.progress import log
from clipnb.tags.communities import communities, regroup
from clipnb.tags.drawing import GREY, colour_of
from clipnb.tags.tag_graph import Column, TagGraph, is_there
from clipnb.tags.weights import Floats

LARGE_FILE = 100_000_000  # bytes, from which a file's size is told before it is written
_PIECE = 1 << 16
Cell = Callable[[str], tuple[str, str]]
"""Of a column's name, what stands before and after its value in a line."""


def write_pairs(
    path: Path,
    graph: TagGraph,
    columns: dict[str, Column],
    ends: Sequence[str],
    *,
    start: str,
    head: str,
    cell: Cell,
    tail: str,
    end: str,
    text_of: Callable[[object], str],
    between: str = "",
    blank: bool = False,
) -> None:
    """Write a line for each pair, and tell the size of a large file after the first thousands.

    Args:
        path: of the file.
        graph: whose pairs are written.
        columns: of the pairs, by name; numbers are written with nine digits.
        ends: how each node is written, N texts.
        start: what stands before all lines.
        head: the beginning of a line, with two `%s` for the pair's ends.
        cell: what stands around a value.
        tail: the end of a line.
        end: what stands after all lines.
        text_of: how a value of another kind than numbers is written.
        between: what stands between two lines.
        blank: whether a value that an edge lacks leaves its cell empty; else it has no cell.
    """
    template = head
    around = {name: cell(name) for name in columns}
    for name, column in columns.items():
        place = "%s" if column.dtype == object else "%d" if column.dtype.kind in "iu" else "%.9g"
        before, after = ("", "") if column.dtype == object else around[name]
        template += before.replace("%", "%%") + place + after.replace("%", "%%")
    template += tail
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(start)
        for first in range(0, len(graph.pairs), _PIECE):
            part = slice(first, first + _PIECE)
            values: list[list[object]] = [
                [ends[node] for node in nodes[part].tolist()] for nodes in (graph.pairs.source, graph.pairs.target)
            ]
            for name, column in columns.items():
                cells = column[part].tolist()
                if column.dtype == object:
                    before, after = around[name]
                    empty = before + after if blank else ""
                    cells = [before + text_of(value) + after if is_there(value) else empty for value in cells]
                values.append(cells)
            lines = between.join([template] * len(values[0]))  # filled in at once, which is quicker than one by one
            text = lines % tuple(chain.from_iterable(zip(*values, strict=True)))
            size = len(text) * len(graph.pairs) // len(values[0])
            if first == 0 and size > LARGE_FILE:
                log.warning(
                    "this file will have about %d MB, for %d pairs; a least count, a backbone or .parquet make it "
                    "smaller",
                    size // 10**6,
                    len(graph.pairs),
                )
            file.write((between if first else "") + text)
        file.write(end)


def with_groups(graph: TagGraph) -> TagGraph:
    """Return a graph that carries its communities: those found before, else found now."""
    if graph.community is not None:
        return graph
    grouped = replace(graph)
    communities(grouped)
    return grouped


def colours(graph: TagGraph) -> list[str]:
    """Return each node's colour as `#rrggbb`: that of its community, as the page has it."""
    found = [GREY] * len(graph)
    for place, group in enumerate(regroup(graph)):
        for node in group.nodes:
            found[node] = colour_of(place, len(group))
    return found


def sizes(graph: TagGraph) -> Floats:
    """Return each node's size, shape (N,): area by count, from 4 to 20."""
    return 4 + 16 * np.sqrt(graph.count / max(int(graph.count.max(initial=1)), 1))

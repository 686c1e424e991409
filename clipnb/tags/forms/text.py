"""Graphs as node-link JSON, and their pairs as CSV and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from clipnb.errors import OutputError
from clipnb.prompts.splitting import whole_text
from clipnb.spreadsheet import guard
from clipnb.tags.forms.lines import with_groups, write_pairs
from clipnb.tags.graph import graph_of
from clipnb.tags.map import layout
from clipnb.tags.tag_graph import TagGraph, is_there

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

_PIECE = 1 << 18


def node_link(graph: Graphable) -> dict[str, list[dict[str, object]]]:
    """Return a graph as force-graph reads it: `nodes` with `id`, `links` with `source` and `target`.

    >>> from clipnb.tags.graph import build_graph
    >>> node_link(build_graph(["x, a, b"]))["nodes"][0]
    {'id': 0, 'name': 'a', 'count': 1, 'rank': 0.5}
    """
    graph = graph_of(graph)
    ids = graph.ids.tolist()
    columns = {"source": graph.pairs.source, "target": graph.pairs.target} | graph.edge_columns()
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    links = [{key: value for key, value in zip(columns, row, strict=True) if is_there(value)} for row in rows]
    for link in links:
        link |= {"source": ids[link["source"]], "target": ids[link["target"]]}
    return {"nodes": [data for _, data in graph.nodes_data()], "links": links}


def write_json(graph: TagGraph, path: Path) -> None:
    """Write node-link JSON: nodes with `community` and a place `x`, `y`, which force-graph begins with."""
    graph = with_groups(graph)
    spots = layout(graph).T.round(1).tolist()
    nodes = (data | {"x": x, "y": y} for (_, data), (x, y) in zip(graph.nodes_data(), spots, strict=True))
    start = '{"nodes":[' + ",\n".join(json.dumps(node, separators=(",", ":")) for node in nodes) + '],\n"links":['
    write_pairs(
        path,
        graph,
        graph.edge_columns(),
        [json.dumps(own, default=str) for own in graph.ids.tolist()],
        start=start,
        head='{"source":%s,"target":%s',
        cell=lambda name: (f",{json.dumps(name)}:", ""),
        tail="}",
        end="]}\n",
        text_of=lambda value: json.dumps(value, default=str),
        between=",\n",
    )


def write_csv(graph: TagGraph, path: Path) -> None:
    """Write a row for each pair, with the tags in place of their numbers; no cell is a formula."""
    columns = graph.edge_columns()
    start = ",".join(_cell(name) for name in ("source", "target", *columns)) + "\r\n"
    names = [_cell(name) for name in graph.names]
    write_pairs(
        path,
        graph,
        columns,
        names,
        start=start,
        head="%s,%s",
        cell=lambda _: (",", ""),
        tail="\r\n",
        end="",
        text_of=_cell,
        blank=True,
    )


def write_parquet(graph: TagGraph, path: Path) -> None:
    """Write a row for each pair, with the tags in place of their numbers.

    Raises:
        OutputError: pyarrow is not here.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise OutputError("writing Parquet needs pyarrow; pip install 'clipnb[parquet]'") from error
    names = pa.array([whole_text(name) for name in graph.names], pa.string())
    columns = graph.edge_columns()

    def tables() -> Iterator[pa.Table]:
        for start in range(0, max(len(graph.pairs), 1), _PIECE):
            part = slice(start, start + _PIECE)
            ends = {"source": graph.pairs.source[part], "target": graph.pairs.target[part]}
            tags = {key: pa.DictionaryArray.from_arrays(pa.array(end), names) for key, end in ends.items()}
            yield pa.table(tags | {key: pa.array(column[part], from_pandas=True) for key, column in columns.items()})

    writer = None
    try:
        for table in tables():
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _cell(value: object) -> str:
    text = guard(whole_text(value)) if isinstance(value, str) else str(value)
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text

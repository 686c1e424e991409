"""Counts and graphs as files for other programs; nothing that is there already is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from clipnb.errors import OutputError
from clipnb.files import claim_folder, write_new
from clipnb.prompts.splitting import whole_text
from clipnb.spreadsheet import write_frame
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.forms.text import write_csv, write_json, write_parquet
from clipnb.tags.forms.xml import write_gexf, write_graphml
from clipnb.tags.graph import graph_of
from clipnb.tags.page import graph_page
from clipnb.tags.payload import EXAMPLES
from clipnb.tags.picture import PICTURES, plot_graph, save_plot
from clipnb.tags.tag_graph import TagGraph

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from clipnb.tags.counting.counts import Countable
    from clipnb.tags.graph import Graphable


def export_counts(counts: Countable, path: str | Path, rows: list[tuple[str, int]] | None = None) -> Path:
    """Write counts as CSV or JSON with the columns `tag`, `count`, `rank`, most frequent first.

    In CSV a tag that a spreadsheet would take for a formula gets an apostrophe in front.

    Args:
        counts: counted tags, or prompts.
        path: the file; when it is there already a numbered name is taken.
        rows: write only these tags and counts; None is all.

    Returns:
        The file that was written.

    Raises:
        OutputError: another ending than .csv or .json, or it cannot be written.
    """
    import pandas as pd

    counts = TagCounts.of(counts)
    total = max(counts.total, 1)
    chosen = counts.most_common() if rows is None else rows
    table = pd.DataFrame([(whole_text(tag), count) for tag, count in chosen], columns=["tag", "count"])
    table["rank"] = [float(f"{count / total:.6g}") for count in table["count"]]
    return export_table(table, path)


def check_table(path: str | Path) -> None:
    """Check, before any work, that a table can be written under a name; raises OutputError."""
    if Path(path).suffix.lower() not in TABLES:
        raise OutputError(f"cannot write a table as {Path(path).name}: choose {', '.join(TABLES)}")


def export_table(table: pd.DataFrame, path: str | Path) -> Path:
    """Write a table of tags as CSV, or as JSON with an object a row, under a name that is free.

    Raises:
        OutputError: another ending, or it cannot be written.
    """
    check_table(path)
    whole = table.map(lambda cell: whole_text(cell) if isinstance(cell, str) else cell)
    if Path(path).suffix.lower() == ".csv":
        return _write(path, lambda temporary: write_frame(whole, temporary))
    return _write(path, lambda temporary: whole.to_json(temporary, orient="records", indent=1, double_precision=15))


def export_figure(figure: go.Figure, path: str | Path) -> Path:
    """Write a chart as a page that needs nothing but itself, under a name that is free.

    Raises:
        OutputError: it cannot be written.
    """
    page = figure.to_html(include_plotlyjs=True, config={"displaylogo": False})
    return _write(path, lambda temporary: _write_text(page, temporary))


def export_rows(rows: list[tuple[str, int]], path: str | Path) -> Path:
    """Write tags and counts as tagnet does, one `tag | count` a line, under a name that is free."""
    text = "".join(f"{tag} | {count}\n" for tag, count in rows)
    return _write(path, lambda temporary: _write_text(text, temporary))


def check_form(path: str | Path) -> None:
    """Check, before any work, that a graph can be written under a name; raises OutputError."""
    if Path(path).suffix.lower() not in FORMS:
        raise OutputError(f"cannot write a graph as {Path(path).name}: choose {', '.join(FORMS)}")


def export_graph(
    graph: Graphable,
    path: str | Path,
    max_nodes: int | None = None,
    title: str = "Tags",
    *,
    examples: int = EXAMPLES,
    positions: str | Path | None = None,
) -> Path:
    """Write a graph in the form of the file name's ending.

    `.json` is node-link JSON as force-graph reads it, `.graphml` and `.gexf` are for Gephi and its kin; these three
    hold communities, colours and places too, those of a page of many tags. `.csv` and `.parquet` are lists of pairs,
    `.html` a page, `.png` `.svg` `.pdf` a picture. Before a file of more than 100 MB a warning says how large it gets.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        path: the file; when it is there already a numbered name is taken.
        max_nodes: how many tags a page or a picture draws; None is its own default. Other forms hold all.
        title: heading of a page.
        examples: how many prompts a page holds as examples at most; 0 is none.
        positions: of a page, a file of positions that one saved.

    Returns:
        The file that was written.

    Raises:
        OutputError: the ending is of no known form, or the file cannot be written.
    """
    graph = graph_of(graph)
    check_form(path)
    suffix = Path(path).suffix.lower()
    if suffix in PICTURES:
        return save_plot(plot_graph(graph, max_nodes=80 if max_nodes is None else max_nodes), path)
    if suffix == ".html":
        drawn = 300 if max_nodes is None else max_nodes
        page = graph_page(graph, drawn, title=title, examples=examples, positions=positions)
        return _write(path, lambda temporary: _write_text(page, temporary))
    return _write(path, lambda temporary: _WRITERS[suffix](graph, temporary))


def export_web(
    graph: Graphable,
    folder: str | Path,
    max_nodes: int | None = 300,
    title: str = "Tags",
    *,
    examples: int = EXAMPLES,
    positions: str | Path | None = None,
) -> Path:
    """Write a folder with a page that opens from disk, needs no server and no network, and the graph beside it.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        folder: made when missing; when it holds anything already a numbered name is taken.
        max_nodes: how many tags the page draws; `graph.json` holds all.
        title: heading of the page.
        examples: how many prompts the page holds as examples at most; 0 is none.
        positions: a file of positions that a page saved.

    Returns:
        The page, `index.html` in the folder.

    Raises:
        OutputError: the folder is a file, or cannot be written to.
    """
    graph = graph_of(graph)
    wished = Path(folder)
    if os.path.isfile(wished):  # noqa: PTH113 - pathlib's raises for names that are too long
        raise OutputError(f"cannot write into {wished}: it is a file; name a folder")
    page = graph_page(graph, max_nodes, title=title, examples=examples, positions=positions)
    is_empty = os.path.isdir(wished) and not any(wished.iterdir())  # noqa: PTH112
    target = wished if is_empty else claim_folder(wished)
    _write(target / "graph.json", lambda temporary: write_json(graph, temporary))
    return _write(target / "index.html", lambda temporary: _write_text(page, temporary))


def _write(wished: str | Path, write: Callable[[Path], None]) -> Path:
    with write_new(Path(wished)) as (target, temporary):
        write(temporary)
    return target


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", errors="replace")


_WRITERS: dict[str, Callable[[TagGraph, Path], None]] = {
    ".json": write_json,
    ".graphml": write_graphml,
    ".gexf": write_gexf,
    ".csv": write_csv,
    ".parquet": write_parquet,
}
TABLES = (".csv", ".json")
"""The forms in which a table can be written."""
FORMS = (".html", *_WRITERS, *PICTURES)
"""The forms in which a graph can be written."""

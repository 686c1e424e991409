"""The graph as one HTML page that needs nothing but itself, and that runs no text of a tag."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from clipnb.errors import TagsError, printable, reason
from clipnb.files import read_text, write_new
from clipnb.tags.drawing import Drawing, choose_drawing
from clipnb.tags.graph import graph_of
from clipnb.tags.payload import EXAMPLES, pack

if TYPE_CHECKING:
    from clipnb.tags.counting.counts import TagCounts
    from clipnb.tags.graph import Graphable

MOST_POSITIONS = 64 * 2**20
"""Bytes of a file of positions that are read at most."""
_VIEW, _FAR = ("x", "y", "scale", "top", "leastCount", "leastWeight"), 1e9
_PLACE = re.compile(r"\{\{(\w+)\}\}")
SCRIPTS = (
    *("texts.js", "data.js", "layout.js", "painters.js", "names.js", "cards.js"),
    *("targets.js", "pointers.js", "drawing.js"),
)
"""What draws a graph, in the order in which they build on one another; page and widget have the same."""


@dataclass(frozen=True)
class Page:
    """A page that shows itself in a notebook, in a frame that can reach nothing outside.

    Attributes:
        html: the whole page.
        height: height of the frame in a notebook, in pixels.
    """

    html: str
    height: int = 640

    def __repr__(self) -> str:
        return f"<Page: {len(self.html):,} characters>"

    def _repr_html_(self) -> str:
        frame = (
            f'<iframe sandbox="allow-scripts allow-downloads" srcdoc="{html.escape(self.html)}" '
            f'style="width: 100%; height: {self.height}px; border: 1px solid #e3e6ec"></iframe>'
        )
        return f"<div>{frame}</div>"

    def save(self, path: str | Path) -> Path:
        """Write the page under a name that is free, and return that.

        Raises:
            OutputError: it cannot be written.
        """
        with write_new(Path(path)) as (target, temporary):
            temporary.write_text(self.html, encoding="utf-8")
        return target


def show_graph(
    graph: Graphable,
    max_nodes: int | None = 300,
    *,
    max_edges: int | None = None,
    title: str = "Tags",
    examples: int = EXAMPLES,
    positions: str | Path | None = None,
    height: int = 640,
) -> Page:
    """Show a tag graph in a notebook: zoom, drag, search, point at tags, pick communities.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        max_nodes: how many tags at most, the most frequent ones; None is all.
        max_edges: how many edges at most; None is two and a half for each tag drawn.
        title: heading of the page.
        examples: how many prompts it holds as examples at most; 0 is none, so that no prompt leaves the house.
        positions: a file of positions that a page saved, or a graph as JSON: its tags stand where they stood.
        height: in pixels.

    Returns:
        A page that shows itself as a cell's result, and can be saved.

    Raises:
        TagsError: a limit out of its range, or a file without positions.

    >>> from clipnb.tags.graph import build_graph
    >>> page = show_graph(build_graph(["a cat, VRay, 3D"]))
    >>> page.html.startswith("<!DOCTYPE html>")
    True
    """
    page = graph_page(graph, max_nodes, max_edges=max_edges, title=title, examples=examples, positions=positions)
    return Page(page, height)


def graph_page(
    graph: Graphable,
    max_nodes: int | None = 300,
    *,
    max_edges: int | None = None,
    title: str = "Tags",
    examples: int = EXAMPLES,
    positions: str | Path | None = None,
) -> str:
    """Return a tag graph as one HTML page that asks for nothing from outside.

    Tags reach the page as data and are shown as text; the page's policy lets no script run but its own.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        max_nodes: how many tags at most, the most frequent ones; None is all.
        max_edges: how many edges at most; None is two and a half for each tag drawn.
        title: heading of the page.
        examples: how many of the prompts that the graph was built of it holds at most; 0 is none.
        positions: a file of positions that a page saved, or a graph as JSON: its tags stand where they stood.

    Returns:
        The page: 60 KB, and about 100 bytes for each tag of the graph, drawn or not, up to 100,000.

    Raises:
        TagsError: a limit out of its range, or a file without positions.
    """
    saved = None if positions is None else read_positions(positions)
    graph = graph_of(graph)
    return page_of(choose_drawing(graph, max_nodes, max_edges), graph.prompts, title, examples, saved)


def page_of(
    drawing: Drawing,
    counts: TagCounts | None = None,
    title: str = "Tags",
    examples: int = EXAMPLES,
    saved: dict[str, object] | None = None,
) -> str:
    """Return a drawing as a page, with examples from prompts that were counted, and positions that were saved."""
    script = "\n".join(map(static, (*SCRIPTS, "saving.js", "page.js")))
    return _fill(
        static("page.html"),
        policy=_policy(script),
        title=html.escape(title),
        note=html.escape(drawing.note),
        weight=html.escape(drawing.graph.weight),
        style=static("page.css"),
        data=base64.b64encode(pack(drawing, counts, examples, saved)).decode("ascii"),
        script=script,
    )


def read_positions(path: str | Path) -> dict[str, object]:
    """Load positions of tags as a page saves them, or of a graph as JSON; the page tells which of them it knows.

    Raises:
        TagsError: it cannot be read, has more than `MOST_POSITIONS` bytes, or holds no positions.
    """
    try:
        saved = json.loads(read_text(path, MOST_POSITIONS))
    except OSError as error:
        raise TagsError(f"cannot read positions from {path}: {reason(error)}") from error
    except (ValueError, RecursionError):
        saved = None
    nodes = saved.get("nodes") if isinstance(saved, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise TagsError(f"{printable(str(path))} holds no positions: name a file that a page of tags saved")
    view = saved.get("view")
    numbers = {key: _finite(view.get(key)) for key in _VIEW} if isinstance(view, dict) else {}
    hidden = view.get("hidden") if isinstance(view, dict) else None
    return {
        "view": numbers
        | {"hidden": [name for name in hidden if isinstance(name, str)] if isinstance(hidden, list) else []},
        "nodes": [
            {
                "id": None if node.get("id") is None else 0,
                "name": str(node.get("name")),
                **{axis: _finite(node.get(axis)) for axis in "xy"},
            }
            for node in nodes
        ],
    }


def _finite(value: object) -> float | None:
    return value if isinstance(value, int | float) and abs(value) < _FAR else None


@cache
def static(name: str) -> str:
    return (files("clipnb.tags") / "static" / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """The page's content security policy: its own script by its digest, and nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _fill(template: str, **values: str) -> str:
    """Fill in all places at once, so that no value can hold a place of its own."""
    return _PLACE.sub(lambda place: values[place[1]], template)

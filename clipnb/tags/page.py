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
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from clipnb.errors import OutputError
from clipnb.files import write_new
from clipnb.tags.drawing import Drawing, choose_drawing, cut_name
from clipnb.tags.graph import name_of, networkx_of

if TYPE_CHECKING:
    from clipnb.tags.graph import Graphable

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_LONGEST_NAME = 300


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
            f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(self.html)}" '
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
    height: int = 640,
) -> Page:
    """Show a tag graph in a notebook: zoom, drag, search, point at tags, pick communities.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        max_nodes: how many tags at most, the most frequent ones; None is all.
        max_edges: how many edges at most; None is two and a half for each tag drawn.
        title: heading of the page.
        height: in pixels.

    Returns:
        A page that shows itself as a cell's result, and can be saved.

    >>> from clipnb.tags.graph import build_graph
    >>> page = show_graph(build_graph(["a cat, VRay, 3D"]))
    >>> "VRay" in page.html
    True
    """
    return Page(graph_page(graph, max_nodes, max_edges=max_edges, title=title), height)


def graph_page(
    graph: Graphable, max_nodes: int | None = 300, *, max_edges: int | None = None, title: str = "Tags"
) -> str:
    """Return a tag graph as one HTML page that asks for nothing from outside.

    Tags reach the page as data and are shown as text; the page's policy lets no script run but its own.

    Args:
        graph: a tag graph, or prompts or counts to make one of.
        max_nodes: how many tags at most, the most frequent ones; None is all.
        max_edges: how many edges at most; None is two and a half for each tag drawn.
        title: heading of the page.

    Returns:
        The page, about 0.5 MB plus what is drawn.
    """
    graph = networkx_of(graph)
    drawing = choose_drawing(graph, max_nodes, max_edges)
    scripts = {
        "library": library(),
        "texts": static("texts.js"),
        "drawing": static("drawing.js"),
        "script": static("page.js"),
    }
    return _fill(
        static("page.html"),
        policy=_policy(*scripts.values()),
        title=html.escape(title),
        note=html.escape(drawing.note),
        style=static("page.css"),
        data=_embedded(drawing_data(drawing)),
        **scripts,
    )


def drawing_data(drawing: Drawing) -> dict[str, object]:
    """Return a drawing as the scripts read it: `nodes`, `links`, `communities` and the name of the `weight`."""
    nodes = [
        {
            "id": node,
            "name": cut_name(name_of(drawing.graph, node), _LONGEST_NAME),
            "count": data.get("count", 1),
            "rank": data.get("rank", 0.0),
            "community": drawing.group_of[node],
        }
        for node, data in drawing.graph.nodes(data=True)
    ]
    links = [
        {"source": a, "target": b, "weight": data.get("weight", 1.0), "kind": data.get("kind", "together")}
        for a, b, data in drawing.graph.edges(data=True)
    ]
    groups = [
        {
            "id": group.id,
            "name": cut_name(group.name, _LONGEST_NAME),
            "size": len(group),
            "colour": drawing.colour(group.id),
        }
        for group in drawing.communities
    ]
    weight = drawing.graph.graph.get("weight", "weight")
    return {"nodes": nodes, "links": links, "communities": groups, "weight": weight}


@cache
def static(name: str) -> str:
    return (files("clipnb.tags") / "static" / name).read_text(encoding="utf-8")


@cache
def library() -> str:
    """Return vis-network as pyvis ships it, with its licence in the first lines; pyvis itself is not imported."""
    found = find_spec("pyvis")
    if found is None or found.origin is None:
        raise OutputError("drawing pages needs pyvis, which carries the drawing library; pip install pyvis")
    scripts = sorted(Path(found.origin).parent.glob("templates/lib/vis-*/vis-network.min.js"))
    if not scripts:
        raise OutputError("the installed pyvis has no vis-network; pip install --force-reinstall 'pyvis>=0.3.2'")
    return scripts[-1].read_text(encoding="utf-8")


def _embedded(data: dict[str, object]) -> str:
    """Return JSON that no HTML parser can leave: no `<`, `>` or `&`, and ASCII only."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(*scripts: str) -> str:
    """The page's content security policy: its own scripts by their digest, and nothing from anywhere."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _fill(template: str, **values: str) -> str:
    """Fill in all places at once, so that no value can hold a place of its own."""
    return _PLACE.sub(lambda place: values[place[1]], template)

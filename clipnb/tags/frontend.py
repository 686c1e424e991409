"""What draws a tag graph in a browser: the drawing library, our scripts around it, and the data that they draw."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from clipnb.errors import OutputError
from clipnb.tags.drawing import Drawing, cut_name

_LONGEST_NAME = 300


def drawing_data(drawing: Drawing) -> dict[str, object]:
    """Spell a drawing as the scripts read it: `nodes`, `links`, `communities` and the name of the `weight`."""
    group_of = {node: group.id for group in drawing.communities for node in group.nodes}
    nodes = [
        {
            "id": node,
            "name": cut_name(str(data.get("name", node)), _LONGEST_NAME),
            "count": data.get("count", 1),
            "rank": data.get("rank", 0.0),
            "community": group_of[node],
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
    """Read one of our own files by name, such as `drawing.js`."""
    return (files("clipnb.tags") / "static" / name).read_text(encoding="utf-8")


@cache
def library() -> str:
    """Read vis-network as pyvis ships it, with its licence in the first lines; pyvis itself is not imported.

    Raises:
        OutputError: pyvis is not here.
    """
    found = find_spec("pyvis")
    if found is None or found.origin is None:
        raise OutputError("drawing pages needs pyvis, which carries the drawing library; pip install pyvis")
    scripts = sorted(Path(found.origin).parent.glob("templates/lib/vis-*/vis-network.min.js"))
    if not scripts:
        raise OutputError("the installed pyvis has no vis-network; pip install --force-reinstall 'pyvis>=0.3.2'")
    return scripts[-1].read_text(encoding="utf-8")

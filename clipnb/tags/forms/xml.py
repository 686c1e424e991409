"""Graphs as GraphML and GEXF for Gephi and its kin, with communities, colours, sizes and places."""

from __future__ import annotations

from html import escape
from pathlib import Path
from xml.sax.saxutils import quoteattr

from clipnb.tags.drawing import printed
from clipnb.tags.forms.lines import colours, sizes, with_groups, write_pairs
from clipnb.tags.map import layout
from clipnb.tags.tag_graph import Column, TagGraph, is_there

_GRAPHML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
    'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
)
_GEXF = (
    '<?xml version="1.0" encoding="utf-8"?>\n<gexf xmlns="http://www.gexf.net/1.2draft" '
    'xmlns:viz="http://www.gexf.net/1.2draft/viz" version="1.2">\n<graph defaultedgetype="undirected" mode="static">\n'
)


def write_graphml(graph: TagGraph, path: Path) -> None:
    """Write GraphML: nodes with `label`, `community`, colour as `r`, `g`, `b`, `size`, `x` and `y`."""
    graph = with_groups(graph)
    looks = zip(graph.nodes_data(), colours(graph), sizes(graph).tolist(), layout(graph).T.tolist(), strict=True)
    nodes = []
    for (_, data), colour, size, (x, y) in looks:
        red, green, blue = bytes.fromhex(colour[1:])
        look = {"r": red, "g": green, "b": blue, "size": size, "x": round(x, 1), "y": round(y, 1)}
        nodes.append({"label": data["name"]} | data | look)
    columns = graph.edge_columns()
    node_kinds = {key: _kind([node.get(key) for node in nodes]) for node in nodes[:1] for key in (*node, "prompts")}
    start = _GRAPHML + "".join(
        f'<key id={_quoted(f"{of[0]}-{key}")} for="{of}" attr.name={_quoted(key)} attr.type="{kind}"/>\n'
        for of, kinds in (("node", node_kinds), ("edge", _kinds(columns)))
        for key, kind in kinds.items()
    )
    start += '<graph edgedefault="undirected">\n' + "".join(
        f"<node id={_quoted(node['id'])}>"
        + "".join(f'<data key="n-{key}">{_escaped(value)}</data>' for key, value in node.items())
        + "</node>\n"
        for node in nodes
    )
    ends = [_quoted(own) for own in graph.ids.tolist()]
    write_pairs(
        path,
        graph,
        columns,
        ends,
        start=start,
        head="<edge source=%s target=%s>",
        cell=lambda name: (f"<data key={_quoted(f'e-{name}')}>", "</data>"),
        tail="</edge>\n",
        end="</graph>\n</graphml>\n",
        text_of=_escaped,
    )


def write_gexf(graph: TagGraph, path: Path) -> None:
    """Write GEXF 1.2: nodes with `viz` colour, size and position, and `community`; edges with `weight`."""
    graph = with_groups(graph)
    columns = {"weight": graph.measure()} | {k: v for k, v in graph.edge_columns().items() if k != "weight"}
    number = {name: str(place) for place, name in enumerate(columns)}
    data = list(graph.nodes_data())
    kinds = {key: _kind([node.get(key) for _, node in data]) for _, node in data[:1] for key in (*node, "prompts")}
    start = _GEXF
    for of, named in (("node", kinds), ("edge", _kinds(columns))):
        start += f'<attributes class="{of}" mode="static">\n' + "".join(
            f'<attribute id="{place}" title={_quoted(key)} type="{kind}"/>\n'
            for place, (key, kind) in enumerate(named.items())
            if key not in ("weight", "id")
        )
        start += "</attributes>\n"
    start += "<nodes>\n"
    at = {key: place for place, key in enumerate(kinds)}
    looks = zip(data, colours(graph), sizes(graph).tolist(), layout(graph).T.tolist(), strict=True)
    start += "".join(
        f"<node id={_quoted(own)} label={_quoted(node['name'])}><attvalues>"
        + "".join(f'<attvalue for="{at[k]}" value={_quoted(v)}/>' for k, v in node.items() if k != "id")
        + '</attvalues><viz:color r="{}" g="{}" b="{}"/>'.format(*bytes.fromhex(colour[1:]))
        + f'<viz:size value="{size:.4g}"/><viz:position x="{x:.6g}" y="{y:.6g}" z="0"/></node>\n'
        for (own, node), colour, size, (x, y) in looks
    )

    def cell(name: str) -> tuple[str, str]:
        if name == "weight":
            return ' weight="', '"><attvalues>'
        return f'<attvalue for="{number[name]}" value="', '"/>'

    ends = [_quoted(own) for own in graph.ids.tolist()]
    write_pairs(
        path,
        graph,
        columns,
        ends,
        start=start + "</nodes>\n<edges>\n",
        head="<edge source=%s target=%s",
        cell=cell,
        tail="</attvalues></edge>\n",
        end="</edges>\n</graph>\n</gexf>\n",
        text_of=_escaped,
    )


def _kinds(columns: dict[str, Column]) -> dict[str, str]:
    return {
        name: _kind(column.tolist()) if column.dtype == object else "long" if column.dtype.kind in "iu" else "double"
        for name, column in columns.items()
    }


def _kind(values: list[object]) -> str:
    """Return what XML's readers take values for."""
    there = [value for value in values if is_there(value)]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in there):
        return "string"
    return "long" if there and all(isinstance(value, int) for value in there) else "double"


def _text(value: object) -> str:
    return printed(value if isinstance(value, str) else str(value))


def _quoted(own: object) -> str:
    return quoteattr(_text(own))


def _escaped(value: object) -> str:
    return escape(_text(value))

"""Files for other programs: read back by what reads them, safe in a spreadsheet, never overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest

from clipnb.errors import OutputError
from clipnb.prompts.splitting import whole_text
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.drawing import PALETTE
from clipnb.tags.export import FORMS, export_counts, export_graph, export_rows, export_web
from clipnb.tags.forms.text import node_link
from clipnb.tags.graph import build_graph
from clipnb.tags.meaning import add_contained
from clipnb.tags.tag_graph import TagGraph
from tests.tags.conftest import HOSTILE, data_of


def plain_edges(graph: TagGraph) -> set[frozenset[int]]:
    return set(map(frozenset, zip(graph.pairs.source.tolist(), graph.pairs.target.tolist(), strict=True)))


@pytest.fixture
def graph() -> TagGraph:
    return build_graph(["x, VRay, 3D, Füße", "y, VRay, 3D", "z, lone"])


def test_json_is_node_link_whose_links_point_at_nodes(graph: TagGraph, tmp_path: Path) -> None:
    data = json.loads(export_graph(graph, tmp_path / "g.json").read_bytes())
    assert data["nodes"][0].items() >= {"id": 0, "name": "VRay", "count": 2, "rank": 1 / 3, "community": 0}.items()
    assert all({"x", "y"} <= set(node) for node in data["nodes"])
    assert set(data["links"][0]) >= {"source", "target", "weight"}
    ids = [node["id"] for node in data["nodes"]]
    assert len(set(ids)) == len(ids) == len(graph)
    assert all(link["source"] in ids and link["target"] in ids for link in data["links"])
    assert {frozenset((link["source"], link["target"])) for link in data["links"]} == plain_edges(graph)


@pytest.mark.parametrize(("form", "read"), [(".graphml", nx.read_graphml), (".gexf", nx.read_gexf)])
def test_xml_is_read_back(graph: TagGraph, tmp_path: Path, form: str, read: object) -> None:
    again = read(export_graph(graph, tmp_path / f"g{form}"), node_type=int)
    assert list(nx.get_node_attributes(again, "name").values()) == list(graph.names)
    assert list(nx.get_node_attributes(again, "label").values()) == list(graph.names)
    assert len(set(nx.get_node_attributes(again, "community").values())) == 2
    assert {frozenset(e) for e in again.edges} == plain_edges(graph)
    for key in ("weight", "count", "jaccard", "npmi"):
        assert [again.edges[edge][key] for edge in sorted(again.edges)] == pytest.approx(graph.measure(key).tolist())
    look = again.nodes[0]
    if form == ".gexf":
        look = look["viz"]["color"] | look["viz"]["position"] | {"size": look["viz"]["size"]}
    assert {"r", "g", "b", "x", "y", "size"} <= set(look)
    assert (look["r"], look["g"], look["b"]) == tuple(bytes.fromhex(PALETTE[0][1:]))


@pytest.mark.filterwarnings("ignore:Could not add vertex ids")
def test_graphml_is_read_by_igraph_too(graph: TagGraph, tmp_path: Path) -> None:
    igraph = pytest.importorskip("igraph")
    again = igraph.Graph.Read_GraphML(str(export_graph(graph, tmp_path / "g.graphml")))
    assert again.vs["name"] == again.vs["label"] == list(graph.names)
    assert [(edge.source, edge.target) for edge in again.es] == list(
        zip(graph.pairs.source.tolist(), graph.pairs.target.tolist(), strict=True)
    )
    assert again.es["npmi"] == pytest.approx(graph.measure("npmi").tolist())
    assert {"community", "count", "x", "y", "r", "g", "b", "size"} <= set(again.vs.attributes())


@pytest.mark.parametrize("form", FORMS)
def test_hostile_tags_can_be_written_in_every_form(hostile: TagGraph, tmp_path: Path, form: str) -> None:
    written = export_graph(hostile, tmp_path / f"h{form}")
    assert written.stat().st_size > 1000
    if form in (".graphml", ".gexf"):
        names = set(
            nx.get_node_attributes((nx.read_graphml if form == ".graphml" else nx.read_gexf)(written), "name").values()
        )
        assert {tag for tag in HOSTILE if tag.isprintable() and tag == tag.strip()} <= names
    if form == ".json":
        names = {node["name"] for node in json.loads(written.read_bytes())["nodes"]}
        assert {whole_text(tag).strip() for tag in HOSTILE} <= names


def test_edges_as_csv(graph: TagGraph, tmp_path: Path) -> None:
    with export_graph(graph, tmp_path / "g.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {frozenset((row["source"], row["target"])) for row in rows} >= {frozenset(("VRay", "3D"))}
    assert {"count", "weight", "jaccard", "npmi"} <= set(rows[0])


def test_counts_as_csv_hold_no_formula(tmp_path: Path) -> None:
    counts = TagCounts(f"x;{tag}" for tag in HOSTILE)
    with export_counts(counts, tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(counts)
    assert not [row["tag"] for row in rows if row["tag"][:1] in "=+-@\t\r"]
    assert '\'=HYPERLINK("http://evil.example")' in {row["tag"] for row in rows}
    assert sum(int(row["count"]) for row in rows) == counts.total


def test_rows_as_tagnet_writes_them(tmp_path: Path) -> None:
    path = export_rows([("VRay", 2), ("3D", 1)], tmp_path / "deep" / "out.txt")
    assert path.read_text() == "VRay | 2\n3D | 1\n"


def test_nothing_is_overwritten(graph: TagGraph, tmp_path: Path) -> None:
    for form in FORMS:
        first, second = export_graph(graph, tmp_path / f"g{form}"), export_graph(graph, tmp_path / f"g{form}")
        assert (first.name, second.name) == (f"g{form}", f"g-1{form}")
    first, second = export_web(graph, tmp_path / "web"), export_web(graph, tmp_path / "web")
    assert (first.parent.name, second.parent.name) == ("web", "web-1")
    assert json.loads((first.parent / "graph.json").read_bytes())["nodes"]
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("name", ["g.xlsx", "g", "g.json.bak"])
def test_an_unknown_form_names_the_known(graph: TagGraph, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.graphml"):
        export_graph(graph, tmp_path / name)


def test_a_folder_that_is_a_file(graph: TagGraph, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="it is a file"):
        export_web(graph, tmp_path / "file")
    with pytest.raises(OutputError, match="cannot write"):
        export_graph(graph, tmp_path / "file" / "g.json")
    assert (tmp_path / "file").read_text() == "here"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("form", [".json", ".graphml", ".gexf", ".csv", ".parquet"])
def test_a_disk_that_fills_is_told_and_nothing_is_left(
    graph: TagGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    opened = Path.open

    def full(path: Path, mode: str = "r", **options: object) -> object:
        return opened(Path("/dev/full") if mode == "w" else path, mode, **options)

    if form == ".parquet":
        pq = pytest.importorskip("pyarrow.parquet")
        writer = pq.ParquetWriter
        monkeypatch.setattr(pq, "ParquetWriter", lambda path, schema: writer("/dev/full", schema))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match=r"(?i)no space left"):
        export_graph(graph, tmp_path / f"g{form}")
    assert list(tmp_path.iterdir()) == []


def test_relations_are_written_as_another_kind(tmp_path: Path) -> None:
    graph = add_contained(build_graph(["x, abstract, 3d", "y, abstract style, 3d"]))
    links = json.loads(export_graph(graph, tmp_path / "g.json").read_bytes())["links"]
    assert [(link.get("kind"), link.get("contained"), link["count"]) for link in links] == [
        (None, None, 1),
        ("contained", 1, 0),
        (None, None, 1),
    ]
    assert links == node_link(graph)["links"]
    for form, read in ((".graphml", nx.read_graphml), (".gexf", nx.read_gexf)):
        again = read(export_graph(graph, tmp_path / f"g{form}"), node_type=int)
        assert again.edges[0, 2]["kind"] == "contained"
        assert not again.edges[0, 1].get("kind")


def test_pairs_as_parquet(graph: TagGraph, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = pd.read_parquet(export_graph(graph, tmp_path / "g.parquet"))
    assert table.astype({"source": str, "target": str}).equals(graph.to_frame().astype({"source": str, "target": str}))


def test_a_large_file_is_told_before_it_is_written(
    graph: TagGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clipnb.tags.forms.lines.LARGE_FILE", 200)
    monkeypatch.setattr("clipnb.tags.forms.lines._PIECE", 2)
    pieces = json.loads(export_graph(graph, tmp_path / "g.json").read_bytes())
    assert len(pieces["links"]) == 3
    assert "this file will have about 0 MB, for 3 pairs" in caplog.text


ODD = {
    "one tag": ["x, a"],
    "no pairs": ["x, a", "x, b"],
    "no tags": ["x"],
    "isolates": [f"x, t{i}" for i in range(3_000)],
    "long": ["x, " + "a" * 5_000 + ", " + "b" * 5_000],
    "emoji": ["x, \U0001f980, \U0001f468\u200d\U0001f469\u200d\U0001f467"],
    "right to left": ["x, שלום, \u202eevil"],
    "markup": ["x, <b>bold</b>, &amp; ]]>"],
}


@pytest.fixture(scope="module")
def alone() -> TagGraph:
    return build_graph([f"x, t{i}" for i in range(100_000)])


@pytest.mark.parametrize("form", FORMS)
def test_a_hundred_thousand_isolates_in_every_form(alone: TagGraph, tmp_path: Path, form: str) -> None:
    path = export_graph(alone, tmp_path / f"g{form}")
    marks = {".json": b'"name":', ".graphml": b"<node ", ".gexf": b"<node "}
    if form in marks:
        assert path.read_bytes().count(marks[form]) == 100_000
    elif form == ".html":
        assert len(data_of(path.read_text())["names"]) == 100_000
    elif form == ".parquet":
        assert len(pd.read_parquet(path)) == 0
    else:
        assert path.stat().st_size > 20


def test_files_have_the_colours_and_places_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.tags.payload._UNMAPPED", 10)
    prompts = [
        f"x, {', '.join(f'group {i} tag {(i + j * k) % 60}' for k in range(6))}" for i in range(15) for j in range(60)
    ]
    themes = build_graph(prompts)
    page = data_of(export_graph(themes, tmp_path / "g.html").read_text())
    assert len(page["communities"]) > len(PALETTE)
    nodes = json.loads(export_graph(themes, tmp_path / "g.json").read_bytes())["nodes"]
    assert [nodes[i]["x"] for i in page["id"]] == pytest.approx(page["x"].tolist(), abs=0.06)
    assert [nodes[i]["community"] for i in page["id"]] == page["community"].tolist()
    drawn = nx.read_gexf(export_graph(themes, tmp_path / "g.gexf"), node_type=int)
    for i, group in zip(page["id"].tolist(), page["community"].tolist(), strict=True):
        colour = drawn.nodes[i]["viz"]["color"]
        assert bytes((colour["r"], colour["g"], colour["b"])).hex() == page["communities"][group]["colour"][1:]


@pytest.mark.parametrize("form", [".json", ".graphml", ".gexf", ".csv", ".parquet"])
@pytest.mark.parametrize("name", ODD)
def test_odd_graphs_in_every_form(tmp_path: Path, name: str, form: str) -> None:
    graph = build_graph(ODD[name])
    path = export_graph(graph, tmp_path / f"g{form}")
    if form == ".json":
        assert [node["name"] for node in json.loads(path.read_bytes())["nodes"]] == graph.names
    elif form in (".graphml", ".gexf"):
        again = (nx.read_graphml if form == ".graphml" else nx.read_gexf)(path, node_type=int)
        assert list(nx.get_node_attributes(again, "name").values()) == graph.names
        assert again.number_of_edges() == graph.number_of_edges()
    else:
        table = pd.read_csv(path) if form == ".csv" else pd.read_parquet(path)
        assert len(table) == graph.number_of_edges()

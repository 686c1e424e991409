"""Files for other programs: read back by what reads them, safe in a spreadsheet, never overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import networkx as nx
import pytest

from clipnb.errors import OutputError
from clipnb.prompts.splitting import whole_text
from clipnb.tags.counts import TagCounts
from clipnb.tags.export import FORMS, export_counts, export_graph, export_rows, export_web
from clipnb.tags.graph import build_graph
from tests.tags.conftest import HOSTILE


@pytest.fixture
def graph() -> nx.Graph[int]:
    return build_graph(["x, VRay, 3D, Füße", "y, VRay, 3D", "z, lone"]).to_networkx()


def test_json_is_node_link_whose_links_point_at_nodes(graph: nx.Graph[int], tmp_path: Path) -> None:
    data = json.loads(export_graph(graph, tmp_path / "g.json").read_bytes())
    assert data["nodes"][0] == {"id": 0, "name": "VRay", "count": 2, "rank": pytest.approx(1 / 3)}
    assert set(data["links"][0]) >= {"source", "target", "weight"}
    ids = [node["id"] for node in data["nodes"]]
    assert len(set(ids)) == len(ids) == len(graph)
    assert all(link["source"] in ids and link["target"] in ids for link in data["links"])
    assert {frozenset((link["source"], link["target"])) for link in data["links"]} == set(map(frozenset, graph.edges))


@pytest.mark.parametrize(("form", "read"), [(".graphml", nx.read_graphml), (".gexf", nx.read_gexf)])
def test_xml_is_read_back(graph: nx.Graph[int], tmp_path: Path, form: str, read: object) -> None:
    again = read(export_graph(graph, tmp_path / f"g{form}"), node_type=int)
    assert nx.get_node_attributes(again, "name") == nx.get_node_attributes(graph, "name")
    assert nx.get_node_attributes(again, "label") == nx.get_node_attributes(graph, "name")
    assert {frozenset(e) for e in again.edges} == {frozenset(e) for e in graph.edges}
    assert again.edges[0, 1]["weight"] == graph.edges[0, 1]["weight"]


@pytest.mark.parametrize("form", FORMS)
def test_hostile_tags_can_be_written_in_every_form(hostile: nx.Graph[int], tmp_path: Path, form: str) -> None:
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


def test_edges_as_csv(graph: nx.Graph[int], tmp_path: Path) -> None:
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


def test_nothing_is_overwritten(graph: nx.Graph[int], tmp_path: Path) -> None:
    for form in FORMS:
        first, second = export_graph(graph, tmp_path / f"g{form}"), export_graph(graph, tmp_path / f"g{form}")
        assert (first.name, second.name) == (f"g{form}", f"g-1{form}")
    first, second = export_web(graph, tmp_path / "web"), export_web(graph, tmp_path / "web")
    assert (first.parent.name, second.parent.name) == ("web", "web-1")
    assert json.loads((first.parent / "graph.json").read_bytes())["nodes"]
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("name", ["g.xlsx", "g", "g.json.bak"])
def test_an_unknown_form_names_the_known(graph: nx.Graph[int], tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.graphml"):
        export_graph(graph, tmp_path / name)


def test_a_folder_that_is_a_file(graph: nx.Graph[int], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="it is a file"):
        export_web(graph, tmp_path / "file")
    with pytest.raises(OutputError, match="cannot write"):
        export_graph(graph, tmp_path / "file" / "g.json")
    assert (tmp_path / "file").read_text() == "here"


def test_a_failed_export_leaves_nothing(graph: nx.Graph[int], tmp_path: Path) -> None:
    graph.edges[0, 1]["weight"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        export_graph(graph, tmp_path / "g.json")
    assert list(tmp_path.iterdir()) == []

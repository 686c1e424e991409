"""Prompts and tags that somebody else wrote: nothing hangs or fills memory, nothing is overwritten, nothing is run."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest

import clipnb
from clipnb.cli import main
from clipnb.errors import ClipnbError, PromptsError, TagsError
from clipnb.prompts.read import load_prompts, prompts_of
from clipnb.prompts.splitting import whole_text
from clipnb.spreadsheet import unguard
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.export import FORMS, export_counts, export_graph, export_rows, export_web
from clipnb.tags.graph import build_graph
from clipnb.tags.page import show_graph
from clipnb.tags.picture import plot_graph, save_plot
from clipnb.widgets.tags.panel import TagPanel

parquet = pytest.importorskip("pyarrow.parquet")
import pyarrow as pa  # noqa: E402

SECONDS = 20.0  # on a busy machine; what hangs takes minutes


def refused(words: str, call: Callable[[], object]) -> str:
    """Check that something is refused in words, in few seconds; return the words."""
    began = time.process_time()
    with pytest.raises(ClipnbError, match=words) as caught:
        call()
    assert time.process_time() - began < SECONDS
    return str(caught.value)


def bomb(piece: bytes, size: int = 2**30) -> bytes:
    """Gzip that becomes so many bytes, itself a thousandth of that."""
    return gzip.compress(piece * (2**20 // len(piece)), mtime=0) * (size // 2**20)


def table(texts: object, **options: object) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table({"prompt": texts}), file, compression="zstd", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "piece", "words"),
    [
        ("a.txt.gz", b"a", "a line is longer than 16 MiB"),
        ("a.txt.gz", b"\n", "more than 20,000,000 lines"),
        ("a.txt.gz", b"\r", "more than 20,000,000 lines"),
        ("a.json.gz", b" ", "every line is blank"),
        ("a.json.gz", b"[]", "more than 20,000,000 lines"),
        ("a.json.gz", b"[1],", "record 2 is no JSON"),
        ("a.json.gz", b"1 ", "more than 1,000,000 rows or records cannot be read"),
        ("a.csv.gz", b"a", "a line is longer than 16 MiB"),
        ("a.jsonl.gz", b"[", "a line is longer than 16 MiB"),
        ("a.jsonl.gz", b"\n", "more than 20,000,000 lines"),
        ("a.csv.gz", b"\n", "more than 20,000,000 lines"),
        ("a.json.gz", b"[],", "record 1 is no JSON"),
        ("a.jsonl.gz", b"0\n", "more than 1,000,000 rows or records cannot be read"),
    ],
)
def test_gzip_that_becomes_a_gigabyte(tmp_path: Path, name: str, piece: bytes, words: str) -> None:
    data = bomb(piece)
    assert len(data) < 2 * 2**20
    (tmp_path / name).write_bytes(data)
    refused(words, lambda: load_prompts(tmp_path))
    refused(words, lambda: prompts_of({name: data}))


def test_gzip_of_a_million_empty_members() -> None:
    empty = gzip.compress(b"", mtime=0)
    refused("more than 100,000 gzipped files in one", lambda: prompts_of({"a.txt.gz": empty * 1_000_000}))
    refused("ends in the middle", lambda: prompts_of({"a.txt.gz": empty[:5]}))


def test_all_that_is_read_at_a_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.prompts.places.reading.MOST_BYTES", 4 * 2**20)
    pieces = {"a.txt.gz": b"a cat, fur\n", "b.csv.gz": b"prompt\n", "c.jsonl.gz": b'"x, y"\n', "d.parquet.gz": b"PAR1"}
    for name, piece in pieces.items():
        with pytest.raises(PromptsError, match="more than 4 MiB at a time, decompressed; read fewer or smaller"):
            prompts_of({name: bomb(piece, 5 * 2**20)})
    for number in range(3):
        (tmp_path / f"{number}.txt.gz").write_bytes(bomb(b"a cat, fur\n", 2 * 2**20))
    with pytest.raises(PromptsError, match=r"2\.txt\.gz: more than 4 MiB"):
        load_prompts(tmp_path)


def test_parquet_pages_and_dictionaries_that_become_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.prompts.places.reading.MOST_BYTES", 2**27)
    monkeypatch.setattr("clipnb.prompts.places.reading.MOST_LINES", 2_000_000)
    page = table(pa.array(["a" * 2**26] * 3), use_dictionary=False)
    assert len(page) < 2**20
    refused("more than 128 MiB at a time", lambda: prompts_of({"page.parquet": page}))
    few = table(pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000), pa.array(["a, " * 300_000])))
    assert [len(prompt) for prompt in prompts_of({"few.parquet": few}, repeats="once")] == [900_000 - 1]
    refused("more than 128 MiB at a time", lambda: prompts_of({"few.parquet": few}))
    rows = table(pa.nulls(2_000_001, pa.string()))
    refused("more than 2,000,000 lines", lambda: prompts_of({"rows.parquet": rows}))


def test_parquet_that_is_nested_wide_or_no_text() -> None:
    kind = pa.int32()
    for _ in range(2_000):
        kind = pa.struct([("a", kind)])
    file = io.BytesIO()
    parquet.ParquetWriter(file, pa.schema([("prompt", pa.string()), ("deep", kind)])).close()
    with pytest.raises(PromptsError, match="as Parquet"):
        prompts_of({"deep.parquet": file.getvalue()})
    wide = io.BytesIO()
    parquet.write_table(pa.table({f"c{number}": [1] for number in range(20_000)}), wide)
    with pytest.raises(PromptsError, match="no column 'prompt'"):
        prompts_of({"wide.parquet": wide.getvalue()})
    lists = table([["a", "b"]])
    assert list(prompts_of({"lists.parquet": lists, "a.txt": b"x"})) == ["x"]
    broken = table(pa.array(["caf\xe9"])).replace("caf\xe9".encode(), b"caf\xff\xfe")
    with pytest.raises(PromptsError, match="as Parquet"):
        prompts_of({"broken.parquet": broken})


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", b"x, " + b"t, " * 17_000_000, "a line is longer than 16 MiB"),
        ("a.txt", b"x" * 1_000_001, "a line has 1,000,001 characters, and a prompt 1,000,000 at most"),
        ("a.csv", ",".join(f"column {n}" for n in range(1_000_000)).encode(), "more than 10,000 columns"),
        ("a.csv", b"prompt\n" + b"," * 10_000_000, "a line has 10,000,000 characters"),
        ("a.csv", ",".join(f"column {n} {'x' * 1_000}" for n in range(9_000)).encode(), "no column 'prompt'"),
        ("a.csv", b'prompt\n"' + b"x\n" * 5_000_000, "as CSV"),
        ("a.jsonl", b"[" * 10_000_000, "line 1 is no JSON"),
        ("a.jsonl", b"[[]," * 2_500_000, "line 1 is no JSON"),
        ("a.jsonl", b"9" * 1_000_000, "line 1 is no JSON"),
        ("a.jsonl", json.dumps({f"key {n}": n for n in range(100_000)}).encode(), "no column 'prompt'"),
    ],
)  # fmt: skip
def test_hostile_tables_and_lines(name: str, data: bytes, words: str) -> None:
    assert len(refused(words, lambda: prompts_of({name: data}))) < 2_000


def test_nearest_names_among_a_hundred_thousand() -> None:
    data = (",".join(f"a{'x' * 50}{n}" for n in range(9_999)) + "\n").encode()
    refused("no column", lambda: prompts_of({"a.csv": data}, column="ax" * 5_000))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("given", ["pipe.txt", "zero.txt", "/dev/zero", "/dev/stdin", "", "*.txt"])
def test_pipes_and_devices_are_refused_or_passed_over(tmp_path: Path, given: str) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    with pytest.raises(PromptsError, match=r"no regular file|no prompts|cannot read"):
        load_prompts(tmp_path / given)
    (tmp_path / "good.txt").write_text("a cat, fur")
    assert list(load_prompts(tmp_path)) == ["a cat, fur"]


@pytest.mark.parametrize("given", ["~nobody-of-this-name/x", "a\0b", "x" * 5_000, "**x", "\ud800", "a/**b/*.txt"])
def test_paths_that_no_file_can_have(given: str) -> None:
    with pytest.raises(PromptsError, match=r"cannot read|no prompts at"):
        load_prompts(given)


def test_a_folder_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.prompts.caption_files.MOST_ENTRIES", 10)
    for number in range(12):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(PromptsError, match="holds more than 10 files and folders; name a part"):
        load_prompts(tmp_path)
    (tmp_path / "circle").symlink_to(tmp_path)
    monkeypatch.undo()
    with pytest.raises(PromptsError, match="no prompts in"):
        load_prompts(tmp_path)


def lines_of_different_tags(prompts: int, tags: int) -> list[str]:
    return ["x," + ",".join(f"t{place}_{number}" for number in range(tags)) for place in range(prompts)]


def test_pairs_are_bounded_in_all_and_said_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of_different_tags(100, 900)
    words = "40,455,000 different pairs of tags are more than a graph can hold"
    assert "min_count" in refused(words, lambda: build_graph(lines))
    with pytest.raises(TagsError, match="40,455,000 different pairs"):
        clipnb.tag_panel(lines, top=100_000, in_thread=False, live_graph=False).session.join()
    (tmp_path / "many.txt").write_text("\n".join(lines))
    assert main(["tags", "graph", str(tmp_path), "-o", str(tmp_path / "out.json")]) == 2
    assert "40,455,000 different pairs" in capsys.readouterr().err
    assert main(["tags", "count", str(tmp_path), "--top", "1"]) == 0
    assert build_graph([*lines, "x, t0_0, t0_1"], min_count=2).number_of_edges() == 1
    assert build_graph([*lines[:20], "x, t0_0, t0_1"], min_edge=2).number_of_edges() == 1


def test_pairs_of_the_same_tags_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    many = TagCounts(",".join(["x", *map(str, range(1_100))]) for _ in range(300))
    monkeypatch.setattr("clipnb.tags.counting.pairs.MOST_PAIRS", 100_000_000)
    refused("149,850,000 pairs of tags, and 100,000,000 can be counted; raise min_count", lambda: build_graph(many))
    assert build_graph(many, top=10).number_of_edges() == 45
    monkeypatch.setattr("clipnb.tags.counting.pairs.MOST_DIFFERENT", 500)
    refused("more than 500 different pairs", lambda: build_graph(lines_of_different_tags(2, 30), min_edge=2))
    monkeypatch.setattr("clipnb.tags.counting.pairs.MOST_EDGES", 500)
    monkeypatch.setattr("clipnb.tags.counting.pairs.MOST_DIFFERENT", 5_000)
    refused("4,950 different pairs", lambda: build_graph([",".join(["x", *map(str, range(100))])] * 2))
    assert build_graph(lines_of_different_tags(1, 100), backbone=0.05).number_of_edges() == 0


def test_different_tags_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.tags.counting.interning.MOST_SPELLINGS", 1_000)
    assert len(TagCounts(lines_of_different_tags(1, 1_000))) == 1_000
    refused("more than 1,000 different tags; use fewer prompts", lambda: TagCounts(lines_of_different_tags(2, 900)))


NAMES = ('=HYPERLINK("//e")', "+1", "-1", "@SUM(A1)", "\uff1dx", "a\rb", "a\r\nb", 'a"b', "'=x", "\ud800")  # fmt: skip


def named_graph() -> nx.Graph[int]:
    graph: nx.Graph[int] = nx.Graph()
    for node, name in enumerate(NAMES):
        graph.add_node(node, id=node, name=name, count=2, rank=0.1)
        graph.add_edge(node, (node + 1) % len(NAMES), count=1, weight=-0.5, npmi=-0.25, kind="=1+1")
    return graph


def test_no_cell_of_a_csv_is_a_formula_and_every_name_comes_back(tmp_path: Path) -> None:
    counts = TagCounts(f"x;{name}" for name in NAMES)
    rows = [(name, 1) for name in NAMES]
    wanted = {whole_text(name) for name in NAMES}
    files = {
        ("tag",): export_counts(counts, tmp_path / "c.csv", rows),
        ("source", "target"): export_graph(named_graph(), tmp_path / "e.csv"),
    }
    for columns, path in files.items():
        with path.open(encoding="utf-8", newline="") as file:
            read = list(csv.DictReader(file))
        assert len(read) == len(NAMES)
        assert not [cell for row in read for cell in row.values() if re.match(r"[=+@\t\r\uff1d]|-[^0]", cell)]
        assert {unguard(row[key]) for row in read for key in columns} == wanted
    assert {(row["weight"], row["npmi"], row["kind"]) for row in read} == {("-0.5", "-0.25", "'=1+1")}


@pytest.mark.parametrize("form", [*FORMS, "counts", "rows", "page", "plot"])
def test_no_writer_replaces_a_file_or_a_link_that_leads_nowhere(tmp_path: Path, form: str) -> None:
    graph = build_graph(["x, a, b"])
    suffix = {"counts": ".csv", "rows": ".txt", "page": ".html", "plot": ".png"}.get(form, form)
    write = {
        "counts": lambda path: export_counts(TagCounts(["x, a"]), path),
        "rows": lambda path: export_rows([("a", 1)], path),
        "page": lambda path: show_graph(graph).save(path),
        "plot": lambda path: save_plot(plot_graph(graph), path),
    }.get(form, lambda path: export_graph(graph, path))
    link = tmp_path / f"g{suffix}"
    link.symlink_to(tmp_path / "nowhere")
    (tmp_path / f"g-1{suffix}").write_text("mine")
    assert write(link).name == f"g-2{suffix}"
    assert (link.is_symlink(), (tmp_path / "nowhere").exists()) == (True, False)
    assert (tmp_path / f"g-1{suffix}").read_text() == "mine"
    assert write(link).name == f"g-3{suffix}"


def test_a_web_folder_is_a_new_one(tmp_path: Path) -> None:
    graph = build_graph(["x, a, b"])
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert export_web(graph, tmp_path / "link").parent.name == "link-1"
    (tmp_path / "empty").mkdir()
    assert export_web(graph, tmp_path / "empty") == tmp_path / "empty" / "index.html"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("mine")
    assert export_web(graph, tmp_path / "mine").parent.name == "mine-1"
    assert (tmp_path / "mine" / "index.html").read_text() == "mine"


COUNTING = "import sys; from clipnb.cli import main; main(['tags', 'graph', sys.argv[1], '-o', sys.argv[2]])"


def test_processes_that_write_one_graph_lose_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x, a, b\n")
    target = tmp_path / "out" / "graph.json"
    command = [sys.executable, "-c", COUNTING, str(tmp_path / "a.txt"), str(target)]
    assert [process.wait() for process in [subprocess.Popen(command) for _ in range(4)]] == [0] * 4
    assert len([json.loads(file.read_text()) for file in target.parent.glob("graph*.json")]) == 4


def test_nothing_of_a_tag_acts_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "red\x1b[31m \x07 \u202egnp.exe \u2066x \x9b2J"
    folder = tmp_path / "pro\x1b[2Jmpts"
    folder.mkdir()
    (folder / "a\u202e.txt").write_text(f"x, {evil}, b\n")
    assert main(["tags", "count", str(folder)]) == 0
    assert main(["tags", "--path", str(folder)]) == 0
    assert main(["tags", "graph", str(folder), "-o", str(folder / "g\x1b[1m.json")]) == 0
    assert main(["tags", "count", str(folder), "-o", str(folder / "c\u2067.csv")]) == 0
    (folder / "b.csv").write_text("col\x1b[31m\u202e\nx\n")
    assert main(["tags", "count", str(folder)]) == 0
    for mistake in (["--column", "\x1b[5m"], ["--clean", "\x1b[5m"], ["--filter", "\x1b[5m"]):
        assert main(["tags", "count", str(folder / "a\u202e.txt"), *mistake]) in (0, 2)
    said = capsys.readouterr()
    assert "red\\x1b[31m" in said.out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said.out + said.err)


def open_panel(live_graph: bool = False) -> TagPanel:
    return clipnb.tag_panel(["x, a, b", "x, a, c"], in_thread=False, live_graph=live_graph)


def test_messages_that_are_no_clicks_are_ignored() -> None:
    pytest.importorskip("anywidget")
    panel = open_panel(live_graph=True)
    canvas = panel.graph.canvas
    click = {"event": "pick", "node": 0, "turn": canvas.turn}
    wrong = [
        *(None, [], "pick", 7, {}, {"event": "pick"}, {**click, "more": "x" * 1_000_000}, {**click, "node": 2**200}),
        *({**click, key: value} for key in click for value in (None, True, "0", [0], {}, 0.0, float("nan"), -7)),
    ]
    for content in wrong:
        canvas.receive(content)
    assert (panel.selected, panel.tag, panel.message.value) == ([], "", "")
    canvas.receive(click)
    assert panel.selected == ["a"]


def test_what_a_browser_sets_of_the_graph_is_undone() -> None:
    pytest.importorskip("anywidget")
    panel = open_panel(live_graph=True)
    canvas = panel.graph.canvas
    before = canvas.get_state()
    canvas.set_state({"graph": {"nodes": [{}]}, "turn": "x", "marked": [[]], "looked": 10**9, "library": "evil"})
    assert canvas.get_state() == before
    canvas.receive({"event": "look", "node": 1, "turn": canvas.turn})
    assert panel.tag == "b"


def test_prompts_of_thousands_of_tags_are_refused_in_words() -> None:
    panel = open_panel()
    panel.prompt = "a whale, a, b"
    huge = ", ".join(f"tag{number}" for number in range(100_000))
    fields = panel.builder.text, panel.builder.typed
    for field in fields:
        field.value = huge
        assert "a prompt in the panel can have 200 tags, not " in panel.message.value
        assert (panel.prompt, panel.selected) == ("a whale, a, b", ["a", "b"])
    for name, value in (("prompt", huge), ("selected", huge.split(", "))):
        with pytest.raises(TagsError, match="can have 200 tags"):
            setattr(panel, name, value)
        assert (panel.prompt, panel.subject, panel.selected) == ("a whale, a, b", "a whale", ["a", "b"])
    panel.builder.text.value = "x" * 5_000_000
    panel.search.value = "y" * 5_000_000
    panel.tag = ""
    with pytest.raises(TagsError, match="no tag 'zzz") as caught:
        panel.tag = "z" * 5_000_000
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("place", ["~nobody-of-this-name", "x" * 100_000, "a\0b", "/dev/zero", "**x"])
def test_paths_that_are_typed_into_the_panel_are_told_wrong(place: str) -> None:
    panel = open_panel()
    panel.inputs.place.value = place
    assert "clipnb-problem" in panel.message.value
    assert len(panel.message.value) < 2_000
    panel.inputs.column.value = "\x1b[31m\u202e" * 1_000
    assert len(panel.message.value) < 2_000
    assert panel.session.view is not None

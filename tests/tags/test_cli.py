"""`clipnb tags`: what is listed and written, tagnet's spelling, mistakes in one line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clipnb.cli import main
from tests.tags.conftest import data_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.txt").write_text("x; VRay; 3D\ny; vray; 3D; (high detail:1.2) --ar 1\n")
    (tmp_path / "prompts" / "b.txt").write_text("z; VRay; red\x1b[31m\n")
    return tmp_path / "prompts"


def test_counts_are_listed_most_frequent_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "count", str(folder), "--top", "2"]) == 0
    said = capsys.readouterr()
    assert said.out == "VRay | 3\n3D | 2\n"
    assert "3 prompts from 2 files" in said.err


def test_counts_filtered_cleaned_and_safe_for_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "count", str(folder), "--filter", "= 1", "--clean"]) == 0
    assert capsys.readouterr().out == "high detail | 1\nred\\x1b[31m | 1\n"


def test_a_trigger_word_that_vanishes_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "captions.txt").write_text("sks, girl\nsks, boy, hat\nsks, dog\n")
    assert main(["tags", "count", str(tmp_path)]) == 0
    assert "hint: all of 3 prompts begin with 'sks'" in capsys.readouterr().err
    assert main(["tags", "count", str(tmp_path), "--tags-only"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("sks | 3\n")
    assert "hint" not in said.err


def test_counts_go_to_a_file_that_is_not_there_yet(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("out.csv", "out-1.csv"):
        assert main(["tags", "count", str(folder), "-o", str(tmp_path / "out.csv")]) == 0
        assert name in capsys.readouterr().err
        assert (tmp_path / name).read_text().startswith("tag,count,rank\nVRay,3,")


@pytest.mark.parametrize("form", ["html", "json", "graphml", "gexf", "csv", "parquet", "png"])
def test_graphs_in_every_form(folder: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"graph.{form}"
    assert main(["tags", "graph", str(folder), "-o", str(target), "--weight", "npmi", "--min-count", "2"]) == 0
    assert target.stat().st_size > 60
    if form == "json":
        assert [node["name"] for node in json.loads(target.read_text())["nodes"]] == ["VRay", "3D"]


def test_a_folder_gets_a_page_and_its_data(folder: Path, tmp_path: Path) -> None:
    assert main(["tags", "graph", str(folder), "-o", f"{tmp_path}/web/", "--top", "3", "--title", "Mine"]) == 0
    assert "<title>Mine</title>" in (tmp_path / "web" / "index.html").read_text()
    assert (tmp_path / "web" / "graph.json").exists()


def test_a_page_keeps_no_prompts_and_takes_positions_when_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"nodes": [{"id": 0, "name": "VRay", "x": 1, "y": 2}]}
    (tmp_path / "places.json").write_text(json.dumps(places))
    more = ["--examples", "0", "--positions", f"{tmp_path}/places.json"]
    assert main(["tags", "graph", str(folder), "-o", f"{tmp_path}/g.html", *more]) == 0
    data = data_of((tmp_path / "g.html").read_text(encoding="utf-8"))
    assert data["examples"] == []
    assert data["saved"]["nodes"] == places["nodes"]
    capsys.readouterr()
    for option in (more[:2], more[2:]):
        assert main(["tags", "graph", str(folder), "-o", f"{tmp_path}/g.json", *option]) == 2
        assert f"{option[0]} does nothing in a file .json" in capsys.readouterr().err
    assert main(["tags", "graph", str(folder), "-o", f"{tmp_path}/h.html", "--examples", "-3"]) == 2
    assert "examples is -3" in capsys.readouterr().err


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = ["a cat,  fur; paws", "a dog, fur; paws", "a fox, fur; =1+1", "a tower, steel", "a hall, steel; glass"]
    days = ["2024-01-03", "2024-01-04", "2024-02-04", "2024-03-04", ""]
    lines = [f'"{row}",{day},{model}' for row, day, model in zip(rows, days, ["sdxl"] * 3 + ["flux"] * 2, strict=True)]
    path = tmp_path / "table.csv"
    path.write_text("prompt,date,Model\n" + "\n".join(lines) + "\n")
    return path


def test_suggestions_and_neighbours_are_listed_aligned(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "suggest", "fur", str(table), "--top", "1"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["tag   score  share", "paws  0.372  0.667"]
    assert "and 1 more; --top N lists more" in said.err
    for name in ("neighbours", "neighbors"):
        assert main(["tags", name, "FUR", str(table), "--weight", "npmi"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["tag", "paws", "=1+1"]
    assert main(["tags", "suggest", "fur, paws", str(table), "--tags-only"]) == 0
    assert "a cat" in capsys.readouterr().out


def test_long_tags_are_cut_in_a_listing_and_whole_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.txt").write_text(f"x, fur, {'y' * 5000}\n")
    assert main(["tags", "neighbours", "fur", str(tmp_path / "p.txt")]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 200
    assert main(["tags", "neighbours", "fur", str(tmp_path / "p.txt"), "-o", str(tmp_path / "near.csv")]) == 0
    assert "y" * 5000 in (tmp_path / "near.csv").read_text()


def test_tables_go_to_files_whole_and_guarded(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("near.csv", "near.json", "near-1.csv"):
        assert main(["tags", "neighbours", "fur", str(table), "-o", str(tmp_path / name.replace("-1", ""))]) == 0
        assert name in capsys.readouterr().err
    assert "\n'=1+1," in (tmp_path / "near.csv").read_text()
    assert [row["tag"] for row in json.loads((tmp_path / "near.json").read_text())] == ["paws", "=1+1"]
    assert main(["tags", "count", str(table), "-o", str(tmp_path / "counts.json")]) == 0
    assert json.loads((tmp_path / "counts.json").read_text())[0] == {"tag": "fur", "count": 3, "rank": 0.333333}


def test_tags_are_followed_over_time_and_values(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tags", "trends", str(table), "--by", "date", "--every", "month", "--top", "1"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split() == ["tag", "prompts", "trend", "2024-01", "2024-02", "2024-03"]
    assert "4 prompts in 3 months of date; 1 with no date left out" in said.err
    assert main(["tags", "trends", str(table), "--by", "Model", "--communities"]) == 0
    assert "Model=sdxl  Model=flux" in capsys.readouterr().out
    for name in ("trends.html", "trends.csv"):
        assert main(["tags", "trends", str(table), "--by", "date", "--every", "day", "-o", str(tmp_path / name)]) == 0
    assert "plotly" in (tmp_path / "trends.html").read_text()
    assert len((tmp_path / "trends.csv").read_text().splitlines()[0].split(",")) == 3 + 62
    capsys.readouterr()
    assert main(["tags", "trends", str(table), "--by", "date", "--every", "day"]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()[0].split()) == 3 + 12
    assert "the first and the last 6 of 62 groups" in said.err


def test_two_values_are_compared(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "compare", str(table), "--by", "Model", "--values", "sdxl", "flux", "--top", "2"]) == 0
    said = capsys.readouterr()
    assert [line.split()[:3] for line in said.out.splitlines()[1:]] == [["steel", "0", "2"], ["fur", "3", "0"]]
    assert "first: sdxl, 3 prompts; second: flux, 2 prompts" in said.err


def test_standard_input_and_repeats(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for repeats, count in (("keep", 2), ("once", 1)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x, fur\nx, fur\n")))
        assert main(["tags", "count", "-", "--repeats", repeats]) == 0
        assert capsys.readouterr().out == f"fur | {count}\n"


def test_standard_input_that_is_closed_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["tags", "count", "-"]) == 2
    assert "standard input is closed" in capsys.readouterr().err


def test_what_is_skipped_is_told_and_strict_stops(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (table.parent / "foreign.csv").write_text("name\na\n")
    assert main(["tags", "count", str(table.parent)]) == 0
    assert "1 skipped: foreign.csv" in capsys.readouterr().err
    assert main(["tags", "count", str(table.parent), "--strict"]) == 2


def test_two_paths_are_compared(table: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "compare", str(table), str(folder), "--dialect", "auto"]) == 0
    said = capsys.readouterr()
    head, *rows = said.out.splitlines()
    assert head.split() == ["tag", "first", "second", "ratio", "surprise"]
    assert {row.split()[0] for row in rows[:3]} >= {"VRay"}
    assert "tags, dialect plain\n" in said.err


def test_dialect_aliases_and_underscores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts, aliases = tmp_path / "captions.txt", tmp_path / "aliases.csv"
    prompts.write_text("1girl, long_hair, grey_hair\n1girl, long hair, gray hair, <lora:x:1>\n1boy, (grey hair:1.2)\n")
    aliases.write_text("tag,becomes\ngrey hair,gray hair\n")
    options = ["--dialect", "a1111", "--underscores", "--aliases", str(aliases)]
    assert main(["tags", "count", str(prompts), *options]) == 0
    said = capsys.readouterr()
    counted = dict(line.split(" | ") for line in said.out.splitlines())
    assert counted == {"gray hair": "3", "long hair": "2", "1girl": "2", "1boy": "1"}
    assert "networks, which are no tags: x" in said.err
    assert "dialect a1111" in said.err
    assert main(["tags", "count", str(prompts)]) == 0
    assert "hint: these look like the dialect" in capsys.readouterr().err


def test_tagnets_own_spelling(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "--path", str(folder), "--mode", "count_tags", "--filter", ">1"]) == 0
    assert capsys.readouterr().out == "VRay | 3\n3D | 2\n"
    rows, graph, page = tmp_path / "rows.txt", tmp_path / "graph.json", tmp_path / "page.html"
    assert main(["tags", "--path", str(folder), "--filter", "==3", "--output_file", str(rows)]) == 0
    assert rows.read_text() == "VRay | 3\n"
    arguments = ["tags", "--path", str(folder), "--filter", ">1", "--mode"]
    assert main([*arguments, "export_graph", "--output_file", str(graph)]) == 0
    assert json.loads(graph.read_text())["links"][0]["weight"] == 2.0
    assert main([*arguments, "display_graph", "--output_file", str(page)]) == 0
    assert "VRay" in data_of(page.read_text())["names"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["count", "{folder}", "--filter", "=1x"], "cannot read the filter"),
        (["count", "{folder}/missing"], "no such file"),
        (["count", "{folder}", "--top", "0"], "--top is 0"),
        (["count", "{folder}", "--clean", "quote"], "quotes"),
        (["graph", "{folder}", "--weight", "npmy"], "npmi"),
        (["graph", "{folder}", "-o", "graph.docx"], ".graphml"),
        (["graph", "{folder}", "-o", "{folder}/a.txt/g.html"], "cannot write"),
        (["graph", "{folder}", "--backbone", "7"], "alpha"),
        (["graph", "{folder}", "--min-count", "0"], "min_count is 0"),
        (["graph", "{folder}", "-o", "web/", "--max-nodes", "0"], "at least 1 tag"),
        (["graph", "{folder}", "--positions", "{folder}/gone.json"], "gone.json"),
        (["--path", "{folder}", "--filter", ">"], "cannot read the filter"),
        ([], "no command"),
        (["count", "{folder}", "-o", "{folder}/a.docx"], "choose .csv, .json"),
        (["count", "{folder}", "--dialect", "danboru"], "no dialect"),
        (["count", "{folder}", "--dialect", "tags", "--tags-only"], "--tags-only belongs to the dialect plain"),
        (["count", "{folder}", "--dialect", "auto", "--clean"], "--clean belongs to the dialect plain"),
        (["suggest", "VRay", "{folder}", "-o", "x.html"], "choose .csv, .json"),
        (["suggest", ",", "{folder}"], "at least one tag"),
        (["suggest", "VRai", "{folder}"], "there is VRay"),
        (["neighbours", "VRay", "{folder}", "--weight", "npmy"], "npmi"),
        (["compare", "{folder}"], "two different paths"),
        (["compare", "{folder}", "{folder}"], "two different paths"),
        (["compare", "{folder}", "--by", "Model"], "--by and --values go together"),
        (["trends", "{folder}", "--by", "date", "--top", "0"], "--top is 0"),
        (["trends", "{folder}", "--by", "date"], "no column 'date'"),
        (["compare", "{folder}", "--by", "Model", "--values", "a", "b"], "no column 'Model'"),
        (["count", "{folder}", "--repeats", "twice"], "repeats"),
        (["count", "{folder}", "--kind", "txet"], "text"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = sorted(folder.rglob("*"))
    assert main(["tags", *(argument.format(folder=folder) for argument in arguments)]) == 2
    said = capsys.readouterr()
    last = said.err.strip().splitlines()[-1]
    assert words in last
    assert "Traceback" not in said.err
    assert said.out == ""
    assert sorted(folder.rglob("*")) == before


def test_a_backend_of_matplotlib_that_is_none_is_told(folder: Path) -> None:
    command = [sys.executable, "-m", "clipnb", "tags", "graph", str(folder), "-o", str(folder / "g.png")]
    environment = {**os.environ, "MPLBACKEND": "nonsense"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "clipnb: matplotlib does not start; MPLBACKEND names its backend" in done.stderr.splitlines()[-1]
    assert not (folder / "g.png").exists()


def test_no_prompts_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "count", str(tmp_path)]) == 2
    assert "no prompts" in capsys.readouterr().err


def test_describing_the_commands_imports_nothing_heavy() -> None:
    code = (
        "import sys, argparse; from clipnb.tags.cli import add_parser;"
        "add_parser(argparse.ArgumentParser().add_subparsers());"
        "print([name for name in ('numpy', 'pandas', 'networkx', 'matplotlib', 'torch') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_whole_room_works_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None;"
        "from clipnb.tags import export, relations, meaning, comparison, charts;"
        "from clipnb.tags.graph import build_graph; from clipnb.tags.page import graph_page;"
        "graph_page(build_graph(['x, a, b'])); print('pyvis' in sys.modules, 'IPython' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        == "False False\n"
    )

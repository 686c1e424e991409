"""Reading prompts: every form, bad bytes, bad files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from clipnb.errors import PromptsError
from clipnb.files import shipped
from clipnb.prompts.read import load_prompts, prompts_of


def write(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_a_text_file_gives_unique_sorted_lines(tmp_path: Path) -> None:
    prompts = load_prompts(write(tmp_path / "p.txt", "\ufeffb, x\r\n\r\n  a, y \rb, x\n\t\n"))
    assert list(prompts) == ["a, y", "b, x"]
    assert prompts[0] == "a, y"
    assert len(prompts) == 2
    assert prompts.replaced == 0


def test_only_line_breaks_break_lines(tmp_path: Path) -> None:
    assert len(load_prompts(write(tmp_path / "p.txt", "a, b\x0b c\u2028d\x85e"))) == 1


def test_bad_bytes_are_replaced_and_counted(tmp_path: Path) -> None:
    prompts = load_prompts(write(tmp_path / "p.txt", b"caf\xe9, \xff\xfeb, genuine \xef\xbf\xbd"))
    assert prompts.replaced == 3
    assert prompts[0].count("\ufffd") == 4


def test_a_folder_is_read_with_all_below_but_not_what_is_hidden(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "one")
    write(tmp_path / "deep" / "er" / "b.txt", "two")
    write(tmp_path / ".ipynb_checkpoints" / "a.txt", "hidden")
    write(tmp_path / "picture.png", b"\x89PNG")
    prompts = load_prompts(tmp_path)
    assert list(prompts) == ["one", "two"]
    assert [file.name for file in prompts.files] == ["a.txt", "b.txt"]


def test_globs_and_several_paths_each_file_once(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"{name}.txt", name)
    prompts = load_prompts([str(tmp_path / "[ab].txt"), tmp_path / "a.txt", tmp_path / "c.txt"])
    assert [file.name for file in prompts.files] == ["a.txt", "b.txt", "c.txt"]


def test_tables_and_json_lines(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", 'id,prompt\n1,"a cat, fur"\n2,"two\nlines, x"\n3,\n4,NA\n')
    write(tmp_path / "j.jsonl", '{"prompt": "a dog, tail", "n": 1}\n\n"bare, text"\n{"prompt": null}\n')
    assert list(load_prompts(tmp_path)) == ["NA", "a cat, fur", "a dog, tail", "bare, text", "two lines, x"]
    write(tmp_path / "only" / "t.csv", "text\nz\n")
    assert list(load_prompts(tmp_path / "only", column="text")) == ["z"]


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    prompts = load_prompts(write(tmp_path / "j.jsonl", json.dumps("x, \ud800a \U0001f600")))
    assert list(prompts) == ["x, \ufffda \U0001f600"]
    assert prompts.replaced == 1


@pytest.mark.parametrize(
    ("name", "text"), [("p.txt.gz", "a, b\n"), ("p.csv.gz", "prompt\n'a, b'\n"), ("p.jsonl.gz", '"a, b"\n')]
)
def test_gzipped_files(tmp_path: Path, name: str, text: str) -> None:
    assert len(load_prompts(write(tmp_path / name, gzip.compress(text.encode(), mtime=0)))) == 1


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "p.parquet"
    parquet.write_table(pyarrow.table({"prompt": ["a, b", None, "c"], "n": [1, 2, 3]}), path)
    assert list(load_prompts(path)) == ["a, b", "c"]
    with pytest.raises(PromptsError, match="there is prompt"):
        load_prompts(path, column="prompts")
    with pytest.raises(PromptsError, match="Parquet"):
        load_prompts(write(tmp_path / "broken.parquet", "PAR1 not at all"))


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(PromptsError, match="pip install pyarrow"):
        load_prompts(write(tmp_path / "p.parquet", b"PAR1"))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.txt", "", "no prompts"),
        ("blank.txt", " \n\t\n", "no prompts"),
        ("t.csv", "id,promt\n1,a\n", "no column 'prompt'.*promt"),
        ("t.csv", "", "cannot read"),
        ("t.csv", 'prompt\n"never closed\n', "cannot read"),
        ("j.jsonl", '{"prompt": "a"}\n{oops\n', "line 2 is no JSON"),
        ("j.jsonl", "[" * 100_000, "line 1 is no JSON"),
        ("j.jsonl", '{"text": "a"}\n', "no column 'prompt'"),
        ("p.txt.gz", b"no gzip", "cannot read"),
        ("p.txt.gz", gzip.compress(b"a" * 1000, mtime=0)[:-12], "cannot read"),
        ("p.docx", "a", "reads .txt"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, data: str | bytes, words: str) -> None:
    with pytest.raises(PromptsError, match=words) as caught:
        load_prompts(write(tmp_path / name, data))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(PromptsError, match="no such file"):
        load_prompts(tmp_path / "missing")
    with pytest.raises(PromptsError, match="no such file"):
        load_prompts(tmp_path / "*.txt")
    with pytest.raises(PromptsError, match=r"it has no \.txt"):
        load_prompts(tmp_path)
    with pytest.raises(PromptsError, match="no prompts"):
        load_prompts([])


def test_the_shipped_prompts_are_many() -> None:
    assert len(load_prompts(shipped("prompts"))) >= 600


def test_a_binary_file_under_the_name_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(PromptsError, match=r"picture\.txt is no text"):
        load_prompts(tmp_path)


def test_uploads_are_read_like_files(tmp_path: Path) -> None:
    uploads = {"a.txt": b"a cat, fur\n", "b.jsonl": b'{"prompt": "a dog, fur"}\n', "c.txt.gz": gzip.compress(b"x, y")}
    assert list(prompts_of(uploads)) == ["a cat, fur", "a dog, fur", "x, y"]
    with pytest.raises(PromptsError, match="cannot read prompts from d"):
        prompts_of({"d.png": b"x"})
    with pytest.raises(PromptsError, match="no column"):
        prompts_of({"e.csv": b"text\na cat, fur\n"})

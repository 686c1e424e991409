"""Reading prompts: every form, bad bytes, bad files."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from clipnb.errors import PromptsError
from clipnb.files import shipped
from clipnb.prompts.read import load_prompts, prompts_of, read_prompts


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
    assert list(load_prompts(tmp_path)) == ["a dog, tail", "bare, text", "a cat, fur", "two lines, x", "NA"]
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
    assert list(prompts_of(uploads)) == ["a cat, fur", "x, y", "a dog, fur"]
    with pytest.raises(PromptsError, match="cannot read prompts from d"):
        prompts_of({"d.docx": b"x"})
    with pytest.raises(PromptsError, match="no column"):
        prompts_of({"e.csv": b"text\na cat, fur\n"})


def test_a_hand_edited_table_never_gives_another_column(tmp_path: Path) -> None:
    """Commas without quotes make rows of too many fields: they are left out and told, the others are read right."""
    table = 'id,prompt,seed\n1,x, a, b,7\n2,"y, a, c",8\n3, "z, d",9\n'
    prompts = read_prompts(write(tmp_path / "t.csv", table))
    assert list(prompts) == ["y, a, c", "z, d"]
    assert prompts.column("seed") == ["8", "9"]
    assert [(skip.source[-5:], skip.why[:16]) for skip in prompts.skipped] == [("row 2", "it has 5 fields,")]
    with pytest.raises(PromptsError, match="row 2"):
        read_prompts(tmp_path / "t.csv", strict=True)


def test_styles_keep_prompt_and_negative_apart(tmp_path: Path) -> None:
    styles = 'name,prompt,negative_prompt\nInk,"{prompt}, ink, wash",colour\nOil,{prompt}, oil,blurry\n'
    prompts = read_prompts(write(tmp_path / "styles.csv", styles))
    assert list(prompts) == ["{prompt}, ink, wash"]
    assert prompts.column("negative") == ["colour"]
    assert prompts.skips == 1


def test_one_column_without_quotes_is_taken_line_by_line(tmp_path: Path) -> None:
    prompts = read_prompts(write(tmp_path / "t.csv", 'prompt\na cat, fur\n"a dog, tail"\n'))
    assert list(prompts) == ["a cat, fur", "a dog, tail"]


@pytest.mark.parametrize(
    ("name", "text"), [("t.tsv", "id\tprompt\n1\ta, b\n"), ("t.csv", "id;prompt\n1;a, b\n"), ("t.json", '["a, b"]')]
)
def test_other_delimiters_and_arrays(tmp_path: Path, name: str, text: str) -> None:
    assert list(read_prompts(write(tmp_path / name, text))) == ["a, b"]


def test_lines_that_a_picture_makes_a_caption_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("a cat, fur\na dog, fur\n")
    assert len(read_prompts(path)) == 2
    (tmp_path / "mine.png").touch()  # a graph that was drawn of them
    one = read_prompts(path)
    assert len(one) == 1
    assert 'mine.txt is read as one prompt, the caption of mine.png; kind="text" (--kind text) reads' in one.report()
    assert len(read_prompts(path, kind="text")) == 2
    path.write_text("a cat, fur\n")
    assert "is read as one prompt" not in read_prompts(path).report()


def test_captions_keep_their_repeats_and_lines_do_not(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / "set" / f"{name}.png", b"")
        write(tmp_path / "set" / f"{name}.txt", "sks, 1girl\n")
    write(tmp_path / "set" / "alone.png", b"")
    captions = read_prompts(tmp_path / "set")
    assert list(captions) == ["sks, 1girl"] * 3
    assert [path.name for path in captions.without_prompt] == ["alone.png"]
    assert len(read_prompts(tmp_path / "set", repeats="once")) == 1
    lines = read_prompts(write(tmp_path / "lines.txt", "a\nb\na\n"))
    assert (list(lines), lines.dropped) == (["a", "b"], 1)
    assert "1 repeat dropped" in lines.report()
    assert len(read_prompts(tmp_path / "lines.txt", repeats="keep")) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_tell_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert list(read_prompts(write(tmp_path / "p.txt", "café, ☕".encode(encoding)))) == ["café, ☕"]


def test_a_named_encoding_is_for_what_is_no_utf8(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "café".encode("cp1252"))
    write(tmp_path / "b.txt", "naïve".encode())
    assert list(read_prompts(tmp_path, encoding="cp1252")) == ["café", "naïve"]


def test_a_bad_file_among_others_is_skipped_and_told(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "a, b\n")
    write(tmp_path / "utf16.txt", "c, d".encode("utf-16-le"))
    write(tmp_path / "foreign.csv", "colour,size\nred,1\n")
    write(tmp_path / "j.jsonl", '{"prompt": "e"}\n{"other": 1}\n{"prompt": ["f"]}\n{oops\n')
    prompts = read_prompts(tmp_path)
    assert list(prompts) == ["a, b", "e"]
    assert prompts.skips == 5
    said = " ".join(f"{skip.source} {skip.why}" for skip in prompts.skipped)
    assert all(word in said for word in ("utf16.txt", "foreign.csv", "line 2", "a list", "line 4"))
    with pytest.raises(PromptsError):
        read_prompts(tmp_path, strict=True)


def test_nested_keys_are_named_with_dots(tmp_path: Path) -> None:
    text = '{"meta": {"prompt": "a, b", "negativePrompt": "c"}, "url": "x.png"}\n'
    prompts = read_prompts(write(tmp_path / "j.jsonl", text), column="meta.prompt")
    record = next(iter(prompts.records()))
    assert (record.text, record.negative, record.picture) == ("a, b", "c", "x.png")


@pytest.mark.parametrize("how", ["parquet", "arrow", "jsonl"])
def test_nested_names_are_read_in_every_table_that_can_nest(tmp_path: Path, how: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    meta = [{"prompt": "a, b", "negative_prompt": "c", "by": {"model": "x"}}, None, {"prompt": "d"}]
    table = pyarrow.table({"meta": meta, "url": ["1.png", "2.png", "3.png"]})
    parquet.write_table(table, tmp_path / "t.parquet")
    rows = [json.dumps({"meta": one, "url": f"{row}.png"}) for row, one in enumerate(meta, 1)]
    write(tmp_path / "t.jsonl", "\n".join(rows))
    prompts = read_prompts(table if how == "arrow" else tmp_path / f"t.{how}", column="meta.prompt")
    assert list(prompts) == ["a, b", "d"]
    assert prompts.column("picture") == ["1.png", "3.png"]
    assert prompts.column("negative") == ["c", ""]
    assert prompts.column("meta.by.model") == ["x", ""]
    with pytest.raises(PromptsError, match="there is meta"):
        read_prompts(table if how == "arrow" else tmp_path / f"t.{how}", column="meta.promt")


def test_a_name_with_a_dot_goes_before_a_nested_one() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"meta": [{"prompt": "a"}], "meta.prompt": ["b"]})
    assert list(read_prompts(table, column="meta.prompt")) == ["b"]


def test_template_behind_a_record_of_a_dump_belongs_to_it(tmp_path: Path) -> None:
    dump = "a cat\nSteps: 20, Seed: 1\nTemplate: a {cat|dog}, x\n\na cow\nSteps: 30, Seed: 2\nTemplate: a cow\n"
    prompts = read_prompts(write(tmp_path / "dump.txt", dump))
    assert list(prompts) == ["a cat", "a cow"]
    assert prompts.column("Template") == ["a {cat|dog}, x", "a cow"]
    assert list(read_prompts(write(tmp_path / "one.txt", dump.split("\n\n")[0]))) == ["a cat"]


def test_dumps_of_parameters_give_prompts_and_no_settings(tmp_path: Path) -> None:
    dump = "a cat, fur\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 1\n\na cow\nSteps: 30, Seed: 2\n"
    prompts = read_prompts(write(tmp_path / "dump.txt", dump))
    assert list(prompts) == ["a cat, fur", "a cow"]
    assert prompts.column("Seed") == ["1", "2"]
    assert prompts.column("negative") == ["dog", ""]


def test_a_line_of_settings_leaves_a_list_a_list(tmp_path: Path) -> None:
    """A text of A1111 that was pasted into a list is one prompt of it, wherever it stands."""
    lines = [f"a cat, number {number}" for number in range(6)]
    for place in (0, 3, 5):
        pasted = [*lines[:place], "pasted, fur", "Negative prompt: dog", "Steps: 20, Seed: 1, Model: x", *lines[place:]]
        prompts = read_prompts(write(tmp_path / "list.txt", "\n".join(pasted)))
        assert list(prompts) == [*lines, "pasted, fur"]
        assert [skip.source[-6:] for skip in prompts.skipped] == [f"line {place + 2}", f"line {place + 3}"]
    whole = read_prompts(
        write(tmp_path / "list.txt", "pasted, fur Steps: 20, Seed: 1, Model: x\na cat\nSteps aside, b\n")
    )
    assert list(whole) == ["Steps aside, b", "a cat", "pasted, fur"]
    assert len(read_prompts(tmp_path / "list.txt", kind="text")) == 3


def test_a_record_of_many_lines_is_one_prompt(tmp_path: Path) -> None:
    record = "\n".join(["a cat,"] * 30) + "\nSteps: 20, Seed: 1, Model: x\n"
    assert len(read_prompts(write(tmp_path / "params.txt", record))) == 1
    assert (
        len(read_prompts(write(tmp_path / "params.txt", record * 3 + "an end without settings"), repeats="keep")) == 4
    )


def test_wildcards_leave_comments_out(tmp_path: Path) -> None:
    assert list(read_prompts(write(tmp_path / "w.txt", "# colours\nred\nblue\n"), kind="wildcards")) == ["blue", "red"]


def test_a_column_of_numbers_names_those_of_texts(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"prompt": [1, 2], "caption": ["a", "b"]}), tmp_path / "p.parquet")
    with pytest.raises(PromptsError, match="caption"):
        read_prompts(tmp_path / "p.parquet")


def test_a_frame_is_read_like_a_table() -> None:
    pandas = pytest.importorskip("pandas")
    prompts = read_prompts(pandas.DataFrame({"prompt": ["a", "a", None], "model": ["x", "y", "z"]}))
    assert (list(prompts), prompts.column("model")) == (["a", "a"], ["x", "y"])


def test_the_report_counts_in_the_singular_too(tmp_path: Path) -> None:
    assert read_prompts(write(tmp_path / "p.txt", "a\nb\n")).report().startswith("2 prompts from 1 file")


def test_long_fields_are_read_without_a_change_to_the_process(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    assert len(read_prompts(write(tmp_path / "t.csv", f"prompt,n\n{'a' * 500_000},1\n"))[0]) == 500_000
    assert csv.field_size_limit() == before

"""Whatever a file holds: nothing but PromptsError is raised, and no cell is taken for another column's."""

from __future__ import annotations

import csv
import gzip
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import PromptsError
from clipnb.prompts.read import KINDS, prompts_of, read_prompts

SUFFIXES = [".txt", ".csv", ".tsv", ".json", ".jsonl", ".caption", ".parquet", ".txt.gz", ".caption.gz", ".png"]
PIECES = st.sampled_from(["prompt", "id", *',;\t\n\r "[]{}:\\#é', "a cat", "Steps: 20"])
MESS = st.lists(PIECES, max_size=40).map("".join)
CELL = st.text(st.characters(blacklist_characters="\0\r", blacklist_categories=["Cs"]), max_size=12)


def read_all_of_it(name: str, data: bytes, kind: str, encoding: str | None) -> None:
    with suppress(PromptsError):
        prompts = prompts_of({name: data}, kind=kind, encoding=encoding)
        assert len(list(prompts.records())) == len(prompts.to_frame()) == len(prompts) > 0
        assert all(text and "\n" not in text and text == text.strip() for text in prompts)


@given(
    MESS | st.binary(max_size=60), st.sampled_from(SUFFIXES), st.sampled_from(KINDS), st.sampled_from([None, "cp1252"])
)
def test_no_content_raises_anything_but_an_error_in_words(
    data: str | bytes, suffix: str, kind: str, encoding: str | None
) -> None:
    content = data.encode() if isinstance(data, str) else data
    read_all_of_it(f"a{suffix}", content, kind, encoding)
    read_all_of_it("a.txt.gz", gzip.compress(content)[: len(content)], kind, encoding)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1), st.sampled_from(",;\t|"))
def test_every_quoted_row_comes_back_in_its_columns(rows: list[tuple[str, str, str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(("id", "prompt", "model"))
    writer.writerows(("x" + first, "p" + cell, "m" + last) for first, cell, last in rows)
    prompts = prompts_of({"a.csv": file.getvalue().encode()})
    assert prompts.skips == 0
    assert [record.text for record in prompts.records()] == [("p" + cell).strip() for _, cell, _ in rows]
    assert prompts.column("model") == ["m" + last for _, _, last in rows]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), min_size=1))
def test_rows_of_other_lengths_are_counted_and_never_shift(rows: list[list[str]]) -> None:
    lines = [",".join(f"{letter}{place}" for place, letter in enumerate(row)) for row in rows]
    table = "\n".join(["first,prompt,last", *lines])
    right = [row for row in rows if len(row) == 3]
    if not right:
        with pytest.raises(PromptsError):
            prompts_of({"a.csv": table.encode()})
        return
    prompts = prompts_of({"a.csv": table.encode()})
    assert list(prompts) == [f"{row[1]}1" for row in right]
    assert prompts.skips == len(rows) - len(right)
    assert prompts.column("first") == [f"{row[0]}0" for row in right]


@given(st.lists(st.fixed_dictionaries({"prompt": CELL, "n": st.integers() | CELL | st.none()}), min_size=1))
def test_records_come_back_from_lines_and_arrays_alike(records: list[dict[str, object]]) -> None:
    records.append({"prompt": "last", "n": 1})
    lines = prompts_of({"a.jsonl": "\n".join(map(json.dumps, records)).encode()})
    array = prompts_of({"a.json": json.dumps(records, indent=1).encode()})
    wanted = [record for record in records if " ".join(str(record["prompt"]).splitlines()).strip()]
    assert [record.text for record in lines.records()] == [record.text for record in array.records()]
    assert len(lines) == len(wanted)
    assert lines.column("n") == array.column("n")


def test_other_columns_of_a_file_in_a_named_encoding(tmp_path: Path) -> None:
    for name, text in (("a.csv", "prompt,artist\na,Dalí\n"), ("b.jsonl", '{"prompt": "a", "artist": "Dalí"}\n')):
        (tmp_path / name).write_bytes(text.encode("cp1252"))
        assert read_prompts(tmp_path / name, encoding="cp1252").column("artist") == ["Dalí"]


def test_a_table_that_changed_since_is_no_longer_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("prompt,model\na,x\n")
    prompts = read_prompts(path)
    path.write_text("prompt,model\nb,y\nc,z\n")
    with pytest.raises(PromptsError, match="was changed since"):
        prompts.column("model")
    path.unlink()
    with pytest.raises(PromptsError, match="again"):
        prompts.column("model")

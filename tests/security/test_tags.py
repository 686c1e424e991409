"""Prompts and tags that somebody else wrote: nothing hangs or fills memory, nothing is overwritten, nothing is run."""

from __future__ import annotations

import gzip
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clipnb.errors import ClipnbError, PromptsError
from clipnb.tags import prompts as prompts_module
from clipnb.tags.prompts import load_prompts, prompts_of

parquet = pytest.importorskip("pyarrow.parquet")
import pyarrow as pa  # noqa: E402

SECONDS = 6.0


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
        ("a.csv.gz", b"a", "a line is longer than 16 MiB"),
        ("a.jsonl.gz", b"[", "a line is longer than 16 MiB"),
        ("a.jsonl.gz", b"\n", "more than 20,000,000 lines"),
    ],
)
def test_gzip_that_becomes_a_gigabyte(tmp_path: Path, name: str, piece: bytes, words: str) -> None:
    data = bomb(piece)
    assert len(data) < 2 * 2**20
    (tmp_path / name).write_bytes(data)
    refused(words, lambda: load_prompts(tmp_path))
    refused(words, lambda: prompts_of({name: data}))


def test_all_that_is_read_at_a_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_module, "MOST_BYTES", 4 * 2**20)
    pieces = {"a.txt.gz": b"a cat, fur\n", "b.csv.gz": b"prompt\n", "c.jsonl.gz": b'"x, y"\n', "d.parquet.gz": b"PAR1"}
    for name, piece in pieces.items():
        with pytest.raises(PromptsError, match="more than 4 MiB at a time, decompressed; read fewer or smaller"):
            prompts_of({name: bomb(piece, 5 * 2**20)})
    for number in range(3):
        (tmp_path / f"{number}.txt.gz").write_bytes(bomb(b"a cat, fur\n", 2 * 2**20))
    with pytest.raises(PromptsError, match=r"2\.txt\.gz: more than 4 MiB"):
        load_prompts(tmp_path)


def test_parquet_pages_and_dictionaries_that_become_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_module, "MOST_BYTES", 2**27)
    monkeypatch.setattr(prompts_module, "MOST_LINES", 2_000_000)
    page = table(pa.array(["a" * 2**26] * 3), use_dictionary=False)
    assert len(page) < 2**20
    refused("more than 128 MiB at a time", lambda: prompts_of({"page.parquet": page}))
    few = table(pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000), pa.array(["a, " * 300_000])))
    assert [len(prompt) for prompt in prompts_of({"few.parquet": few})] == [900_000 - 1]
    rows = table(pa.nulls(2_000_001, pa.string()))
    refused("more than 2,000,000 lines", lambda: prompts_of({"rows.parquet": rows}))


def test_parquet_that_is_nested_wide_or_no_text() -> None:
    kind = pa.int32()
    for _ in range(2_000):
        kind = pa.struct([("a", kind)])
    file = io.BytesIO()
    parquet.ParquetWriter(file, pa.schema([("prompt", pa.string()), ("deep", kind)])).close()
    with pytest.raises(PromptsError, match="too deeply nested"):
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
        ("a.csv", b"prompt\n" + b"," * 10_000_000, "as CSV|longer than|every line is blank"),
        ("a.csv", ",".join(f"column {n} {'x' * 1_000}" for n in range(9_000)).encode(), "no column 'prompt'"),
        ("a.csv", b'prompt\n"' + b"x\n" * 5_000_000, "as CSV"),
        ("a.jsonl", b"[" * 10_000_000, "line 1 is no JSON"),
        ("a.jsonl", b"[[]," * 2_500_000, "line 1 is no JSON"),
        ("a.jsonl", b"9" * 1_000_000, "line 1 is no JSON"),
        ("a.jsonl", json.dumps({f"key {n}": n for n in range(100_000)}).encode(), "no column 'prompt'"),
        ("a.jsonl", b'{"prompt": "x", "n": 1}\n' * 100_000 + b"}", "line 100001 is no JSON"),
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
    monkeypatch.setattr(prompts_module, "MOST_ENTRIES", 10)
    for number in range(12):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(PromptsError, match="holds more than 10 files and folders; name a part"):
        load_prompts(tmp_path)
    (tmp_path / "circle").symlink_to(tmp_path)
    monkeypatch.undo()
    with pytest.raises(PromptsError, match="no prompts in the folder"):
        load_prompts(tmp_path)

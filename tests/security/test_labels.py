"""Label files, lists and caches of anybody: nothing waits, nothing grows without end, nothing is run."""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from clipnb.errors import LabelsError
from clipnb.interrogate.labels import word_lists
from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.table import LabelTable
from clipnb.interrogate.labels.word_lists import MOST_LABELS, load_labels

WORDS = ["soft light", "hard light", "no light"]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < 20


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [os.mkfifo, zero], ids=["pipe", "device"])
def test_pipes_and_devices_are_no_label_files(make: object, tmp_path: Path) -> None:
    path = tmp_path / "flavors.txt"
    make(path)  # type: ignore[operator]
    for source in (path, str(path), tmp_path):
        with pytest.raises(LabelsError, match=r"cannot read .*flavors\.txt: it is no regular file"):
            load_labels(source)


def test_a_file_of_millions_of_lines_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "flavors.txt"
    for end in ("\n", "\r\n", "\u2028"):
        path.write_text(end * (MOST_LABELS * 2), encoding="utf-8", newline="")
        with pytest.raises(LabelsError, match="more than 1,000,000 lines"):
            load_labels(path)
    path.write_text("".join(f"{number}\n" for number in range(3 * MOST_LABELS)))
    with pytest.raises(LabelsError, match="more than 1,000,000 lines"):
        load_labels(path)


def test_a_large_list_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "flavors.txt"
    path.write_text("".join(f"phrase number {number}\n" for number in range(200_000)))
    assert len(load_labels(path)["flavors"]) == 200_000


@pytest.mark.parametrize("letter", ["x", " ", "\u202e"])
def test_a_line_of_50_mb_is_left_out_with_a_warning(
    letter: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "flavors.txt"
    path.write_bytes((letter * 50_000_000).encode()[:50_000_000] + b"x\nshort\n")
    with caplog.at_level(logging.WARNING, "clipnb"):
        assert load_labels(path) == {"flavors": ("short",)}
    assert "left out 1" in caplog.text


def test_a_file_of_null_characters_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "flavors.txt").write_bytes(b"\0" * 50_000_000 + b"\nshort\n")
    with pytest.raises(LabelsError, match="is no text"):
        load_labels(tmp_path / "flavors.txt")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "flavors.txt"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(LabelsError, match="larger than 64 MiB"):
        load_labels(path)
    with pytest.raises(LabelsError, match="larger than 256 MiB together"):
        load_labels(tmp_path)


def test_a_list_without_end_is_refused() -> None:
    for endless in (itertools.repeat("x"), map(str, itertools.count()), itertools.repeat("")):
        with pytest.raises(LabelsError, match="more than 1,000,000 lines"):
            load_labels(endless)  # type: ignore[arg-type]


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(1001):
        (tmp_path / f"{number}.txt").write_text("x")
    with pytest.raises(LabelsError, match=r"more than 1000 files"):
        load_labels(tmp_path)
    (tmp_path / "0.txt").unlink()
    assert load_labels(tmp_path) == {"flavors": ("x",)}


def test_files_of_one_table_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_lists, "MOST_LABELS", 10)
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("".join(f"{number} {line}\n" for line in range(5)))
    with pytest.raises(LabelsError, match="the table flavors holds more than 10"):
        load_labels(tmp_path)


@pytest.mark.parametrize("source", ["~nobody/labels.txt", "a\0b", "a\udcff.txt", "x" * 5000, "x/" * 5000])
def test_names_that_no_file_can_have_are_refused_in_words(source: str) -> None:
    for place in (source, Path(source)):
        with pytest.raises(LabelsError, match=r"label file|cannot read"):
            load_labels(place)


def test_a_mapping_of_odd_keys_is_refused_in_words() -> None:
    for key in (10**6000, "x" * 10**7, "\x1b[2J", None):
        with pytest.raises(LabelsError, match="there is no label table") as caught:
            load_labels({key: ["x"]})  # type: ignore[dict-item]
        assert len(str(caught.value)) < 400
        assert "\x1b" not in str(caught.value)


def test_no_spelling_of_a_package_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "evil_lists" / "inner"
    (inner / "data").mkdir(parents=True)
    (inner / "data" / "mediums.txt").write_text("a fresco\n")
    for folder in (inner, inner.parent):
        (folder / "__init__.py").write_text("from pathlib import Path\nPath(__file__).with_name('was_run').touch()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    spellings = ("evil_lists", "evil-lists", "evil_lists.inner", "evil_lists.inner.data", ".evil_lists", "evil_lists.")
    for name in (*spellings, "..", "a\0b", "\ud800", "evil_lists/inner", "x" * 100_000):
        with pytest.raises(LabelsError) as caught:
            load_labels(f"package:{name}")
        assert len(str(caught.value)) < 400
    assert not list(tmp_path.rglob("was_run"))


class Hashing:
    """An encoder that needs no weights."""

    dim, digest = 8, "none"

    def encode_text(self, texts: list[str]) -> torch.Tensor:
        rng = torch.Generator().manual_seed(len(texts))
        return torch.nn.functional.normalize(torch.randn(len(texts), self.dim, generator=rng), dim=-1)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 * 2**30)


def of_another_shape(path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"embeddings": torch.zeros(3, 9, dtype=torch.float16)}, path)


def of_another_name(path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"other": torch.zeros(3, 8, dtype=torch.float16)}, path)


def with_a_huge_header(path: Path) -> None:
    path.write_bytes((50_000_000).to_bytes(8, "little") + b"{" * 50_000_000)


DAMAGES = [os.mkfifo, zero, sparse, of_another_shape, of_another_name, with_a_huge_header, Path.mkdir]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("place", ["table", "chunk"])
def test_what_lies_in_the_place_of_a_cache_is_ignored(
    damage: object, place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = TableCache.of(tmp_path, "flavors", WORDS, Hashing()).path  # type: ignore[arg-type]
    broken = path if place == "table" else path.with_suffix(".0+2.part.safetensors")
    damage(broken)  # type: ignore[operator]
    with caplog.at_level(logging.WARNING, "clipnb"):
        table = LabelTable.build("flavors", WORDS, Hashing(), folder=tmp_path, chunk_size=2, quiet=True)  # type: ignore[arg-type]
    assert table.embeddings.shape == (3, 8)
    assert "made again" in caplog.text
    if damage is not Path.mkdir:
        again = LabelTable.build("flavors", WORDS, Hashing(), folder=tmp_path, quiet=True)  # type: ignore[arg-type]
        assert torch.equal(again.embeddings, table.embeddings)


@pytest.mark.parametrize("folder", ["a\0b", "\ud800", "x" * 5000])
def test_a_cache_folder_that_cannot_be_costs_a_warning_only(
    folder: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "clipnb"):
        table = LabelTable.build("flavors", WORDS, Hashing(), folder=tmp_path / folder, quiet=True)  # type: ignore[arg-type]
    assert len(table) == 3
    assert "not kept" in caplog.text

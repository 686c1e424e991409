"""Label tables: exact ranking in both directions, and a cache that nothing can spoil."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.table import LabelTable, best_of
from clipnb.models.encoder import DualEncoder
from tests.dying import environment

WORDS = [f"phrase number {i}" for i in range(50)]


def random_table(count: int, dim: int = 16, seed: int = 0, name: str = "flavors") -> LabelTable:
    rng = torch.Generator().manual_seed(seed)
    embeddings = F.normalize(torch.randn(count, dim, generator=rng), dim=-1).half()
    return LabelTable(name, [f"{name} {i}" for i in range(count)], embeddings)


def random_features(count: int, dim: int = 16, seed: int = 1) -> Tensor:
    return F.normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)), dim=-1)


@pytest.mark.parametrize("reverse", [False, True])
def test_rank_is_exact_on_a_long_table(reverse: bool) -> None:
    table, features = random_table(20_000), random_features(3)
    found = table.rank(features, 2048, reverse=reverse)
    similarities = features @ table.embeddings.float().T
    for row, ranked in zip(similarities, found, strict=True):
        expected = row.argsort(descending=not reverse, stable=True)[:2048]
        assert [one.label for one in ranked] == [table.labels[i] for i in expected.tolist()]
        assert ranked[0].similarity == pytest.approx(float(row[expected[0]]))


def test_rank_gives_what_there_is() -> None:
    table = random_table(1)
    assert [len(ranked) for ranked in table.rank(random_features(2), 5)] == [1, 1]


def test_tables_ranked_together_give_each_text_once() -> None:
    one, other = random_table(300, name="a"), random_table(200, seed=5, name="b")
    same = LabelTable("c", one.labels, one.embeddings)
    features = random_features(1)[0]
    found = best_of([table.rank(features[None], 40)[0] for table in (one, other, same)], 40)
    everything = torch.cat([one.embeddings, other.embeddings]).float() @ features
    labels = [*one.labels, *other.labels]
    assert [ranked.label for ranked in found] == [labels[i] for i in everything.topk(40).indices.tolist()]


def test_a_table_is_kept_and_opened_again(encoder: DualEncoder, tmp_path: Path) -> None:
    built = LabelTable.build("flavors", WORDS, encoder, folder=tmp_path, chunk_size=8, quiet=True)
    (kept,) = tmp_path.iterdir()
    stamp = kept.stat().st_mtime_ns
    opened = LabelTable.build("flavors", WORDS, encoder, folder=tmp_path, quiet=True)
    assert torch.equal(built.embeddings, opened.embeddings)
    assert opened.embeddings.dtype == torch.float16
    assert kept.stat().st_mtime_ns == stamp
    expected = encoder.encode_text(WORDS)
    assert (opened.embeddings.float() - expected).abs().max() < 1e-3


def test_the_key_tells_lists_and_weights_apart(encoder: DualEncoder, lite: DualEncoder, tmp_path: Path) -> None:
    keys = {
        TableCache.of(tmp_path, "x", labels, which).key
        for labels in (["a,b"], ["a", "b"], ["b", "a"], ['a","b'])
        for which in (encoder, lite)
    }
    assert len(keys) == 8


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty", "flipped", "other table", "folder of zeros"])
def test_a_broken_cache_is_made_again_with_a_warning(
    damage: str, encoder: DualEncoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = LabelTable.build("flavors", WORDS, encoder, folder=tmp_path, quiet=True).embeddings.clone()
    (kept,) = tmp_path.iterdir()
    content = kept.read_bytes()
    if damage == "other table":
        LabelTable.build("negative", WORDS[::-1], encoder, folder=tmp_path, quiet=True)
        content = next(path for path in tmp_path.iterdir() if path != kept).read_bytes()
    broken = {
        "truncated": content[: len(content) // 2],
        "foreign": b"GIF89a" + bytes(100),
        "empty": b"",
        "flipped": content[:-5] + bytes([content[-5] ^ 64]) + content[-4:],
        "other table": content,
        "folder of zeros": bytes(len(content)),
    }[damage]
    kept.unlink()
    kept.write_bytes(broken)
    with caplog.at_level(logging.WARNING, "clipnb"):
        again = LabelTable.build("flavors", WORDS, encoder, folder=tmp_path, quiet=True)
    assert torch.equal(again.embeddings, expected)
    assert "made again" in caplog.text
    assert torch.equal(LabelTable.build("flavors", WORDS, encoder, folder=tmp_path, quiet=True).embeddings, expected)


def test_a_cache_that_cannot_be_written_costs_a_warning_only(
    encoder: DualEncoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with caplog.at_level(logging.WARNING, "clipnb"):
        table = LabelTable.build("flavors", WORDS, encoder, folder=blocked / "below", quiet=True)
    assert len(table.embeddings) == len(WORDS)
    assert "not kept" in caplog.text


class Counting:
    """Counts what an encoder is asked to embed, and may be stopped by an exception."""

    def __init__(self, encoder: DualEncoder, stop_after: int | None = None) -> None:
        self.dim, self.digest = encoder.dim, encoder.digest
        self.encoded = 0
        self._encoder, self._stop_after = encoder, stop_after

    def encode_text(self, texts: list[str]) -> Tensor:
        if self._stop_after is not None and self.encoded >= self._stop_after:
            raise KeyboardInterrupt
        self.encoded += len(texts)
        return self._encoder.encode_text(texts)


def test_an_interrupted_build_goes_on_where_it_was(encoder: DualEncoder, tmp_path: Path) -> None:
    interrupted = Counting(encoder, stop_after=24)
    with pytest.raises(KeyboardInterrupt):
        LabelTable.build("flavors", WORDS, interrupted, folder=tmp_path, chunk_size=8, quiet=True)
    resumed = Counting(encoder)
    table = LabelTable.build("flavors", WORDS, resumed, folder=tmp_path, chunk_size=8, quiet=True)
    assert resumed.encoded == len(WORDS) - 24
    assert (table.embeddings.float() - encoder.encode_text(WORDS)).abs().max() < 1e-3
    assert len(list(tmp_path.iterdir())) == 1


BUILD = """
import sys
from pathlib import Path

import torch
from clipnb.interrogate.labels.table import LabelTable
from clipnb.models.load import load_model
from tests.dying import die_at

torch.set_num_threads(1)
labels = [f"phrase number {i}" for i in range(int(sys.argv[3]))]
encoder = load_model(sys.argv[1], "cpu")
die_at(encoder, "encode_text", int(sys.argv[4]))
LabelTable.build("flavors", labels, encoder, folder=Path(sys.argv[2]), chunk_size=16, quiet=True)
"""


def start_build(model: str, folder: Path, count: int, dies_in_chunk: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", BUILD, model, str(folder), str(count), str(dies_in_chunk)]
    return subprocess.Popen(command, env=environment())


@pytest.mark.slow
def test_two_processes_build_one_table_together(encoder: DualEncoder, tiny_clip: str, tmp_path: Path) -> None:
    builders = [start_build(tiny_clip, tmp_path, 3000) for _ in range(2)]
    assert [builder.wait() for builder in builders] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 1
    labels = [f"phrase number {i}" for i in range(3000)]
    silent = Counting(encoder)
    table = LabelTable.build("flavors", labels, silent, folder=tmp_path, quiet=True)
    assert silent.encoded == 0
    assert (table.embeddings.float() - encoder.encode_text(labels)).abs().max() < 1e-3


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_build_that_is_killed_loses_one_chunk_at_most(encoder: DualEncoder, tiny_clip: str, tmp_path: Path) -> None:
    killed = start_build(tiny_clip, tmp_path, 1000, dies_in_chunk=9)
    assert killed.wait() == -signal.SIGKILL
    labels = [f"phrase number {i}" for i in range(1000)]
    counting = Counting(encoder)
    table = LabelTable.build("flavors", labels, counting, folder=tmp_path, chunk_size=16, quiet=True)
    assert counting.encoded == len(labels) - 16 * 8
    rows = torch.arange(0, 1000, 37)
    expected = encoder.encode_text([labels[i] for i in rows.tolist()])
    assert (table.embeddings[rows].float() - expected).abs().max() < 1e-3

"""Embeddings are read back as they were written, or not at all."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from clipnb.errors import OutputError
from clipnb.models.embedding_files import EmbeddingFiles
from clipnb.models.encoder import digest_of

KIND = EmbeddingFiles("names", torch.float32, lambda names: {"made of": "words", "digest": digest_of({"": names})})
EMBEDDINGS = torch.rand(5, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "names.safetensors"
    KIND.write(path, EMBEDDINGS)
    return path


def test_what_was_written_is_read(kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = KIND.read(kept, (5, 3))
    assert found is not None
    assert torch.equal(found, EMBEDDINGS)
    assert KIND.read(kept.with_name("missing.safetensors"), (5, 3)) is None
    assert not caplog.records


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "shape", "dtype", "made of", "name"])
def test_what_is_not_as_it_should_be_is_not_read(damage: str, kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = kept.read_bytes()
    broken = {"flipped": content[:-1] + bytes([content[-1] ^ 1]), "cut": content[:20], "empty": b""}
    kept.write_bytes(broken.get(damage, content))
    other = {
        "dtype": EmbeddingFiles("names", torch.float16, KIND.facts),
        "made of": EmbeddingFiles("names", torch.float32, lambda names: {**KIND.facts(names), "made of": "others"}),
        "name": EmbeddingFiles("tables", torch.float32, KIND.facts),
    }.get(damage, KIND)
    with caplog.at_level(logging.WARNING, "clipnb"):
        assert other.read(kept, (3, 5) if damage == "shape" else (5, 3)) is None
    assert "names.safetensors in the cache cannot be used" in caplog.text
    assert "made again" in caplog.text


def test_a_place_that_takes_no_file_costs_a_warning_only(kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    below = kept / "below a file"
    with pytest.raises(OutputError):
        KIND.write(below, EMBEDDINGS)
    assert not KIND.try_to_write(below, EMBEDDINGS)
    assert "embeddings are not kept" in caplog.text
    assert KIND.read(below, (5, 3)) is None
    assert KIND.try_to_write(kept, EMBEDDINGS)

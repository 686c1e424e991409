"""Collections of whole prompts: exact search in blocks, resumed and repaired on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from clipnb.errors import ClipnbError, PromptsError
from clipnb.interrogate.labels import collection
from clipnb.interrogate.labels.collection import Collection
from clipnb.models.encoder import DualEncoder

WORDS = ("red", "sky", "cat", "stone", "river", "lamp", "gold", "fog", "tower", "glass", "wolf", "rain")
PROMPTS = [f"{a} {b} {c}" for a in WORDS for b in WORDS for c in WORDS if len({a, b, c}) == 3][::7]


@pytest.fixture
def asked(encoder: DualEncoder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that the encoder is asked for."""
    texts: list[str] = []
    encode = encoder.encode_text
    monkeypatch.setattr(encoder, "encode_text", lambda some: (texts.extend(some), encode(some))[1])
    monkeypatch.setattr(collection, "_BLOCK", 50)
    return texts


def features(encoder: DualEncoder, count: int = 3) -> torch.Tensor:
    return F.normalize(torch.randn(count, encoder.dim, generator=torch.Generator().manual_seed(0)), dim=-1)


def test_search_in_blocks_is_exact(encoder: DualEncoder, tmp_path: Path, asked: list[str]) -> None:
    opened = Collection.open(PROMPTS, encoder, folder=tmp_path, quiet=True)
    images = features(encoder)
    found = opened.nearest(images, 5)
    matrix = encoder.encode_text(PROMPTS).half().float()
    for image, hits in zip(images, found, strict=True):
        expected = (matrix @ image).sort(descending=True)
        distinct: list[tuple[str, float]] = []
        for value, row in zip(*(part.tolist() for part in expected), strict=True):
            if not any(set(PROMPTS[row].split()) == set(text.split()) for text, _ in distinct):
                distinct.append((PROMPTS[row], value))
        assert [hit.label for hit in hits] == [text for text, _ in distinct[:5]]
        assert [hit.similarity for hit in hits] == pytest.approx([value for _, value in distinct[:5]], abs=1e-5)


def test_is_embedded_once_and_gone_on_with(
    encoder: DualEncoder, tmp_path: Path, asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    images = features(encoder)
    first = Collection.open(PROMPTS, encoder, folder=tmp_path, quiet=True).nearest(images, 3)
    assert len(asked) == len(PROMPTS)
    blocks = sorted(tmp_path.rglob("*.safetensors"))
    blocks[0].unlink()  # as an interrupted run leaves it
    blocks[1].write_bytes(blocks[1].read_bytes()[:-300])  # half-written
    blocks[2].write_bytes(blocks[3].read_bytes())  # of other rows
    asked.clear()
    assert Collection.open(PROMPTS, encoder, folder=tmp_path, quiet=True).nearest(images, 3) == first
    assert asked == PROMPTS[:150]
    assert "cannot be used" in caplog.text
    asked.clear()
    assert Collection.open(PROMPTS, encoder, folder=tmp_path, quiet=True).nearest(images, 3) == first
    assert not asked


def test_texts_that_are_half_written_are_read_again(encoder: DualEncoder, tmp_path: Path) -> None:
    first = Collection.open(PROMPTS, encoder, folder=tmp_path, quiet=True)
    (texts,) = tmp_path.rglob("prompts.txt")
    texts.write_bytes(texts.read_bytes()[:100])
    assert len(Collection.open(PROMPTS, encoder, folder=tmp_path, quiet=True)) == len(first)


def test_another_encoder_or_other_prompts_have_their_own_place(
    encoder: DualEncoder, lite: DualEncoder, tmp_path: Path
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("a red cat\na blue dog\n")
    keys = [Collection.open(file, one, folder=tmp_path / "cache", quiet=True).key for one in (encoder, lite)]
    file.write_text("a red cat\na green dog\n")
    keys.append(Collection.open(file, encoder, folder=tmp_path / "cache", quiet=True).key)
    assert len(set(keys)) == 3


def test_duplicates_by_the_hundred_thousand_are_shown_once(encoder: DualEncoder, tmp_path: Path) -> None:
    file = tmp_path / "many.txt"
    file.write_text("a red cat, 8k\n" * 100_000 + "A Red Cat 8K!\n8k, a red cat\na blue dog\n")
    opened = Collection.open(file, encoder, folder=tmp_path / "cache", quiet=True)
    (hits,) = opened.nearest(features(encoder, 1), 4)
    assert len(hits) == 2
    assert {hit.label == "a blue dog" for hit in hits} == {True, False}


def test_tables_of_prompts_are_collections(encoder: DualEncoder, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.DataFrame({"text": PROMPTS}).to_parquet(tmp_path / "table.parquet")
    opened = Collection.open(tmp_path / "table.parquet", encoder, column="text", folder=tmp_path, quiet=True)
    assert len(opened) == len(PROMPTS)


@pytest.mark.parametrize("empty", [[], ["", "  "], "empty.txt", "nowhere.txt", "folder"])
def test_empty_collections_are_refused(empty: list[str] | str, encoder: DualEncoder, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    (tmp_path / "folder").mkdir()
    source = tmp_path / empty if isinstance(empty, str) else empty
    with pytest.raises(PromptsError, match=r"no prompts|is empty"):
        Collection.open(source, encoder, folder=tmp_path / "cache", quiet=True)


def test_what_is_no_collection_is_refused(encoder: DualEncoder, tmp_path: Path) -> None:
    with pytest.raises(ClipnbError, match="list of texts"):
        Collection.open([1, 2], encoder, folder=tmp_path)  # type: ignore[list-item]


def test_the_same_in_other_words_is_shown_once(lite: DualEncoder, tmp_path: Path) -> None:
    castles = ["a castle on a hill at sunset", "sunset over a castle on the hill"]
    others = ["a castle by night", "a red car", "a bowl of fruit", "an old lighthouse", "a cat", "a train in the snow"]
    opened = Collection.open([*castles, *others], lite, folder=tmp_path, quiet=True)
    (hits,) = opened.nearest(lite.encode_text(["a castle at sunset"]), 8)
    assert len({hit.label for hit in hits} & set(castles)) == 1
    assert {hit.label for hit in hits} > set(others)


def test_a_million_repeats_are_searched_once(encoder: DualEncoder, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text("prompt\n" + "a red cat\n" * 1_000_000 + "a blue dog\n")
    opened = Collection.open(file, encoder, folder=tmp_path / "cache", quiet=True)
    assert len(opened) == 2

"""The towers of lite beside those of the libraries that they come from: the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from clipnb.models.lite import weights
from clipnb.models.lite.classes import imagenet_classes
from clipnb.models.lite.towers import Bert, WordPieces

TEXTS = [
    *("", "  ", "a cat", "Ünïcödé naïve café", "東京 の猫", "a [PAD] b", "[MASK] [SEP] x", "\x00 zero", "a fox 🦊"),
    *("a" * 300, "Ⅷ ½ ﬁ", "zero\u200bwidth x\u0301", "word " * 400, "by greg (o'brien), 4k--hdr", "It's #1 @ 50%!"),
]


@pytest.fixture(scope="module")
def text_tower() -> tuple[WordPieces, Bert]:
    return weights.load_text_tower()


def test_texts_are_cut_into_the_tokens_of_transformers(text_tower: tuple[WordPieces, Bert]) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(weights.package_file(weights.TEXT_PACKAGE, "model"))
    for longest in (3, 64, 256):
        expected = theirs(TEXTS, padding=True, truncation=True, max_length=longest, return_tensors="pt")
        found = text_tower[0](TEXTS, max_length=longest)
        assert torch.equal(found["input_ids"], expected["input_ids"])
        assert torch.equal(found["attention_mask"], expected["attention_mask"])
    assert [text_tower[0].length(text) for text in TEXTS] == [len(theirs(text)["input_ids"]) for text in TEXTS]


def test_the_text_tower_gives_what_transformers_gives(text_tower: tuple[WordPieces, Bert]) -> None:
    from transformers import AutoModel

    tokenise, tower = text_tower
    theirs = AutoModel.from_pretrained(weights.package_file(weights.TEXT_PACKAGE, "model"), add_pooling_layer=False)
    batch = tokenise(TEXTS, max_length=64)
    seen = batch["attention_mask"].bool()
    with torch.no_grad():
        expected = theirs.eval()(**batch).last_hidden_state[seen]
        torch.testing.assert_close(tower(**batch).last_hidden_state[seen], expected, atol=1e-5, rtol=1e-5)
    assert tower.state_dict().keys() <= theirs.state_dict().keys()


@pytest.mark.parametrize("content", [b"", b"{", b"[[], []]", json.dumps([["a"] * 999, ["b"] * 1000]).encode()])
def test_classes_are_read_from_the_cache_and_made_again_where_it_is_damaged(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path))
    made = imagenet_classes()
    assert made.names[950] == "orange"
    assert made.entries[950].startswith("orange: round yellow to orange fruit")
    (kept,) = (tmp_path / "lite").iterdir()
    whole = kept.read_bytes()
    assert imagenet_classes() == made
    kept.write_bytes(content)
    assert imagenet_classes() == made
    assert kept.read_bytes() == whole

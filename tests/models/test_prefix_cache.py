"""Endings of a shared beginning: the same embeddings as whole texts, whatever the seam, the tower and the length."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clipnb.interrogate.labels.word_lists import builtin_labels
from clipnb.models.encoder import DualEncoder, WholeTexts
from clipnb.models.load import load_model
from clipnb.models.prefix_cache import PrefixCachedTexts, nested
from tests.conftest import TINY_CONFIG, save_open_clip

BEGINNINGS = ["", "a cat,", "a cat", "a photo of two people, soft light, 'tis the sea,", "łódź über café,", "R&B &amp,"]
ENDINGS = [
    " red sky",
    " by Hōkūsai",
    " it's",
    "s and dogs",
    "",
    " ",
    ", glued",
    " rock &amp; roll",
    " a <end_of_text> inside",
    " " + "very " * 90 + "long",
    " x" * 74,
    " ﬁne ligature",
    " caf\u0065\u0301",
]


@pytest.fixture(scope="module")
def custom_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    config = dict(TINY_CONFIG, text_cfg=dict(TINY_CONFIG["text_cfg"], ls_init_value=0.3))
    return save_open_clip(tmp_path_factory.mktemp("custom"), config, custom_text=True)


@pytest.fixture(params=["clip", "custom"])
def encoder(request: pytest.FixtureRequest, tiny_clip: str, custom_text: str) -> DualEncoder:
    return load_model(tiny_clip if request.param == "clip" else custom_text, "cpu")


@pytest.mark.parametrize("beginning", [*BEGINNINGS, "word " * 73 + ",", "word " * 100 + ",", "a <end_of_text> b,"])
def test_endings_are_embedded_as_in_whole_texts(beginning: str, encoder: DualEncoder) -> None:
    continuations = encoder.continuations(ENDINGS)
    assert isinstance(continuations, PrefixCachedTexts)
    expected = encoder.encode_text([beginning + ending for ending in ENDINGS])
    assert (continuations.encode(beginning) - expected).abs().max() < 1e-6
    assert (continuations.encode(beginning, [4, 0]) - expected[[4, 0]]).abs().max() < 1e-6
    assert continuations.encode(beginning, []).shape == (0, encoder.dim)


def test_texts_that_begin_with_one_another_are_embedded_as_alone(encoder: DualEncoder) -> None:
    growing = ["a cat", "a cat, red sky", "a cat, red sky, by Hōkūsai", "a cat, red sky" + ", very long" * 40]
    texts = [*growing, "a dog", "a cat, blue", "", "a <end_of_text> b", "a <end_of_text> b, c", *reversed(growing[:2])]
    together = encoder.encode_text(texts)
    alone = torch.cat([encoder.encode_text([text]) for text in texts])
    assert (together - alone).abs().max() < 1e-6


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), max_size=12))
def test_nested_texts_begin_one_another_and_none_is_lost(texts: list[list[int]]) -> None:
    groups = nested(texts)
    assert sorted(place for group in groups for place in group) == list(range(len(texts)))
    for shorter, longer in (pair for group in groups for pair in pairwise(group)):
        assert texts[longer][: len(texts[shorter])] == texts[shorter]


def test_every_builtin_label_has_the_tokens_of_the_whole(encoder: DualEncoder) -> None:
    labels = [*builtin_labels("flavors"), *builtin_labels("artists")]
    beginning = "a photo of a cat, in the style of 1960s,"
    endings = [f" {label}" for label in labels]
    shared = encoder.continuations(endings)
    assert isinstance(shared, PrefixCachedTexts)
    head, tails = shared.split(beginning, range(len(endings)))
    assert [head + tail for tail in tails] == shared.tokens.leading([beginning + ending for ending in endings])


def test_a_draft_is_near(encoder: DualEncoder) -> None:
    draft = encoder.continuations(ENDINGS, draft=True).encode("a cat,")
    expected = encoder.encode_text(["a cat," + ending for ending in ENDINGS])
    assert (draft * expected).sum(-1).min() > 0.99
    assert draft.dtype == torch.float32


@pytest.mark.parametrize(
    "change", [{"no_causal_mask": True, "pool_type": "last"}, {"embed_cls": True}, {"qk_norm": True}]
)
def test_towers_of_another_kind_take_whole_texts(change: dict[str, object], tmp_path: Path) -> None:
    config = dict(TINY_CONFIG, text_cfg={**TINY_CONFIG["text_cfg"], **change})
    encoder = load_model(save_open_clip(tmp_path, config, custom_text=True), "cpu")
    continuations = encoder.continuations(ENDINGS)
    assert isinstance(continuations, WholeTexts)
    expected = encoder.encode_text(["a cat," + ending for ending in ENDINGS])
    assert (continuations.encode("a cat,") - expected).abs().max() < 1e-6

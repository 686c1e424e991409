"""Prompts are cut to fit, whatever language they are in."""

from __future__ import annotations

import pytest

from clipnb.interrogate.prompt import Phrase, cut_to_fit, join


def fits(text: str) -> bool:
    return len(text) <= 10


@pytest.mark.parametrize(
    ("texts", "prompt"),
    [
        (["a cat", "on"], "a cat, on"),
        (["a cat", "on a mat"], "a cat"),
        (["a cat, on a mat"], "a cat, on"),
        (["a cat sits, always"], "a cat"),
        (["\u732b" * 12, "x"], "\u732b" * 10),  # no spaces to cut at
        (["x" * 12 + " y"], "x" * 10),
        ([""], ""),
        ([], ""),
    ],
)
def test_a_prompt_is_cut_at_phrases_then_words_then_characters(texts: list[str], prompt: str) -> None:
    kept = cut_to_fit([Phrase(text, "caption") for text in texts], fits)
    assert join(kept) == prompt
    assert fits(join(kept))

"""Captions that do not say the same over and over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from clipnb.errors import CaptionerError
from clipnb.models.captioner import load_captioner
from clipnb.models.captioners.repetition import Repetition


class Model:
    """A model with settings of its own."""

    def __init__(self, **settings: Any) -> None:
        self.generation_config = type("Config", (), {"no_repeat_ngram_size": 0, **settings})()


def forbidden(repetition: Repetition, said: list[int], prompt: int = 0) -> list[int]:
    scores = torch.zeros(1, 6)
    for rule in repetition.options(prompt).get("logits_processor", []):
        scores = rule(torch.tensor([said]), scores)
    return torch.nonzero(scores[0] == -torch.inf).flatten().tolist()


def test_captioners_of_pixels_alone_do_not_repeat_three_tokens() -> None:
    assert forbidden(Repetition(Model(), None, None, short=True), [1, 2, 3, 1, 2]) == [3]
    assert forbidden(Repetition(Model(), 0, None, short=True), [1, 2, 3, 1, 2]) == []
    assert forbidden(Repetition(Model(), 2, None, short=True), [4, 4]) == [4]


def test_the_models_own_settings_hold_unless_others_are_given() -> None:
    assert Repetition(Model(no_repeat_ngram_size=5), None, None, short=True).options(0) == {}
    assert Repetition(Model(), None, None, short=False).options(0) == {}
    assert Repetition(Model(no_repeat_ngram_size=5), 0, 1, short=True).options(0) == {
        "no_repeat_ngram_size": 0,
        "repetition_penalty": 1.0,
    }


def test_what_stands_in_the_prompt_may_be_said_again() -> None:
    repetition = Repetition(Model(), 3, None, short=False)
    assert forbidden(repetition, [1, 2, 3, 1, 2], prompt=3) == []
    assert forbidden(repetition, [1, 2, 3], prompt=3) == []
    assert forbidden(repetition, [0, 0, 0, 1, 2, 3, 1, 2], prompt=3) == [3]
    penalty = Repetition(Model(), None, 2.0, short=False).options(1)["logits_processor"]
    assert penalty[0](torch.tensor([[1, 2]]), torch.ones(1, 4)).tolist() == [[1, 1, 0.5, 1]]


@pytest.mark.parametrize(
    "wish", [{"no_repeat_ngram_size": -1}, {"no_repeat_ngram_size": 1.5}, {"repetition_penalty": 0}]
)
def test_wishes_out_of_range_are_refused(wish: dict[str, Any], save: Callable[[str], Path]) -> None:
    with pytest.raises(CaptionerError, match=next(iter(wish))):
        load_captioner(str(save("llava")), "cpu", quiet=True, **wish)


def test_tokens_are_said_once_where_that_is_wished(
    kind: str, save: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    captioner = load_captioner(str(save(kind)), "cpu", max_new_tokens=12, no_repeat_ngram_size=1, quiet=True)
    words = [caption.split() for caption in captioner.caption(pictures)]
    assert all(len(set(some)) == len(some) for some in words)
    assert any(words)


def test_captions_are_proposed_by_beams_and_by_chance(
    kind: str, save: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    captioner: Any = load_captioner(str(save(kind)), "cpu", max_new_tokens=6, quiet=True)
    for sampling in (False, True):
        proposed = [captioner.propose(picture, 4, sampling=sampling) for picture in pictures]
        assert {len(some) for some in proposed} == {4}
        # The small Florence-2 says little but marks, which are left out of what is read.
        assert sampling or kind == "florence2" or any(len(set(some)) > 1 for some in proposed)
        assert proposed[0] == captioner.propose(pictures[0], 4, sampling=sampling)

"""Answers that are no captions are seen; captions are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.models.captioners.faults import answer_of, fault_of

DATA = "answered with data instead of a sentence"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "had nothing to say"),
        (" \n ... !!", "had nothing to say"),
        ("1 2 3", "had nothing to say"),
        ('{"caption": "a cat", "tags": [', DATA),
        ("{'caption': 'a cat'}", DATA),
        ('```json\n{"caption": "a cat"}\n```', DATA),
        ('[{"label": "cat", "bbox_2d": [1, 2', DATA),
        ('["cat", "dog"]', DATA),
        ("[[1, 2], [3, 4]]", DATA),
        ("<!DOCTYPE html><p>a cat", DATA),
        ("I'm sorry, but I can't assist with that.", "refused to answer"),
        ("I’m sorry, I cannot describe people.", "refused to answer"),
        ("Sorry, I can't help with identifying people.", "refused to answer"),
        ("As an AI language model, I cannot see pictures.", "refused to answer"),
        ("Unfortunately, I am unable to view the image.", "refused to answer"),
        ("I don't see any image. Please upload it.", "refused to answer"),
        ("There is no image attached.", "refused to answer"),
        ("Please provide an image.", "refused to answer"),
        ("抱歉，我无法识别图片中的人物。", "refused to answer"),
        ("a photo of a cup cup cup cup", "repeats itself"),
        ("cup, cup, cup", "repeats itself"),
        ("a cup of a cup of a cup of a cup of a cup of", "repeats itself"),
        ("杯子杯子杯子杯子杯子杯子", "repeats itself"),
        ("lalalalalalalalalalala", "repeats itself"),
        ("a \ufffd\ufffd\ufffd\ufffd cup", "answered with nonsense"),
        ("x_/%$#@ ~~|<>{}^^0129838", "answered with nonsense"),
    ],
)
def test_what_is_no_caption_is_named(answer: str, fault: str) -> None:
    assert fault_of(answer) == fault


@pytest.mark.parametrize(
    "caption",
    [
        "a cup of coffee and a cup of tea",
        "cup",
        "a man saying 'I'm sorry' to a woman",
        "a sign that says 1 1 1 1",
        "a very, very long road",
        "1girl, solo, long hair, blue hair, blue eyes, long sleeves, looking at viewer",
        "[a photo] of a cat",
        "一只猫坐在窗台上",
        "sorrowful woman in a red dress",
        "no people on the beach",
        "In the image there is a cat on the left. In the image there is a dog on the right, and a tree behind both.",
        "an \U0001f600 emoji",
    ],
)
def test_captions_are_left_alone(caption: str) -> None:
    assert fault_of(caption) is None


def test_what_a_model_thinks_is_no_answer() -> None:
    assert answer_of("<think>a cat? a dog?</think>\n a cat ") == "a cat"
    assert answer_of("<think>a cat? a") == ""


@given(st.text(max_size=300) | st.text("ab ", max_size=300).map(lambda text: text * 20))
def test_any_answer_is_judged(text: str) -> None:
    assert fault_of(text) is None or isinstance(fault_of(text), str)
    answer_of(text)

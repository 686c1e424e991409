"""Texts of a picture by name, and their encodings told by their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.prompts.containers.exif import user_comment
from clipnb.prompts.containers.texts import LONGEST_TEXT, Texts, decoded

MARKS = [b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8), b""]
ORDERS = ["utf-16-be", "utf-16-le"]
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc"])
WORDS = st.text(st.sampled_from("abcXYZ019 ,.:()<>_-'\n\u00e9\u00df\u0431\u03b1"), max_size=60).map("a cat, {}".format)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("is_little_endian", [False, True])
@given(text=WORDS)
def test_utf16_is_told_by_its_bytes(mark: bytes, order: str, is_little_endian: bool, text: str) -> None:
    assert user_comment(mark + text.encode(order), is_little_endian) == text


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("is_little_endian", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "一只猫",  # one byte of the first letter is 0, on the other side than those of the West
        "一只猫，一只狗",
        "丛, cat ě",  # with the byte that begins an escape of JIS
        "猫 ☕ 🐈",
        "кошка, мех",
        "แมว, ขน",
        "고양이, 털",
        "cat 🐈‍⬛",
    ],
)
@pytest.mark.parametrize("mark", MARKS)
def test_utf16_of_other_alphabets(mark: bytes, order: str, is_little_endian: bool, text: str) -> None:
    assert user_comment(mark + text.encode(order), is_little_endian) == text


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("word", ["猫", "一个", "кошка"])  # in bytes of ASCII
def test_single_word_under_a_mark_of_utf16_is_in_the_order_of_its_file(order: str, word: str) -> None:
    assert user_comment(b"UNICODE\0" + word.encode(order), order == "utf-16-le") == word


@pytest.mark.parametrize("mark", MARKS)
@given(text=st.text(LETTERS, max_size=40).map("a cat, {}".format))
def test_utf8_is_read_whatever_its_mark_says(mark: bytes, text: str) -> None:
    assert user_comment(mark + text.encode()) == text


@pytest.mark.parametrize("text", ["猫、毛皮", "ねこ, けがわ", "a cat"])
def test_jis(text: str) -> None:
    assert user_comment(b"JIS\0\0\0\0\0" + text.encode("iso2022_jp")) == text


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_any_bytes_are_decoded(data: bytes, likely_utf16: bool, little_endian: bool) -> None:
    decoded(data, likely_utf16, little_endian)
    for mark in MARKS:
        user_comment(mark + data, little_endian)


def test_stray_control_character_makes_no_utf16() -> None:
    assert decoded(b"a cat\x03 fur") == "a cat\x03 fur"


def test_first_text_of_a_name_that_is_not_blank_is_kept() -> None:
    texts = Texts()
    for text in (" ", "\0", "a cat\0", "dog"):
        texts.keep("Comment", text)
    assert texts == {"Comment": "a cat"}


@pytest.mark.parametrize(
    "text",
    ['{"prompt": "a cat"', '{\n  "prompt": ', '[{"prompt": "a cat"}', '{"', '\n{ "a": [1, ', '{"a":' * 100_000],
)
def test_damaged_json_is_no_text_and_told(text: str) -> None:
    texts = Texts({"Comment": text})
    assert texts.text("Comment") == ""
    assert len(texts.problems) == 1
    assert "'Comment'" in texts.problems[0]


@pytest.mark.parametrize("text", ['{"prompt": "a cat"}', '[{"prompt": "a cat"}]'])
def test_json_is_no_text_and_nothing_to_tell(text: str) -> None:
    texts = Texts({"Comment": text})
    assert (texts.text("Comment"), texts.problems) == ("", [])


@pytest.mark.parametrize("text", ["{cat|dog}, fur", "{{masterpiece}}", "[a:b:0.5]", "[[cat]]", "{", "[{red|blue} cat]"])
def test_prompts_that_begin_with_brackets_are_texts(text: str) -> None:
    texts = Texts({"Comment": text})
    assert (texts.text("Comment"), texts.problems) == (text, [])


def test_text_that_is_too_long_is_told() -> None:
    texts = Texts({"Comment": "x" * (LONGEST_TEXT + 1)})
    assert texts.text("Comment") == ""
    assert "1,000,000 characters" in texts.problems[0]

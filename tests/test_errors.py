"""Words for messages: the nearest allowed ones to a mistyped one, and not too many of them."""

from __future__ import annotations

from clipnb.errors import first_line, listed, nearest, shortened


def test_a_near_word_is_named_alone() -> None:
    assert nearest("NOISEE", ["noise", "blur", "crop"]) == "noise"


def test_without_a_near_word_all_are_named() -> None:
    assert nearest("zzz", ["noise", "blur"]) == "noise, blur"


def test_long_lists_are_cut() -> None:
    assert nearest("zzz", [f"word{i}" for i in range(20)]).endswith("word9, ...")


def test_things_are_named_up_to_a_number() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert listed(list("abc"), 1, "; ") == "a and 2 more"
    assert len(listed(["a" * 100_000] * 9)) < 3000


def test_an_error_is_put_into_one_line() -> None:
    assert first_line(OSError("\n  no config.json\n  in /somewhere")) == "no config.json"
    assert first_line(ValueError(" \n")) == "ValueError"


def test_a_library_that_repeats_a_whole_file_is_cut() -> None:
    assert first_line(ValueError("invalid: " + "x" * 50_000)) == "invalid: " + "x" * 488 + "..."


def test_what_a_user_wrote_is_quoted_up_to_a_length() -> None:
    assert shortened("a" * 60) == "a" * 60
    assert shortened("a" * 61) == "a" * 57 + "..."
    assert shortened("abcdefgh", 6) == "abc..."

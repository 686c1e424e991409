"""The nearest allowed words to a mistyped one."""

from __future__ import annotations

from clipnb.errors import nearest


def test_a_near_word_is_named_alone() -> None:
    assert nearest("NOISEE", ["noise", "blur", "crop"]) == "noise"


def test_without_a_near_word_all_are_named() -> None:
    assert nearest("zzz", ["noise", "blur"]) == "noise, blur"


def test_long_lists_are_cut() -> None:
    assert nearest("zzz", [f"word{i}" for i in range(20)]).endswith("word9, ...")

"""A caption taken apart and put together again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clipnb.prompts.tag_line import TagLine, key_of, with_blanks, with_underscores

TEXTS = st.text(st.sampled_from("ab_^,，、 \t\r\n\u3000\u2028()[]{}\\:1.;<>é"), max_size=60) | st.text()


@given(TEXTS)
def test_any_text_survives_being_taken_apart(text: str) -> None:
    line = TagLine.parse(text)
    assert str(line) == text
    assert all(tag and tag == tag.strip() for tag in line.tags)


@given(TEXTS)
def test_a_change_of_nothing_changes_nothing(text: str) -> None:
    line = TagLine.parse(text)
    assert str(line.mapped(lambda tag: tag)) == text
    assert str(line.arranged(line.tags)) == text


@given(TEXTS)
def test_unique_loses_no_tag_but_repeats(text: str) -> None:
    line = TagLine.parse(text)
    assert list(dict.fromkeys(map(key_of, line.tags))) == [key_of(tag) for tag in line.unique().tags]


@given(TEXTS)
def test_underscores_change_nothing_but_blanks(text: str) -> None:
    for change in (with_blanks, with_underscores):
        line = TagLine.parse(text)
        changed = line.mapped(change)
        assert len(changed.tags) == len(line.tags)
        for old, new in zip(line.tags, changed.tags, strict=True):
            assert old.replace("_", " ").split() == new.replace("_", " ").split()


def test_a_long_run_of_blanks_takes_no_time() -> None:
    text = "a" + " " * 300_000 + "b" + "\n" * 300_000 + "c"
    assert TagLine.parse(text).tags == ("a" + " " * 300_000 + "b", "c")


def test_comma_inside_brackets_parts_nothing() -> None:
    assert TagLine.parse("(red, blue:1.2), :(, b (c), [d, e").tags == ("(red, blue:1.2)", ":(", "b (c)", "[d", "e")

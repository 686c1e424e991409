from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import ConfigError
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.shorthand import MAX_TEXTS, features_of, line_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a lighthouse:2 | storm | blurry:-0.5", [("a lighthouse", 2), ("storm", 1), ("blurry", -0.5)]),
        ("a cat", [("a cat", 1)]),
        ("cats:.5|dogs:+1.", [("cats", 0.5), ("dogs", 1)]),
        ("mission: impossible", [("mission: impossible", 1)]),
        ("the sun at 12:30 | 16:9", [("the sun at 12:30", 1), ("16:9", 1)]),
        ('"this | that:2" | "a: 2":-3', [("this | that:2", 1), ("a: 2", -3)]),
        ('"a" b | 5" gun', [('"a" b', 1), ('5" gun', 1)]),
    ],
)
def test_texts_with_weights_on_one_line(line: str, expected: list[tuple[str, float]]) -> None:
    assert [(one["text"], one.get("weight", 1)) for one in features_of(line)] == expected
    from_yaml = ExperimentConfig.from_dict({"targets": {"features": line}})
    for config in (ExperimentConfig.from_text(line), from_yaml):
        assert [(one.text, one.weight) for one in config.targets[0].features] == expected


@pytest.mark.parametrize("line", ["a: 2", "a:0,5", "a:50%", "a:2:.5", ":2", "a | :2", "deadline:12:30"])
def test_a_number_that_may_be_a_weight_is_asked_for(line: str) -> None:
    with pytest.raises(ConfigError, match=r"is the number in .* a weight"):
        features_of(line)
    assert features_of(f'"{line}"') == [{"text": line}]


@pytest.mark.parametrize("line", ["", "a |", "| a", "a | | b", '""', '" ":2'])
def test_a_missing_text_is_told(line: str) -> None:
    with pytest.raises(ConfigError, match="a text is missing"):
        features_of(line)


def test_texts_in_a_list_stay_as_they_are() -> None:
    config = ExperimentConfig.from_dict({"targets": {"features": ["this | that:2", {"text": "a:3"}]}})
    assert [(one.text, one.weight) for one in config.targets[0].features] == [("this | that:2", 1), ("a:3", 1)]


def test_the_place_of_an_unclear_weight_is_named() -> None:
    with pytest.raises(ConfigError, match=r"line 2: targets\[0\].features: is the number in 'a:2,5' a weight"):
        ExperimentConfig.from_yaml("targets:\n- features: a:2,5")


def test_very_many_texts_are_refused() -> None:
    assert len(features_of(" | ".join(["a"] * MAX_TEXTS))) == MAX_TEXTS
    with pytest.raises(ConfigError, match="more than 100 texts"):
        features_of("a |" * 300_000)


_WEIGHTS = st.floats(-1000, 1000).map(lambda weight: round(weight, 3))


@given(st.lists(st.tuples(st.text('ab:|"2. %,-', min_size=1, max_size=8), _WEIGHTS), min_size=1, max_size=4))
def test_what_is_written_is_read_back(features: list[tuple[str, float]]) -> None:
    line = line_of(features)
    if line is not None:
        assert [(one["text"], one.get("weight", 1)) for one in features_of(line)] == features
    elif not any('"' in text or not text.strip() for text, _ in features):
        pytest.fail("not written")


@given(st.text(max_size=60))
def test_any_line_is_read_or_refused_in_words(line: str) -> None:
    try:
        texts = [one["text"] for one in features_of(line)]
    except ConfigError:
        return
    assert all(text.strip() for text in texts)

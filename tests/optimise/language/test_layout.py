"""Wrong indentation, tabs, and missing blanks, colons and dashes are told with their line and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.cli import main
from clipnb.errors import ConfigError
from clipnb.optimise.language.config import ExperimentConfig

FEATURES = "targets:\n  - features:\n      - text: a cat\n"
MISTAKES = [
    (FEATURES + "  transforms:\n", 4, "'transforms' belongs inside the target above: indent it by two"),
    (FEATURES + "transforms:\n  - noise: .1\n", 4, "'transforms' belongs inside the target above: indent it by four"),
    ("targets:\n- features: [a]\ntransforms: [noise]\n", 3, "'transforms' belongs inside the target above: indent"),
    (FEATURES + "   weight: 2\n", 4, "'weight' belongs inside the target above: indent it by one"),
    (FEATURES + "      weight: 2\n", 4, "'weight' belongs inside the feature above: indent it by two"),
    (FEATURES + "    loss: l1\n", 4, "'loss' belongs inside the feature above: indent it by four"),
    (FEATURES + "          weight: 2\n", 4, "'weight' belongs inside the feature above: take two blanks away"),
    (FEATURES + "        - text: a dog\n", 4, "'- text' belongs in the list above: take two blanks away before it"),
    ("targets:\n- transforms:\n    - noise: 1\n      - gray\n", 4, "'- gray' belongs in the list above: take two"),
    ("epochs: 10\n  seed: 5\n", 2, "'seed' belongs at the top level: take two blanks away before it"),
    ("epochs: 9\ntargets:\n  - epochs: 3\n", 3, "'epochs' belongs at the top level: take four blanks away before it"),
    ("targets:\n\t- features: [a]\n", 2, "a tab stands before 'features: [a]'; YAML is indented by blanks"),
    ("targets:\n  - features:\n    \t- text: a\n", 3, "a tab stands before 'text: a'"),
    ("epochs:\t10\n", 1, "a tab stands after 'epochs:'; write a blank"),
    ("epochs:10\nresolution: 32\n", 1, "after 'epochs:' a blank is missing: 'epochs: 10'"),
    ("epochs:10\n", 1, "after 'epochs:' a blank is missing: 'epochs: 10'"),
    ("targets:\n- transforms:\n  - noise:.1\n", 3, "after 'noise:' a blank is missing"),
    ("targets:\n  -features: [a]\n", 2, "after the dash a blank is missing"),
    ("epochs 10\nseed: 3\n", 1, "after 'epochs' a colon is missing: 'epochs: 10'"),
    ("targets\n  - features:\n      - text: a\n", 1, "after 'targets' a colon is missing: 'targets:'"),
    ("targets:\n  - features\n      - text: a\n", 2, "after 'features' a colon is missing: 'features:'"),
    ("targets:\n- features:\n    text: a\n    text: b\n", 4, "of several each begins with '- '"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words"), MISTAKES)
def test_a_mistake_of_layout_is_told_with_its_line_and_mend(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_yaml(text, "f.yaml")
    first = str(caught.value).splitlines()[0]
    assert f", line {line}:" in first
    assert words in first


def test_the_command_line_tells_the_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_text(FEATURES + "  transforms:\n    - noise: .1\n")
    assert main(["optimise", str(tmp_path / "bad.yaml")]) == 2
    told = capsys.readouterr().err
    assert "line 4: 'transforms' belongs inside the target above: indent it by two" in told


def test_lines_without_dashes_below_a_list_are_told_to_be_one_text() -> None:
    told: list[str] = []
    ExperimentConfig.from_yaml("targets:\n- features:\n    a cat\n    a dog\n", "f.yaml", told=told.append)
    assert told == ["f.yaml, line 3: what stands below 'features' is one text; of several each begins with '- '"]


@given(st.text("targexnoisw:-# \t\n{}[]'\"&*!|>0.1", max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        ExperimentConfig.from_yaml(text, "f.yaml", told=lambda _: None)
    except ConfigError as error:
        assert str(error).startswith(("f.yaml", "recipe"))  # noqa: PT017 - it need not be raised

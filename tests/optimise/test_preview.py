"""Expressions of an experiment: their value now, and their curve over the run."""

from __future__ import annotations

import pytest

from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.preview import MAX_POINTS, preview

CONFIG = ExperimentConfig.from_dict(
    {"epochs": 301, "resolution": [64, 32], "learnrate": "1 - t", "targets": [{"features": ["a"]}]}
)


@pytest.mark.parametrize(
    ("level", "key", "source", "words"),
    [
        ("", "learnrate", "1 - .9 * t2", "1 - .9 * t2 is 0.775 now, in step 151 of 301"),
        ("targets[]", "weight", "width / height", "width / height is 2 now"),
        ("targets[]", "weight", "lr", "lr is 0.5 now"),
        ("targets[].transforms[]", "noise", ".1 t ti", ".1 t ti is 0.1 0.5 0.5 now"),
        ("targets[].transforms[].noise", "std", "t", "t is 0.5 now"),
        ("targets[]", "weight", "uniform(2, 2) * t", "in one of many draws"),
        ("targets[]", "weight", "1 / (epoch - 150)", "cannot be computed: float division"),
        ("targets[]", "weight", "sim / 2", "depends on the similarity of each view"),
    ],
)
def test_the_value_in_the_present_step(level: str, key: str, source: str, words: str) -> None:
    told = preview(CONFIG, level, key, source, 150)
    assert told is not None
    assert words.replace("float division", "") in told.words.replace("float division", "").replace("  ", " ")


@pytest.mark.parametrize(
    ("level", "key", "source"),
    [
        ("", "epochs", "3 * 4"),
        ("", "model", "t"),
        ("", "learnrate", "open('x')"),
        ("", "learnrate", "2"),
        ("x", "y", "t"),
    ],
)
def test_what_is_no_expression_of_variables_has_none(level: str, key: str, source: str) -> None:
    assert preview(CONFIG, level, key, source, 0) is None


def test_a_curve_has_few_points_and_the_present_step_among_them() -> None:
    told = preview(CONFIG, "", "learnrate", "t", 77)
    assert told is not None
    assert told.steps[0] == 0
    assert told.steps[-1] == 300
    assert told.now in told.steps
    assert len(told.steps) <= MAX_POINTS + 1
    assert told.curves == [pytest.approx([step / 300 for step in told.steps])]


def test_a_film_begins_anew_in_each_frame() -> None:
    film = ExperimentConfig.from_dict(
        {"epochs": 3, "frames": {"count": 3, "steps": 2}, "targets": [{"features": ["a"]}]}
    )
    told = preview(film, "", "learnrate", "t + frame", 0)
    assert told is not None
    assert told.curves == [[0.0, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0]]

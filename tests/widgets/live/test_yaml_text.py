"""A control changes one value of the YAML and leaves everything else alone."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import ConfigError
from clipnb.widgets.live.yaml_text import text_at, with_value


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("epochs: 10 # few\nmodel: auto\n", ("epochs",), 20, "epochs: 20 # few\nmodel: auto\n"),
        ("# mine\nmodel: auto\n", ("epochs",), 20, "epochs: 20\n# mine\nmodel: auto\n"),
        ("", ("epochs",), 20, "epochs: 20\n"),
        ("{epochs: 10, model: auto}", ("device",), "cpu", "{device: cpu, epochs: 10, model: auto}"),
        ("resolution:\n  - 3\n  - 4\nmodel: auto\n", ("resolution",), [5, 6], "resolution: [5, 6]\nmodel: auto\n"),
        ("pixels:\n  fourier:\n    decay: 2\n\nmodel: a\n", ("pixels",), "rgb", "pixels: rgb\n\nmodel: a\n"),
        ("init: {mean: .5}\n", ("init",), {"image": "a b.png"}, "init: {image: a b.png}\n"),
        ("model:\nepochs: 3\n", ("model",), "lite", "model: lite\nepochs: 3\n"),
        ("a:\n- b: 1\n  c: 2\n", ("a", 0, "d"), [0, 1], "a:\n- d: [0, 1]\n  b: 1\n  c: 2\n"),
        ("a: [{b: 1}]\n", ("a", 0, "d"), "x", "a: [{d: x, b: 1}]\n"),
        ("a: {}\n", ("a", "d"), "x", "a: {d: x}\n"),
        ("a: &one\n  b: 1\n", ("a", "d"), "x", "a: &one\n  d: x\n  b: 1\n"),
        (
            "a:\n- b:\n  - c: 1\n  d: 2\n",
            ("a", 0, "b"),
            [{"e": {"f": [1, 2]}}, {"g": "x: y"}],
            "a:\n- b:\n  - e:\n      f: [1, 2]\n  - g: 'x: y'\n  d: 2\n",
        ),
        ("a:\n    b: 1\nc: 2\n", ("a",), {"d": {"e": 1}}, "a:\n    d:\n      e: 1\nc: 2\n"),
        ("a: &one\n  b: 1\n", ("a",), {"c": 1}, "a: {c: 1}\n"),
        (
            "a:\n- b:\n  - text: old # why\n",
            ("a", 0, "b", 0, "text"),
            "new: one",
            "a:\n- b:\n  - text: 'new: one' # why\n",
        ),
    ],
)
def test_one_value_changes(text: str, path: tuple[str | int, ...], value: object, expected: str) -> None:
    changed = with_value(text, path, value)
    assert changed == expected
    at = yaml.safe_load(changed)
    for key in path:
        at = at[key]
    assert at == value


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", "a: 1\nb: {c"])
def test_what_is_no_yaml_map_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        with_value(text, ("epochs",), 1)


def test_a_deep_path_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no targets\.0\.text"):
        with_value("targets: []", ("targets", 0, "text"), "x")
    assert text_at("targets: []", ("targets", 0)) is None
    assert text_at("a: [", ("a",)) is None


@given(st.text(max_size=60))
def test_any_text_comes_back(text: str) -> None:
    before = "# note\ntargets:\n  - features:\n      - text: old  # here\nmodel: auto\n"
    path = ("targets", 0, "features", 0, "text")
    after = with_value(before, path, text)
    assert text_at(after, path) == text
    assert yaml.safe_load(after)["model"] == "auto"
    assert after.startswith("# note\n")


@given(st.text(max_size=60))
def test_any_text_comes_back_from_a_flow(text: str) -> None:
    before = "targets: [{features: [{text: old}, other]}]\nmodel: auto\n"
    after = with_value(before, ("targets", 0, "features", 0, "text"), text)
    assert yaml.safe_load(after) == {"targets": [{"features": [{"text": text}, "other"]}], "model": "auto"}

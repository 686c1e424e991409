"""Experiments from anywhere: whatever the YAML is, it is an experiment or refused in words, and soon."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clipnb.errors import ConfigError
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.mistakes import MAX_MISTAKES
from clipnb.optimise.language.yaml_source import MAX_BYTES, MAX_CHARACTERS, MAX_PIXELS, MAX_VALUES
from clipnb.optimise.results import dump

PARTS = "targets:\n- transforms:\n"
TOO_LARGE = {
    "base 60": ("epochs: " + "1:" * 200_000 + "1", "too long"),
    "unknown keys": ("\n".join(f"key{i}: 1" for i in range(100_000)), "too many values"),
    "bad targets": ("targets:\n" + "- {selec: all}\n" * 20_000, "too many values"),
    "words": ("resolution: " + "5 " * 200_000, "too long"),
    "numbers": ("resolution: [" + "5," * 200_000 + "]", "too many values"),
    "pixels": (f"init: {{image_tensor: [[[{'1,' * (MAX_PIXELS + 1)}]]]}}", "save the picture as a file"),
    "characters": ("a: " + "x" * MAX_BYTES, f"at most {MAX_BYTES}"),
    "long text": ("a: " + "x" * (MAX_CHARACTERS + 1), "too long"),
    "brackets": ("[" * 5_000_000, "nest"),
    "few brackets": ("[" * 100, "nested too deeply"),
    "lists of lists": ("- " * 1_000_000, "nested too deeply"),
    "anchors": (f"a: [{','.join(f'&a{i} 1' for i in range(MAX_VALUES))}]", "too many values"),
    "merge keys": ("a: &a {b: 1}\nc: {<<: [" + "*a," * MAX_VALUES + "]}", "too many values"),
    "aliases of aliases": (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "too many values",
    ),
    "an alias of itself": ("a: &a {b: *a}", "nested too deeply"),
    "a merge of itself": ("a: &a {<<: *a}", "nested too deeply"),
    "directives": ("".join(f"%TAG !a{i}! b\n" for i in range(100_000)) + "---\nepochs: 1\n", "directives"),
    "a number with a tag": ("epochs: !!int " + "1:" * 9_000 + "1", "too long"),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_what_is_too_large_is_refused_by_its_limit(kind: str) -> None:
    text, words = TOO_LARGE[kind]
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_yaml(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500


MANY = {
    "unknown keys": "".join(f"key{i}: 1\n" for i in range(5000)),
    "targets": "targets:\n" + "- {selec: all}\n" * 5000,
    "transforms": PARTS + "".join(f"  - noi{i}: 5\n" for i in range(5000)),
    "features": "targets:\n- features:\n" + "  - {txt: 1}\n" * 5000,
    "models": "models:\n" + "- [1]\n" * 5000,
    "variables": PARTS + "".join(f"  - noise: q{i}\n" for i in range(5000)),
    "pixels": f"init: {{image_tensor: [[[{'x,' * 5000}]]]}}",
}


@pytest.mark.parametrize("kind", MANY)
def test_of_many_mistakes_twenty_are_named_and_the_rest_counted_or_not_looked_at(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_yaml(MANY[kind])
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert all("line " in line for line in lines[:20])
    unread = kind in ("targets", "transforms", "variables", "features", "models")
    rest = "1 more mistake, 4,979 items not looked at yet" if unread else "4,980 more mistakes"
    assert lines[20] == f"and {rest}"


def test_what_comes_behind_the_last_mistake_that_is_named_is_not_read() -> None:
    read: list[int] = []

    class Noted(dict[str, int]):
        def items(self) -> Any:
            read.append(self["selec"])
            return super().items()

    with pytest.raises(ConfigError, match="979 items not looked at yet"):
        ExperimentConfig.from_dict({"targets": [Noted(selec=number) for number in range(1000)]})
    assert set(read) == set(range(MAX_MISTAKES + 1))


def test_mistakes_of_several_lists_are_counted_together() -> None:
    one = {"features": [{"txt": 1}] * 30, "transforms": ["nois"] * 5, "wieght": 1}
    with pytest.raises(ConfigError, match=r"and 30 more mistakes, 42 items not looked at yet$"):
        ExperimentConfig.from_dict({"targets": [one] * 25, "postproc": ["nois"] * 30, "epoch": 1, "unseen": 2})


@pytest.mark.parametrize(
    "text",
    ["{}: 1", "pixels: {{{}: 1}}", "init: {{{}: 1}}", "targets: [{{transforms: [{{{}: 1}}]}}]", "targets: [{{{}: 1}}]",
     "targets: [{{constraints: [{{tv: {{{}: 1}}}}]}}]", "frames: {{camera: {{{}: 1}}}}", "epochs: {}", "recipe: {}",
     "pixels: !!{} a", "targets: [{{transforms: [{}: 1]}}]", "targets: [{{constraints: [{}]}}]",
 "pixels: {{palette: {{fixed: {}}}}}"],
)  # fmt: skip
def test_what_is_very_long_is_cut_in_a_message(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_yaml(text.format("x" * 50_000))
    assert len(str(caught.value)) < 1000


def test_near_names_are_still_named_among_many_mistakes() -> None:
    text = "".join(f"key{i}: 1\n" for i in range(15)) + "targets:\n" + "- {selec: all}\n" * 9
    with pytest.raises(ConfigError, match=r"targets\[0\].selec: unknown key 'selec'; nearest: select\n"):
        ExperimentConfig.from_yaml(text)


def test_a_picture_of_256_pixels_may_stand_in_yaml_and_is_read_again() -> None:
    plane = [[round(x * y / 65536, 4) for x in range(256)] for y in range(256)]
    config = ExperimentConfig.from_dict({"init": {"image_tensor": [plane] * 3}})
    assert ExperimentConfig.from_yaml(dump(config)) == config


@pytest.mark.parametrize(
    "value",
    [
        "1" * 6000,
        "0x" + "1" * 6000,
        "0o" + "7" * 6000,
        ":".join("1" * 3000) + ".5",
        "1:1:1",
        "9999-99-99",
        "2020-01-01T99:99:99",
        ".nan",
        "-.inf",
        "1e999",
        "'9**9**9'",
        "!!timestamp 9999-99-99",
        "!!binary x",
        "!!set {a}",
        "!!python/object/apply:os.system [true]",
        "!!int 1:1",
        "!!float 1:1:1.5",
        "'\\ud800'",
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        "{}",
        "[[]]",
        "{? [a] : b}",
        "{[a]: b}",
        "*nowhere",
    ],
)
@pytest.mark.parametrize(
    "key", ["epochs", "resolution", "snapshot_interval", "learnrate", "seed", "verbose", "pixels", "init", "models"]
)
def test_no_value_ends_in_a_traceback(key: str, value: str) -> None:
    with suppress(ConfigError):
        ExperimentConfig.from_yaml(f"{key}: {value}")
    with suppress(ConfigError):
        ExperimentConfig.from_yaml(f"targets: [{{{key}: {value}, start: {value}, features: {value}}}]")


@pytest.mark.parametrize(
    "value", [10**5000, -(10**5000), [[10**5000]], float("nan"), {10**5000: 1}, b"\xff", object()], ids=type
)
@pytest.mark.parametrize("key", ["epochs", "resolution", "snapshot_interval", "verbose", "output", "init", "targets"])
def test_no_python_value_ends_in_a_traceback(key: str, value: object) -> None:
    with pytest.raises(ConfigError):
        ExperimentConfig.from_dict({key: value})


@pytest.mark.parametrize("key", ["output", "model", "device", "models"])
@pytest.mark.parametrize("text", ["\ud800", "a\udfff.png"])
def test_halves_of_characters_are_refused_wherever_a_text_stands(key: str, text: str) -> None:
    with pytest.raises(ConfigError, match="halves of characters"):
        ExperimentConfig.from_dict({key: text})
    with pytest.raises(ConfigError):
        ExperimentConfig.from_yaml(f"{key}: {text}")
    with pytest.raises(ConfigError):
        ExperimentConfig.from_dict({text: 1})


def test_numbers_are_those_of_yaml_1_2() -> None:
    config = ExperimentConfig.from_yaml("epochs: 010\nstart_epoch: 0o10\nlearnrate: 1e3\nseed: 0x1F\nverbose: 1")
    assert (config.epochs, config.start_epoch, config.learnrate, config.seed) == (10, 8, 1000, 31)
    with pytest.raises(ConfigError, match="epochs: '1:30' is no number: there is no base 60"):
        ExperimentConfig.from_yaml("epochs: 1:30")


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", ".", "nowhere.yaml", "~nobody-here/a", "latin.yaml", "a\0b"])
def test_only_readable_regular_files_are_read(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("latin.yaml").write_bytes(b"output: \xe9")
    with pytest.raises(ConfigError, match=r"cannot read|there is no experiment"):
        ExperimentConfig.from_files(path)


def test_standard_input_may_be_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"output: \xe9"), "utf-8"))
    with pytest.raises(ConfigError, match="cannot read"):
        ExperimentConfig.from_files("-")
    monkeypatch.setattr("sys.stdin", io.StringIO("#" * (MAX_BYTES + 2)))
    with pytest.raises(ConfigError, match="at most"):
        ExperimentConfig.from_files("-")


_KEYS = st.sampled_from([*ExperimentConfig.model_fields, "text", "features", "noise", "transforms", "mean", "<<", "x"])
_SCALARS = st.sampled_from(
    ["1", "-1", ".5", ".nan", "~", "yes", "''", "1:1", "t", "sim * 2", "2020-01-01", "&a 1", "*a", "!!int 5", "30%"]
) | st.text(max_size=6).map(repr)
_FLOW = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(_KEYS, inner, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        )
    ),
    max_leaves=10,
)


@given(st.dictionaries(_KEYS, _FLOW, max_size=4))
@settings(max_examples=300, deadline=None)
@example({"targets": "&a [*a]"})
def test_any_yaml_is_an_experiment_or_refused_in_words(pairs: dict[str, str]) -> None:
    with suppress(ConfigError):
        ExperimentConfig.from_yaml("\n".join(f"{key}: {value}" for key, value in pairs.items()))


@given(st.text(alphabet="[]{}:,-?&*!|>%@`'\"# \n\tab01.<\ud800é", max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_experiment_or_refused_in_words(text: str) -> None:
    with suppress(ConfigError):
        ExperimentConfig.from_yaml(text)


@pytest.mark.parametrize(
    "source",
    [
        "(lambda: {})", "f(x={})", "({})()", "({}).real", "({}) ^ 1", "[i for i in {}]",
    ],
)  # fmt: skip
def test_what_is_refused_in_an_expression_may_be_nested_deeply(source: str) -> None:
    with pytest.raises(ConfigError):
        ExperimentConfig.from_dict({"learnrate": source.format("-" * 900 + "1")})

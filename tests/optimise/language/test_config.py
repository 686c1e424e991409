from __future__ import annotations

import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb.errors import ConfigError
from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.fields import is_active
from clipnb.optimise.language.manual.reference import json_schema, markdown
from clipnb.optimise.results import dump
from clipnb.optimise.transforms import TRANSFORMS

WALKTHROUGH = """
epochs: 300
resolution: 224*2
learnrate: 2.
learnrate_scale: 1. - .95 * t5
init: {mean: .4, std: 0.05}
targets:
  - batch_size: 20
    features:
      - text: a birthday party
    transforms:
      - noise: 0.1
      - repeat: 3
      - random_shift:
          - 0
          - 0 if t < .4 else 1.
      - random_rotate:
          degree: -30 30
          center: .4 .6
      - random_scale:
          - .5
          - .5 if t < .4 else 1.
      - center_crop: 224
      - mul: 1./5.         # the encoder only sees 1/5th of the colour range
    constraints:
      - blur:
          kernel_size: 51*ti
      - saturation:
          below: .01
          weight: 10.
postproc:
  - border:
      size: 1
      color: 0.15 0.1 0.05
    start: 10%
"""


def read(text: str) -> ExperimentConfig:
    return ExperimentConfig.from_yaml(text, "try.yaml")


def message(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def test_a_file_of_the_walkthrough_is_read() -> None:
    config = read(WALKTHROUGH)
    target = config.targets[0]
    assert config.resolution == (448, 448)
    assert [transform.name for transform in target.transforms][:3] == ["noise", "repeat", "random_shift"]
    assert str(target.transforms[2].offset[1]) == "0 if t < .4 else 1."  # type: ignore[attr-defined]
    assert str(target.constraints[0].kernel_size[0]) == "51*ti"  # type: ignore[attr-defined]
    assert target.constraints[1].weight == 10
    assert config.postproc[0].start == 0.1
    assert config.pixels.name == "rgb"


def test_written_and_read_again_it_is_the_same() -> None:
    for config in (read(WALKTHROUGH), ExperimentConfig.from_text("a spoon", seed=3), ExperimentConfig()):
        assert ExperimentConfig.from_yaml(dump(config)) == config
        assert ExperimentConfig.from_dict(config.as_dict()) == config
        brief = config.as_dict(defaults=False)
        assert ExperimentConfig.from_dict(brief) == config
        assert len(str(brief)) < 0.7 * len(str(config.as_dict()))


@pytest.mark.parametrize("defaults", [True, False])
@pytest.mark.parametrize("said", [{}, {"mean": 0.5}, {"std": 0.3}])
def test_what_is_left_open_of_a_beginning_stays_open(said: dict[str, float], defaults: bool) -> None:
    config = ExperimentConfig.from_dict({"init": {"image": "holiday.jpg", **said}})
    again = ExperimentConfig.from_dict(config.as_dict(defaults=defaults))
    assert again == config
    assert again.init.model_fields_set & {"mean", "std"} == set(said)


def test_defaults_are_those_of_the_language() -> None:
    config = ExperimentConfig()
    assert (config.epochs, config.resolution, config.optimizer) == (300, (224, 224), "adam")
    assert (config.init.mean, config.init.std) == ((0.5,) * 3, (0.1,) * 3)
    assert (config.snapshot_interval, config.verbose, config.output) == (20.0, 2, "./")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch: 3", ["try.yaml, line 1", "epoch:", "nearest: epochs"]),
        ("epochs: many", ["line 1", "epochs", "many"]),
        ("epochs: [1]", ["line 1", "epochs", "a list"]),
        ("learnrate: 0,5", ["learnrate", "one number is needed", "a decimal number has a point: write 0.5"]),
        ("learnrate: '[t, 2]'", ["learnrate", "one number is needed, not the list '[t, 2]'"]),
        ("\n\nresolution: 1 2 3", ["line 3", "resolution", "1 or 2 whole numbers", "not 3"]),
        ("resolution: 0", ["line 1", "too small", "at least 1"]),
        ("resolution: 99999", ["too large"]),
        ("resolution: sim", ["unknown variable 'sim'", "elsewhere"]),
        ("targets:\n- transforms:\n  - rotate: 1 2", ["1 number is needed, not 2"]),
        ("targets: a cat", ["targets[0]", "a map", "'a cat'"]),
        ("targets:\n- features: 5", ["features", "a list", "given: 5"]),
        ('targets:\n- features: ["\\ud800"]', ["features[0].text", "halves of characters"]),
        ("init: {image_tensor: [[[.nan]], [[1]], [[1]]]}", ["image_tensor[0][0][0]", "finite"]),
        ("pixels: {pyramid: {balance: -1}}", ["line 1: pixels.pyramid.balance", "too small"]),
        ("targets:\n- select: besst", ["line 2", "targets[0].select", "'besst'", "nearest: best"]),
        ("targets:\n- features:\n  - text: a\n    weigth: 2", ["line 4", "features[0].weigth", "nearest: weight"]),
        ("targets:\n- features:\n  - weight: 2", ["line 3", "features[0]", "either a text or an image"]),
        (
            "targets:\n- transforms:\n  - random_rotate:\n      degre: 1 2\n",
            ["line 4", "random_rotate.degre", "degree"],
        ),
        ("targets:\n- transforms:\n  - nois: 1", ["line 3", "unknown transform 'nois'", "noise"]),
        ("targets:\n- transforms: 5", ["line 2", "transforms", "list of transforms"]),
        ("targets:\n- transforms:\n  - 5", ["line 3", "transforms[0]"]),
        ("targets:\n- transforms:\n  - noise: a b c", ["line 3", "noise.std", "unknown variable 'a'"]),
        ("targets:\n- constraints:\n  - mean: {}", ["line 3", "constraints[0].mean", "above"]),
        ("targets:\n- constraints:\n  - blur: {loss: l3}", ["constraints[0].blur.loss", "'l3'", "l1"]),
        ("postproc:\n- resize: 3", ["line 2", "postproc[0].resize", "changes the size"]),
        ("targets:\n- start: 1.5", ["line 2", "start", "frame time"]),
        ("targets:\n- start: -1", ["start", "frame time"]),
        ("pixels: foto", ["line 1", "pixels", "parameterisation 'foto'", "nearest: fourier"]),
        ("pixels: {fourier: {dekay: 2}}", ["dekay", "decay"]),
        ("learnrate: open('x')", ["learnrate", "unknown function 'open'"]),
        ("epochs: 3\nepochs: 4", ["line 2", "twice"]),
        ("a: [", ["is no YAML", "line 1"]),
        ("epochs: \a", ["is no YAML: unacceptable character"]),
        ("epochs: !!bool maybe", ["is no YAML: 'maybe'"]),
        ("epochs: !!int x", ["is no YAML: invalid literal"]),
        ("- 1\n- 2", ["an experiment is a map"]),
        ("init: {image_tensor: [[[1]], [[1]]]}", ["image_tensor", "[3, H, W]"]),
        ("seed: -1", ["seed", "too small"]),
        ("verbose: 7", ["verbose"]),
        ("targets: {}", ["targets"]),
        ("device: 7", ["device", "given: 7"]),
    ],
)
def test_mistakes_are_told_with_line_path_and_nearest_name(text: str, words: list[str]) -> None:
    told = message(text)
    assert all(word in told for word in words), told
    assert "Traceback" not in told


@pytest.mark.parametrize("text", ["1984", "no", "3.50", "0x10", "a cat"])
def test_texts_stay_as_they_are_written(text: str) -> None:
    target = read(f"targets:\n- name: {text}\n  features: [text: {text}]").targets[0]
    assert (target.name, target.features[0].text) == (text, text)


def test_losses_are_spelled_in_any_case() -> None:
    target = read("targets:\n- features: [{text: a, loss: L2}]\n  constraints: [blur: {loss: MAE}]").targets[0]
    assert (target.features[0].loss, target.constraints[0].loss) == ("l2", "mae")


@pytest.mark.parametrize("key", ["epochs", "start_epoch", "seed", "pixels: {fourier: {decay", "targets: [{batch_size"])
def test_what_is_needed_before_the_run_is_not_drawn(key: str) -> None:
    closed = "}" * key.count("{") + "]" * key.count("[")
    assert "draws at random" in message(f"{key}: random(){closed}")
    assert "draws at random" in message("targets:\n- start: random()")


def test_a_beginning_of_nothing_is_the_default() -> None:
    assert read("init:").init == read("").init


def test_all_mistakes_are_told_at_once() -> None:
    assert len(message("epoch: 3\nlearnrate: foo(1)\ntargets:\n- selec: all\n").splitlines()) == 3


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_every_transform_takes_both_forms(name: str) -> None:
    cls = TRANSFORMS[name]
    first = cls.own_parameters()[0]
    simple = {"mode": "edge"}.get(first, _example(cls, first))
    short = read(yaml.dump({"targets": [{"transforms": [{name: simple}]}]})).targets[0].transforms[0]
    long_form = {name: {first: simple, "start": 0, "end": 1.0, "active": True}}
    long = read(yaml.dump({"targets": [{"transforms": [long_form]}]})).targets[0].transforms[0]
    assert short == long
    assert name in markdown()
    listed = json_schema()["properties"]["targets"]["anyOf"] if "anyOf" in json_schema() else json_schema()
    assert name in json.dumps(listed)


@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_every_constraint_takes_both_forms(name: str) -> None:
    cls = CONSTRAINTS[name]
    first = cls.own_parameters()[0]
    kind = getattr(cls.model_fields[first].metadata[0], "kind", None)
    value = {int: 1, float: 0.5, None: "https://a.b/c.png"}[kind]
    short = read(yaml.dump({"targets": [{"constraints": [{name: value}]}]})).targets[0].constraints[0]
    long = read(yaml.dump({"targets": [{"constraints": [{name: {first: value}}]}]})).targets[0].constraints[0]
    assert short == long
    assert name in markdown()


def _example(cls: type, name: str) -> object:
    lengths = cls.model_fields[name].metadata[0].lengths  # type: ignore[attr-defined]
    return " ".join(["1"] * max(1, lengths[0]))


def test_a_name_without_value_is_off_and_a_bare_name_is_on() -> None:
    config = read("targets:\n- transforms:\n  - blur:\n  - edge\n  - {noise: .1, mul: 2}\n")
    assert [transform.name for transform in config.targets[0].transforms] == ["edge", "noise", "mul"]


@pytest.mark.parametrize(
    ("raw", "expected"), [(3, 3), (0.25, 0.25), ("30%", 0.3), ("12.5 %", 0.125), ("1/4", 0.25), ("2*5", 10), (0, 0)]
)
def test_frame_times(raw: object, expected: float) -> None:
    start = read(yaml.dump({"targets": [{"start": raw}]})).targets[0].start
    assert start == pytest.approx(expected)
    assert type(start) is type(expected)


def test_spans_of_time_include_both_ends() -> None:
    assert is_active(2, 4, 2, 0.2)
    assert is_active(2, 4, 4, 0.4)
    assert not is_active(2, 4, 5, 0.5)
    assert is_active(0.2, 0.4, 2, 0.2)
    assert not is_active(0.2, 0.4, 1, 0.1)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_KEYS = st.sampled_from([*ExperimentConfig.model_fields, "text", "features", "noise", "transforms", "x"])
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(_KEYS, _TREES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_map_is_an_experiment_or_refused_in_words(raw: dict[str, object]) -> None:
    with suppress(ConfigError):
        ExperimentConfig.from_dict(raw)


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_text_is_an_experiment_or_refused_in_words(text: str) -> None:
    with suppress(ConfigError):
        ExperimentConfig.from_yaml(text)


def test_the_schema_lets_an_interval_be_an_expression() -> None:
    assert {"type": "string"} in json_schema()["properties"]["snapshot_interval"]["anyOf"]

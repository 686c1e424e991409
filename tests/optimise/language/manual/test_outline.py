"""What an editor is told of the language."""

from __future__ import annotations

import json

from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.layout import LISTS
from clipnb.optimise.language.manual.outline import number_field, outline
from clipnb.optimise.language.target import FeatureConfig, TargetConfig
from clipnb.optimise.language.variables import ALL_NAMES
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.transforms import TRANSFORMS


def test_every_key_and_part_is_at_its_level() -> None:
    levels = outline()["levels"]
    for level, model in (("", ExperimentConfig), ("targets[]", TargetConfig), ("targets[].features[]", FeatureConfig)):
        assert levels[level].keys() == model.model_fields.keys()
    assert levels["targets[].transforms[]"].keys() == TRANSFORMS.keys()
    assert levels["targets[].constraints[]"].keys() == CONSTRAINTS.keys()
    assert levels["pixels"].keys() == PARAMETERISATIONS.keys()
    assert next(iter(levels["targets[].transforms[].noise"])) == "std", "own parameters come before shared ones"
    assert json.loads(json.dumps(outline())) == json.loads(json.dumps(outline()))


def test_what_holds_lists_and_maps_is_known_to_the_editor_and_to_mistakes_alike() -> None:
    levels = outline()["levels"]
    held = {kind: {key for keys in levels.values() for key in keys if keys[key][3] == kind} for kind in ("list", "map")}
    assert (
        held["list"]
        == LISTS
        == {level.removesuffix("[]").split(".")[-1] for level in levels if level.endswith("[]")}
        | {"postproc", "models"}
    ), "with what has no keys of its own"
    assert held["map"] == {"init", "frames", "camera"}


def test_words_that_are_allowed_are_told() -> None:
    levels = outline()["levels"]
    assert levels[""]["interpolation"][1] == ("nearest", "linear", "cubic")
    assert levels[""]["tile"][1] == ("true", "false")
    assert "left" in levels["targets[]"]["region"][1]
    assert "lite" in levels[""]["model"][1]
    assert levels[""]["learnrate"][2] == ("time", "resolution")
    assert levels[""]["output"][2] is None


def test_every_name_of_expressions_is_told() -> None:
    assert {name for name, group, _ in outline()["names"] if group not in ("function", "constant")} == ALL_NAMES


def test_fields_of_numbers_are_found_by_level_and_key() -> None:
    for level, key in (
        ("", "resolution"),
        ("targets[].features[]", "weight"),
        ("targets[].transforms[]", "noise"),
        ("postproc[].noise", "std"),
        ("pixels.fourier", "decay"),
    ):
        assert number_field(level, key) is not None, (level, key)
    assert [number_field(*one) for one in (("", "model"), ("nowhere", "x"), ("targets[].transforms[]", "gray"))] == [
        None
    ] * 3

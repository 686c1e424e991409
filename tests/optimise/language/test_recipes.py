from __future__ import annotations

from typing import Any

import pytest
import torch
import yaml

from clipnb.errors import ConfigError
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.engine import optimise
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.recipes import RECIPES, EncoderFacts, for_text
from clipnb.optimise.language.recipes.facts import BUDGETS, budget_of, facts_of
from clipnb.optimise.results import to_yaml
from tests.optimise.conftest import PlainEncoder

CLIP = EncoderFacts(contrastive=True, gflop=8.5)


@pytest.mark.parametrize("models", [["lite"], ["ViT-B-32/openai"], ["ViT-L-14/openai", "ViT-B-32/openai"]])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_plain_yaml_for_every_encoder(name: str, models: list[str]) -> None:
    given = for_text("a lighthouse, at night", name, models=models, device="cpu")
    assert yaml.safe_load(to_yaml(given)) == given
    config = ExperimentConfig.from_dict(given)
    assert [feature.text for feature in config.targets[0].features] == ["a lighthouse, at night"]
    assert given.keys() == for_text("a", "lite").keys()  # so that one can be put in the place of another
    assert given["targets"][0].keys() == for_text("a", "lite")["targets"][0].keys()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs_with_any_encoder(name: str, tiny: DualEncoder, plain: PlainEncoder) -> None:
    for encoder in (tiny, plain):
        config = ExperimentConfig.from_text(
            "a b", seed=1, recipe=name, model=encoder.name, epochs=3, resolution=[96, 64], device="cpu"
        )
        first = optimise(config, encoder)
        assert first.image.isfinite().all()
        assert first.image.std() > 0
        assert torch.equal(first.image, optimise(config, encoder).image)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_brings_the_picture_nearer_to_what_is_asked_for(name: str, plain: PlainEncoder) -> None:
    config = ExperimentConfig.from_text("a", seed=1, recipe=name, model="lite", epochs=25, resolution=48)
    begin = optimise(config.changed(epochs=1), plain).similarities["a"]
    assert optimise(config, plain).similarities["a"] > begin


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_takes_several_texts_with_weights(name: str) -> None:
    features = ExperimentConfig.from_text("a storm:2 | a cat", recipe=name).targets[0].features
    assert [(one.text, one.weight) for one in features] == [("a storm", 2.0), ("a cat", 1.0)]


def test_auto_goes_by_the_encoder() -> None:
    for models in (["lite"], ["ViT-B-32/openai"], ["hf-hub:somebody/something"]):
        wanted = "lite" if models == ["lite"] else "das"
        assert for_text("a", models=models) == for_text("a", wanted, models=models)
        assert ExperimentConfig.from_text("a", model=models[0]) == ExperimentConfig.from_text(
            "a", model=models[0], recipe=wanted
        )


def test_facts_are_told_by_names() -> None:
    assert facts_of(["lite"]) == EncoderFacts(contrastive=False)
    assert facts_of(["ViT-B/32", "lite"]).contrastive
    sides = {"ViT-L-14-336/openai": 336, "ViT-B-16-SigLIP2-256/webli": 256, "ViT-SO400M-14-SigLIP-384/webli": 384}
    assert {name: facts_of([name]).image_size for name in sides} == sides
    assert facts_of([f"ViT-B-{'9' * 5000}/a"]).contrastive
    growing = [facts_of([name]).gflop for name in ("ViT-B-32/a", "ViT-B-16/a", "ViT-L-14/a", "ViT-bigG-14/a")]
    assert growing == sorted(growing)
    assert growing[0] == pytest.approx(8.7, rel=0.1)  # 4.4 billion multiply-adds
    assert facts_of(["ViT-B-32/a", "ViT-L-14/a"]).gflop == pytest.approx(growing[0] + growing[2])


def test_views_grow_with_the_device_and_shrink_with_the_encoder() -> None:
    large = EncoderFacts(contrastive=True, gflop=155)
    devices = [BUDGETS[device] for device in ("cpu", "T4", "H100")]
    assert [budget.views(CLIP, 150, 32) for budget in devices] == [8, 32, 32]
    assert [budget.views(large, 150, 32) for budget in devices] == [4, 16, 32]
    assert budget_of("cuda:77") == budget_of("cpu")


def under(recipe: object = "das", **own: Any) -> dict[str, Any]:
    return ExperimentConfig.from_dict({"recipe": recipe, "model": "ViT-B-32/openai", "device": "cpu", **own}).as_dict()


def test_a_recipe_lies_under_what_a_person_wrote() -> None:
    target = {"features": ["a cat"]}
    whole = for_text("a cat", "das", models=["ViT-B-32/openai"], device="cpu")
    found = under(targets=target)
    assert (
        found
        == ExperimentConfig.from_dict({**whole, "model": "ViT-B-32/openai", "device": "cpu"})
        .changed(targets=[{**whole["targets"][0], "name": "target"}])
        .as_dict()
    )
    assert found["recipe"] is None  # what it gave is there now
    found = under(
        " DAS ", epochs=7, init={"mean": 0.2}, targets=[{**target, "transforms": []}, {"constraints": ["tv"]}]
    )
    assert (found["epochs"], found["pixels"]) == (7, {"pyramid": {"step": 1.0, "balance": 1.0}})
    assert (found["init"]["mean"], found["init"]["std"]) == ([0.2] * 3, [0.02] * 3)
    first, second = found["targets"]
    assert (first["transforms"], first["batch_size"]) == ([], whole["targets"][0]["batch_size"])
    assert second["batch_size"] == 1  # without features it is none of the recipe's business
    assert under(None, targets=target)["epochs"] == ExperimentConfig().epochs


def test_what_a_recipe_says_of_a_parameterisation_lies_under_what_a_person_says_of_it() -> None:
    target = {"features": ["a cat"]}
    for pixels in ("strokes", {"strokes": {"count": 7}}, {" Strokes ": None}):
        found = under("lite", targets=target, pixels=pixels)
        assert found["pixels"]["strokes"]["sketch"] == 0.5
        assert found["pixels"]["strokes"]["count"] == (7 if isinstance(pixels, dict) and "strokes" in pixels else 500)
        assert (found["epochs"], found["learnrate_scale"]) == (500, "1 - .9 * t2")
    assert under("lite", targets=target, pixels={"strokes": {"sketch": 0.1}})["pixels"]["strokes"]["sketch"] == 0.1
    transforms = under("lite", targets=target, pixels={"palette": {"cells": 8}})["targets"][0]["transforms"]
    assert next(iter(transforms[0])) == "blur"
    assert under("lite", targets=target, pixels="rgb") == {
        **under("lite", targets=target), "pixels": {"rgb": {"step": 1.0}}
    }  # fmt: skip


@pytest.mark.parametrize("pixels", ["palette", "strokes", "network"])
def test_the_recipe_for_a_material_runs_at_any_size(pixels: str, plain: PlainEncoder) -> None:
    for size in ([7, 40], [64, 64]):
        config = ExperimentConfig.from_text("a", seed=1, model="lite", pixels=pixels, epochs=4, resolution=size)
        assert optimise(config, plain).image.isfinite().all()


def test_init_by_a_picture_takes_nothing_from_a_recipe() -> None:
    planes = [[[0.1, 0.9], [0.5, 0.5]]] * 3
    found = under(targets={"features": "a"}, init={"image_tensor": planes})
    assert "std" not in found["init"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recipe": "das"}, "no target here has features"),
        ({"recipe": "das", "targets": []}, "no target here has features"),
        ({"recipe": "das", "targets": [{"constraints": ["tv"]}]}, "no target here has features"),
        ({"recipe": "dsa", "targets": [{"features": ["a"]}]}, "nearest: das"),
        ({"recipe": 3, "targets": [{"features": ["a"]}]}, "recipe: 3 is not allowed"),
        ({"recipe": "das", "targets": "a"}, "targets"),
        ({**for_text("a", "lite"), "recipe": "das"}, "has nothing to say"),
    ],
)
def test_a_recipe_without_use_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExperimentConfig.from_dict(given)


def test_a_refused_recipe_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"a\.yaml, line 2: recipe 'das' says"):
        ExperimentConfig.from_yaml("epochs: 3\nrecipe: das\n", "a.yaml")


def test_a_checked_experiment_takes_no_recipe_any_more() -> None:
    with pytest.raises(ConfigError, match="has nothing to say"):
        ExperimentConfig.from_text("a").changed(recipe="das")

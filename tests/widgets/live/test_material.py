"""The choice of a parameterisation brings its recipe's settings, and leaves what a person wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clipnb import ExperimentConfig
from clipnb.optimise.language.recipes import for_text
from clipnb.widgets.live.editor import as_yaml
from clipnb.widgets.live.material import difference, with_parameterisation
from clipnb.widgets.live.panel import LivePanel

Open = Callable[..., LivePanel]
LITE = ["lite"]


def chosen(text: str, name: str, done: int = 0) -> tuple[ExperimentConfig, tuple[str, ...]]:
    choice = with_parameterisation(text, ExperimentConfig.from_yaml(text), name, LITE, done)
    return ExperimentConfig.from_yaml(choice.text), choice.kept


@pytest.mark.parametrize("first", ["fourier", "palette", "strokes", "network"])
@pytest.mark.parametrize("then", ["fourier", "palette", "strokes", "network"])
def test_parameterisation_brings_all_that_the_recipe_says_for_it(first: str, then: str) -> None:
    made = [ExperimentConfig.from_dict(for_text("a fox", models=LITE, pixels=name)) for name in (first, then)]
    text = as_yaml(made[0])
    got, kept = chosen(text, then)
    assert (got, kept) == (made[1], ())


def test_what_a_person_wrote_stays_and_is_named() -> None:
    text = as_yaml("a fox", "lite").replace("epochs: 600", "epochs: 50  # quick")
    choice = with_parameterisation(text, ExperimentConfig.from_yaml(text), "strokes", LITE)
    assert choice.kept == ("epochs",)
    assert "epochs: 50  # quick" in choice.text
    assert "learnrate_scale: 1 - .9 * t2" in choice.text
    plain, kept = chosen("targets:\n- features: a fox\n  transforms:\n  - noise: .1\n", "palette")
    assert plain.epochs == 300
    assert [part.name for part in plain.targets[0].transforms] == ["noise"]
    assert kept == ("constraints", "transforms")


def test_a_parameterisation_that_the_recipe_says_nothing_for_comes_alone() -> None:
    before = ExperimentConfig.from_yaml(as_yaml("a fox", "lite"))
    after, _ = chosen(as_yaml("a fox", "lite"), "rgb")
    assert difference(before, after) == "pixels"


def test_yaml_that_names_its_recipe_gets_the_settings_from_it() -> None:
    text = "recipe: lite\ntargets:\n- features: a fox\n"
    choice = with_parameterisation(text, ExperimentConfig.from_yaml(text), "strokes", LITE)
    assert choice.text == f"pixels: strokes\n{text}"
    told = difference(ExperimentConfig.from_yaml(text), ExperimentConfig.from_yaml(choice.text))
    assert (
        told
        == "epochs 600 \N{RIGHTWARDS ARROW} 500; learnrate_scale 1 - .97 * t \N{RIGHTWARDS ARROW} 1 - .9 * t2; pixels"
    )


def test_a_run_does_not_end_by_the_choice() -> None:
    text = as_yaml("a fox", "lite")
    assert chosen(text, "network", done=200)[0].epochs == 300
    got, kept = chosen(text, "network", done=400)
    assert (got.epochs, kept) == (600, ("epochs",))


def test_the_panel_tells_what_came_with_a_parameterisation(opened: Open) -> None:
    panel = opened(f"model: lite\n{as_yaml('a fox', 'lite')}")
    pixels = panel.editor.controls["pixels"].widget
    pixels.value = "palette"
    assert panel.editor.checked().epochs == 300
    assert "palette, by its recipe: epochs 600" in panel.message.value
    pixels.value = "fourier"
    assert panel.editor.checked() == ExperimentConfig.from_dict(for_text("a fox", models=LITE) | {"model": "lite"})

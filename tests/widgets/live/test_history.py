"""What is remembered of a run stays small, however long it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image

from clipnb.errors import OutputError
from clipnb.optimise.statistics import Range, Statistics
from clipnb.optimise.step import Step
from clipnb.optimise.verdict import Look, Verdict
from clipnb.widgets.live.history import History, Similarities, Snapshot


def step(index: int, size: int = 4, **similarities: float) -> Step:
    image = torch.full((3, size, size), (index % 11) / 10)
    return Step(index, 10_000, image, 0.5, similarities or {"a": 0.1}, 1.0, Statistics(1, Range(0, 0, 0), ()))


def test_ten_thousand_steps_leave_a_bounded_trail() -> None:
    history, similarities = History(60), Similarities(500)
    for index in range(10_000):
        history.add(step(index))
        similarities.add(step(index))
        assert len(history) <= 60
        assert len(similarities) <= 500
    indices = [snapshot.about.index for snapshot in history.snapshots]
    assert indices[0] == 0
    assert indices[-1] > 9500
    assert len(indices) > 25
    curve = similarities.curves()[0]
    assert curve.steps[-1] > 9900
    assert len(set(zip(curve.steps[1:], curve.steps[:-1], strict=True))) == len(curve.steps) - 1


def test_an_hour_at_twenty_steps_a_second_is_kept_in_constant_memory() -> None:
    history, most = History(), 0
    for index in range(72_000):
        history.add(step(index, size=32))
        most = max(
            most, sum(len(snapshot.picture.tobytes()) for snapshot in history.snapshots) if index % 600 == 0 else 0
        )
    assert most <= 60 * 3 * 32 * 32
    numbers = [snapshot.number for snapshot in history.snapshots]
    assert len({later - earlier for earlier, later in pairwise(numbers)}) == 1, "evenly spread"


def test_the_last_step_is_kept_and_none_twice() -> None:
    history = History(4)
    for index in range(7):
        history.add(step(index))
    history.add(step(6), always=True)
    history.add(step(6), always=True)
    assert [snapshot.about.index for snapshot in history.snapshots] == [0, 2, 4, 6]
    history.forget_after(3)
    assert [snapshot.about.index for snapshot in history.snapshots] == [0, 2]


def test_a_curve_for_each_feature_even_when_it_comes_later() -> None:
    similarities = Similarities()
    similarities.add(step(0, a=0.1))
    similarities.add(step(1, a=0.2, b=0.3))
    first, second = similarities.curves()
    assert (first.label, first.steps, first.values) == ("a", (0, 1), (10.0, 20.0))
    assert (second.label, second.steps) == ("b", (1,))
    similarities.forget_after(0)
    assert [curve.label for curve in similarities.curves()] == ["a"]


def test_a_judge_has_a_curve_at_the_steps_at_which_it_looked() -> None:
    similarities = Similarities()
    for index in range(4):
        verdict = Verdict(index - index % 2, (Look("a", "second", 10.0 + index, 10, 60, 10),))
        similarities.add(replace(step(index), statistics=Statistics(1, Range(0, 0, 0), (), verdict)))
    own, judged = similarities.curves()
    assert (own.judge, own.steps) == ("", (0, 1, 2, 3))
    assert (judged.judge, judged.label, judged.steps, judged.values) == ("second", "a", (0, 2), (10.0, 12.0))
    similarities.add(step(4))
    assert [curve.judge for curve in similarities.curves()] == [""], "a judge that was taken out"


def test_a_snapshot_becomes_the_step_it_was() -> None:
    before = step(3)
    after = Snapshot.of(before).as_step()
    assert torch.allclose(after.image, before.image, atol=1 / 255)
    assert (after.index, after.loss) == (3, 0.5)


def test_a_film_of_growing_pictures_repeats_and_overwrites_nothing(tmp_path: Path) -> None:
    history = History()
    for index, size in enumerate((4, 4, 8)):
        history.add(step(index, size))
    first, second = history.film(tmp_path / "a.webp"), history.film(tmp_path / "a")
    assert (first.name, second.name) == ("a.webp", "a-1.webp")
    with Image.open(first) as film:
        assert film.n_frames == 3
        assert film.size == (8, 8)
        assert film.info["loop"] == 0
    strip = history.strip(3, 8)
    assert strip.size == (24, 8)
    assert strip.getpixel((20, 4)) == history[2].picture.getpixel((4, 4))
    history.forget_after(0)
    with pytest.raises(OutputError, match="two snapshots"):
        history.film(tmp_path / "b")
    with pytest.raises(OutputError, match="two snapshots"):
        history.strip()


def test_a_film_is_played_at_even_distances_however_long_it_is() -> None:
    history = History(4)
    for frame in range(11):
        history.add(replace(step(5 + 3 * frame), frame=frame))
    assert [snapshot.about.frame for snapshot in history.snapshots] == [0, 4, 8]


def test_a_film_keeps_the_shape_of_each_frame(tmp_path: Path) -> None:
    history = History()
    for index, (height, width) in enumerate(((8, 32), (16, 16))):
        image = torch.ones(3, height, width)
        history.add(replace(step(index), image=image))
    with Image.open(history.film(tmp_path / "a.png")) as film:
        wide = film.convert("L")
        assert film.size == (16, 16)
        assert [wide.getpixel((8, row)) for row in (1, 8, 14)] == [0, 255, 0]


@pytest.mark.parametrize(("suffix", "kind"), [("", "WEBP"), (".webp", "WEBP"), (".GIF", "GIF"), (".png", "PNG")])
def test_the_suffix_of_a_film_is_its_format(tmp_path: Path, suffix: str, kind: str) -> None:
    history = History()
    for index in range(3):
        history.add(step(index))
    written = history.film(tmp_path / f"a{suffix}")
    assert written.suffix == (suffix or ".webp")
    with Image.open(written) as film:
        assert (film.format, getattr(film, "n_frames", 1)) == (kind, 3)


def test_another_suffix_of_a_film_is_refused(tmp_path: Path) -> None:
    history = History()
    for index in range(2):
        history.add(step(index))
    with pytest.raises(OutputError, match=r"webp, \.gif, \.png"):
        history.film(tmp_path / "a.avi")
    assert not list(tmp_path.iterdir())


def test_what_left_the_experiment_has_no_curve() -> None:
    similarities = Similarities()
    for index in range(50):
        similarities.add(step(index, **{f"text {index}": 0.1}))
    assert [curve.label for curve in similarities.curves()] == ["text 49"]

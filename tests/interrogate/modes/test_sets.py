"""Modes set and contrast: one prompt for several pictures, and what separates two sets of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import skimage.data
import torch
from PIL import Image

from clipnb.errors import ImageError
from clipnb.interrogate import Interrogator, Settings, SettingsError, contrast, interrogate_folder, interrogate_set
from clipnb.interrogate.folder.chance import by_chance, intervals
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]


def cuts(name: str, count: int) -> list[Image.Image]:
    """Return parts of a photograph, no two alike."""
    whole = Image.fromarray(getattr(skimage.data, name)())
    width, height = whole.size
    return [whole.crop((6 * i, 4 * i, width - 5 * i, height - 3 * i)) for i in range(count)]


@pytest.fixture(scope="module")
def worker(lite: DualEncoder) -> Interrogator:
    return Interrogator(lite, settings=Settings(quiet=True))


def test_a_prompt_for_a_set_is_the_best_on_average_or_for_the_worst(worker: Interrogator) -> None:
    pictures = [*cuts("chelsea", 3), *cuts("coffee", 1)]
    features = torch.stack([worker.encode(one) for one in pictures])
    cosines = {}
    for by in ("mean", "worst"):
        found = interrogate_set(pictures, by, interrogator=worker)
        cosines[by] = features @ worker.encoder.encode_text([found.prompt])[0]
        assert "4 pictures: similarity" in found.notes[0]
    assert interrogate_set(pictures, "mean", interrogator=worker).similarity == pytest.approx(
        float(cosines["mean"].mean()), abs=1e-4
    )
    assert cosines["mean"].mean() > cosines["worst"].mean()
    assert cosines["worst"].min() > cosines["mean"].min()
    assert found.similarity == pytest.approx(float(cosines["worst"].min()), abs=1e-4)


def test_the_prompt_for_the_worst_says_what_the_pictures_show(worker: Interrogator) -> None:
    pictures = [*cuts("chelsea", 1), *cuts("coffee", 1)]
    features = torch.stack([worker.encode(one) for one in pictures])
    prompts = [interrogate_set(pictures, by, interrogator=worker).prompt for by in ("mean", "worst")]
    average, worst = (features @ worker.encoder.encode_text(prompts).T).amin(0).tolist()
    assert worst >= average - 1e-6
    assert "cat" in prompts[1]
    assert "espresso" in prompts[1] or "coffee" in prompts[1]


def test_every_phrase_raises_the_prompt(worker: Interrogator) -> None:
    found = interrogate_set(cuts("chelsea", 3), interrogator=worker)
    assert "cat" in found.prompt
    assert found.caption_source == "composed"
    assert len(found.reasons) > 1
    assert all(reason.added > 0 for reason in found.reasons)
    own = interrogate_set(cuts("chelsea", 2), caption="a sleepy cat", max_flavors=0, interrogator=worker)
    assert (own.prompt, own.caption_source) == ("a sleepy cat", "given")


def test_damaged_pictures_and_copies_are_said_and_left_out(worker: Interrogator, tmp_path: Path) -> None:
    for place, picture in enumerate(cuts("coffee", 2)):
        picture.save(tmp_path / f"{place}.png")
    alone = interrogate_set(tmp_path, interrogator=worker)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    found = interrogate_set(tmp_path, interrogator=worker)
    assert (found.prompt, found.similarity) == (alone.prompt, pytest.approx(alone.similarity, abs=1e-5))
    assert any("left out 1 of 4 pictures" in note and "torn.png" in note for note in found.notes)
    assert any("copies" in note for note in found.notes)
    with pytest.raises(ImageError, match=r"none of 1 picture can be read: .*torn\.png"):
        interrogate_set(tmp_path / "torn.png", interrogator=worker)
    with pytest.raises(ImageError, match="the set has no pictures"):
        interrogate_set([], interrogator=worker)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="there are no pictures"):
        interrogate_set(tmp_path / "empty", interrogator=worker)


def test_wishes_of_sets_that_do_nothing_are_refused(worker: Interrogator, photo: Image.Image) -> None:
    with pytest.raises(SettingsError, match=r"use clipnb\.interrogate_set"):
        worker.interrogate(photo, "set")
    with pytest.raises(SettingsError, match=r"use clipnb\.contrast"):
        worker.interrogate_batch([photo], "contrast")
    with pytest.raises(SettingsError, match="set_by is one of 'mean', 'worst'"):
        interrogate_set([photo], "best", interrogator=worker)
    with pytest.raises(SettingsError, match="has its own labels"):
        interrogate_set([photo], interrogator=worker, labels=["a cat"])
    with pytest.raises(SettingsError, match="resamples"):
        contrast([photo], [photo], resamples=3)
    with pytest.raises(SettingsError, match="confidence"):
        contrast([photo], [photo], confidence=95)


def test_the_best_caption_of_a_captioner_begins_the_prompt(lite: DualEncoder) -> None:
    class Counting:
        name, device = "counting", None

        def prepare(self, image: Image.Image) -> Image.Image:
            return image

        def caption(self, images: list[Image.Image]) -> list[str]:
            return ["a tractor" if image.width > 450 else "a close-up photo of a cat" for image in images]

        def move(self, device: object) -> None:
            pass

    worker = Interrogator(lite, captioner=Counting(), labels={"objects": ["a house"]}, settings=Settings(quiet=True))
    found = interrogate_set(cuts("chelsea", 4), interrogator=worker)
    assert (found.caption, found.caption_source) == ("a close-up photo of a cat", "counting")


def test_what_separates_two_sets(worker: Interrogator) -> None:
    found = contrast(cuts("chelsea", 8), cuts("coffee", 8), names=("cats", "cups"), interrogator=worker)
    first, last = found.labels[0], found.labels[-1]
    assert "cat" in first.label
    assert "coffee" in last.label or "espresso" in last.label
    assert first.certain
    assert last.certain
    assert first.low < first.difference < first.high
    assert first.difference == pytest.approx(first.first - first.second, abs=1e-5)
    assert first.difference > found.chance > 0
    assert "cat" in found.sides[0].prompt
    assert "coffee" in found.sides[1].prompt or "espresso" in found.sides[1].prompt
    assert found.counts == (8, 8)
    again = contrast(cuts("chelsea", 8), cuts("coffee", 8), names=("cats", "cups"), interrogator=worker)
    assert (again.labels, again.chance) == (found.labels, found.chance)
    other = contrast(cuts("chelsea", 8), cuts("coffee", 8), seed=1, interrogator=worker)
    assert other.labels != found.labels


def test_a_contrast_shows_itself(worker: Interrogator) -> None:
    found = contrast(cuts("chelsea", 3), cuts("coffee", 1), names=("<i>", "cups"), interrogator=worker)
    frame = found.to_frame()
    assert list(frame.columns[:5]) == ["label", "table", "difference", "low", "high"]
    assert frame["difference"].is_monotonic_decreasing
    assert np.isnan(frame["low"]).all()
    assert "one picture in cups" in found.notes[0]
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["labels"][0]["low"] is None
    assert isinstance(found.figure(), go.Figure)
    assert "<i>" not in found._repr_html_()
    assert type(found._repr_html_()) is str, "marimo shows no other"
    assert "may be chance" in str(found)


def test_what_is_in_both_sets_is_left_out(worker: Interrogator) -> None:
    cats, cups = cuts("chelsea", 3), cuts("coffee", 2)
    found = contrast([*cats, cups[0]], cups, interrogator=worker)
    assert found.counts == (3, 1)
    assert any("in both sets, left out of both: picture 4" in note for note in found.notes)
    with pytest.raises(ImageError, match="every picture of the set first is in the other one"):
        contrast(cats[:1], cats, interrogator=worker)


def test_intervals_hold_what_they_promise() -> None:
    generator = torch.Generator().manual_seed(0)
    inside = 0
    for _ in range(40):
        first, second = (torch.randn(12, 20, generator=generator) + shift for shift in (0.7, 0.2))
        low, high = intervals(first, second, 400, 0.95, generator)
        inside += int(((low < 0.5) & (high > 0.5)).sum())
    assert 0.9 < inside / 800 < 0.99


def test_chance_exceeds_all_labels_of_random_sets_as_often_as_promised() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.nn.functional.normalize(torch.randn(300, 16, generator=generator), dim=-1)
    exceeded = 0
    for _ in range(100):
        first, second = (torch.randn(count, 16, generator=generator) for count in (6, 9))
        chance = by_chance(first, second, [labels], 200, 0.9, generator)
        exceeded += bool((labels @ (first.mean(0) - second.mean(0))).abs().max() > chance)
    assert exceeded <= 20


def test_too_few_pictures_are_never_certain() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    chance = by_chance(first, second, [torch.eye(2)], 100, 0.95, generator)
    assert chance >= 1.0


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("chelsea", "coffee"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for place, picture in enumerate(cuts(name, 4)):
            picture.save(tmp_path / "in" / name / f"{place}.png")
    (tmp_path / "in" / "torn").mkdir()
    (tmp_path / "in" / "torn" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "in"


@pytest.mark.parametrize("mode", ["set", "contrast"])
def test_a_run_makes_a_row_for_each_folder_and_goes_on(mode: str, worker: Interrogator, folders: Path) -> None:
    output = folders.parent / "rows.csv"
    run = interrogate_folder(folders, output, mode, recursive=True, interrogator=worker)
    rows = run.to_frame().set_index("image")
    assert list(rows.index) == ["chelsea", "coffee", "torn"]
    assert "cat" in rows["prompt"]["chelsea"]
    assert "coffee" in rows["prompt"]["coffee"] or "espresso" in rows["prompt"]["coffee"]
    assert "none of 1 picture can be read" in rows["error"]["torn"]
    assert (run.made, run.errors) == (3, 1)
    again = interrogate_folder(folders, output, mode, recursive=True, interrogator=worker)
    assert (again.made, again.kept) == (0, 3)
    (folders / "coffee" / "3.png").unlink()
    changed = interrogate_folder(folders, output, mode, recursive=True, interrogator=worker)
    assert changed.made == (1 if mode == "set" else 3), "a contrast depends on all folders"


def test_the_same_set_has_the_same_prompt_alone_and_in_a_run(worker: Interrogator, folders: Path) -> None:
    rows = interrogate_folder(folders / "chelsea", folders.parent / "rows.jsonl", "set", interrogator=worker).to_frame()
    assert rows["image"].tolist() == ["."]
    assert rows["prompt"].tolist() == [interrogate_set(folders / "chelsea", interrogator=worker).prompt]


def test_a_run_over_sets_refuses_what_is_of_single_images(worker: Interrogator, folders: Path) -> None:
    output = folders.parent / "rows.csv"
    for wish in ({"captions": ".txt"}, {"known": True}, {"similarity": False}, {"workers": 2}, {"engine": "ray"}):
        with pytest.raises(SettingsError, match=f"leave {next(iter(wish))} out"):
            interrogate_folder(folders, output, "set", recursive=True, **wish)
    with pytest.raises(
        SettingsError, match=r"there is \. alone; name another folder, or give the other set by --against"
    ):
        interrogate_folder(folders / "coffee", output, "contrast", interrogator=worker)

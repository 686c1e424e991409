"""Captions, settings and results of an interrogation: whatever they hold, an answer or one line of words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from clipnb.cli import main
from clipnb.errors import ClipnbError, quoted
from clipnb.interrogate import Interrogator, Settings, SettingsError
from clipnb.interrogate.modes import MODES
from clipnb.interrogate.modes.chain import PhraseScorer
from clipnb.models.embedded import EmbeddingError
from clipnb.models.load import load_model

LISTS = {
    "mediums": ["a photo", "a fresco"],
    "movements": ["cubism"],
    "artists": ["Hokusai"],
    "trendings": ["Flickr"],
    "flavors": ["red sky", "pale sea", "soft light"],
    "negative": ["blurry"],
    "objects": ["a cat", "a dog"],
}
HOSTILE = "a \x1b[2J\x07\u202egnp.cat\x9b31m\udcff cat"
IMAGE = np.zeros((40, 60, 3), np.uint8)
ALONE = [name for name, mode in MODES.items() if not mode.of_sets]  # modes that describe one image


@pytest.fixture(scope="module", params=["tiny", "lite"])
def worker(request: pytest.FixtureRequest, tiny_clip: str, tmp_path_factory: pytest.TempPathFactory) -> Interrogator:
    encoder = load_model(tiny_clip if request.param == "tiny" else "lite", "cpu")
    settings = Settings(quiet=True, min_flavors=1, cache_path=tmp_path_factory.mktemp("tables"))
    return Interrogator(encoder, labels=LISTS, settings=settings)


@pytest.mark.parametrize("mode", [name for name in ALONE if MODES[name].takes_caption])
@pytest.mark.parametrize("caption", [HOSTILE, "\ud800", "\ud83d\ude00", "\0", "a\0b", "\u200b", "."])
def test_a_caption_of_odd_characters_makes_a_prompt(mode: str, caption: str, worker: Interrogator) -> None:
    found = worker.interrogate(IMAGE, mode, caption, max_flavors=2 if MODES[mode].max_flavors else None)
    found.prompt.encode()  # no half of a surrogate pair
    assert found.caption_source == "given"
    assert not any(mark in str(found) for mark in "\x1b\x07\u202e\x9b")


def test_a_label_of_odd_characters_makes_a_prompt(worker: Interrogator, tmp_path: Path) -> None:
    own = {**LISTS, "objects": [HOSTILE], "flavors": [HOSTILE, "\ud800", "good"]}
    settings = worker.settings.changed(cache_path=tmp_path)
    found = Interrogator(worker.encoder, labels=own, settings=settings).interrogate(IMAGE, "fast")
    found.prompt.encode()
    assert found.prompt.isprintable()


def test_a_captioner_of_odd_characters_makes_a_prompt(worker: Interrogator, tmp_path: Path) -> None:
    class Odd:
        name = HOSTILE

        def prepare(self, image: Image.Image) -> Image.Image:
            return image

        def caption(self, images: list[Image.Image]) -> list[str]:
            return [HOSTILE for _ in images]

    settings = worker.settings.changed(cache_path=tmp_path)
    odd = Interrogator(worker.encoder, captioner=Odd(), labels=LISTS, settings=settings)  # type: ignore[arg-type]
    found = odd.interrogate(IMAGE)
    found.prompt.encode()
    assert not any(mark in str(found) + repr(found) for mark in "\x1b\x07\u202e\x9b\udcff")
    assert "\x1b" not in found._repr_html_().replace("\x1b[2J", "")  # escaped as text, and no markup


@pytest.mark.parametrize(
    "changes",
    [
        {"chunk_size": 10**6000},
        {"min_flavors": -(10**6000)},
        {"top_labels": 10**10},
        {"beam_width": True},
        {"beam_width": 2.0},
        {"beam_width": "2"},
        {"device": 5},
        {"precision": None},
        {"caption_model_name": b"blip-base"},
        {"cache_path": ["a"] * 10**6},
        {"styles": "yes"},
        {"styles": 1},
        {"scoring": ["full"]},
        {"quiet": 0},
        {"x" * 10**6: 1},
        {"\x1b[2J": 1},
        {"clip_model_name": float("nan")},
    ],
    ids=lambda changes: next(iter(changes))[:20].replace("\x1b", "escape"),
)
def test_a_setting_of_the_wrong_kind_is_one_line(changes: dict[str, object]) -> None:
    for make in (Settings, Settings().changed, Settings.low_memory):
        with pytest.raises(SettingsError) as caught:
            make(**changes)
        assert len(str(caught.value)) < 400
        assert len(str(caught.value).splitlines()) == 1
        assert "\x1b" not in str(caught.value)


def test_numbers_and_names_without_bound_are_refused_in_words(worker: Interrogator) -> None:
    for options in ({"max_flavors": 10**6000}, {"max_flavors": -(10**6000)}, {"max_flavors": 1.5}):
        with pytest.raises(SettingsError, match="max_flavors is a whole number"):
            worker.interrogate(IMAGE, "fast", "x", **options)
    for mode in (10**6000, "x" * 10**7, HOSTILE, ["fast"]):
        with pytest.raises(SettingsError, match="there is no mode") as caught:
            worker.interrogate(IMAGE, mode)  # type: ignore[arg-type]
        assert len(str(caught.value)) < 400
    for caption in (10**6000, ["x"] * 10**6, b"a cat"):
        with pytest.raises(SettingsError, match="a caption is a text or None"):
            worker.interrogate(IMAGE, "fast", caption)  # type: ignore[arg-type]


def test_settings_are_frozen_hashable_and_take_positions() -> None:
    settings = Settings("lite", "blip-base")
    assert (settings.clip_model_name, settings.caption_model_name) == ("lite", "blip-base")
    assert settings == Settings(clip_model_name="lite", caption_model_name="blip-base")
    assert hash(settings) == hash(settings.changed())
    with pytest.raises(ValueError, match="frozen"):
        settings.quiet = True


def test_a_cache_folder_that_no_system_has_costs_no_result(worker: Interrogator) -> None:
    for folder in ("a\0b", "\ud800", "x" * 5000):
        odd = Interrogator(worker.encoder, labels=LISTS, settings=worker.settings.changed(cache_path=folder))
        assert odd.interrogate(IMAGE, "classic", "x").prompt.startswith("x")


def test_a_chain_ends_where_weights_are_no_numbers() -> None:
    for certainty in (np.inf, 2.0):
        scorer = PhraseScorer(lambda beginning, rows: np.full(len(rows), np.nan), 500, certainty)
        scorer.top("a", np.nan, 2, accept=lambda row: True)
        assert scorer.without(0).top("a", 0.0, 2, accept=lambda row: row > 1)
    mixed = PhraseScorer(lambda beginning, rows: np.where(np.array(rows) % 2, np.nan, 1.0 * np.array(rows)), 500, 2.0)
    assert mixed.top("a", 0.0, 1, accept=lambda row: True)[0].row == 498


@pytest.mark.parametrize("show", ["text", "prompt", "json"])
def test_what_the_command_prints_is_safe_and_whole(
    show: str, tiny_clip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "\x1b[2J\u202e.png"
    Image.fromarray(IMAGE).save(picture)
    labels = tmp_path / "labels"
    labels.mkdir()
    for name, entries in LISTS.items():
        (labels / f"{name}.txt").write_text("\n".join(entries))
    options = ["--model", tiny_clip, "--labels", str(labels), "--caption", HOSTILE, "--show", show, "--quiet"]
    assert main(["interrogate", str(picture), *options]) == 0
    out = capsys.readouterr().out
    assert not any(mark in out for mark in "\x1b\x07\u202e\x9b\udcff")
    if show == "json":
        row = json.loads(out)
        assert row["image"] == str(picture)
        assert row["prompt"].startswith("a \x1b[2J\x07\u202egnp.cat\x9b31m\ufffd cat")


def test_a_caption_has_a_longest_length(worker: Interrogator) -> None:
    for word in ("x", "word ", "\u732b"):
        caption = (word * 100_000)[:100_000]
        assert worker.encoder.fits(worker.interrogate(IMAGE, "classic", caption).prompt)
    with pytest.raises(SettingsError, match="50000000 characters; at most 100000 are taken"):
        worker.interrogate(IMAGE, "classic", "word " * 10**7)


@pytest.mark.parametrize("mode", ALONE)
@pytest.mark.parametrize("lazy", [False, True])
def test_weights_that_are_no_numbers_are_told(mode: str, lazy: bool, tiny_clip: str, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), folder)
    weights = folder / "open_clip_model.safetensors"
    broken = {name: torch.full_like(tensor, torch.nan) for name, tensor in load_file(weights).items()}
    save_file(broken, weights)
    settings = Settings(quiet=True, lazy=lazy, cache_path=tmp_path / "tables")
    own = {**LISTS, "flavors": [f"phrase {number}" for number in range(200)]}
    worker = Interrogator(load_model(f"local-dir:{folder}", "cpu"), labels=own, settings=settings)
    with pytest.raises(EmbeddingError, match="embeddings that are no numbers"):
        worker.interrogate(IMAGE, mode, max_flavors=2 if MODES[mode].max_flavors else None)


def test_any_value_can_be_quoted() -> None:
    for value in (10**6000, "x" * 10**7, [[1] * 10**6] * 10**6, {"a": 10**6000}, object()):
        assert len(quoted(value)) < 200
    assert issubclass(SettingsError, ClipnbError)


def test_a_setting_of_any_name_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="there is no setting"):
        Settings(**{"\ud800": 1})  # type: ignore[arg-type]

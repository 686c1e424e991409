"""What may and must stand in a prompt: tables off, words avoided and required, a trigger, a length."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from clipnb.interrogate import Interrogator, Settings, SettingsError
from clipnb.interrogate.labels.avoided import Avoided, contains
from clipnb.interrogate.modes import MODES
from clipnb.interrogate.result import Candidate
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]
ALONE = [name for name, mode in MODES.items() if not mode.of_sets]
OPENING = [name for name in ALONE if MODES[name].takes_opening]
CAPTION = "a cup of coffee on a table"


def labels_in(found: Any, table: str) -> list[str]:
    return [ranked.label for ranked in found.ranked.get(table, ())]


def test_settings_take_lists_and_texts_alike() -> None:
    assert Settings(avoid="a cat,  a dog\nfog").avoid == ("a cat", "a dog", "fog")
    assert Settings(avoid=["fog", "fog"], without="artists").avoid == ("fog",)
    assert Settings(require={"b", "a"}).require == ("a", "b")
    with pytest.raises(SettingsError, match="avoid is texts, or paths of files, not 3"):
        Settings(avoid=3)
    with pytest.raises(SettingsError, match="max_words is a whole number of at least 1"):
        Settings(max_words=0)


@pytest.mark.parametrize("mode", ["classic", "fast", "best"])
def test_a_table_that_is_off_takes_no_part(mode: str, small: Make, photo: Image.Image) -> None:
    whole = small(styles=True).interrogate(photo, mode, CAPTION)
    assert labels_in(whole, "artists")
    found = small(styles=True, without="artists").interrogate(photo, mode, CAPTION)
    assert not labels_in(found, "artists")
    assert labels_in(found, "mediums") == labels_in(whole, "mediums")
    assert "Hokusai" not in found.prompt


def test_an_empty_list_switches_its_table_off(encoder: DualEncoder, small_lists: Any, photo: Image.Image) -> None:
    worker = Interrogator(encoder, labels={**small_lists, "artists": []}, settings=Settings(quiet=True))
    found = worker.interrogate(photo, "classic", CAPTION)
    assert "by " not in found.prompt
    assert "artists" not in found.ranked


@pytest.mark.parametrize("mode", [name for name in ALONE if name not in ("retrieve", "pooled")])
def test_nothing_holds_what_is_avoided(mode: str, small: Make, photo: Image.Image) -> None:
    avoided = Avoided(["sky", "Hokusai", "blurry", "cup"])
    found = small(styles=True, avoid=avoided.entries).interrogate(photo, mode)
    assert found.prompt or mode == "tags"  # which keeps silent where nothing stands out
    assert avoided.allows(found.prompt)
    assert all(avoided.allows(label) for table in found.ranked for label in labels_in(found, table))
    assert any("avoided" in note for note in found.notes)


def test_artists_are_avoided_inside_flavors_too(encoder: DualEncoder, photo: Image.Image) -> None:
    lists = {"flavors": ["by greg rutkowski", "art by Hokusai", "by candlelight", "red sky"], "artists": ["Hokusai"]}
    worker = Interrogator(encoder, labels=lists, settings=Settings(quiet=True, avoid="artists", styles=True))
    found = worker.interrogate(photo, "fast", CAPTION)
    assert labels_in(found, "flavors") == ["red sky"]
    assert not labels_in(found, "artists")


def test_collected_prompts_are_avoided(encoder: DualEncoder, photo: Image.Image) -> None:
    settings = Settings(quiet=True, collection=("a cup by Hokusai", "a red balloon", "a cat"), avoid="cup, cat")
    assert Interrogator(encoder, settings=settings).interrogate(photo, "retrieve").prompt == "a red balloon"


def test_a_caption_that_is_avoided_is_composed_anew(small: Make, encoder: DualEncoder, photo: Image.Image) -> None:
    class Says:
        name, device = "says", encoder.device

        def prepare(self, image: Image.Image) -> Image.Image:
            return image

        def caption(self, images: Any) -> list[str]:
            return ["a cat on a table" for _ in images]

        def move(self, device: Any) -> None:
            self.device = device

    lists = {"objects": ["a cat", "a lighthouse"]}
    said = Interrogator(encoder, captioner=Says(), labels=lists, settings=Settings(quiet=True))
    assert said.interrogate(photo, "caption").prompt == "a cat on a table"
    avoiding = Interrogator(encoder, captioner=Says(), labels=lists, settings=Settings(quiet=True, avoid="cat"))
    found = avoiding.interrogate(photo, "caption")
    assert found.prompt.endswith("of a lighthouse")
    assert any("says said what is avoided" in note for note in found.notes)


@pytest.mark.parametrize(
    ("wishes", "caption", "words"),
    [
        ({"avoid": "cup"}, CAPTION, "the caption holds 'cup', which is avoided"),
        ({"avoid": ["objects", "flavors", "mediums", "artists", "movements", "trendings"]}, None, "nothing is left"),
        ({"without": ["objects", "flavors", "mediums", "artists", "movements", "trendings"]}, None, "nothing is left"),
    ],
)
def test_avoiding_everything_is_told(
    wishes: dict[str, Any], caption: str | None, words: str, small: Make, photo: Image.Image
) -> None:
    worker = small(**wishes)
    with pytest.raises(SettingsError, match=words):
        worker.interrogate(photo, "classic", caption)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"trigger": "sks cat", "avoid": "cat"}, "trigger holds 'cat', which is avoided"),
        ({"require": "a red hat", "avoid": "red"}, "require holds 'red', which is avoided"),
        ({"trigger": "one two three", "max_words": 2}, "'one two three', are longer than 77 tokens, 2 words"),
        ({"max_tokens": 100}, "max_tokens is 100, but .* takes 77"),
        ({"without": "artits"}, "there is no label table 'artits'; use artists"),
        ({"avoid": "?"}, "holds no word"),
    ],
)
def test_contradictions_are_refused_at_once(wishes: dict[str, Any], words: str, small: Make) -> None:
    with pytest.raises(ValueError, match=words):
        small(**wishes)


@pytest.mark.parametrize("mode", OPENING)
def test_trigger_and_required_words_stand_in_the_prompt(mode: str, small: Make, photo: Image.Image) -> None:
    found = small(trigger="sks style", require=["a red hat", "photo"], styles=True).interrogate(photo, mode)
    assert found.prompt.startswith("sks style, ")
    assert contains(found.prompt, "a red hat")
    assert contains(found.prompt, "photo")
    assert found.reasons[0].origin == "trigger"


def test_required_words_that_the_caption_has_are_not_repeated(small: Make, photo: Image.Image) -> None:
    found = small(require="Cup of Coffee, steam").interrogate(photo, "caption", CAPTION)
    assert found.prompt == f"{CAPTION}, steam"


@pytest.mark.parametrize("mode", [name for name in ALONE if name not in OPENING])
def test_modes_that_cannot_take_a_trigger_say_so(mode: str, small: Make, photo: Image.Image) -> None:
    with pytest.raises(SettingsError, match=f"mode {mode} cannot take trigger; leave it out, or use"):
        small(trigger="sks").interrogate(photo, mode)


@pytest.mark.parametrize("mode", OPENING)
@pytest.mark.parametrize(("limit", "most"), [("max_words", 9), ("max_characters", 42), ("max_tokens", 11)])
def test_prompts_are_no_longer_than_wished(mode: str, limit: str, most: int, small: Make, photo: Image.Image) -> None:
    worker = small(**{limit: most}, trigger="sks", require="hat", styles=True)
    prompt = worker.interrogate(photo, mode).prompt
    measures = {"max_words": len(prompt.split()), "max_characters": len(prompt)}
    assert measures.get(limit, 0) <= most
    assert worker.encoder.fits(prompt, most if limit == "max_tokens" else None)
    assert prompt.startswith("sks")
    assert contains(prompt, "hat")


def test_own_texts_are_ranked_in_one_line(small: Make, photo: Image.Image) -> None:
    worker = small()
    ranked = worker.rank(photo, ["a cup", "a dog", "a cup", "a hat"])
    assert sorted(one.label for one in ranked) == ["a cup", "a dog", "a hat"]
    assert [one.similarity for one in ranked] == sorted((one.similarity for one in ranked), reverse=True)
    assert worker.similarity(photo, ranked[0].label) == pytest.approx(ranked[0].similarity, abs=1e-6)
    assert worker.rank(photo, ["a cup", "a dog"], 1)[0].label in ("a cup", "a dog")
    assert len(worker.rank(photo, ["a cup", "a dog"], 1)) == 1
    for wrong in ("a cup", [], [3]):
        with pytest.raises(SettingsError, match="a list such as"):
            worker.rank(photo, wrong)  # type: ignore[arg-type]


def test_settings_may_stand_first(tiny_clip: str) -> None:
    worker = Interrogator(Settings(clip_model_name=tiny_clip, device="cpu"))
    assert worker.settings.clip_model_name == tiny_clip
    with pytest.raises(SettingsError, match="given twice"):
        Interrogator(Settings(), settings=Settings())


def test_settings_of_other_models_than_the_loaded_ones_are_refused(encoder: DualEncoder) -> None:
    for name, value in (("clip_model_name", "lite"), ("device", "cuda"), ("precision", "fp16")):
        with pytest.raises(SettingsError, match=f"{name} is '{value}', but the encoder that is given"):
            Interrogator(encoder, settings=Settings(**{name: value}))
    Interrogator(encoder, settings=Settings(clip_model_name=encoder.name, device="cpu", precision="fp32"))


def test_wishes_for_a_captioner_need_one(encoder: DualEncoder, small: Make) -> None:
    for wish, value in {"instruction": "say it", "bits": 8, "tag_threshold": 0.0}.items():
        with pytest.raises(SettingsError, match=f"caption_{wish} belongs to a captioner"):
            small(**{f"caption_{wish}": value})
    with pytest.raises(SettingsError, match="weights in 4 bits stay where they are loaded"):
        small(caption_model_name="blip-base", caption_bits=4, caption_offload=True)
    for wish in ({"caption_bits": True}, {"caption_instruction": "a" * 2001}, {"caption_repetition_penalty": 0.5}):
        with pytest.raises(SettingsError, match=next(iter(wish))):
            Settings(caption_model_name="blip-base", **wish)


def test_numbers_that_are_none_are_no_json(small: Make, photo: Image.Image) -> None:
    (found,) = small().interrogate_batch([photo], "classic", similarity=False, reasons=False)
    broken = replace(found, candidates=(Candidate("classic", "x", float("nan")),))
    plain = broken.to_dict()
    assert plain["candidates"][0]["similarity"] is None
    json.dumps(plain, allow_nan=False)

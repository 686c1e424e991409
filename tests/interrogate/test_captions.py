"""Where captions come from, and who is on the device meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from clipnb.errors import ModelUnavailableError
from clipnb.interrogate import Interrogator, Settings
from clipnb.models.captioner import CAPTIONERS
from clipnb.models.captioners.faults import CutText
from clipnb.models.encoder import DualEncoder


class FixedCaptioner:
    """Says one thing, and writes down where everyone is."""

    name = "fixed"

    def __init__(self, text: str, encoder: DualEncoder, journal: list[str]) -> None:
        self._text, self._encoder, self.journal = text, encoder, journal
        self.device = torch.device("cpu")

    def prepare(self, image: Image.Image) -> Image.Image:
        return image

    def caption(self, images: list[Image.Image]) -> list[str]:
        self.journal.append(f"caption {len(images)}")
        return [self._text for _ in images]

    def move(self, device: torch.device) -> None:
        self.journal.append(f"captioner to {device}")


def make(encoder: DualEncoder, lists: dict[str, list[str]], folder: Path, text: str, **changes: object) -> Interrogator:
    settings = Settings(quiet=True, cache_path=folder).changed(**changes)
    return Interrogator(encoder, captioner=FixedCaptioner(text, encoder, []), labels=lists, settings=settings)


def test_a_captioner_is_asked_unless_a_caption_is_given(
    encoder: DualEncoder, small_lists: dict[str, list[str]], tmp_path: Path, photo: Image.Image
) -> None:
    worker = make(encoder, small_lists, tmp_path, " a cup\n of coffee ")
    found = worker.interrogate(photo, "caption")
    assert (found.prompt, found.caption_source, found.notes) == ("a cup of coffee", "fixed", ())
    given = worker.interrogate(photo, "caption", "mine")
    assert (given.prompt, given.caption_source) == ("mine", "given")


def test_a_captioner_of_your_own_is_loaded_by_its_name(
    encoder: DualEncoder,
    small_lists: dict[str, list[str]],
    tmp_path: Path,
    photo: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    def load(device: torch.device, **options: int) -> FixedCaptioner:
        asked.extend((device, options["num_beams"]))
        return FixedCaptioner("a cup", encoder, [])

    monkeypatch.setitem(CAPTIONERS, "mine", load)
    settings = Settings(quiet=True, cache_path=tmp_path, caption_model_name="mine", caption_num_beams=3)
    found = Interrogator(encoder, labels=small_lists, settings=settings).interrogate(photo, "caption")
    assert (found.prompt, found.caption_source, asked) == ("a cup", "fixed", [encoder.device, 3])


def test_a_captioner_with_nothing_to_say_costs_nothing(
    encoder: DualEncoder, small_lists: dict[str, list[str]], tmp_path: Path, photo: Image.Image
) -> None:
    found = make(encoder, small_lists, tmp_path, "").interrogate(photo, "caption")
    assert found.caption_source == "composed"
    assert " of " in found.prompt
    assert any("nothing to say" in note for note in found.notes)


def test_a_caption_that_may_be_no_longer_is_told(
    encoder: DualEncoder,
    small_lists: dict[str, list[str]],
    tmp_path: Path,
    photo: Image.Image,
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = make(encoder, small_lists, tmp_path, CutText("a cup of"))
    found = worker.interrogate(photo, "classic")
    assert any(
        "the caption of fixed ends where it may be no longer; caption_max_length" in note for note in found.notes
    )
    assert not caplog.records
    for _ in range(2):
        worker.interrogate_batch([photo, photo.rotate(90)], "caption")
    assert [record.getMessage().endswith("at least once") for record in caplog.records] == [True]


def test_models_take_turns_on_the_device(
    encoder: DualEncoder,
    small_lists: dict[str, list[str]],
    tmp_path: Path,
    photo: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal: list[str] = []
    move = type(encoder).move

    def moved(self: DualEncoder, device: torch.device) -> None:
        journal.append(f"encoder to {device}")
        move(self, device)

    monkeypatch.setattr(type(encoder), "move", moved)
    settings = Settings(quiet=True, cache_path=tmp_path, caption_offload=True, clip_offload=True)
    captioner = FixedCaptioner("a cup", encoder, journal)
    worker = Interrogator(encoder, captioner=captioner, labels=small_lists, settings=settings)
    before = worker.interrogate(photo, "classic", "a cup")
    after = worker.interrogate(photo, "classic")
    assert journal == ["encoder to cpu", "captioner to cpu", "caption 1", "captioner to cpu", "encoder to cpu"]
    assert after.prompt == before.prompt
    assert after.similarity == pytest.approx(before.similarity)


def test_an_encoder_that_moved_gives_the_same_embeddings(encoder: DualEncoder) -> None:
    texts = ["a cat", "a longer text about a dog"]
    before = encoder.encode_text(texts)
    encoder.move(torch.device("cpu"))
    assert torch.equal(encoder.encode_text(texts), before)
    assert encoder.device == torch.device("cpu")


def test_a_captioner_that_cannot_be_loaded_is_named(
    small: Callable[..., Interrogator], photo: Image.Image, tmp_path: Path
) -> None:
    worker = small(caption_model_name=str(tmp_path / "none"))
    with pytest.raises(ModelUnavailableError, match="cannot load the captioner"):
        worker.interrogate(photo, "caption")
    assert worker.interrogate(photo, "caption", "mine").prompt == "mine"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ('{"caption": "a cat"}', "answered with data instead of a sentence"),
        ("I'm sorry, I can't help with that.", "refused to answer"),
        ("a cup cup cup cup", "repeats itself"),
        ("", "had nothing to say"),
    ],
)
def test_an_answer_that_is_no_caption_is_told_and_composed(
    answer: str,
    fault: str,
    encoder: DualEncoder,
    small_lists: dict[str, list[str]],
    tmp_path: Path,
    photo: Image.Image,
) -> None:
    found = make(encoder, small_lists, tmp_path, answer).interrogate(photo, "classic")
    assert found.caption_source == "composed"
    assert answer not in found.prompt or not answer
    assert f"fixed {fault}; the caption is composed from label tables" in found.notes


def test_only_the_faulty_answers_of_a_batch_are_replaced(
    encoder: DualEncoder, small_lists: dict[str, list[str]], tmp_path: Path, photo: Image.Image
) -> None:
    captioner = FixedCaptioner("", encoder, [])
    answers = ["a red cup", "Sorry, I can't.", "a cat cat cat"]
    captioner.caption = lambda images: answers[: len(list(images))]  # type: ignore[method-assign]
    settings = Settings(quiet=True, cache_path=tmp_path)
    worker = Interrogator(encoder, captioner=captioner, labels=small_lists, settings=settings)
    found = worker.interrogate_batch([worker.prepare(photo)] * 3, "caption", [None] * 3)
    assert [one.caption_source for one in found] == ["fixed", "composed", "composed"]
    assert [note for one in found for note in one.notes if "fixed" in note] == [
        "fixed refused to answer; the caption is composed from label tables",
        "fixed repeats itself; the caption is composed from label tables",
    ]


def test_faulty_proposals_do_not_compete(
    encoder: DualEncoder, small_lists: dict[str, list[str]], tmp_path: Path, photo: Image.Image
) -> None:
    captioner = FixedCaptioner("", encoder, [])
    said = ["I'm sorry.", "a cup", '{"a": 1}', "a cup cup cup", "a cup"]
    captioner.propose = lambda image, count, *, sampling: said  # type: ignore[attr-defined]
    settings = Settings(quiet=True, cache_path=tmp_path)
    worker = Interrogator(encoder, captioner=captioner, labels=small_lists, settings=settings)
    assert [one.prompt for one in worker.interrogate(photo, "rerank").candidates] == ["a cup"]
    said[:] = ["I'm sorry."]
    assert " of " in worker.interrogate(photo, "rerank").prompt


def test_wishes_reach_the_captioner(
    encoder: DualEncoder,
    small_lists: dict[str, list[str]],
    tmp_path: Path,
    photo: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, object] = {}

    def load(device: torch.device, **wishes: object) -> FixedCaptioner:
        asked.update(wishes)
        return FixedCaptioner("a cup", encoder, [])

    monkeypatch.setitem(CAPTIONERS, "mine", load)
    settings = Settings(
        quiet=True,
        cache_path=tmp_path,
        caption_model_name="mine",
        caption_instruction="say it",
        caption_no_repeat_ngram_size=2,
        caption_tag_threshold=0.5,
    )
    Interrogator(encoder, labels=small_lists, settings=settings).interrogate(photo, "caption")
    assert {"instruction": "say it", "no_repeat_ngram_size": 2, "tag_threshold": 0.5}.items() <= asked.items()
    assert "bits" not in asked

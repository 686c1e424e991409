"""Many pictures together: the same answers as one by one, whatever the memory allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import skimage.data
import torch
from PIL import Image

from clipnb.errors import ImageError
from clipnb.interrogate import Interrogation, Interrogator, SettingsError, interrogate_folder
from clipnb.interrogate.batches import BatchSize, read_ahead
from clipnb.interrogate.captions import TextMemory
from clipnb.interrogate.modes import MODES
from clipnb.models.embedded import EmbeddingError
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    names = ("coffee", "chelsea", "rocket", "astronaut", "camera")
    whole = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in names]
    return [photo.crop((20 * i, 10 * i, 180 + 20 * i, 150 + 10 * i)) for photo in whole for i in range(2)]


def same(one: Interrogation, other: Interrogation) -> bool:
    assert other.similarity == pytest.approx(one.similarity, abs=1e-5, nan_ok=True)
    return (one.prompt, one.caption, one.caption_source) == (other.prompt, other.caption, other.caption_source)


@pytest.mark.parametrize("mode", [name for name, mode in MODES.items() if not mode.of_sets])
def test_a_batch_gives_what_one_by_one_gives(mode: str, small: Make, photos: list[Image.Image]) -> None:
    worker = small(min_flavors=1)
    options = {"max_flavors": 2} if MODES[mode].max_flavors else {}
    photos = photos[:: 1 if MODES[mode].ranks_only else 3]  # chains take longer
    alone = [worker.interrogate(photo, mode, **options) for photo in photos]
    together = worker.interrogate_batch(photos, mode, **options)
    many = list(worker.interrogate_many(photos, mode, batch_size=3, reasons=False, **options))
    assert all(map(same, alone, together))
    assert all(map(same, alone, many))
    assert [found.ranked.keys() for found in together] == [found.ranked.keys() for found in alone]
    assert [len(found.reasons) for found in together] == [len(found.reasons) for found in alone]
    assert not any(found.reasons for found in many)


@pytest.mark.parametrize("mode", [name for name, known in MODES.items() if not known.max_flavors])
def test_a_number_of_phrases_is_refused_where_none_is_added(mode: str, small: Make, photos: list[Image.Image]) -> None:
    with pytest.raises(SettingsError, match=f"mode {mode} adds no phrases; leave max_flavors out"):
        small().interrogate(photos[0], mode, max_flavors=3)


def test_captions_belong_to_their_pictures(small: Make, photos: list[Image.Image]) -> None:
    captions = ["a red balloon", None, "  ", "a\ncat"]
    found = list(small().interrogate_many(photos[:4], "caption", iter(captions), batch_size=3))
    assert [one.caption_source for one in found] == ["given", "composed", "composed", "given"]
    assert [found[0].prompt, found[3].prompt] == ["a red balloon", "a cat"]
    with pytest.raises(SettingsError, match="there are 9 captions, which are more than pictures"):
        list(small().interrogate_many(photos[:2], "caption", ["mine"] * 9))
    with pytest.raises(SettingsError, match="2 captions for 3 pictures"):
        small().interrogate_batch(photos[:3], "caption", captions[:2])


@pytest.mark.parametrize("mode", [name for name, mode in MODES.items() if not (mode.takes_caption or mode.of_sets)])
def test_a_caption_that_a_mode_would_ignore_is_refused(mode: str, small: Make, photos: list[Image.Image]) -> None:
    with pytest.raises(SettingsError, match=f"mode {mode} takes no caption"):
        small().interrogate(photos[0], mode, "a cat")
    with pytest.raises(SettingsError, match="takes no caption"):
        interrogate_folder("pictures", "rows.csv", mode, caption="a cat")
    with pytest.raises(SettingsError, match="takes no caption"):
        list(small().interrogate_many(photos[:2], mode, [None, "a cat"]))


def test_what_cannot_be_read_is_an_error_in_its_place(small: Make, photos: list[Image.Image]) -> None:
    found = list(small().interrogate_many([b"no picture", photos[0], b"", photos[1]], "caption", batch_size=2))
    assert [type(one) for one in found] == [ImageError, Interrogation, ImageError, Interrogation]
    with pytest.raises(ImageError, match="no picture"):
        small().interrogate_batch([photos[0], b"no picture"])
    assert list(small().interrogate_many([])) == []


def test_batches_are_halved_when_the_memory_is_short(
    small: Make, photos: list[Image.Image], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = small()
    expected = worker.interrogate_batch(photos, "caption")
    encode, sizes = worker.encoder.encode_image, []

    def short_of_memory(pixels: torch.Tensor) -> torch.Tensor:
        sizes.append(len(pixels))
        if len(pixels) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return encode(pixels)

    monkeypatch.setattr(worker.encoder, "encode_image", short_of_memory)
    with caplog.at_level(logging.WARNING, "clipnb"):
        assert all(map(same, expected, worker.interrogate_batch(photos, "caption")))
        assert all(map(same, expected, worker.interrogate_batch(photos, "caption")))
    assert sizes[:4] == [10, 5, 2, 2]
    assert max(sizes[3:]) == 2
    assert [record.message for record in caplog.records] == [
        "the memory is not enough for 10 pictures at once; going on with 5"
    ]


def test_one_picture_that_does_not_fit_is_an_error() -> None:
    def never(things: Sequence[int]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(EmbeddingError, match="memory of the device is not enough for pictures, even for few at once"):
        BatchSize("pictures").map(never, [1, 2, 3])


def test_reading_ahead_keeps_the_order_and_a_bound() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    reading = read_ahead(lambda number: number * 2, numbers(), workers=3, ahead=4)
    for expected in range(20):
        assert next(reading) == (expected, 2 * expected)
        assert len(taken) <= expected + 1 + 4
    reading.close()


def test_texts_that_come_again_are_embedded_once(encoder: DualEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a cat", "a dog", "a cat"]
    expected = encoder.encode_text(texts)
    asked: list[list[str]] = []
    encode = encoder.encode_text

    def counted(some: Sequence[str]) -> torch.Tensor:
        asked.append(list(some))
        return encode(some)

    monkeypatch.setattr(encoder, "encode_text", counted)
    memory = TextMemory(encoder, kept=2)
    assert torch.allclose(memory(texts), expected, atol=1e-6)
    memory(["a dog", "a bird"])  # forgets the cat, which was asked for longest ago
    memory(["a dog", "a bird"])
    memory(["a cat"])
    assert asked == [["a cat", "a dog"], ["a bird"], ["a cat"]]


def test_captions_are_made_together(encoder: DualEncoder, photos: list[Image.Image], tmp_path: Path) -> None:
    class Sized:
        name = "sized"

        def prepare(self, image: Image.Image) -> Image.Image:
            return image

        def caption(self, images: list[Image.Image]) -> list[str]:
            asked.append(len(images))
            return [f"a picture {image.width} wide" for image in images]

    asked: list[int] = []
    worker = Interrogator(encoder, captioner=Sized(), labels={"flavors": ["soft light"]})
    found = worker.interrogate_batch([photos[0], photos[2].resize((70, 50)), photos[4]], "caption", [None, None, "x"])
    assert [one.prompt for one in found] == ["a picture 180 wide", "a picture 70 wide", "x"]
    assert asked == [2]


def test_light_artwork_is_seen_and_a_note_says_how(small: Make) -> None:
    art = Image.new("RGBA", (300, 200), (255, 255, 255, 0))
    art.paste((255, 255, 255, 255), (100, 50, 200, 150))
    black, white = Image.new("RGB", art.size, "black"), Image.new("RGB", art.size, "white")
    for below in (black, white):
        below.paste(art, mask=art)
    worker = small()
    found = worker.interrogate(art)
    assert same(found, worker.interrogate(black))
    assert any("laid over black; set `backdrop`" in note for note in found.notes)
    chosen = small(backdrop="white").interrogate(art)
    assert same(chosen, worker.interrogate(white))
    assert not any("backdrop" in note for note in chosen.notes)
    with pytest.raises(SettingsError, match="backdrop is 'auto' or a colour such as 'white'"):
        small(backdrop="plaid")

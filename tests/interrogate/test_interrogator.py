"""From a picture to a prompt: what comes out, for whom, and what is said when something cannot be used."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from clipnb.errors import ImageError, LabelsError
from clipnb.interrogate import Interrogation, Interrogator, Settings, SettingsError, interrogate
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]
Lists = dict[str, list[str]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("coffee", ("coffee", "espresso")),
        ("chelsea", ("cat",)),
        ("camera", ("tripod", "camera")),
    ],
)
def test_lite_names_what_is_in_a_photograph(name: str, words: tuple[str, ...], lite: DualEncoder) -> None:
    quick = {"flavors": ["soft light", "top view"]}  # the things are the built-in ones
    found = interrogate(getattr(skimage.data, name)(), encoder=lite, labels=quick, settings=Settings(quiet=True))
    assert found.prompt.startswith("a photo of ")
    assert any(word in found.caption for word in words)
    assert found.caption_source == "composed"
    assert any("composed" in note for note in found.notes)


def test_lite_leaves_out_what_it_cannot_tell_and_says_so(lite: DualEncoder, small_lists: Lists, tmp_path: Path) -> None:
    settings = Settings(quiet=True, cache_path=tmp_path)
    found = Interrogator(lite, labels=small_lists, settings=settings).interrogate(skimage.data.coffee())
    assert set(found.ranked) == {"objects", "flavors"}
    assert any("artists" in note for note in found.notes)
    insists = Interrogator(lite, labels=small_lists, settings=settings.changed(styles=True))
    assert "artists" in insists.interrogate(skimage.data.coffee()).ranked


def test_classic_has_the_form_that_people_know(small: Make, photo: Image.Image) -> None:
    found = small(tolerance=None, diverse=False).interrogate(photo, "classic", "a red balloon")
    best = {table: labels[0].label for table, labels in found.ranked.items()}
    flavors = [label.label for label in found.ranked["flavors"][:3]]
    expected = [
        "a red balloon",
        f"{best['mediums']} {best['artists']}",
        best["trendings"],
        best["movements"],
        *flavors,
    ]
    assert found.prompt == ", ".join(expected)


def test_classic_names_no_medium_twice(small: Make, photo: Image.Image) -> None:
    medium = small().interrogate(photo, "classic", "x").ranked["mediums"][0].label
    found = small(tolerance=None).interrogate(photo, "classic", f"{medium} of a cat")
    artist = found.ranked["artists"][0].label
    assert found.prompt.startswith(f"{medium} of a cat {artist}, ")


def test_fast_takes_the_best_of_all_tables(small: Make, photo: Image.Image) -> None:
    found = small(tolerance=None, diverse=False).interrogate(photo, "fast", "a red balloon", max_flavors=5)
    everything = sorted(
        (label for labels in found.ranked.values() for label in labels), key=lambda label: -label.similarity
    )
    assert found.prompt == ", ".join(["a red balloon", *(label.label for label in everything[:5])])


def test_a_composed_caption_has_a_medium_and_things(small: Make, small_lists: Lists, photo: Image.Image) -> None:
    found = small().interrogate(photo, "caption")
    assert found.caption_source == "composed"
    medium, _, things = found.prompt.partition(" of ")
    assert medium in small_lists["mediums"]
    assert set(things.split(" and ")) <= set(small_lists["objects"])


def test_reasons_add_up_to_the_similarity(small: Make, photo: Image.Image, encoder: DualEncoder) -> None:
    worker = small()
    found = worker.interrogate(photo, "classic", "a red balloon")
    assert sum(reason.added for reason in found.reasons) == pytest.approx(found.similarity, abs=1e-5)
    measured = float(encoder.encode_text([found.prompt])[0] @ worker.encode(photo))
    assert found.similarity == pytest.approx(measured, abs=1e-5)
    assert found.reasons[0].phrase == "a red balloon"


def test_every_result_fits_the_context(small: Make, photo: Image.Image, encoder: DualEncoder) -> None:
    found = small().interrogate(photo, "fast", "many words of a caption " * 12)
    assert encoder.fits(found.prompt)
    assert any("did not fit" in note for note in found.notes)


def test_a_caption_longer_than_the_context_is_cut_at_a_word(
    small: Make, photo: Image.Image, encoder: DualEncoder
) -> None:
    caption = "a very long sentence, " * 60
    found = small().interrogate(photo, "classic", caption)
    assert encoder.fits(found.prompt)
    assert caption.startswith(found.prompt)
    assert found.caption == caption.strip()
    assert any("was cut" in note for note in found.notes)


def test_a_result_gives_itself_in_plain_forms(small: Make, photo: Image.Image) -> None:
    found = small(tolerance=None, diverse=False).interrogate(photo, "classic", "a red balloon")
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["prompt"] == found.prompt
    assert plain["ranked"]["mediums"][0]["label"] == found.ranked["mediums"][0].label
    frame = found.to_frame()
    assert list(frame.columns) == ["table", "rank", "label", "similarity", "certainty"]
    assert len(frame) == sum(map(len, found.ranked.values()))
    assert str(found).splitlines()[0] == found.prompt
    assert sum(found.times.values()) <= found.seconds


def test_nothing_that_a_user_wrote_reaches_a_notebook_unescaped(small: Make, photo: Image.Image) -> None:
    found = small().interrogate(photo, "caption", "<script>alert('x')</script>")
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()
    assert "<script>" not in found.figure().to_json().replace("\\u003c", "<")


def test_the_figure_has_a_bar_for_each_phrase(small: Make, photo: Image.Image) -> None:
    found = small(tolerance=None, diverse=False).interrogate(photo, "classic", "a red balloon")
    figure = found.figure()
    assert sum(len(bars.x) for bars in figure.data) == len(found.reasons)
    assert figure.data[0].name == "caption"
    assert figure.data[0].x[0] == pytest.approx(100 * found.similarity - sum(100 * r.added for r in found.reasons[1:]))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _odd_pictures(photo: Image.Image) -> dict[str, bytes]:
    turned = photo.getexif()
    turned[274] = 6
    deep = Image.fromarray(np.asarray(photo.convert("L"), dtype=np.uint16) * 257)
    return {
        "alpha": _saved(photo.convert("RGBA"), "PNG"),
        "palette": _saved(photo.convert("P"), "PNG", transparency=3),
        "16 bits": _saved(deep, "PNG"),
        "rotated": _saved(photo, "JPEG", exif=turned),
        "CMYK": _saved(photo.convert("CMYK"), "JPEG"),
        "animated": _saved(photo, "GIF", save_all=True, append_images=[photo.rotate(90)]),
        "one pixel": _saved(photo.resize((1, 1)), "PNG"),
        "thin": _saved(photo.resize((600, 1)), "PNG"),
    }


ODD = ["alpha", "palette", "16 bits", "rotated", "CMYK", "animated", "one pixel", "thin"]


@pytest.mark.parametrize("kind", ODD)
def test_odd_pictures_are_described_like_any_other(kind: str, small: Make, photo: Image.Image) -> None:
    found = small().interrogate(_odd_pictures(photo.resize((90, 60)))[kind], "classic", "a red balloon")
    assert isinstance(found, Interrogation)
    assert -1 <= found.similarity <= 1


def test_a_turned_photograph_is_seen_upright(small: Make, photo: Image.Image) -> None:
    upright = photo.rotate(-90, expand=True)
    seen = small().encode(_odd_pictures(photo)["rotated"])
    assert float(seen @ small().encode(upright)) > 0.99


def _huge() -> bytes:
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b"")]
    framed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("broken", ["truncated", "huge", "no picture", "missing"])
def test_pictures_that_cannot_be_read_say_why(broken: str, small: Make, photo: Image.Image, tmp_path: Path) -> None:
    sources = {
        "truncated": (_saved(photo, "PNG")[:2000], "damaged"),
        "huge": (_huge(), "million are read"),
        "no picture": (b"hello", "no picture"),
        "missing": (tmp_path / "none.png", "there is no picture"),
    }
    source, words = sources[broken]
    with pytest.raises(ImageError, match=words):
        small().interrogate(source, "caption", "x")


def test_mistakes_name_what_is_allowed(small: Make, photo: Image.Image) -> None:
    with pytest.raises(SettingsError, match="use classic"):
        small().interrogate(photo, "clasic")
    with pytest.raises(SettingsError, match="max_flavors"):
        small().interrogate(photo, "classic", max_flavors=-1)
    with pytest.raises(SettingsError, match="near it: chunk_size"):
        Settings().changed(chunksize=3)
    with pytest.raises(SettingsError, match="chunk_size is a whole number"):
        Settings(chunk_size=0)
    with pytest.raises(SettingsError, match="scoring is one of"):
        Settings(scoring="fp8")
    with pytest.raises(SettingsError, match="lazy is True or False, not 'no'"):
        Settings(lazy="no")
    with pytest.raises(SettingsError, match="clip_model_name is a text, not 5"):
        Settings().changed(clip_model_name=5)
    with pytest.raises(SettingsError, match="there is no mode None; use"):
        small().interrogate(photo, None)
    with pytest.raises(SettingsError, match="a caption is a text or None, not 5"):
        small().interrogate(photo, "classic", 5)
    with pytest.raises(SettingsError, match="1 captions for 2 pictures"):
        list(small().interrogate_many([photo, photo], captions=["a cat"]))
    with pytest.raises(LabelsError, match="no label table"):
        small().tables.open("flavours")


def test_a_mistake_in_the_lists_shows_before_a_model_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(LabelsError):
        Interrogator(labels=tmp_path / "missing.txt", settings=Settings(clip_model_name="no such model"))


def test_the_low_memory_preset_can_be_changed() -> None:
    preset = Settings.low_memory(device="cpu")
    assert (preset.caption_model_name, preset.chunk_size, preset.device) == ("blip-base", 1024, "cpu")
    assert preset.caption_offload
    assert preset.clip_offload

"""Which files of a folder are pictures, whatever they are called."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from clipnb.image_names import PICTURE, is_heif, kind_of, passed_over

SAVED = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000"]
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0"


@pytest.mark.parametrize("kind", SAVED)
@pytest.mark.parametrize("name", ["a", "a.jpg_large", "a.JPG!d", "image.php"])
def test_pictures_of_odd_names_are_found(kind: str, name: str, tmp_path: Path) -> None:
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"Pillow {Image.__version__} writes no {kind}")
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(buffer, kind)
    (tmp_path / name).write_bytes(buffer.getvalue())
    assert kind_of(str(tmp_path / name)) == PICTURE


@pytest.mark.parametrize("name", ["a.mpo", "a.PNG", "a.jpx", "a.psd"])
def test_pictures_are_known_by_their_suffix_alone(name: str) -> None:
    assert kind_of(name) == PICTURE


@pytest.mark.parametrize("name", ["a.txt", ".a.png", ".hidden", "notes", "a.part", "empty", "folder"])
def test_others_are_none(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    if name != "folder":
        (tmp_path / name).write_bytes(b"" if name == "empty" else b"BM is how this text begins, and it is long")
    assert kind_of(str(tmp_path / name)) == ""


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a"])
def test_heif_is_a_picture_where_its_plugin_is_installed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(HEIC)
    assert is_heif(HEIC)
    monkeypatch.setattr("clipnb.image_names.find_spec", lambda _: None)
    assert kind_of(str(tmp_path / name)) == (Path(name.lower()).suffix or ".heic")
    monkeypatch.setattr("clipnb.image_names.find_spec", lambda _: sys)
    assert kind_of(str(tmp_path / name)) == PICTURE


def test_what_is_passed_over_is_counted_with_a_remedy() -> None:
    assert passed_over({}) == ""
    assert passed_over({".heic": 1200}) == "passed over: 1,200 .heic: pip install pillow-heif"
    assert "2 .nef: develop them" in passed_over({".svg": 1, ".nef": 2})

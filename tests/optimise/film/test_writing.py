from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clipnb.errors import OutputError
from clipnb.optimise.film import writing
from clipnb.optimise.film.writing import save_film

av = pytest.importorskip("av")
Colorspace = pytest.importorskip("av.video.reformatter").Colorspace
CLOSE = 6 if int(av.__version__.split(".")[0]) >= 17 else 25  # before, reading takes no heed of the kind of colours
COLOURS = ["red", "lime", "blue", "orange", "gray"]


def pictures(size: tuple[int, int] = (64, 32)) -> list[Image.Image]:
    return [Image.new("RGB", size, colour) for colour in COLOURS]


def read(path: Path) -> tuple[list[np.ndarray], float]:
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.colorspace == Colorspace.ITU709  # by which players know the colours
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)], float(stream.average_rate)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_video_has_the_pictures_in_their_colours(tmp_path: Path, suffix: str) -> None:
    path = save_film(pictures(), tmp_path / f"a{suffix}", 10.0, hold=0.5)
    frames, rate = read(path)
    assert (len(frames), rate) == (10, 10.0)
    for frame, picture in zip(frames, pictures(), strict=False):
        assert frame.shape == (32, 64, 3)
        assert np.abs(frame.mean((0, 1)) - np.asarray(picture).mean((0, 1))).max() < CLOSE
    assert np.abs(frames[-1].astype(int) - frames[4]).max() < 12


def test_sides_of_a_video_are_made_even(tmp_path: Path) -> None:
    frames, _ = read(save_film(pictures((33, 17)), tmp_path / "a.mp4"))
    assert frames[0].shape == (18, 34, 3)
    assert frames[2][-1, -1, 2] > 200


def test_a_picture_of_another_shape_has_black_beside_it(tmp_path: Path) -> None:
    wide, tall = Image.new("RGB", (64, 64), "white"), Image.new("RGB", (32, 64), "white")
    frames, _ = read(save_film([wide, tall], tmp_path / "a.mp4"))
    assert frames[1][:, :10].max() < 20
    assert frames[1][:, 27:37].min() > 230


@pytest.mark.parametrize(("suffix", "kind"), [(".webp", "WEBP"), (".gif", "GIF"), (".png", "PNG"), ("", "WEBP")])
def test_an_animation_repeats_and_holds_its_last_picture(tmp_path: Path, suffix: str, kind: str) -> None:
    path = save_film(pictures(), tmp_path / f"a{suffix}", 20.0, hold=1.0)
    with Image.open(path) as film:
        assert (film.format, getattr(film, "n_frames", 1), film.info["loop"]) == (kind, 5, 0)
        film.seek(4)
        film.load()
        assert film.info["duration"] in (1050, 1050.0)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    assert [save_film(pictures(), tmp_path / "a.mp4").name for _ in range(2)] == ["a.mp4", "a-1.mp4"]


def test_without_pyav_a_video_is_refused_and_webp_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not writing.video_is_here()
    with pytest.raises(OutputError, match=r"\.mp4 needs PyAV: pip install 'clipnb\[film\]'; or name it a\.webp"):
        save_film(pictures(), tmp_path / "a.mp4")
    assert save_film(pictures(), tmp_path / "a.webp").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["a.webp"]


@pytest.mark.parametrize("suffix", [".avi", ".txt", ".jpg"])
def test_other_suffixes_are_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match=r"a film is \.webp, \.gif, \.png, \.mp4, \.webm"):
        save_film(pictures(), tmp_path / f"a{suffix}")


def test_a_film_without_pictures_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="needs a picture"):
        save_film([], tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".webp"])
def test_a_picture_that_fails_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    def failing():  # type: ignore[no-untyped-def]
        yield from pictures()
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        save_film(failing(), tmp_path / f"a{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("fps", "hold"), [(0, 0), (-1, 0), (float("nan"), 0), (1e9, 0), (24, -1), (24, 1e9)])
def test_a_speed_that_no_film_has_is_refused(fps: float, hold: float, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a film has 0\.1 to 240 pictures a second"):
        save_film([torch.zeros(3, 8, 8)], tmp_path / "a.webp", fps, hold=hold)
    assert not list(tmp_path.iterdir())


def test_tensors_are_pictures_of_a_film(tmp_path: Path) -> None:
    saved = save_film([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)], tmp_path / "a.webp")
    with Image.open(saved) as film:
        assert getattr(film, "n_frames", 1) == 2

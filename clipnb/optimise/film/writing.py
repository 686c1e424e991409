"""Pictures one after another as a file that plays: MP4 and WebM by PyAV; WebP, GIF and animated PNG by Pillow."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from clipnb.errors import OutputError, first_line, quoted
from clipnb.files import write_new
from clipnb.images import to_pil

_CODECS: dict[str, tuple[str, dict[str, str]]] = {
    ".mp4": ("libx264", {"crf": "17", "preset": "medium"}),
    ".webm": ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4"}),
}
SUFFIXES = (".webp", ".gif", ".png", *_CODECS)
"""Formats of films."""
FOLDER = "-frames"
"""What the name of the folder of frames ends with."""
_SLOWEST, _FASTEST = 0.1, 240  # pictures a second
_LONGEST = 3600  # seconds
_BT709 = 1  # the colours that players expect of a film without a word on them, in FFmpeg's numbers
_LIMITED = 1  # range of its luminance


def video_is_here() -> bool:
    """Whether MP4 and WebM can be written: PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def save_film(
    pictures: Iterable[Image.Image | Tensor], path: str | Path, fps: float = 24.0, *, hold: float = 0.0
) -> Path:
    """Write pictures as a film; nothing is overwritten.

    Args:
        pictures: PIL images, or tensors, float [3, H, W] in [0, 1], in their order; of other shapes than the first
            one they get black beside them.
        path: where to; the suffix is the format: .webp (where there is none), .gif, .png, or with PyAV .mp4 and .webm.
            A name that is taken gets a number.
        fps: pictures a second, from .1 to 240.
        hold: seconds that the last picture stays for longer, at most 3600.

    Returns:
        Where it was written.

    Raises:
        OutputError: there is no picture, `fps` or `hold` is out of range, the suffix is another one, PyAV is missing,
            or the place cannot be written to.
    """
    wished = Path(path)
    wished = wished if wished.suffix else wished.with_suffix(SUFFIXES[0])
    require_film(wished)
    if not (_SLOWEST <= fps <= _FASTEST and 0 <= hold <= _LONGEST):
        raise OutputError(
            f"a film has {_SLOWEST} to {_FASTEST} pictures a second and holds the last one for up to {_LONGEST} s; "
            f"given: {fps} a second, {hold} s"
        )
    turns = (to_pil(picture) if isinstance(picture, Tensor) else picture for picture in pictures)
    first = next(turns, None)
    if first is None:
        raise OutputError("a film needs a picture at least")
    fitted = chain([first], (_fitted(picture, first.size) for picture in turns))
    with write_new(wished) as (target, temporary):
        if wished.suffix.lower() in _CODECS:
            _write_video(fitted, temporary, fps, hold)
        else:
            _write_animation(fitted, temporary, fps, hold)
    return target


def require_film(path: Path) -> None:
    """Check that films of a path's suffix can be written here.

    Raises:
        OutputError: they cannot.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError(f"a film is {', '.join(SUFFIXES)}; {quoted(path.suffix)} cannot be written")
    if suffix in _CODECS and not video_is_here():
        raise OutputError(f"{suffix} needs PyAV: pip install 'clipnb[film]'; or name it {path.stem}.webp")


def suffix_of_film(wished: Path) -> str:
    """Return the suffix of a film by the name that is wished for it: MP4 by default, WebP where PyAV is missing.

    Raises:
        OutputError: films of that suffix cannot be written.
    """
    suffix = wished.suffix.lower()
    if suffix in ("", ".png"):
        return ".mp4" if video_is_here() else SUFFIXES[0]
    require_film(wished)
    return suffix


def without_video(suffix: str) -> str:
    """Return in words what would be there with PyAV; "" where nothing is missing."""
    return "" if video_is_here() or suffix != SUFFIXES[0] else " (MP4: pip install 'clipnb[film]')"


def frame_path(picture: Path, number: int) -> Path:
    """Return where a frame stands while its film is made: in a folder beside a picture of the film's name."""
    return picture.with_name(picture.stem + FOLDER) / f"{number:05}.png"


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture if picture.size == size else ImageOps.pad(picture, size, Image.Resampling.LANCZOS)


def _write_animation(pictures: Iterable[Image.Image], path: Path, fps: float, hold: float) -> None:
    first, *others = pictures
    durations = [round(1000 / fps)] * (len(others) + 1)
    durations[-1] += round(1000 * hold)
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, quality=85, method=2)


def _write_video(pictures: Iterable[Image.Image], path: Path, fps: float, hold: float) -> None:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    codec, options = _CODECS[path.suffix.lower()]
    try:
        with av.open(str(path), "w") as film:
            stream: Any = None
            for picture in _held(pictures, round(hold * fps)):
                pixels = _even(np.asarray(picture.convert("RGB")))
                if stream is None:
                    stream = film.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=dict(options))
                    stream.height, stream.width = pixels.shape[:2]
                    stream.pix_fmt = "yuv420p"
                    stream.codec_context.colorspace, stream.codec_context.color_range = _BT709, _LIMITED
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame = frame.reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                film.mux(stream.encode(frame))
            film.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise OutputError(f"cannot write {path.name}: {first_line(error)}") from error


def _held(pictures: Iterable[Image.Image], count: int) -> Iterator[Image.Image]:
    """Yield pictures, the last one so many times more."""
    last: Image.Image | None = None
    for last in pictures:
        yield last
    if last is not None:
        yield from repeat(last, count)


def _even(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Repeat the last row and column of a picture [H, W, 3] where its sides are odd: colours are kept for 2 x 2."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge") if height % 2 or width % 2 else pixels

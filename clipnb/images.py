"""Pictures in and out: files, bytes, URLs, arrays <-> RGB pictures and float tensors."""

from __future__ import annotations

import io
import re
import struct
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Union
from urllib.parse import unquote_to_bytes

import numpy as np
from PIL import ExifTags, Image, ImageColor, ImageFile, UnidentifiedImageError

from clipnb.download import download
from clipnb.download import is_url as is_url
from clipnb.errors import ImageError, first_line, quoted, reason, shortened
from clipnb.files import claim, given_back, read_bytes, write_atomically
from clipnb.files import is_named_like_an_image as is_named_like_an_image
from clipnb.image_names import is_avif, is_heif
from clipnb.image_parts import without_extras

if TYPE_CHECKING:
    from torch import Tensor

FORMATS = (
    *("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF", "JPEG2000", "ICO", "ICNS", "PPM"),
    *("PSD", "PCX", "TGA"),
)
"""What is decoded, as Pillow calls it: raster formats whose decoders start no program and do not interpret anything.

HEIF is read where pillow-heif is installed, or another plugin is registered.
"""
MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels: width times height."""
MAX_MEMORY = 2**30
"""Most memory that decoding a picture may need, in bytes."""
MAX_BYTES = 256 * 2**20
"""Largest file that is read or downloaded, in bytes."""
_MOST_HEADER_READS, _MOST_READS = 8_000, 200_000  # calls of a decoder for more bytes: before, and with the pixels
_MEMORY = {"JPEG2000": 26, "WEBP": 17}  # measured, bytes a pixel; of others at most 13, which fits for all MAX_PIXELS
_MOST_RUNS = 4_000_000  # reads of what Pillow decodes in Python, a run of pixels each, in seconds
_IN_PYTHON = ("BMP", "DIB", "ICO")
_MOST_SEGMENTS = 10_000  # of a JPEG
_MOST_SCANNED = 64 * MAX_PIXELS  # pixels of a JPEG times its scans, each of which goes through all of them
_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
# Of JPEG 2000: where a picture with its sizes, or a part with a header of its own begins.
_SIZES = re.compile(rb"(?s)\xff\x4f(?=\xff\x51\0[\x29\x2c\x2f\x32]..(.{24}))")
_HEADERS = re.compile(rb"\xff\x4f(?=\xff\x51\0[\x29\x2c\x2f\x32])|\xff\x90\0\x0a")
_BLOCK_BYTES, _TILE_BYTES = 4 * 400, 11_000  # measured, of a block in four components, and of a tile
_TIFF_BYTES = (1, 2, 6, 7)  # kinds of tags that stay bytes
_MOST_TAGS, _MOST_VALUES = 2**16, 2**18  # tags of a TIFF, and numbers in one, such as places of strips
_BAND = 256  # rows that are converted at a time
_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WITH_ORIENTATION = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_BACKDROP = (-1, -1)  # a key of `Image.info` that no file can bring
_LEAST_CONTRAST, _SAMPLE = 40, 128  # levels of 255 between a picture and white; side in pixels that it is measured on
_LONGEST_NAME = 200  # characters that an error calls a picture

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
ImageSource = Union[str, Path, bytes, bytearray, memoryview, IO[bytes], "Image.Image", Array, "Tensor"]


def open_image(source: ImageSource, name: str = "", *, side: int = 0, backdrop: str = "auto") -> Image.Image:
    """Open a picture from wherever it is, as plain RGB.

    The orientation that a camera noted (EXIF) is applied, transparency is laid over a backdrop, 16 bits
    and floats (in [0, 1], or in [0, 255]) become 8, and of an animation the first frame is taken. What stands beside
    the pixels, such as profiles and texts, is no part of the picture, damaged or not.

    Args:
        source: a path, an http(s) or `data:` URL, the bytes of an image file, a file that is open for reading them, a
            PIL image of any mode, an array [H, W] or [H, W, 3 or 4], or a tensor of this shape or [3 or 4, H, W];
            of uint8, or of floats in [0, 1].
        name: what errors call it; its path or URL unless given.
        side: pixels of the shorter side that are enough; a JPEG is then decoded to a half, quarter or eighth of its
            size, which is several times as fast. 0 decodes it as it is.
        backdrop: what shows through transparency: a colour such as "white" or "#336699"; "auto" is white, and black
            under what would vanish on white.

    Returns:
        A PIL image of mode "RGB"; `source` itself where it is one that needs no change.

    Raises:
        ImageError: it is missing, no picture of `FORMATS`, damaged, larger than `MAX_PIXELS`, or its decoding needs
            more than `MAX_MEMORY`.
    """
    require_backdrop(backdrop)
    if isinstance(source, (Image.Image, np.ndarray)) or _is_tensor(source):
        name = name or ("the picture" if isinstance(source, Image.Image) else "the array")
        with _in_words(name):
            image = source if isinstance(source, Image.Image) else _from_array(source)
            return _decode(image, name, backdrop)
    if isinstance(source, (str, Path)):
        name = name or shortened(str(source), _LONGEST_NAME)
        return _from_bytes(read_image_file(source, name), name, side, backdrop)
    return _from_bytes(_bytes_of(source, name or "the upload"), name or "the upload", side, backdrop)


def require_backdrop(backdrop: str) -> tuple[int, ...] | None:
    """Return the colour that a backdrop means, RGB in [0, 255]; None for "auto".

    Raises:
        ImageError: it means none.
    """
    try:
        return None if backdrop == "auto" else ImageColor.getrgb(backdrop)[:3]
    except (ValueError, AttributeError, TypeError):
        known = "'auto' or a colour such as 'white' or '#336699'"
        raise ImageError(f"a backdrop is {known}, not {quoted(backdrop)}") from None


def backdrop_of(image: Image.Image) -> str:
    """Return the backdrop that `open_image` chose for an image because white would not do, or ""."""
    return str(image.info.get(_BACKDROP, ""))


def read_image_file(source: str | Path, name: str = "") -> bytes:
    """Return the bytes of an image file at a path, an http(s) or `data:` URL, without looking at them.

    Args:
        source: a path, or a URL.
        name: what errors call it; its path or URL unless given.

    Raises:
        ImageError: it is missing, no file, unreadable, or larger than `MAX_BYTES`.
    """
    text = str(source)
    name = name or shortened(text, _LONGEST_NAME)
    if text[:5].lower() == "data:":
        return _inline(text, name)
    if is_url(text):
        try:
            return download(text, MAX_BYTES)[1]
        except OSError as error:
            raise ImageError(f"cannot download {name}: {reason(error)}") from error
    try:
        return read_bytes(text, MAX_BYTES)
    except FileNotFoundError:
        raise ImageError(f"there is no picture {name}") from None
    except IsADirectoryError:
        raise ImageError(f"{name} is a folder; name a picture in it") from None
    except OSError as error:
        raise ImageError(f"cannot read {name}: {reason(error)}") from error


def to_tensor(image: Image.Image) -> Tensor:
    """Return a PIL image of any mode as float32 [3, H, W], RGB in [0, 1]."""
    return to_bytes(image).float() / 255.0


def to_bytes(image: Image.Image) -> Tensor:
    """Return a PIL image of any mode as uint8 [3, H, W], RGB, without torch's threads: for threads that read ahead."""
    import torch

    return torch.from_numpy(np.array(_to_rgb(image)).transpose(2, 0, 1).copy())


def to_pil(pixels: Tensor) -> Image.Image:
    """Return a float tensor [3, H, W], clamped to [0, 1], as a PIL image of mode "RGB"."""
    eight_bit = pixels.detach().float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(eight_bit.permute(1, 2, 0).cpu().numpy())


def save_image(image: Image.Image | Tensor, path: Path) -> Path:
    """Write a picture; nothing is overwritten.

    Args:
        image: a PIL image, or a tensor [3, H, W] in [0, 1].
        path: where to; the suffix gives the format (.png, .jpg, .webp, ...). A name that is taken gets a number.

    Returns:
        Where it was written.

    Raises:
        ImageError: the suffix names no picture format.
        OutputError: the place cannot be written to.
    """
    require_writable(path)
    target = claim(path)
    with given_back(target):
        return write_image(image, target)


def write_image(image: Image.Image | Tensor, path: Path) -> Path:
    """Write a picture, as `save_image` does, to a name that was claimed for it: what is there is replaced."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    require_writable(path)
    encoded = io.BytesIO()
    encoded.name = path.name  # by which Pillow chooses the format
    with write_atomically(path) as temporary:
        picture.save(encoded)  # into memory: written by Pillow, a file that a full disk cuts off would count as whole
        temporary.write_bytes(encoded.getbuffer())
    return path


def require_writable(path: Path) -> None:
    """Check that the suffix of a path names a format that pictures are written in.

    Raises:
        ImageError: it does not.
    """
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise ImageError(f"cannot write {path.name}: {path.suffix or 'no suffix'} is no picture format; use .png")


class _Reader(io.BytesIO):
    """Bytes that are not read too often: a header of a million parts would keep its decoder busy for minutes."""

    left = _MOST_HEADER_READS

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise _CrumbsError
        return super().read(size)


class _CrumbsError(Exception):
    """A file has too many parts."""


def _from_bytes(content: bytes, name: str, side: int, backdrop: str) -> Image.Image:
    Image.init()
    if is_heif(content) and "HEIF" not in Image.OPEN:
        _register_heif(name)
    if is_avif(content) and "AVIF" not in Image.OPEN:
        raise ImageError(f"{name} is AVIF, which needs: pip install 'pillow>=11.3'")
    with _in_words(name):
        try:
            return _from_file(content, name, side, backdrop)
        except _WHOLE:
            raise
        except Exception:
            bare = without_extras(content)
            if bare is None or len(bare) == len(content):
                raise
        return _from_file(bare, name, side, backdrop)


def _from_file(content: bytes, name: str, side: int, backdrop: str) -> Image.Image:
    _require_few_values(content, name)
    image = _opened(_Reader(content))
    if image.format in ("JPEG", "MPO"):
        _require_few_scans(content, image.width * image.height, name)
    if image.format in ("JPEG2000", "ICNS"):
        _require_large_blocks(content, name)
    if image.format == "PPM":
        image = _portable(image, content)
    if side:
        _require_room(image, name)
        image.draft(None, (side, side))
    return _decode(image, name, backdrop)


def _register_heif(name: str) -> None:
    try:
        import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise ImageError(f"{name} is HEIF, which needs: pip install pillow-heif") from None


_WHOLE = (ImageError, Image.DecompressionBombError, _CrumbsError, MemoryError)
"""Errors that nothing beside the pixels is the cause of."""


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Raise whatever a decoder raises as `ImageError`."""
    try:
        yield
    except UnidentifiedImageError:
        raise ImageError(f"{name} is no picture that can be read (PNG, JPEG, WebP, GIF, TIFF, BMP, ...)") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has too many pixels; at most {MAX_PIXELS / 1e6:.0f} million are read") from None
    except _CrumbsError:
        raise ImageError(f"{name} has too many parts, such as comments, for a picture") from None
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise anything at all
        raise ImageError(f"{name} is damaged: {shortened(first_line(error), 200)}") from error


def _opened(reader: _Reader) -> Image.Image:
    """Open as `Image.open` does, which besides warns of sizes that are refused in words here."""
    first = reader.read(16)
    for kind in FORMATS:
        if kind not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[kind]
        try:
            fits = accept is None or accept(first)
            if not fits or isinstance(fits, str):  # a text says what is missing to read it
                continue
            reader.seek(0)
            image = factory(reader, "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # it is of another format
            continue
        reader.left = _MOST_RUNS if image.format in _IN_PYTHON else _MOST_READS
        return image
    raise UnidentifiedImageError


def _portable(image: Image.Image, content: bytes) -> Image.Image:
    """Decode a PPM or PGM whose values are text or do not end at 255, for which Pillow has a slow loop in Python."""
    decoder, _, start, arguments = image.tile[0]  # type: ignore[attr-defined]  # of every ImageFile
    if image.mode not in ("L", "RGB", "I") or decoder not in ("ppm", "ppm_plain"):
        return image
    _require_room(image, "the picture")
    most = arguments[-1]
    count = image.width * image.height * len(image.getbands())
    if decoder == "ppm":
        values = np.frombuffer(content, ">u2" if most > 255 else "u1", count, start)
    else:
        text = re.sub(rb"#[^\r\n]*", b"", content[start:])
        values = np.fromstring(text, np.uint16, sep=" ")[:count]
    shape = (image.height, image.width, len(image.getbands()))[: 2 + (image.mode == "RGB")]
    return _eight_bit(values.reshape(shape), most / 255)


def _require_few_scans(content: bytes, pixels: int, name: str) -> None:
    """Refuse a JPEG of so many scans that the decoder goes through a large picture for minutes."""
    scans, place = 0, 2
    for _ in range(_MOST_SEGMENTS):
        segment = _SEGMENT.search(content, place)
        if segment is None or segment[1] == b"\xd9":  # the end of the picture; more may follow, such as a film
            return
        place = segment.end() + int.from_bytes(content[segment.end() : segment.end() + 2], "big")
        scans += segment[1] == b"\xda"
        if scans * pixels > _MOST_SCANNED:
            break
    raise ImageError(f"{name} has too many parts, such as scans, for a picture")


def _require_few_values(content: bytes, name: str) -> None:
    """Refuse very long tags of a TIFF's first directory, or of EXIF, which is one: Pillow makes numbers of them all."""
    content = content.removeprefix(b"Exif\0\0")
    if content[:2] not in (b"II", b"MM") or not set(content[2:4]) & {42, 43}:
        return
    order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"
    # Widths of a place and of a number of tags; where the first place stands. The second form is that of BigTIFF.
    place, number, at = (8, 8, 8) if 43 in content[2:4] else (4, 2, 4)
    start = int.from_bytes(content[at : at + place], order)
    tags = int.from_bytes(content[start : start + number], order)
    for i in range(min(tags, _MOST_TAGS)):
        tag = content[start + number + i * (4 + 2 * place) :][: 4 + place]
        kind, count = int.from_bytes(tag[2:4], order), int.from_bytes(tag[4:], order)
        if kind not in _TIFF_BYTES and count > _MOST_VALUES:
            raise ImageError(f"{name} has too many parts, such as strips, for a picture")


def _require_large_blocks(content: bytes, name: str) -> None:
    """Refuse JPEG 2000, in an icon too, that is cut in so small pieces that their bookkeeping fills the memory."""
    blocks = 0.0  # for a pixel
    for style in _block_styles(content):
        # The style of the whole picture has four bytes more than that of a component, and one less before its flags.
        flags, (levels, width, height, *more) = (style[4], style[9:]) if style[1] == 0x52 else (style[5], style[6:])
        blocks = max(blocks, 2.0 ** -((width & 15) + (height & 15) + 4))
        if flags & 1:  # the precincts of each resolution, the largest last
            precincts = more[2 : levels + 3][::-1]
            blocks = max(blocks, sum(2.0 ** -((size & 15) + (size >> 4) + 2 * i) for i, size in enumerate(precincts)))
    for sizes in _SIZES.finditer(content):
        right, bottom, left, top, width, height = struct.unpack(">6I", sizes[1])
        pixels = (right - left) * (bottom - top)
        pieces = pixels * blocks * _BLOCK_BYTES
        pieces += (right // max(width, 1) + 1) * (bottom // max(height, 1) + 1) * _TILE_BYTES
        if max(pieces - 2**26, 0) + pixels * _MEMORY["JPEG2000"] > MAX_MEMORY:
            raise ImageError(f"{name} has too many pixels or parts, such as tiles, for a picture in JPEG 2000")


def _block_styles(content: bytes) -> Iterator[bytes]:
    """Find the segments that say how pictures and components are cut into blocks."""
    segments = 0
    for header in _HEADERS.finditer(content):
        place = header.end() + (8 if header[0][1] == 0x90 else 0)
        while content[place : place + 1] == b"\xff" and content[place + 1 : place + 2] not in (b"\x90", b"\x93"):
            if content[place + 1 : place + 2] in (b"\x52", b"\x53") and place + 12 < len(content):
                yield content[place : place + 50]
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
            segments += 1
            if segments > _MOST_READS:
                raise _CrumbsError


def require_raster(image: Image.Image, name: str = "the picture") -> None:
    """Refuse a picture that is not decoded yet and whose decoder may start a program."""
    if isinstance(image, ImageFile.ImageFile) and image.format not in FORMATS:
        raise ImageError(f"{name} is of the format {image.format}, which is not read; use PNG, JPEG, WebP, TIFF, ...")


def _require_room(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name} has {width} x {height} pixels; at most {MAX_PIXELS / 1e6:.0f} million are read")
    if width * height == 0:
        raise ImageError(f"{name} has no pixels ({width} x {height})")
    most = MAX_MEMORY // _MEMORY.get(image.format or "", 1)
    if width * height > most:
        raise ImageError(
            f"{name} has {width} x {height} pixels; of {image.format} at most {most / 1e6:.0f} million are read, "
            "whose decoding takes a gigabyte"
        )


def _decode(image: Image.Image, name: str, backdrop: str = "auto") -> Image.Image:
    require_raster(image, name)
    _require_room(image, name)
    image.load()  # a truncated file shows here, not later
    _require_room(image, name)  # an icon's size may be another than its directory says
    _require_few_values(image.info.get("exif") or b"", name)
    turn = _turn(image)
    if turn is not None:
        image = image.transpose(turn)
        for key in _WITH_ORIENTATION:  # so that it is not turned again
            image.info.pop(key, None)
    return _to_rgb(image, backdrop)


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - what stands beside the pixels may be damaged in any way
        return None


def _to_rgb(image: Image.Image, backdrop: str = "auto") -> Image.Image:
    require_raster(image)
    if image.mode == "RGB":
        return image
    if image.mode in _DEEP_MODES:
        deep = np.asarray(image)
        image = _eight_bit(deep, 257.0 if deep.max(initial=0) > 255 else 1.0)  # mode "I" also holds 8-bit values
    if image.mode == "F":
        deep = np.asarray(image)
        is_share = not (deep > 1).any()  # most programs write floats in [0, 1]
        image = _eight_bit(deep, 1 / 255.0 if is_share else 1.0)
    return _on_backdrop(image, backdrop) if image.has_transparency_data else image.convert("RGB")


def _eight_bit(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], white: float) -> Image.Image:
    """Divide by what one level of 255 is; band by band, since a picture in double precision takes half a gigabyte."""
    levels = np.empty(values.shape, dtype=np.uint8)
    for top in range(0, len(values), _BAND):
        band = np.nan_to_num(values[top : top + _BAND].astype(np.float64))
        levels[top : top + _BAND] = np.clip(band / white, 0, 255).round()
    return Image.fromarray(levels)


def _on_backdrop(image: Image.Image, backdrop: str) -> Image.Image:
    """Lay a picture over a colour; band by band, since four copies of a large one take more than a gigabyte."""
    colour = require_backdrop(backdrop)
    is_light = colour is None and _vanishes_on_white(image)
    colour = colour or ((0, 0, 0) if is_light else (255, 255, 255))
    flat = Image.new("RGB", image.size)
    for top in range(0, image.height, _BAND):
        band = image.crop((0, top, image.width, min(image.height, top + _BAND))).convert("RGBA")
        below = Image.new("RGBA", band.size, (*colour, 255))
        flat.paste(Image.alpha_composite(below, band).convert("RGB"), (0, top))
    if is_light:
        flat.info[_BACKDROP] = "black"
    return flat


def _vanishes_on_white(image: Image.Image) -> bool:
    """Return whether a picture with transparency is so light that hardly any contrast to white is left."""
    size = min(image.width, _SAMPLE), min(image.height, _SAMPLE)
    sample = image.resize(size, Image.Resampling.NEAREST).convert("RGBA")
    grey, alpha = (np.asarray(sample.convert(mode)).astype(float) for mode in ("L", "RGBA"))
    weight = alpha[..., 3]
    has_holes = bool((weight < 255).any() and weight.any())
    return has_holes and float(((255 - grey) * weight).sum() / weight.sum()) < _LEAST_CONTRAST


def _is_tensor(source: object) -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.Tensor)


def _bytes_of(source: object, name: str) -> bytes:
    """Return the bytes that something holds, or that an open file gives."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    read = getattr(source, "read", None)
    if read is None:
        known = "a path, a URL, bytes, an open file, a PIL image, an array or a tensor"
        raise ImageError(f"{type(source).__name__} is no picture; give {known}")
    try:
        content = read(MAX_BYTES + 1)
    except Exception as error:  # a file of any kind, closed, of text, or at the other end of a wire
        raise ImageError(f"cannot read {name}: {shortened(reason(error), 200)}") from error
    if not isinstance(content, bytes):
        raise ImageError(f"{name} gives {type(content).__name__}, not bytes; open the file with 'rb'")
    if len(content) > MAX_BYTES:
        raise ImageError(f"cannot read {name}: larger than {MAX_BYTES // 2**20} MiB")
    return content


def _inline(url: str, name: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma or len(body) > 2 * MAX_BYTES:
        raise ImageError(f"{name} is no data: URL of a picture, or a too long one")
    try:
        return b64decode(unquote_to_bytes(body)) if head.lower().endswith(";base64") else unquote_to_bytes(body)
    except ValueError:
        raise ImageError(f"{name} is no data: URL of a picture: its base64 is damaged") from None


def _from_array(source: Any) -> Image.Image:
    array = source if isinstance(source, np.ndarray) else _array_of(source)
    shape = " x ".join(map(str, array.shape))
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise ImageError(f"an array of {shape} is no picture; use [H, W] or [H, W, 3]")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise ImageError(f"the array has {shape} values; at most {MAX_PIXELS / 1e6:.0f} million pixels are read")
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.floating):
        values = np.nan_to_num(array.astype(np.float64))
        if values.max(initial=0.0) > 1.0 or values.min(initial=0.0) < 0.0:
            raise ImageError("a picture of floats has values in [0, 1]; divide by the largest, or give uint8")
        array = (values * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise ImageError(f"a picture is of uint8 or of floats in [0, 1], not {array.dtype}")
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _array_of(tensor: Tensor) -> Array:
    """Return a tensor as an array, its channels last."""
    values = tensor.detach().cpu()
    values = values[0] if values.ndim == 4 and len(values) == 1 else values
    if values.ndim == 3 and values.shape[0] in (1, 3, 4) and values.shape[2] not in (1, 3, 4):
        values = values.permute(1, 2, 0)
    array: Array = (values.float() if values.is_floating_point() else values).numpy()
    return array

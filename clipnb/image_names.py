"""Which files of a folder are pictures, by their names or first bytes, and what helps where they cannot be read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec

from clipnb.files import is_named_like_an_image, open_file

PICTURE = "picture"
"""What `kind_of` calls a picture that can be read."""
_SAVE = "save them as PNG or JPEG"
_HEIF = (".heic", ".heif", ".hif")
_RAW = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2")
_REMEDIES = {
    **dict.fromkeys(_HEIF, "pip install pillow-heif"),
    **dict.fromkeys((".dds", ".eps", ".exr", ".hdr", ".jxl", ".svg", ".svgz", ".xcf"), _SAVE),
    **dict.fromkeys(_RAW, "develop them as JPEG or TIFF"),
}
# Files that are not looked into: there may be a million captions, and what is half downloaded is no picture yet.
_OTHERS = frozenset(
    ".bak .bin .caption .cfg .ckpt .crdownload .csv .db .gz .h5 .html .ini .ipynb .json .jsonl .log .md .mp3 .mp4 .npy "  # noqa: SIM905
    ".npz .parquet .part .pdf .pickle .pkl .pt .pth .py .safetensors .sqlite .tar .tmp .toml .tsv .txt .wav .xml .xmp "
    ".yaml .yml .zip".split()
)
_FIRST = 32  # bytes that tell a picture
_BEGINNINGS = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|8BPS\0\x01|\0\0\0\x0cjP  |\xff\x4f\xff\x51"
    rb"|BM....\0\0\0\0|....ftyp(?:avif|avis)",
    re.DOTALL,
)
_HEIF_BEGINNING = re.compile(rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL)


def is_heif(content: bytes) -> bool:
    """Return whether a file begins as HEIF does, which Pillow needs a plugin for."""
    return _HEIF_BEGINNING.match(content) is not None


def is_avif(content: bytes) -> bool:
    """Return whether a file begins as AVIF does, which Pillow reads from 11.3 on."""
    return content[4:12] in (b"ftypavif", b"ftypavis")


def kind_of(path: str) -> str:
    """Return `PICTURE` for a file that can be opened as one, ".heic" and the like for one of a kind that cannot, or "".

    A name with another suffix, such as `cat.jpg_large`, or with none is looked into. Hidden files are none.
    """
    name = os.path.basename(path)  # noqa: PTH119 - a million names
    if is_named_like_an_image(name):
        return PICTURE
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    if name.startswith(".") or suffix in _OTHERS:
        return ""
    if suffix not in _REMEDIES:
        try:
            with open_file(path) as file:
                first = file.read(_FIRST)
        except OSError:
            return ""
        if _BEGINNINGS.match(first):
            return PICTURE
        suffix = ".heic" if is_heif(first) else ""
    return PICTURE if suffix in _HEIF and find_spec("pillow_heif") else suffix


def remedy(kind: str) -> str:
    """Return what to do about pictures of a kind that cannot be read."""
    return _REMEDIES[kind]


def passed_over(kinds: Mapping[str, int]) -> str:
    """Return what to do about pictures of kinds that cannot be read, "" where there are none.

    >>> passed_over({".heic": 12, ".svg": 1})
    'passed over: 12 .heic: pip install pillow-heif; 1 .svg: save them as PNG or JPEG'
    """
    told = "; ".join(f"{count:,} {kind}: {_REMEDIES[kind]}" for kind, count in sorted(kinds.items()))
    return told and f"passed over: {told}"

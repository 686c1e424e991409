"""Captions beside images: which file belongs to which image, read within limits, written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from clipnb.errors import OutputError, PromptsError, reason, shortened
from clipnb.files import IMAGE_SUFFIXES, expanded, read_bytes
from clipnb.image_names import PICTURE, kind_of, remedy
from clipnb.prompts.byte_order import mark_of
from clipnb.prompts.records import Skipped

SUFFIXES = (".txt", ".caption")
"""Suffixes of caption files, the one that is looked for first in front."""
PICTURES = (*sorted(IMAGE_SUFFIXES), ".heic", ".heif", ".jxl")
"""Suffixes of images that captions belong to, those included that are not decoded everywhere."""
LONGEST_CAPTION = 2**20  # bytes of a caption file
MOST_ENTRIES = 2_000_000  # of a folder, with all below it
PART = ".clipnb-caption.part"  # the name of a caption that is not whole yet


@dataclass(frozen=True)
class CaptionFiles:
    """The images of a folder and their caption files, all by their paths below it, sorted.

    Attributes:
        folder: where they are.
        captions: the caption file of each image that has one.
        without_caption: images without one.
        without_image: files of a caption's suffix that no image belongs to.
        skipped: folders that could not be read.
    """

    folder: Path
    captions: dict[str, str]
    without_caption: tuple[str, ...] = ()
    without_image: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = field(default=())


def find_captions(folder: str | Path, suffix: str | None = None, *, captions: str | Path | None = None) -> CaptionFiles:
    """Find the images below a folder and the caption files beside them: `cat.txt` of `cat.png`, or `cat.png.txt`.

    Hidden files and folders are left out, and links to folders are not followed.

    Args:
        folder: the images' folder.
        suffix: of the captions, such as `.txt`; `.txt`, else `.caption`, when None.
        captions: the folder of the captions, with the same folders in it; that of the images when None.

    Raises:
        PromptsError: it is no folder that can be read, or holds more than 2,000,000 files and folders.
    """
    root = expanded(folder)
    if not os.path.isdir(root):  # noqa: PTH112 - pathlib's raises for names that are too long
        raise PromptsError(f"there is no folder {shortened(str(folder), 300)}; name the folder of the images")
    skipped: list[Skipped] = []
    wanted = SUFFIXES if suffix is None else (checked_suffix(suffix),)
    names = _below(root, skipped)
    apart = captions is not None and expanded(captions) != root
    texts = _below(expanded(captions), skipped) if captions is not None and apart else names
    images = []
    for name in sorted(names):
        kind = PICTURE if name.lower().endswith(PICTURES) else kind_of(os.path.join(root, name))  # noqa: PTH118
        if kind == PICTURE:
            images.append(name)
        elif kind:
            skipped.append(Skipped(name, f"a picture of a kind that is not read; {remedy(kind)}"))
    found, free = paired(images, texts, wanted)
    without = tuple(image for image in images if image not in found)
    return CaptionFiles(root, found, without, tuple(sorted(free)), tuple(skipped))


def paired(
    images: Iterable[str], texts: Iterable[str], suffixes: tuple[str, ...] = SUFFIXES
) -> tuple[dict[str, str], set[str]]:
    """Return the caption file of each image that has one, and the caption files that are no image's."""
    known: dict[str, str] = {}  # by their names with the suffix in lower case: `cat.TXT` is a caption too
    for name in sorted(texts, reverse=True):
        stem, ending = os.path.splitext(name)  # noqa: PTH122 - a hundred thousand names
        if ending.lower() in suffixes:
            known[stem + ending.lower()] = name
    found = {image: text for image in images if (text := beside(image, known, suffixes))}
    return found, set(known.values()).difference(found.values())


def checked_suffix(suffix: str) -> str:
    """Return a caption's suffix in lower case with its dot.

    Raises:
        PromptsError: it is none, or an image's.
    """
    name = "." + suffix.strip().lower().removeprefix(".")
    if not name[1:].isalnum() or name in PICTURES:
        raise PromptsError(f"{shortened(suffix)!r} is no suffix of captions; use one such as .txt or .caption")
    return name


def caption_name(image: str, suffix: str = SUFFIXES[0]) -> str:
    """Return the name that an image's caption gets.

    >>> caption_name("cats/tabby.png")
    'cats/tabby.txt'
    """
    return os.path.splitext(image)[0] + suffix  # noqa: PTH122 - a hundred thousand names


def beside(image: str, texts: Mapping[str, str], suffixes: tuple[str, ...]) -> str | None:
    """Return the caption file of an image; `texts` has files by their names with the suffix in lower case."""
    stem = os.path.splitext(image)[0]  # noqa: PTH122
    return next((texts[name] for suffix in suffixes for name in (stem + suffix, image + suffix) if name in texts), None)


def _below(root: Path, skipped: list[Skipped]) -> list[str]:
    folders = walk(root, lambda folder, why: skipped.append(Skipped(folder, why)))
    return [f"{folder}/{name}" if folder else name for folder, names in folders for name in names]


def walk(root: str | Path, skip: Callable[[str, str], None]) -> Iterator[tuple[str, list[str]]]:
    """Yield a folder and all below it, by their paths in it with `/` between the parts, each with its files' names.

    What is hidden is left out, and links to folders are not followed. `skip` is told the folders that cannot be read.

    Raises:
        PromptsError: it cannot be read itself, or holds more than 2,000,000 files and folders.
    """
    waiting, count = [""], 0
    while waiting:
        here, names = waiting.pop(), []
        try:
            with os.scandir(os.path.join(root, here)) as entries:  # noqa: PTH118
                for entry in entries:
                    if (count := count + 1) > MOST_ENTRIES:
                        raise PromptsError(
                            f"{root} holds more than {MOST_ENTRIES:,} files and folders; name a part of it"
                        )
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{here}/{entry.name}" if here else entry.name)
                    else:
                        names.append(entry.name)
        except OSError as error:
            if not here:
                raise PromptsError(f"cannot read the folder {root}: {reason(error)}") from error
            skip(here, f"the folder cannot be read: {reason(error)}")
        yield here, names


def read_caption(path: str | Path) -> str:
    """Read a caption: UTF-8, or what its byte order mark says; its line breaks stay.

    Raises:
        PromptsError: missing, a folder, no text, or more than 1 MiB.
    """
    try:
        return decoded(read_bytes(path, LONGEST_CAPTION))
    except (OSError, UnicodeError) as error:
        raise PromptsError(f"cannot read {path}: {caption_problem(error)}") from error


def write_caption(path: str | Path, text: str) -> None:
    """Write a caption in UTF-8, whole or not at all; what is there is replaced, and its rights stay.

    Raises:
        PromptsError: no text that a file can hold, or more than 1 MiB.
        OutputError: it cannot be written there.
    """
    content = encoded_caption(text)
    target = str(expanded(path))
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else None  # noqa: PTH110, PTH116
        write_whole(target, content, mode)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {path}: {reason(error)}") from error


def encoded_caption(text: str, before: bytes = b"") -> bytes:
    """Return a caption as bytes, in the encoding of what was there before.

    Raises:
        PromptsError: no text that a file can hold, or more than 1 MiB.
    """
    mark, encoding = mark_of(before)
    try:
        content = mark + text.encode(encoding)
    except UnicodeEncodeError:
        raise PromptsError("it holds half a character (a surrogate), which no file can hold") from None
    if len(content) > LONGEST_CAPTION or "\0" in text:
        raise PromptsError("a caption is a text of at most 1 MiB without zero bytes")
    return content


def write_whole(path: str, content: bytes, mode: int | None = None) -> None:
    """Write a file so that its name holds the whole content or does not change; raises OSError.

    Unlike `files.write_atomically` it looks at nothing else in the folder, which may hold a hundred thousand files. One
    process writes to a folder at a time.
    """
    new = os.path.join(os.path.dirname(path), PART)  # noqa: PTH118, PTH120
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # never through a link
    try:
        file = os.open(new, flags, 0o666)
    except FileExistsError:  # a killed process left it
        os.unlink(new)  # noqa: PTH108
        file = os.open(new, flags, 0o666)
    try:
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            if mode is not None and mode != stat.S_IMODE(os.fstat(file).st_mode):
                os.chmod(new, mode)  # noqa: PTH101
        finally:
            os.close(file)
        os.replace(new, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(new)  # noqa: PTH108
        raise


def leads_out(folder: str | Path, path: str) -> bool:
    """Return whether links make a path below a folder lead out of it."""
    inside, real = os.path.realpath(folder), os.path.realpath(path)
    return os.path.commonpath((inside, real)) != inside


def decoded(content: bytes, otherwise: str | None = None) -> str:
    """Decode a text by its byte order mark, else as UTF-8, `otherwise` where it is none; raises UnicodeError."""
    mark, encoding = mark_of(content)
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        if mark or otherwise is None:
            raise
        text = content.decode(otherwise)
    if "\0" in text:
        raise UnicodeError("it is no text: it holds zero bytes")
    return text


def caption_problem(error: Exception) -> str:
    """Return why a caption cannot be read, in words."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is no {error.encoding.upper()} text ({error.reason} at byte {error.start})"
    return reason(error) if isinstance(error, OSError) else str(error)

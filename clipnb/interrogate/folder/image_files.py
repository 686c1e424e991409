"""The images of a run: files, folders and URLs to a sorted list."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clipnb.errors import ImageError, listed, reason, shortened
from clipnb.files import expanded, valid_unicode
from clipnb.image_names import PICTURE, kind_of, passed_over
from clipnb.images import is_url

_INLINE, _LONGEST_INLINE = "data:", 60  # characters that a picture inside its own address is called


@dataclass(frozen=True)
class ImageFile:
    """One image of a run.

    Attributes:
        image: its name in the output: valid Unicode, unique in a run.
        source: a path or a URL.
        known: digest of the content that the output has a row for already, None where it has none.
        error: why it cannot be read, where that is known already.
    """

    image: str
    source: str
    known: str | None = None
    error: str = ""


def find_images(
    paths: Sequence[str | Path], *, recursive: bool = False, unread: Counter[str] | None = None
) -> list[ImageFile]:
    """List images, sorted by name, each once, however its path is spelled.

    Files and URLs are taken whatever their names; of a folder, the files that are images by their names or, where
    those say nothing, by their first bytes. Hidden ones are left out, such as `._holiday.jpg` and `.ipynb_checkpoints`
    of other programs. Folders that are reached twice, such as by a loop of symbolic links, are walked once. A folder
    that cannot be read is one entry with an error.

    Args:
        paths: files, folders and URLs. One folder alone: names are relative to it; else as given.
        recursive: walk folders in folders too.
        unread: counts the pictures of kinds that cannot be read, by kind; see `passed_over`.

    Raises:
        ImageError: there is none, or a path is empty.
    """
    found: dict[str, ImageFile] = {}  # by their one spelling
    kinds: Counter[str] = Counter() if unread is None else unread
    for path in paths:
        if not str(path).strip():
            raise ImageError("a path is empty; name a file, a folder ('.' is the present one) or a URL")
        text = str(path) if _is_address(str(path)) else str(expanded(path))
        if _is_address(text) or not os.path.isdir(text):  # noqa: PTH112 - pathlib's raises where it is not permitted
            found.setdefault(_one_spelling(text), ImageFile(_name(text), _plain(text)))
            continue
        root = Path(text) if len(paths) == 1 else None
        for one in _walk(Path(text), root, kinds, recursive=recursive):
            found.setdefault(_one_spelling(one.source), one)
    if not found:
        where = listed([shortened(str(path), 300) for path in paths]) or "nowhere"
        deeper = "" if recursive else "; with --recursive (recursive=True) folders in it are searched too"
        told = f" ({passed_over(kinds)})" if kinds else ""
        raise ImageError(f"there are no pictures in {where}{told}{deeper}")
    return sorted(_told_apart(found.values()), key=lambda one: one.image)


def _told_apart(images: Collection[ImageFile]) -> Iterator[ImageFile]:
    """Add a digest to the names of files that are no Unicode, where others are called as those are escaped."""
    names = Counter(one.image for one in images)
    for one in images:
        if names[one.image] > 1 and valid_unicode(one.source) != one.source:
            digest = hashlib.sha256(one.source.encode(errors="surrogatepass")).hexdigest()[:12]
            yield replace(one, image=f"{one.image} ({digest})")
        else:
            yield one


def refuse_recursive(paths: Sequence[str | Path]) -> None:
    """Raise `ImageError` where folders in folders are wanted, and no folder is given."""
    if paths and all(_is_address(str(path)) or expanded(path).is_file() for path in paths):
        raise ImageError("--recursive (recursive=True) does nothing: no folder is given; leave it out")


def renamed(images: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return what the rows of earlier runs call images, where those spell their paths in another way."""
    before = {_one_spelling(name): name for name in known}
    return [before.get(_one_spelling(image), image) for image in images]


def _one_spelling(path: str) -> str:
    return path if _is_address(path) else os.path.abspath(path)  # noqa: PTH100 - a million names


def _is_address(text: str) -> bool:
    return is_url(text) or text[:5].lower() == _INLINE


def require_any(paths: Sequence[str | Path]) -> None:
    """Raise `ImageError` where all paths lead nowhere: a mistyped one is no image to write a row about."""
    if paths and not any(_may_be_there(path) for path in paths):
        raise ImageError(f"there is no file or folder {paths[0]}")


def _may_be_there(path: str | Path) -> bool:
    try:
        return _is_address(str(path)) or expanded(path).exists()
    except PermissionError:  # reading it says why not
        return True


def _walk(folder: Path, root: Path | None, unread: Counter[str], *, recursive: bool) -> Iterator[ImageFile]:
    waiting, seen = [folder], set()
    while waiting:
        here = waiting.pop()
        try:
            facts = here.stat()
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            yield ImageFile(_name(here, root), str(here), error=f"cannot read the folder: {reason(error)}")
            continue
        for entry in entries:
            if _is_folder(entry):
                waiting += [Path(entry.path)] if recursive and not entry.name.startswith(".") else []
            elif (kind := kind_of(entry.path)) == PICTURE:
                yield ImageFile(_name(entry.path, root), _plain(entry.path))
            elif kind:
                unread[kind] += 1


def _plain(source: str) -> str:
    """Return a path in which a `~` that is part of a name is not taken for a home folder."""
    return str(Path(source).absolute()) if source.startswith(("~", "./~")) else source


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links: reading it as an image says why
        return False


def _name(path: str | Path, root: Path | None = None) -> str:
    text = str(path) if root is None else os.path.relpath(path, root)
    if text[:5].lower() == _INLINE:
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]
        text = f"{shortened(text, _LONGEST_INLINE)} ({digest})"
    if os.sep != "/" and not is_url(text):
        text = text.replace(os.sep, "/")
    return valid_unicode(text)

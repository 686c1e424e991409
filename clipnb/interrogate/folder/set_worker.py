"""One prompt for each folder of images: what a run makes of the modes that describe several images together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

import torch

from clipnb.errors import ClipnbError
from clipnb.images import read_image_file
from clipnb.interrogate.captions import one_line
from clipnb.interrogate.folder.contrast import compare_sets
from clipnb.interrogate.folder.image_files import ImageFile
from clipnb.interrogate.folder.manifest import RunOptions
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.folder.sets import ReadSet, describe_set, query_of, read_set
from clipnb.interrogate.folder.worker import BatchRows, OwnWorker
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import SettingsError
from clipnb.progress import log

Sets = Mapping[str, Sequence[str]]
"""The images of each folder, by its name."""
_CONTRAST = "contrast"


def find_sets(images: Iterable[ImageFile]) -> dict[str, list[str]]:
    """Return the images of each folder by the folder's name in the output; "." for the one that was named."""
    sets: dict[str, list[str]] = {}
    for one in images:
        sets.setdefault(os.path.dirname(one.image) or ".", []).append(one.source)  # noqa: PTH120 - may be a URL
    return {name: sets[name] for name in sorted(sets)}


def describe_sets(
    worker: Interrogator, sets: Sets, options: RunOptions, wanted: Container[str]
) -> Iterator[tuple[str, Interrogation | ClipnbError]]:
    """Describe folders, those that are wanted; `contrast` compares each with all others together.

    Yields:
        A folder's name and the result, or why there is none. What was left out is logged.

    Raises:
        SettingsError: there is one folder, and nothing to compare it with.
    """
    read: dict[str, ReadSet | ClipnbError] = {}
    if options.mode == _CONTRAST:
        if len(sets) < 2:
            raise SettingsError(
                f"mode contrast compares folders, and there is {next(iter(sets))} alone; name another folder, or give "
                "the other set by --against (in Python clipnb.contrast)"
            )
        read = {name: _read(worker, name, images) for name, images in sets.items()}
    for name, images in sets.items():
        if name in wanted:
            start = perf_counter()
            own = read.get(name) or _read(worker, name, images)
            try:
                yield name, own if isinstance(own, ClipnbError) else _described(worker, name, own, read, options, start)
            except ClipnbError as error:
                yield name, error


class SetWorker(OwnWorker):
    """Makes a row for each folder on this machine."""

    batch_size = 1

    def __init__(self, interrogator: Interrogator, options: RunOptions, sets: Sets) -> None:
        super().__init__(interrogator, options)
        self._sets = sets

    def remember(self, row: Row) -> None:
        """Do nothing: no two folders are the same."""

    def describe(self, images: Iterable[ImageFile]) -> Generator[BatchRows, None, None]:
        """Yield a row for each folder whose images are not those of its row in the output."""
        folders = list(images)
        digests = {name: _digest(sources) for name, sources in self._sets.items()}
        if self._options.mode == _CONTRAST:
            everything = "".join(digests.values())
            digests = {name: _sha(digest + everything) for name, digest in digests.items()}
        called = {one.source: one.image for one in folders if one.known != digests[one.source]}
        yield BatchRows([], len(folders) - len(called))
        for name, found in describe_sets(self._interrogator, self._sets, self._options, called):
            if isinstance(found, ClipnbError):
                row = self._failed(called[name], digests[name], one_line(str(found)))
            else:
                row = Row.of(called[name], digests[name], found, measured=True)
            yield BatchRows([row], 0)


def _described(
    worker: Interrogator,
    name: str,
    own: ReadSet,
    read: Mapping[str, ReadSet | ClipnbError],
    options: RunOptions,
    start: float,
) -> Interrogation:
    if options.mode != _CONTRAST:
        query = query_of(worker, own)
        return describe_set(query, options.mode, own, options.caption, options.max_flavors, start)
    rest = [one for other, one in read.items() if other != name and isinstance(one, ReadSet)]
    if not rest:
        raise SettingsError("there is no other folder with pictures that can be read")
    others = replace(
        rest[0],
        names=tuple(label for one in rest for label in one.names),
        digests=tuple(digest for one in rest for digest in one.digests),
        features=torch.cat([one.features for one in rest]),
        notes=(),
    )
    return compare_sets(worker, own, others, (name, "the others"), options.max_flavors).sides[0]


def _read(worker: Interrogator, name: str, images: Sequence[str]) -> ReadSet | ClipnbError:
    try:
        found = read_set(worker, images, name)
    except ClipnbError as error:
        return error
    for note in found.notes:
        log.warning("%s: %s", name, note)
    return found


def _digest(sources: Sequence[str]) -> str:
    """Return a digest of the contents of files; what cannot be read counts as what is said of it."""
    digests = []
    for source in sources:
        try:
            digests.append(hashlib.sha256(read_image_file(source)).hexdigest())
        except ClipnbError as error:
            digests.append(str(error))
    return _sha("\n".join(digests))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

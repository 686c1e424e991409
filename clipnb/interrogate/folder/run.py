"""Many pictures to one file of prompts, in a run that can be ended at any moment and gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clipnb.errors import nearest, printable
from clipnb.files import valid_unicode
from clipnb.interrogate.folder.facts import Wish
from clipnb.interrogate.folder.image_files import Picture, find_pictures, require_any
from clipnb.interrogate.folder.journal import Journal
from clipnb.interrogate.folder.manifest import claimed, refuse_foreign
from clipnb.interrogate.folder.output import Output
from clipnb.interrogate.folder.outputs import find_output, last_rows
from clipnb.interrogate.folder.rows import COLUMNS
from clipnb.interrogate.folder.worker import Describer, Engine
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.modes import find_mode
from clipnb.interrogate.settings import Settings, SettingsError, require_captions, require_count
from clipnb.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.interrogate.labels.word_lists import LabelSource

_ENGINES = ("local", "ray")
LONGEST_CAPTION = 100_000
"""Longest caption of a run in characters: readers of comma-separated values take little more in one value."""


@dataclass(frozen=True)
class FolderRun:
    """What a run over many pictures did.

    Attributes:
        path: the output.
        made: pictures that got a new row in this run.
        kept: pictures that had a row already, made of the same content.
        errors: rows of the pictures of this run that have an error instead of a prompt.
    """

    path: Path
    made: int
    kept: int
    errors: int

    def to_frame(self) -> pd.DataFrame:
        """Read the whole output.

        Returns:
            One row an image, sorted by name, with the columns of `Row`.
        """
        return read_rows(self.path)

    def __str__(self) -> str:
        before = f", {self.kept} were there already" if self.kept else ""
        failed = f"; {self.errors} could not be read, column `error` says why" if self.errors else ""
        return f"{printable(str(self.path))}: {self.made} new rows{before}{failed}"


def interrogate_folder(
    paths: str | Path | Sequence[str | Path],
    output: str | Path,
    mode: str = "classic",
    *,
    recursive: bool = False,
    caption: str | None = None,
    max_flavors: int | None = None,
    similarity: bool = True,
    retry_errors: bool = False,
    batch_size: int | None = None,
    workers: int | None = None,
    interrogator: Interrogator | None = None,
    labels: LabelSource | None = None,
    settings: Settings | None = None,
    engine: Literal["local", "ray"] = "local",
) -> FolderRun:
    """Describe all pictures of a folder by prompts, and write a row about each.

    Threads read and prepare pictures while the models run in batches; rows are appended as they come, sorted by
    name when the run ends. A picture that cannot be read is a row with an error. A run that was ended, by whatever,
    goes on where it was when it is started again: pictures whose content has a row are left alone, new and changed
    ones are done. Copies of a picture are computed once.

    Args:
        paths: a folder; or several folders, files and URLs.
        output: .csv, .jsonl, or .parquet (a folder of shards). `FILE.settings.json` beside it (`_settings.json` in
            the folder) says how the rows are made.
        mode: one of `MODES`.
        recursive: search folders in folders too.
        caption: what every prompt begins with; made for each picture unless given.
        max_flavors: phrases at most; the mode's own number unless given.
        similarity: measure how well each prompt suits its picture; takes another pass of the text tower.
        retry_errors: try again pictures that have a row with an error, though their content has not changed.
        batch_size: pictures at a time; what suits device and mode unless given, halved where memory is short.
        workers: threads that read and prepare pictures; with "ray" the copies of the models.
        interrogator: models that are loaded already; made from `labels` and `settings` otherwise.
        labels: lists to use in place of the built-in ones, as `load_labels` takes them.
        settings: how it is done.
        engine: "local", or "ray" for all machines of a Ray cluster, which must see the same files.

    Returns:
        What was done; `to_frame()` reads the rows.

    Raises:
        OutputError: the output is no output of such a run, was made in another way, or takes no more.
        ImageError: there are no pictures, or nothing is where `paths` say.
        ClipnbError: one of its other kinds for a model, list, mode or setting that cannot be used.
    """
    wish = Wish(mode, caption, max_flavors, similarity, batch_size, workers)
    _check(wish, engine)
    place = find_output(output)
    refuse_foreign(place)
    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    require_any(listed)
    pictures = find_pictures(listed, recursive=recursive)
    if engine == "ray":
        from clipnb.interrogate.folder.ray import Cluster

        if interrogator is not None:
            raise SettingsError("a loaded interrogator stays on its machine; give engine='ray' labels and settings")
        with Cluster(wish, labels, settings or Settings()) as cluster:
            return _run(place, pictures, cluster, retry_errors=retry_errors)
    worker = interrogator or Interrogator(labels=labels, settings=settings)
    return _run(place, pictures, Describer(worker, wish), retry_errors=retry_errors)


def read_rows(path: str | Path) -> pd.DataFrame:
    """Read the output of a run, finished or not.

    Args:
        path: what `interrogate_folder` has written to.

    Returns:
        One row an image, sorted by name, with the columns of `Row`.
    """
    import pandas as pd

    rows = [row.values() for row in last_rows(find_output(path).read()).values()]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"similarity": "float64"})
    return frame


def _check(wish: Wish, engine: str) -> None:
    """Refuse mistakes before anything is read or loaded."""
    find_mode(wish.mode)
    if wish.max_flavors is not None:
        require_count("max_flavors", wish.max_flavors, least=0)
    require_captions([wish.caption], 1)
    if len(wish.caption or "") > LONGEST_CAPTION:
        raise SettingsError(
            f"the caption has {len(wish.caption or '')} characters; at most {LONGEST_CAPTION} are taken"
        )
    if valid_unicode(wish.caption or "") != (wish.caption or ""):
        raise SettingsError(f"the caption {wish.caption!r} is no valid Unicode: it holds half of a surrogate pair")
    for name, number in (("batch_size", wish.batch_size), ("workers", wish.workers)):
        if number is not None:
            require_count(name, number, least=1)
    if engine not in _ENGINES:
        raise SettingsError(f"there is no engine {engine!r}; use {nearest(engine, _ENGINES)}")


def _run(place: Output, pictures: Sequence[Picture], engine: Engine, *, retry_errors: bool) -> FolderRun:
    with claimed(place, engine.facts()):
        journal = Journal(place)
        known = journal.known(retry_errors=retry_errors)
        _forget_torn_batch(known, journal.last, pictures, engine.batch_size)
        journal.remind(engine, known)
        made = kept = 0
        place.open()
        with (
            closing(place),
            progress_bar("Interrogating", "image", quiet=engine.quiet) as report,
            closing(engine.describe(replace(one, known=known.get(one.image)) for one in pictures)) as batches,
        ):
            for done in batches:
                journal.append(done.rows)
                made, kept = made + len(done.rows), kept + done.kept
                report(made + kept, len(pictures))
        journal.settle()
        names = {picture.image for picture in pictures}
        return FolderRun(place.path, made, kept, len(names & journal.failed))


def _forget_torn_batch(known: dict[str, str], last: str, pictures: Sequence[Picture], batch_size: int) -> None:
    """Do a batch again that was written in part, so that it is computed as it would have been in one go."""
    names = [picture.image for picture in pictures]
    if last in known and last in names:
        place = names.index(last)
        start = place // batch_size * batch_size
        torn = names[start : place + 1]
        rest = names[place + 1 : start + batch_size]
        if rest and not any(name in known for name in rest) and all(name in known for name in torn):
            for name in torn:
                del known[name]

"""Many images to one file of prompts, in a run that can be ended at any moment and gone on with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clipnb.errors import OutputError, counted, nearest, printable
from clipnb.files import expanded
from clipnb.image_names import passed_over
from clipnb.interrogate.folder.caption_writing import CaptionOptions, Captions, CaptionsWritten
from clipnb.interrogate.folder.image_files import ImageFile, find_images, refuse_recursive, renamed, require_any
from clipnb.interrogate.folder.manifest import RunOptions, claimed, refuse_foreign
from clipnb.interrogate.folder.parquet import Shards
from clipnb.interrogate.folder.rows import NUMBERS, Output, columns_of, last_rows
from clipnb.interrogate.folder.run_log import RunLog, forget_torn_batch
from clipnb.interrogate.folder.set_worker import SetWorker, find_sets
from clipnb.interrogate.folder.sets import refuse_second_interrogator
from clipnb.interrogate.folder.text_rows import Csv, JsonLines
from clipnb.interrogate.folder.worker import LocalWorker, Worker
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.modes import find_mode, refuse_captions, refuse_flavors
from clipnb.interrogate.settings import Settings, SettingsError, require_captions, require_count
from clipnb.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.interrogate.labels.word_lists import LabelSource

_ENGINES = ("local", "ray")
_OUTPUTS: dict[str, Callable[[Path], Output]] = {".csv": Csv, ".jsonl": JsonLines, ".parquet": Shards}


@dataclass(frozen=True)
class FolderRun:
    """Result of a run over many images.

    Attributes:
        path: the output; None where captions alone were written.
        made: number of images that got a new row in this run.
        kept: number of images that had a row already, made of the same content.
        errors: number of images of this run whose row has an error instead of a prompt.
        captions: what became of the captions, where they were asked for.
        unread: number of pictures that were passed over, by kinds that cannot be read, such as ".heic".
        others: number of rows of images that this run did not find, such as deleted and renamed ones.
        pruned: number of such rows that were dropped.
    """

    path: Path | None
    made: int
    kept: int
    errors: int
    captions: CaptionsWritten | None = None
    unread: Mapping[str, int] = field(default_factory=dict)
    others: int = 0
    pruned: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return the whole output; see `read_rows`.

        Raises:
            OutputError: captions alone were written.
        """
        if self.path is None:
            raise OutputError("this run wrote captions and no table; name one, such as output='prompts.csv'")
        return read_rows(self.path)

    def __str__(self) -> str:
        told = [] if self.captions is None else [str(self.captions)]
        if self.path is not None:
            before = f", {self.kept} were there already" if self.kept else ""
            failed = f"; {self.errors} could not be read, column `error` says why" if self.errors else ""
            stay = f"; {counted(self.others, 'row')} of images that are not there, which --prune drops"
            gone = stay * (self.others > 0) + f"; {counted(self.pruned, 'row')} dropped" * (self.pruned > 0)
            told.insert(0, f"{printable(str(self.path))}: {self.made} new rows{before}{gone}{failed}")
        if self.unread:
            told.append(passed_over(self.unread))
        return "\n".join(told)


def interrogate_folder(
    paths: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    mode: str = "classic",
    *,
    recursive: bool = False,
    captions: CaptionOptions | str | None = None,
    caption: str | None = None,
    max_flavors: int | None = None,
    similarity: bool = True,
    known: bool = False,
    retry_errors: bool = False,
    prune: bool = False,
    batch_size: int | None = None,
    workers: int | None = None,
    interrogator: Interrogator | None = None,
    labels: LabelSource | None = None,
    settings: Settings | None = None,
    engine: Literal["local", "ray"] = "local",
) -> FolderRun:
    """Generate a prompt for every image of a folder, and write a row about each, or a caption beside it.

    Threads read and prepare images while the models run in batches; rows are appended as they come, and sorted by
    name when the run ends. An image that cannot be read is a row with an error. A run that was interrupted or killed
    resumes when it is started again: images whose content has a row are skipped, new and changed ones are computed.
    Copies of an image are computed once.

    Modes `set` and `contrast` make a row for each folder (`recursive` for those in it), whose name is in `image`: one
    prompt for all its images, and what sets it apart from all other folders together. What was left out is logged.

    Captions are written when all prompts are there, as one save: `CaptionSet(folder).undo()` takes it back, of each
    100,000 captions. A run that was killed goes on without a table too; nothing is appended twice.

    Args:
        paths: a folder; or several folders, files and URLs.
        output: .csv, .jsonl, or .parquet (a folder of shards). `FILE.settings.json` beside it (`_settings.json` in
            the folder) records how the rows are made. In CSV, texts that begin as formulas do have an apostrophe
            in front; `read_rows` returns them without. None writes captions alone.
        mode: one of `MODES`.
        recursive: search folders in folders too.
        captions: how prompts are written as captions of their images; a suffix such as ".txt" is short for
            `CaptionOptions(".txt")`. Images that cannot be read get none.
        caption: what every prompt begins with; generated for each image unless given.
        max_flavors: maximal number of phrases; the mode's default unless given.
        similarity: compute the similarity of each prompt to its image; takes another pass of the text tower.
            Without it `classic` and `fast` keep phrases that lower it (see `Settings.tolerance`).
        known: read the prompt that each image's file carries inside, and compare; three more columns.
        retry_errors: try images again that have a row with an error, though their content has not changed.
        prune: drop the rows of images that this run does not find, such as deleted and renamed ones; they stay
            otherwise. Rows below a folder that cannot be read stay.
        batch_size: images per batch; by default what suits device and mode. Halved where memory is short.
        workers: threads that read and prepare images; with "ray" the copies of the models.
        interrogator: models that are loaded already; made from `labels` and `settings` otherwise.
        labels: lists to use in place of the built-in ones, as `load_labels` takes them.
        settings: settings of the interrogator.
        engine: "local", or "ray" for all machines of a Ray cluster, which must see the same files.

    Raises:
        OutputError: the output is no output of such a run, was made in another way, or cannot be written.
        ImageError: there are no images, or none of the paths exists.
        PromptsError: captions cannot be read, or an image has no place for one.
        ClipnbError: one of its other kinds for a model, list, mode or setting that cannot be used.
    """
    needed = output is not None or find_mode(mode).checked
    options = RunOptions(mode, caption, max_flavors, similarity and needed, batch_size, workers, known)
    refuse_second_interrogator(interrogator, labels, settings)
    _check(options, engine, interrogator.settings if interrogator else settings)
    _refuse_with_sets(options, similarity=similarity, captions=captions is not None, engine=engine)
    if known and output is None:
        raise SettingsError("known prompts stand in the table, and there is none; name an output, or leave `known` out")
    wished = CaptionOptions(captions) if isinstance(captions, str) else captions
    place = None if output is None else find_output(output)
    if place is not None:
        refuse_foreign(place)
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    require_any(given)
    if recursive:
        refuse_recursive(given)
    unread: Counter[str] = Counter()
    images = find_images(given, recursive=recursive, unread=unread)
    present = [one.image for one in images]  # some have a caption already, and no part in what follows
    writer = Captions(wished, given, images) if wished is not None else None
    if writer is not None:
        images = writer.wanted(images)
        if not images:
            return FolderRun(place.path if place else None, 0, 0, 0, writer.write([]), unread)
    rows = place or (writer.scratch() if writer else None)
    if rows is not None:
        rows.columns = columns_of(known=known, embedding=find_mode(mode).embeds)
    if rows is None:
        raise OutputError("nothing would be written; name an output such as 'prompts.csv', or ask for captions")
    if engine == "ray":
        from clipnb.interrogate.folder.ray import Cluster

        if interrogator is not None:
            raise SettingsError("a loaded interrogator stays on its machine; give engine='ray' labels and settings")
        with Cluster(options, labels, settings or Settings()) as cluster:
            done = _run(rows, images, present, cluster, writer, retry_errors=retry_errors, prune=prune)
            return replace(done, unread=unread)
    worker, images = _local(interrogator or Interrogator(labels=labels, settings=settings), options, images)
    done = _run(rows, images, present, worker, writer, retry_errors=retry_errors, prune=prune)
    return replace(done, unread=unread)


def read_rows(path: str | Path) -> pd.DataFrame:
    """Load the output of `interrogate_folder`, finished or not.

    Returns:
        One row per image, sorted by name: `image` (path below the folder, or path or URL as given), `digest` (first 32
        hex digits of the SHA-256 of its bytes), `prompt`, `mode`, `caption`, `caption_source`, `similarity` (cosine
        similarity in [-1, 1], nan where not measured), `model`, `error` ("" where there is a prompt); of a run with
        `known` also `known` (the prompt inside the file, "" where there is none), `known_similarity` (of that and the
        image), `agreement` (of that and `prompt`); of mode `pooled` also `embedding` (384 floats of unit length, None
        where there is an error), ready for `write_submission(frame["embedding"].tolist(), frame["image"])`.

    Raises:
        OutputError: it cannot be read, or is no such output.
    """
    import pandas as pd

    rows = last_rows(find_output(path).read()).values()
    known, embedding = (any(getattr(row, name) is not None for row in rows) for name in ("known", "embedding"))
    columns = columns_of(known=known, embedding=embedding)
    frame: pd.DataFrame = pd.DataFrame([row.values() for row in rows], columns=list(columns)).astype(
        {name: "float64" for name in NUMBERS if name in columns}
    )
    if embedding:
        frame["embedding"] = [json.loads(text) if text else None for text in frame["embedding"]]
    return frame


def find_output(path: str | Path) -> Output:
    """Return the kind of output that a name's suffix means; raises `OutputError` where it means none."""
    place = expanded(path)
    if place.suffix.lower() not in _OUTPUTS:
        problem = f"{place.suffix} is not known" if place.suffix else "the name has no suffix"
        raise OutputError(f"cannot write rows to {str(path)!r}: {problem}; use {', '.join(_OUTPUTS)}")
    return _OUTPUTS[place.suffix.lower()](place)


def _check(options: RunOptions, engine: str, settings: Settings | None) -> None:
    """Refuse mistakes before anything is read or loaded."""
    mode = find_mode(options.mode, settings)
    if options.max_flavors is not None:
        require_count("max_flavors", options.max_flavors, least=0)
        refuse_flavors(mode, options.max_flavors)
    require_captions([options.caption], 1)
    refuse_captions(mode, [options.caption])
    for name, number in (("batch_size", options.batch_size), ("workers", options.workers)):
        if number is not None:
            require_count(name, number, least=1)
    if mode.checked and not options.similarity and settings is not None and settings.tolerance:
        raise SettingsError("tolerance is of similarities, which are not to be measured; leave one of them out")
    if engine not in _ENGINES:
        raise SettingsError(f"there is no engine {engine!r}; use {nearest(engine, _ENGINES)}")


def _refuse_with_sets(options: RunOptions, *, similarity: bool, captions: bool, engine: str) -> None:
    """Refuse what a row for each folder has no use for."""
    wished = {
        "captions": captions,
        "known": options.known,
        "similarity": not similarity,
        "batch_size": options.batch_size is not None,
        "workers": options.workers is not None,
        "engine": engine != _ENGINES[0],
    }
    idle = next((name for name, is_wished in wished.items() if is_wished), None)
    if find_mode(options.mode).of_sets and idle:
        raise SettingsError(f"mode {options.mode} makes a row for each folder, not for each image; leave {idle} out")


def _local(interrogator: Interrogator, options: RunOptions, images: list[ImageFile]) -> tuple[Worker, list[ImageFile]]:
    """Return what does the work on this machine, and what a row is made for: images, or folders of them."""
    if not find_mode(options.mode).of_sets:
        return LocalWorker(interrogator, options), images
    sets = find_sets(images)
    return SetWorker(interrogator, options, sets), [ImageFile(name, name) for name in sets]


def _run(
    place: Output,
    images: Sequence[ImageFile],
    present: Iterable[str],
    worker: Worker,
    writer: Captions | None,
    *,
    retry_errors: bool,
    prune: bool,
) -> FolderRun:
    with claimed(place, worker.fingerprint()):
        log = RunLog(place)
        known = log.known(retry_errors=retry_errors)
        called = {one.source: one.image for one in images}
        named = renamed((one.image for one in images), log.images)
        images = [replace(one, image=name) for one, name in zip(images, named, strict=True)]
        images.sort(key=lambda one: one.image)
        forget_torn_batch(known, log.last, images, worker.batch_size)
        log.remind(worker, known)
        made = kept = 0
        place.open()
        with (
            closing(place),
            progress_bar("Interrogating", "image", quiet=worker.quiet) as report,
            closing(worker.describe(replace(one, known=known.get(one.image)) for one in images)) as batches,
        ):
            for batch in batches:
                log.append(batch.rows)
                made, kept = made + len(batch.rows), kept + batch.kept
                report(made + kept, len(images))
        names = {file.image for file in images}
        closed = tuple("" if file.image == "." else f"{file.image}/" for file in images if file.error)
        there = {*names, *renamed(present, log.images)}
        others = {image for image in log.images - there if not image.startswith(closed)}
        log.settle(others if prune else frozenset())
        written = None
        if writer is not None:
            found = last_rows(row for row in place.read() if row.image in names)
            files = [replace(found[one.image], image=called[one.source]) for one in images if one.image in found]
            written = writer.write(files, quiet=worker.quiet)
        if place.is_scratch:
            place.path.unlink()
            place.sidecar.unlink()
        stay, gone = (0, len(others)) if prune else (len(others), 0)
        path = None if place.is_scratch else place.path
        return FolderRun(path, made, kept, len(names & log.failed), written, others=stay, pruned=gone)

"""One collection of prompts: read, counted, made a graph, looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from clipnb.errors import OutputError, PromptsError, counted
from clipnb.prompts.caption_set import CaptionSet
from clipnb.prompts.read import Prompts, prompts_of, read_prompts
from clipnb.prompts.records import Skipped
from clipnb.prompts.splitting import PLAIN, Cleaning
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.export import export_counts, export_graph
from clipnb.tags.view import TagSettings, TagView, make_graph, make_view
from clipnb.widgets.common.session import Session

Given = Iterable[str] | str | os.PathLike[str] | TagCounts | CaptionSet | None


@dataclass(frozen=True)
class Reading:
    """How prompts are read and become tags.

    Attributes:
        head: in plain prompts, the first part is the subject and no tag.
        clean: in plain prompts, strip quotes, brackets, attention weights and trailing parameters.
        column: where prompts stand in tables and JSON.
        dialect: how prompts are taken apart; `auto` finds out, and takes them for plain ones where `head` or `clean`
            was changed.
        repeats: `keep`, `once`, or `auto`: what the kind of file suggests.
    """

    head: bool = True
    clean: bool = False
    column: str = "prompt"
    dialect: str = "auto"
    repeats: str = "auto"

    @property
    def is_plain(self) -> bool:
        """Whether prompts are plain ones whatever they look like."""
        return self.dialect == "plain" or (self.dialect == "auto" and (self.clean or not self.head))


@dataclass(frozen=True)
class Read:
    """Prompts that were read.

    Attributes:
        prompts: the texts; `Prompts` where they are of files.
        word: what was read, for people.
        pictures: the path of the picture that each describes, "" where there is none; empty where no prompt has any.
    """

    prompts: Sequence[str]
    word: str
    pictures: tuple[str, ...] = ()

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What could not be read, or the first thousands of it."""
        return self.prompts.skipped if isinstance(self.prompts, Prompts) else ()

    @classmethod
    def of(cls, prompts: Prompts) -> Read:
        pictures = tuple(prompts.column("picture"))
        return cls(prompts, prompts.report(), pictures if any(pictures) else ())


@dataclass(frozen=True)
class Source:
    """Prompts that may still have to be read; at most one of lines, paths, uploads, prompts and counts is there.

    Attributes:
        lines: prompts that are here.
        pictures: the path of the picture of each line, where lines are captions.
        prompts: read already; how repeats were dropped stays as it is.
        paths: files, folders, globs.
        uploads: contents of files by name.
        counts: made already, used as long as lines are read as they were.
    """

    lines: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    prompts: Prompts | None = None
    paths: tuple[str, ...] = ()
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    counts: TagCounts | None = None

    def read(self, reading: Reading) -> Read:
        """Return the prompts, and a word on where they are from.

        Raises:
            PromptsError: a file or folder that is missing, broken or of another kind.
        """
        if self.paths:
            return Read.of(read_prompts(self.paths, reading.column, repeats=reading.repeats))
        if self.uploads:
            return Read.of(prompts_of(self.uploads, reading.column, repeats=reading.repeats))
        if self.prompts is not None:
            return Read.of(self.prompts)
        lines: Sequence[str] = self.lines if self.counts is None else self.counts.prompts
        pictures = self.pictures
        if reading.repeats == "once":
            firsts = {line: place for place, line in reversed(list(enumerate(lines)))}
            lines, pictures = list(firsts), tuple(pictures[place] for place in firsts.values() if pictures)
        return Read(lines, counted(len(lines), "prompt"), pictures)

    def count(self, prompts: Iterable[str], reading: Reading) -> TagCounts:
        if self.counts is not None and replace(reading, column="prompt") == Reading():
            return self.counts
        if not reading.is_plain:
            return TagCounts(prompts, dialect=reading.dialect)
        return TagCounts(prompts, head=reading.head, clean=Cleaning.everything() if reading.clean else PLAIN)


def source_of(given: Given) -> Source:
    """Return the source of prompts, `Prompts`, a `CaptionSet`, a path or several, counts, or nothing.

    A list is paths when everything in it is there on the disk, or a `Path`; else it is prompts.

    Raises:
        PromptsError: something in it is no text.
    """
    if given is None:
        return Source()
    if isinstance(given, TagCounts):
        return Source(counts=given)
    if isinstance(given, Prompts):
        return Source(prompts=given)
    if isinstance(given, CaptionSet):
        captions = list(given.prompts())
        return Source(lines=tuple(one.text for one in captions), pictures=tuple(one.picture for one in captions))
    if isinstance(given, (str, os.PathLike)):
        return Source(paths=(os.fspath(given),))
    items = list(given)
    for item in items:
        if not isinstance(item, (str, os.PathLike)):
            raise PromptsError(f"prompts are texts, and paths are texts or Paths; this is neither: {item!r:.80}")
    if items and all(_is_path(item) for item in items):
        return Source(paths=tuple(os.fspath(item) for item in items))
    return Source(lines=tuple(str(item).strip() for item in items if str(item).strip()))


def _is_path(item: str | os.PathLike[str]) -> bool:
    if isinstance(item, os.PathLike):
        return True
    try:
        return len(item) < 1_000 and Path(item).exists()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True)
class Stage:
    """What is being done, such as "counting tags"; at the end "" and the view that was made."""

    word: str
    view: TagView | None = None


class TagWork:
    """Makes a view of a source, stage by stage, so that whoever drives it can stop in between."""

    def __init__(
        self, source: Source, reading: Reading, settings: TagSettings, counts: TagCounts | None, read: Read
    ) -> None:
        self.counts, self.read = counts, read
        self._source, self._reading, self._settings = source, reading, settings

    def steps(self) -> Iterator[Stage]:
        """Yield before every stage, and the view at the end."""
        if self.counts is None:
            yield Stage("reading prompts")
            self.read = self._source.read(self._reading)
            yield Stage("counting tags")
            self.counts = self._source.count(self.read.prompts, self._reading)
        yield Stage(f"joining {len(self.counts):,} tags")
        graph = make_graph(self.counts, self._settings)
        yield Stage(f"grouping {len(graph):,} tags")
        yield Stage("", make_view(self.counts, graph, self._settings))

    def update(self, config: TagSettings) -> None:
        self._settings = config


class TagSession(Session[Stage, TagSettings]):
    """Keeps a view of a collection, and makes it anew when something else is asked for; the newest wins.

    Attributes:
        view: the newest that was made, or None.
        prompts: those of the view, and where they are from.
        settings: of the graph.
        reading: of the lines.
    """

    def __init__(
        self,
        on_stage: Callable[[Stage], None],
        on_state: Callable[[], None],
        settings: TagSettings,
        *,
        in_thread: bool | None = None,
    ) -> None:
        super().__init__(on_state, in_thread)
        self.settings, self.reading = settings, Reading()
        self.view: TagView | None = None
        self.prompts = Read((), "")
        self._on_stage = on_stage
        self._source = Source()
        self._counts: TagCounts | None = None
        self._work: TagWork | None = None

    def read(self, source: Source, reading: Reading) -> None:
        """Read other prompts."""
        self._source, self._counts, self.reading = source, None, reading
        self._begin()

    def reread(self, reading: Reading) -> None:
        """Read the same prompts in another way."""
        if reading != self.reading:
            self.read(self._source, reading)

    def change(self, settings: TagSettings) -> None:
        """Make another graph of the same counts."""
        if settings != self.settings:
            self.settings = settings
            self._begin()

    def pictures_of(self, tag: str, n: int = 6) -> list[str]:
        """Return the paths of n pictures at most whose prompts have a tag."""
        pictures = self.prompts.pictures
        places = self.view.counts.places_with(tag) if self.view is not None and pictures else []
        return list(islice(dict.fromkeys(pictures[place] for place in places if pictures[place]), n))

    def save(self, path: Path) -> Path:
        """Write the graph in the form that the name tells, or as `.csv` the counts, under a name that is free.

        Raises:
            OutputError: there is no graph yet, or the file cannot be written.
        """
        if self.view is None:
            raise OutputError("there is nothing to save yet; choose prompts first")
        if path.suffix == ".csv":
            return export_counts(self.view.counts, path)
        drawn = min(self.settings.max_nodes, 400) if path.suffix == ".png" else self.settings.max_nodes
        return export_graph(self.view.graph, path, drawn)

    def _begin(self) -> None:
        self._work = TagWork(self._source, self.reading, self.settings, self._counts, self.prompts)
        self._run(self._work)

    def _stepped(self, stage: Stage) -> None:
        if self._work is not None:
            self._counts = self._work.counts
            if stage.view is not None:
                self.view, self.prompts = stage.view, self._work.read
        self._on_stage(stage)

"""One collection of prompts: read, counted, made a graph, looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clipnb.errors import OutputError, PromptsError
from clipnb.prompts.read import Prompts, load_prompts, prompts_of
from clipnb.prompts.splitting import PLAIN, Cleaning
from clipnb.tags.counts import TagCounts
from clipnb.tags.export import export_counts, export_graph
from clipnb.tags.view import TagSettings, TagView, make_graph, make_view
from clipnb.widgets.common.session import Session

Given = Iterable[str] | str | os.PathLike[str] | TagCounts | None


@dataclass(frozen=True)
class Reading:
    """How a line becomes tags.

    Attributes:
        head: the first part is the subject and no tag.
        clean: strip quotes, brackets, attention weights and trailing parameters.
        column: where prompts stand in tables and JSON lines.
    """

    head: bool = True
    clean: bool = False
    column: str = "prompt"


@dataclass(frozen=True)
class Source:
    """Prompts that may still have to be read; at most one of the four is there.

    Attributes:
        lines: prompts that are here.
        paths: files, folders, globs.
        uploads: contents of files by name.
        counts: made already, used as long as lines are read as they were.
    """

    lines: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    counts: TagCounts | None = None

    def read(self, reading: Reading) -> tuple[Iterable[str], str]:
        """Return the prompts, and a word on where they are from.

        Raises:
            PromptsError: a file or folder that is missing, broken or of another kind.
        """
        if self.paths or self.uploads:
            read = load_prompts(self.paths, reading.column) if self.paths else prompts_of(self.uploads, reading.column)
            return read, _origin(read)
        prompts = self.lines if self.counts is None else self.counts.prompts
        return prompts, f"{len(prompts):,} prompts"

    def count(self, prompts: Iterable[str], reading: Reading) -> TagCounts:
        clean = Cleaning.everything() if reading.clean else PLAIN
        if self.counts is not None and (self.counts.head, self.counts.clean) == (reading.head, clean):
            return self.counts
        return TagCounts(prompts, head=reading.head, clean=clean)


def source_of(given: Given) -> Source:
    """Return the source of prompts, a path or several, counts, or nothing.

    A list is paths when everything in it is there on the disk, or a `Path`; else it is prompts.

    Raises:
        PromptsError: something in it is no text.
    """
    if given is None:
        return Source()
    if isinstance(given, TagCounts):
        return Source(counts=given)
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


def _origin(read: Prompts) -> str:
    word = f"{len(read):,} prompts of {len(read.files):,} file{'s' if len(read.files) != 1 else ''}"
    return f"{word}; {read.replaced:,} bytes were no UTF-8" if read.replaced else word


@dataclass(frozen=True)
class Stage:
    """What is being done, such as "counting tags"; at the end "" and the view that was made."""

    word: str
    view: TagView | None = None


class TagWork:
    """Makes a view of a source, stage by stage, so that whoever drives it can stop in between."""

    def __init__(
        self, source: Source, reading: Reading, settings: TagSettings, counts: TagCounts | None, origin: str
    ) -> None:
        self.counts, self.origin = counts, origin
        self._source, self._reading, self._settings = source, reading, settings

    def steps(self) -> Iterator[Stage]:
        """Yield before every stage, and the view at the end."""
        if self.counts is None:
            yield Stage("reading prompts")
            prompts, self.origin = self._source.read(self._reading)
            yield Stage("counting tags")
            self.counts = self._source.count(prompts, self._reading)
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
        origin: where its prompts are from, for people.
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
        self.origin = ""
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
        self._work = TagWork(self._source, self.reading, self.settings, self._counts, self.origin)
        self._run(self._work)

    def _stepped(self, stage: Stage) -> None:
        if self._work is not None:
            self._counts = self._work.counts
            if stage.view is not None:
                self.view, self.origin = stage.view, self._work.origin
        self._on_stage(stage)

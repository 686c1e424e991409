"""One collection under a person's eyes: read, counted, made a graph, looked at. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clipnb.errors import OutputError
from clipnb.tags.counts import TagCounts
from clipnb.tags.export import export_counts, export_graph
from clipnb.tags.view import TagSettings, TagView, make_graph, make_view
from clipnb.widgets.common.session import Session
from clipnb.widgets.tags.source import Reading, Source


@dataclass(frozen=True)
class Stage:
    """What is being done, or what came of it.

    Attributes:
        word: for people, such as "counting tags"; "" at the end.
        view: what was made; None before the end.
    """

    word: str
    view: TagView | None = None


class TagWork:
    """Makes a view of a source, stage by stage, so that whoever drives it can stop in between."""

    def __init__(
        self, source: Source, reading: Reading, settings: TagSettings, counts: TagCounts | None, origin: str
    ) -> None:
        """Take what to make.

        Args:
            source: the prompts.
            reading: how their lines are read.
            settings: of the graph.
            counts: of this source, when they were made already.
            origin: the word on where they are from.
        """
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
        """Use other settings for the stages that have not begun."""
        self._settings = config


class TagSession(Session[Stage, TagSettings]):
    """Keeps what the panel looks at, and makes it anew when something else is asked for; the newest wins.

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
        *,
        settings: TagSettings | None = None,
        reading: Reading | None = None,
        in_thread: bool | None = None,
    ) -> None:
        """Prepare; nothing is read before `read`.

        Args:
            on_stage: told about every stage.
            on_state: told that the state changed; it asks which it is.
            settings: of the graph.
            reading: of the lines.
            in_thread: whether work goes to a thread or to the kernel's event loop; by default what suits the host.
        """
        self.settings = TagSettings() if settings is None else settings
        self.reading = Reading() if reading is None else reading
        self.view: TagView | None = None
        self.origin = ""
        super().__init__(on_state, in_thread)
        self._on_stage = on_stage
        self._source = Source()
        self._counts: TagCounts | None = None
        self._work: TagWork | None = None

    def read(self, source: Source, reading: Reading | None = None) -> None:
        """Look at other prompts, or at the same ones read in another way."""
        self._source, self._counts = source, None
        self.reading = self.reading if reading is None else reading
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
        """Write the graph in the form that the name tells; `.csv` is the counts.

        Returns:
            The file that was written; a name that was taken got a number.

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

"""Chooses prompts: a path, uploads, or lines that are pasted."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from clipnb import html
from clipnb.errors import PromptsError
from clipnb.tags.prompts import SUFFIXES
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.upload import make_upload
from clipnb.widgets.tags.options import ReadingControls
from clipnb.widgets.tags.source import Reading, Source, paths_in

_EXAMPLE = "a lighthouse, oil painting, stormy\na fox, watercolour, soft light"


class PromptChooser:
    """Chooses where prompts come from, and how they are read.

    Attributes:
        widget: what to put into a panel.
        place: takes paths.
        upload: takes files from the person's computer.
        lines: takes prompts themselves.
        use: uses those.
        reading: how lines are read.
    """

    def __init__(
        self,
        reading: Reading,
        choose: Callable[[Source], None],
        reread: Callable[[Reading], None],
        panel: Panel,
    ) -> None:
        """Take where choices go.

        Args:
            reading: to begin with.
            choose: uses a source.
            reread: reads the same source in another way.
            panel: that it is a part of.
        """
        self._choose, guarded = choose, panel.guarded
        self.place = w.Text(placeholder="file, folder or glob; Enter", continuous_update=False)
        self.place.layout = {"width": "auto"}
        kinds = ",".join((*SUFFIXES, ".gz"))
        self._files: dict[str, bytes] = {}
        self.upload = make_upload(
            panel, self._take_upload, began=self._files.clear, label="Upload files", accept=kinds, multiple=True
        )
        self.lines = w.Textarea(placeholder=_EXAMPLE, layout={"width": "auto", "height": "132px"})
        self.use = panel.button("Use these lines", "check", "", self._use_lines)
        self.reading = ReadingControls(reading, lambda new: guarded(lambda: reread(new)))
        self.widget = w.VBox(
            [
                w.HTML(html.caption("Text, CSV, JSON lines or Parquet, also gzipped; several paths with ; between.")),
                self.place,
                self.upload.widget,
                w.HTML(html.caption("Or paste prompts, one a line:")),
                self.lines.add_class("clipnb-yaml"),
                w.HBox([self.use]),
                self.reading.widget,
            ]
        ).add_class("clipnb-choosing")
        self.place.observe(on_loop(lambda change: guarded(lambda: self._use_place(change["new"]))), "value")

    def _use_place(self, text: str) -> None:
        paths = paths_in(text)
        if paths:
            self._choose(Source(paths=paths))

    def _use_lines(self) -> None:
        lines = tuple(line.strip() for line in self.lines.value.splitlines() if line.strip())
        if not lines:
            raise PromptsError("there are no lines to use; paste prompts above, one a line")
        self._choose(Source(lines=lines))

    def _take_upload(self, name: str, content: bytes) -> None:
        """Use a file together with those that were given with it and came before."""
        self._files[name] = content
        self._choose(Source(uploads=dict(self._files)))

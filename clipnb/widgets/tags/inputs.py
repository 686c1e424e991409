"""Chooses prompts: a path, uploads, or lines that are pasted; and how they are read."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from clipnb import html
from clipnb.errors import PromptsError
from clipnb.prompts.read import SUFFIXES
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.upload import make_upload
from clipnb.widgets.tags.session import Reading, Source

_EXAMPLE = "a lighthouse, oil painting, stormy\na fox, watercolour, soft light"


class PromptChooser:
    """Chooses where prompts come from, and how they are read.

    Attributes:
        place: takes paths.
        upload: takes files from the user's computer.
        lines, use: take prompts themselves.
        head, clean, column: how lines are read.
    """

    def __init__(self, panel: Panel, choose: Callable[[Source], None], reread: Callable[[Reading], None]) -> None:
        """Make the controls of a panel.

        Args:
            panel: that they are a part of.
            choose: called with another source.
            reread: called when the same source is to be read in another way.
        """
        self._panel, self._choose, self._reread = panel, choose, reread
        self._files: dict[str, bytes] = {}
        self.place = w.Text(
            placeholder="file, folder or glob; Enter", continuous_update=False, layout={"width": "auto"}
        )
        self.upload = make_upload(
            panel,
            self._add_upload,
            began=self._files.clear,
            label="Upload files",
            accept=",".join((*SUFFIXES, ".gz")),
            multiple=True,
        )
        self.lines = w.Textarea(placeholder=_EXAMPLE, layout={"width": "auto", "height": "132px"})
        self.use = panel.button("Use these lines", "check", "", self._use_lines)
        self.head = w.Dropdown(options=(("a subject, then tags", True), ("tags only", False)), value=True, layout=FULL)
        self.clean = w.Dropdown(
            options=(("as they are written", False), ("without (brackets:1.2) and --words", True)),
            value=False,
            layout=FULL,
        )
        self.column = w.Text(value="prompt", continuous_update=False, layout=FULL)
        reading = {"a line holds": self.head, "tags are taken": self.clean, "column in tables": self.column}
        grid = w.Box([labelled(label, control) for label, control in reading.items()]).add_class("clipnb-grid")
        hint = "Text, CSV, JSON lines or Parquet, also gzipped; several paths with ; between."
        chosen = [w.HTML(html.caption(hint)), self.place, self.upload.widget]
        pasted = [w.HTML(html.caption("Or paste prompts, one a line:")), self.lines.add_class("clipnb-yaml")]
        self.widget = w.VBox([*chosen, *pasted, w.HBox([self.use]), grid]).add_class("clipnb-choosing")
        panel.on_value(self.place, lambda text: panel.guarded(lambda: self._use_place(text)))
        for control in reading.values():
            panel.on_value(control, lambda _: panel.guarded(lambda: self._reread(self.reading)))

    @property
    def reading(self) -> Reading:
        return Reading(self.head.value, self.clean.value, self.column.value.strip() or "prompt")

    def _use_place(self, text: str) -> None:
        paths = tuple(part.strip() for part in text.split(";") if part.strip())
        if paths:
            self._choose(Source(paths=paths))

    def _use_lines(self) -> None:
        lines = tuple(line.strip() for line in self.lines.value.splitlines() if line.strip())
        if not lines:
            raise PromptsError("there are no lines to use; paste prompts above, one a line")
        self._choose(Source(lines=lines))

    def _add_upload(self, name: str, content: bytes) -> None:
        """Use a file together with those that were given with it and came before."""
        self._files[name] = content
        self._choose(Source(uploads=dict(self._files)))

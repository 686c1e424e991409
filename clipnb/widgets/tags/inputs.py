"""Chooses prompts: a path, uploads, or lines that are pasted; and how they are read."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from clipnb import html
from clipnb.errors import PromptsError
from clipnb.prompts.dialects import DIALECTS
from clipnb.prompts.read import SUFFIXES
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.hints import hints
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import Choice
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.upload import make_upload
from clipnb.widgets.tags.session import Read, Reading, Source

_DIALECTS = (("auto: find out", "auto"), *((f"{name}: {one.title}", name) for name, one in DIALECTS.items()))
_REPEATS = (("as the kind of file suggests", "auto"), ("each time", "keep"), ("once", "once"))
_MOST_SKIPPED = 100
_EXAMPLE = "a lighthouse, oil painting, stormy\na fox, watercolour, soft light"


class PromptChooser:
    """Chooses where prompts come from, and how they are read.

    Attributes:
        place: takes paths.
        upload: takes files from the user's computer.
        lines, use: take prompts themselves.
        dialect, repeats, head, clean, column: how prompts are read.
        report: HTML of what was read and skipped.
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
        self.head = Choice(options=(("a subject, then tags", True), ("tags only", False)), value=True, layout=FULL)
        self.clean = Choice(
            options=(("as they are written", False), ("without (brackets:1.2) and --words", True)),
            value=False,
            layout=FULL,
        )
        self.column = w.Text(value="prompt", continuous_update=False, layout=FULL)
        self.dialect = Choice(options=_DIALECTS, value="auto", layout=FULL)
        self.repeats = Choice(options=_REPEATS, value="auto", layout=FULL)
        self.report = w.HTML()
        reading = {
            "prompts are written": self.dialect,
            "repeated prompts count": self.repeats,
            "a line holds": self.head,
            "tags are taken": self.clean,
            "column in tables": self.column,
        }
        grid = w.Box([labelled(label, control) for label, control in reading.items()]).add_class("clipnb-grid")
        hint = "Text, tables, JSON, captions beside pictures or prompts in them; several paths with ; between."
        chosen = [w.HTML(html.caption(hint)), self.place, self.upload.widget]
        pasted = [w.HTML(html.caption("Or paste prompts, one a line:")), self.lines.add_class("clipnb-yaml")]
        self.widget = w.VBox([*chosen, *pasted, w.HBox([self.use]), grid, self.report]).add_class("clipnb-choosing")
        panel.on_value(self.place, lambda text: panel.guarded(lambda: self._use_place(text)))
        panel.on_value(self.dialect, self._allow_plain)
        for control in reading.values():
            panel.on_value(control, lambda _: panel.guarded(lambda: self._reread(self.reading)))

    @property
    def reading(self) -> Reading:
        column = self.column.value.strip() or "prompt"
        return Reading(self.head.value, self.clean.value, column, self.dialect.value, self.repeats.value)

    def show_report(self, read: Read, counts: TagCounts) -> None:
        """Show what was read, in which dialect, what looks wrong with it, and what was skipped."""
        parts = [html.element("p", f"{read.word}. Written as {counts.dialect}: {DIALECTS[counts.dialect].title}.")]
        parts += [html.element("p", f"{hint[:1].upper()}{hint[1:]}.") for hint in hints(counts)]
        if read.skipped:
            title = html.element("summary", f"{len(read.skipped):,} skipped")
            rows = [html.element("li", f"{one.source}: {one.why}") for one in read.skipped[:_MOST_SKIPPED]]
            more = len(read.skipped) - len(rows)
            rows += [html.element("li", f"and {more:,} more")] if more else []
            parts.append(html.element("details", html.joined([title, html.element("ul", html.joined(rows))])))
        self.report.value = html.element("div", html.joined(parts), "clipnb-small")

    def _allow_plain(self, dialect: str) -> None:
        self.head.disabled = self.clean.disabled = dialect not in ("auto", "plain")

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

"""What was found, in tabs: the prompt and what each phrase added, labels, modes side by side, the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import TYPE_CHECKING

import ipywidgets as w

from clipnb import html
from clipnb.errors import OutputError
from clipnb.files import expanded, write_new
from clipnb.interrogate.certainty import certainty_in_words
from clipnb.interrogate.difference import Contrast
from clipnb.interrogate.modes import MODES
from clipnb.interrogate.result import Interrogation, Reason, shown_similarity
from clipnb.spreadsheet import write_frame
from clipnb.widgets.common.controls import tabs
from clipnb.widgets.common.frontend import make_copy_button, named
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import saved_html
from clipnb.widgets.interrogate.session import Described

if TYPE_CHECKING:
    import pandas as pd

_NOTHING = html.plain("nothing yet: press Describe")
_APART = "negative"  # looks for the least similar prompt, which is nothing to compare with others
_COLUMNS = ("picture", "mode", "prompt", "similarity", "caption", "caption_source", "model", "seconds")
_SHOWN = 200  # newest rows in the table of the history


class ResultTabs:
    """Shows results.

    Attributes:
        prompt: the prompt as text; it may be edited before it is copied or sent.
        copy: copies it; None where the host does not load such a widget.
        modes: those that are compared.
        comparison: their results side by side.
    """

    def __init__(self, panel: Panel, history: HistoryTab) -> None:
        self.prompt = w.Textarea(placeholder="the prompt", layout={"width": "100%", "height": "112px"})
        self.copy = make_copy_button()
        self.comparison = w.HTML().add_class("clipnb-compared")
        self._facts, self._reasons, self._labels = w.HTML(), w.HTML(_NOTHING), w.HTML(_NOTHING)
        single = [name for name, mode in MODES.items() if not mode.of_sets]
        compared = [name for name in single if name != _APART]
        self.modes = w.SelectMultiple(options=single, value=compared, rows=len(single) + 1)
        named(self.modes, "modes that are compared").layout.width = "146px"
        buttons = w.HBox([*([self.copy] if self.copy else []), panel.links]).add_class("clipnb-row")
        left = w.VBox([self.prompt.add_class("clipnb-prompt"), buttons, self._facts])
        hint = w.HTML(html.caption("which modes (Ctrl-click)"))
        pages = {
            "Prompt": w.HBox([left.add_class("clipnb-half"), self._reasons.add_class("clipnb-half")]),
            "Labels": self._labels,
            "Modes": w.HBox([w.VBox([hint, self.modes], layout={"flex": "0 0 156px"}), self.comparison]),
            "History": history.widget,
        }
        self._places = list(pages)
        self.widget = tabs(pages).add_class("clipnb-outcome")

    def show(self, result: Interrogation, contrast: Contrast | None = None) -> None:
        """Show a result; safe from any thread."""
        self.prompt.value = result.prompt
        similarity = f"similarity {shown_similarity(result.similarity)}"
        facts = f"{similarity} · mode {result.mode} · {result.model} · {result.seconds:.1f} s"
        certain = [] if result.certainty is None else [f"certainty {certainty_in_words(result.certainty)}"]
        known = [f"{name}: {value}" for name, value in result.known.facts()] if result.known is not None else []
        lines = (facts, *certain, *known, *result.notes)
        self._facts.value = html.joined(html.element("div", html.plain(line)) for line in lines)
        heading = html.element("div", "what each phrase added (cosine × 100)", "clipnb-heading")
        self._reasons.value = html.joined([heading, reason_bars(result.reasons)])
        self._labels.value = label_bars(result) if contrast is None else contrast._repr_html_()

    def show_comparison(self, results: Sequence[Interrogation]) -> None:
        """Show results side by side; safe from any thread."""
        best = max(results, key=length).mode if len(results) > 1 else ""
        self.comparison.value = comparison(results, best)

    def open(self, title: str) -> None:
        """Open a tab; that of the modes empty."""
        if title == "Modes":
            self.comparison.value = ""
        self.widget.selected_index = self._places.index(title)


class HistoryTab:
    """Shows all results as a table and saves them.

    Attributes:
        place: field for the file's name.
        save: writes it; nothing is overwritten.
        saved: what was saved.
    """

    def __init__(self, panel: Panel, described: Sequence[Described]) -> None:
        """Show a list of results, which may grow."""
        self._described = described
        self.place = w.Text(
            value="clipnb-output/prompts.csv", continuous_update=False, layout={"width": "auto", "flex": "1 1 160px"}
        )
        named(self.place, "file that the history is saved as")
        self.save = panel.button("Save as CSV", "save", "nothing is overwritten", self._save)
        self._table, self.saved = w.HTML().add_class("clipnb-records"), w.HTML()
        self.widget = w.VBox([w.HBox([self.save, self.place]).add_class("clipnb-row"), self.saved, self._table])
        self.show()

    def frame(self) -> pd.DataFrame:
        """Return all results, oldest first; see `InterrogationPanel.history`."""
        import pandas as pd

        rows = [
            (made.request.image.name, *(getattr(made.result, name) for name in _COLUMNS[1:]))
            for made in tuple(self._described)
        ]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=list(_COLUMNS))
        return frame

    def show(self) -> None:
        """Show the newest results, the newest first; safe from any thread."""
        lines = [
            (made.request.image.name, made.result.mode, *_numbers(made.result), made.result.prompt)
            for made in reversed(self._described[-_SHOWN:])
        ]
        head = ("picture", "mode", "similarity", "seconds", "prompt")
        self._table.value = html.table(head, lines, css="clipnb-history")
        self.save.disabled = not lines

    def _save(self) -> None:
        given = self.place.value.strip()
        if not given:
            raise OutputError("name the file to write, such as clipnb-output/prompts.csv")
        path = expanded(given)
        with write_new(path if path.suffix == ".csv" else path.with_name(f"{path.name}.csv")) as (target, temporary):
            write_frame(self.frame(), temporary)
        self.saved.value = saved_html([target])


def reason_bars(reasons: Sequence[Reason]) -> html.Markup:
    """Return what each phrase added to a prompt's similarity, in cosine x 100."""
    return html.added_bars([html.Bar(reason.phrase, 100 * reason.added, reason.origin) for reason in reasons])


def label_bars(result: Interrogation) -> html.Markup:
    """Return the ranked labels of every table that took part, in cosine x 100."""
    parts = []
    if result.tags:
        bars = html.bars([html.Bar(tag.text, tag.score, tag.table) for tag in result.tags])
        parts.append(html.element("div", html.joined([html.element("div", "tags by score", "clipnb-heading"), bars])))
    for name, labels in result.ranked.items():
        bars = html.bars([html.Bar(ranked.label, 100 * ranked.similarity) for ranked in labels])
        parts.append(html.element("div", html.joined([html.element("div", name, "clipnb-heading"), bars])))
    return html.element("div", html.joined(parts), "clipnb-tables") if parts else html.caption("no table took part")


def comparison(results: Iterable[Interrogation], best: str = "") -> html.Markup:
    """Return results of one image side by side: mode, similarity as a bar, seconds, prompt; the best mode marked."""
    rows = list(results)
    longest = max((abs(length(result)) for result in rows), default=0.0) or 1.0
    lines = [(result.mode, html.track(length(result) / longest), *_numbers(result), result.prompt) for result in rows]
    marked = next((place for place, result in enumerate(rows) if result.mode == best), -1)
    return html.table(("mode", "", "similarity", "seconds", "prompt"), lines, css="clipnb-comparison", marked=marked)


def length(result: Interrogation) -> float:
    """Return the length of a result's bar: its similarity; none where nothing was found."""
    return 0.0 if isnan(result.similarity) else result.similarity


def _numbers(result: Interrogation) -> tuple[str, str]:
    return shown_similarity(result.similarity), f"{result.seconds:.1f}"

"""The history of a panel: one row a description, as a frame, as a table, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets as w

from clipnb import html
from clipnb.errors import OutputError
from clipnb.files import expanded, write_new
from clipnb.spreadsheet import write_frame
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import saved_html
from clipnb.widgets.interrogate.work import Description

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("picture", "mode", "prompt", "similarity", "caption", "caption_source", "model", "seconds")
_SHOWN = 200  # newest rows in the table


class Records:
    """Shows descriptions as a table and saves them.

    Attributes:
        widget: what to put into a panel.
        place: the file's name.
        save: writes it; nothing is overwritten.
        saved: says what was saved.
    """

    def __init__(self, panel: Panel, descriptions: Sequence[Description]) -> None:
        """Take the descriptions, which may grow."""
        self._descriptions = descriptions
        self.place = w.Text(value="clipnb-output/prompts.csv", layout={"width": "auto", "flex": "1 1 160px"})
        self.save = panel.button("Save as CSV", "save", "nothing is overwritten", self._save)
        self._table, self.saved = w.HTML().add_class("clipnb-records"), w.HTML()
        self.widget = w.VBox([w.HBox([self.save, self.place]).add_class("clipnb-row"), self.saved, self._table])
        self.show()

    def frame(self) -> pd.DataFrame:
        """Give all descriptions, oldest first: `COLUMNS`; similarity is a cosine in [-1, 1]."""
        import pandas as pd

        rows = [(made.job.picture.name, *(getattr(made.found, name) for name in COLUMNS[1:])) for made in self._all()]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame

    def show(self) -> None:
        """Show the newest descriptions, the newest first; safe from any thread."""
        lines = [_line(made) for made in reversed(self._all()[-_SHOWN:])]
        head = ("picture", "mode", "similarity", "seconds", "prompt")
        self._table.value = html.table(head, lines, css="clipnb-history")
        self.save.disabled = not lines

    def _all(self) -> list[Description]:
        return list(self._descriptions)

    def _save(self) -> None:
        given = self.place.value.strip()
        if not given:
            raise OutputError("name the file to write, such as clipnb-output/prompts.csv")
        path = expanded(given)
        with write_new(path if path.suffix == ".csv" else path.with_name(f"{path.name}.csv")) as (target, temporary):
            write_frame(self.frame(), temporary)
        self.saved.value = saved_html([target])


def _line(made: Description) -> tuple[str, ...]:
    found = made.found
    return made.job.picture.name, found.mode, f"{100 * found.similarity:.1f}", f"{found.seconds:.1f}", found.prompt

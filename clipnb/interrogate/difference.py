"""What a comparison of two sets of images found."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from clipnb import html
from clipnb.errors import printable

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from clipnb.interrogate.result import Interrogation

_SHOWN = 8  # labels a side
_LONGEST = 48  # characters of a label beside its bar
_ROW, _MARGIN = 22, 140  # pixels of a label, and of title and axis


class Difference(NamedTuple):
    """A label, and by how much it suits one set of images more than another.

    Attributes:
        label: the text.
        table: where it comes from.
        difference: of its mean cosines to the sets, in [-2, 2]; above 0 for the first set.
        low: lower end of the difference's bootstrap interval; nan where a set has one image.
        high: upper end.
        first: its mean cosine to the first set, in [-1, 1].
        second: its mean cosine to the second set.
        certain: whether the difference is larger than chance makes that of any label.
    """

    label: str
    table: str
    difference: float
    low: float
    high: float
    first: float
    second: float
    certain: bool


@dataclass(frozen=True)
class Contrast:
    """What separates two sets of images; displayed as a small table in a notebook.

    Attributes:
        names: of the sets.
        counts: number of images in each.
        sides: a prompt for each set; its similarity is the difference of its mean cosines to the sets.
        labels: the labels that separate them most, those of the first set first.
        chance: the largest difference of any label that random divisions of the images make, but for 1 - `confidence`.
        confidence: of intervals and chance, in (0, 1).
        model: the encoder's name.
        seconds: how long it took, without reading the images.
        notes: what a reader should know.
    """

    names: tuple[str, str]
    counts: tuple[int, int]
    sides: tuple[Interrogation, Interrogation]
    labels: tuple[Difference, ...]
    chance: float
    confidence: float
    model: str
    seconds: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists, dicts, strings and numbers, ready for JSON; what is unknown as None."""
        plain = dict(vars(self))
        plain["names"], plain["counts"], plain["notes"] = list(self.names), list(self.counts), list(self.notes)
        plain["sides"] = [side.to_dict() for side in self.sides]
        plain["labels"] = [{name: _known(value) for name, value in one._asdict().items()} for one in self.labels]
        plain["chance"] = _known(self.chance)
        return plain

    def to_frame(self) -> pd.DataFrame:
        """Return the labels as a data frame: one row each, with the columns of `Difference`."""
        import pandas as pd

        frame: pd.DataFrame = pd.DataFrame(list(self.labels), columns=list(Difference._fields))
        return frame

    def figure(self) -> go.Figure:
        """Plot the differences (cosine x 100) with their intervals; what chance makes is shaded."""
        import plotly.graph_objects as go

        rows = self._shown()
        figure = go.Figure()
        for name, some in (("certain", True), ("may be chance", False)):
            picked = [(place, one) for place, one in enumerate(rows) if one.certain is some]
            if picked:
                figure.add_scatter(
                    name=name,
                    mode="markers",
                    x=[100 * one.difference for _, one in picked],
                    y=[place for place, _ in picked],
                    error_x={
                        "array": [_length(one.high - one.difference) for _, one in picked],
                        "arrayminus": [_length(one.difference - one.low) for _, one in picked],
                    },
                    customdata=[(html.for_plotly(one.label), one.table) for _, one in picked],
                    hovertemplate="%{customdata[0]} (%{customdata[1]})<br>%{x:.1f}<extra></extra>",
                )
        if isfinite(self.chance):
            figure.add_vrect(-100 * self.chance, 100 * self.chance, opacity=0.15, fillcolor="gray", line_width=0)
        first, second = map(html.for_plotly, self.names)
        figure.update_layout(
            height=_MARGIN + _ROW * len(rows),
            margin={"l": 10, "r": 10, "t": 40, "b": 40},
            title=f"{first} (right) and {second} (left)",
            xaxis={"title": "difference of mean cosines x 100"},
            yaxis={
                "autorange": "reversed",
                "automargin": True,
                "tickvals": list(range(len(rows))),
                "ticktext": [html.for_plotly(html.cut(one.label, _LONGEST)) for one in rows],
            },
            legend={"orientation": "h"},
        )
        return figure

    def __str__(self) -> str:
        told = [f"{name}: {value}" for name, value in self._facts()]
        shown = [f"  {' '.join(row[1:4]):<24} {row[0]}{'' if row[4] else ' (may be chance)'}" for row in self._rows()]
        return printable("\n".join([*told, *shown, *(f"  note: {note}" for note in self.notes)]))

    def _repr_html_(self) -> str:
        notes = html.joined(html.element("div", html.element("small", note)) for note in self.notes)
        table = html.table(("label", "difference", "from", "to", "certain"), self._rows())
        return str(html.element("div", html.joined([html.facts(self._facts()), table, notes]), "clipnb-contrast"))

    def _facts(self) -> list[tuple[str, str]]:
        facts = [
            (f"{name} ({count})", side.prompt or "nothing sets it apart")
            for name, count, side in zip(self.names, self.counts, self.sides, strict=True)
        ]
        chance = f"{100 * self.chance:.1f}" if isfinite(self.chance) else "any difference"
        return [*facts, ("by chance", f"{chance} (cosine x 100, {100 * self.confidence:g} of 100 random divisions)")]

    def _shown(self) -> list[Difference]:
        """Return the labels that separate most, at most `_SHOWN` a side."""
        first = [one for one in self.labels if one.difference >= 0][:_SHOWN]
        return first + [one for one in self.labels if one.difference < 0][-_SHOWN:]

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                one.label,
                *(_number(value) for value in (one.difference, one.low, one.high)),
                "yes" if one.certain else "",
            )
            for one in self._shown()
        ]


def _number(value: float) -> str:
    return "?" if isnan(value) else html.signed(100 * value)


def _length(value: float) -> float:
    return 0.0 if isnan(value) else max(100 * value, 0.0)


def _known(value: Any) -> Any:
    return value if not isinstance(value, float) or isfinite(value) else None

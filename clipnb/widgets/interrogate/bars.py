"""Numbers as bars in plain HTML, which needs no script and stays in a saved notebook; every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.result import Interrogation, Reason
from clipnb.widgets.common import words


class Bar(NamedTuple):
    """One bar.

    Attributes:
        label: beside it.
        value: its length; below zero it is drawn in red.
        note: small, behind the label.
    """

    label: str
    value: float
    note: str = ""


def bars(rows: Sequence[Bar]) -> str:
    """Draw bars below one another, the longest as long as there is room."""
    longest = _longest(rows)
    return _below("".join(_row(bar, _track(bar.value / longest), f"{bar.value:.1f}") for bar in rows))


def reason_bars(reasons: Sequence[Reason]) -> str:
    """Draw what each phrase added to a prompt's similarity, in cosine x 100.

    The first phrase is a number alone: it is what the others add to, and would dwarf them. Theirs grow from the
    middle, to the right where they add and to the left where they take away.
    """
    rows = [Bar(reason.phrase, 100 * reason.added, reason.origin) for reason in reasons]
    longest = _longest(rows[1:])
    first = [_row(bar, "<i></i>", f"{bar.value:.1f}") for bar in rows[:1]]
    others = [_row(bar, _track_from_middle(bar.value / longest), signed(bar.value)) for bar in rows[1:]]
    return _below("".join(first + others))


def signed(value: float) -> str:
    """Write what was added with its sign, and no -0.0.

    >>> signed(1.26), signed(-0.04)
    ('+1.3', '+0.0')
    """
    return f"{round(value, 1) + 0.0:+.1f}"


def label_bars(found: Interrogation) -> str:
    """Draw the ranked labels of every table that took part, in cosine x 100."""
    parts = [_table(name, labels) for name, labels in found.ranked.items()]
    return f'<div class="clipnb-tables">{"".join(parts)}</div>' if parts else words.caption("no table took part")


def comparison(results: Iterable[Interrogation], best: str = "") -> str:
    """Lay results beside one another: mode, similarity as a bar, seconds, prompt.

    Args:
        results: of one picture.
        best: the mode that is marked.
    """
    rows = list(results)
    longest = max((abs(found.similarity) for found in rows), default=0.0) or 1.0
    lines = "".join(
        f'<tr class="{"clipnb-best" if found.mode == best else ""}"><th>{html.escape(found.mode)}</th>'
        f"<td>{_track(found.similarity / longest)}</td><td>{100 * found.similarity:.1f}</td>"
        f"<td>{found.seconds:.1f}</td><td>{html.escape(found.prompt)}</td></tr>"
        for found in rows
    )
    head = "<tr><th>mode</th><th></th><th>similarity</th><th>seconds</th><th>prompt</th></tr>"
    return f'<table class="clipnb-comparison"><thead>{head}</thead><tbody>{lines}</tbody></table>'


def _table(name: str, labels: Sequence[RankedLabel]) -> str:
    rows = [Bar(label.label, 100 * label.similarity) for label in labels]
    return f'<div><div class="clipnb-heading">{html.escape(name)}</div>{bars(rows)}</div>'


def _longest(rows: Sequence[Bar]) -> float:
    return max((abs(bar.value) for bar in rows), default=0.0) or 1.0


def _below(rows: str) -> str:
    return f'<div class="clipnb-bars">{rows}</div>'


def _row(bar: Bar, track: str, said: str) -> str:
    label, note = html.escape(bar.label), html.escape(bar.note)
    return f'<span title="{html.escape(bar.label, quote=True)}">{label}<small>{note}</small></span>{track}<b>{said}</b>'


def _track(share: float) -> str:
    kind = "clipnb-less" if share < 0 else ""
    return f'<i class="clipnb-track"><i class="{kind}" style="width: {100 * min(1.0, abs(share)):.1f}%"></i></i>'


def _track_from_middle(share: float) -> str:
    kind, length = ("clipnb-less" if share < 0 else ""), 50 * min(1.0, abs(share))
    begin = 50 - length if share < 0 else 50
    return (
        '<i class="clipnb-track clipnb-middle">'
        f'<i class="{kind}" style="margin-left: {begin:.1f}%; width: {length:.1f}%"></i></i>'
    )

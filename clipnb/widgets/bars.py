"""Numbers as bars in plain HTML, which needs no script and stays in a saved notebook; every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from clipnb.interrogate.labels import RankedLabel
from clipnb.interrogate.result import Interrogation, Reason
from clipnb.widgets import words


class Bar(NamedTuple):
    """One bar.

    Attributes:
        label: beside it.
        value: its length; below zero it is drawn in red.
        note: small, behind the label.
        is_base: drawn pale and full, and not what the others are measured by.
    """

    label: str
    value: float
    note: str = ""
    is_base: bool = False


def bars(rows: Sequence[Bar]) -> str:
    """Draw bars below one another, the longest as long as there is room."""
    longest = max((abs(bar.value) for bar in rows if not bar.is_base), default=0.0) or 1.0
    return f'<div class="clipnb-bars">{"".join(_row(bar, longest) for bar in rows)}</div>'


def reason_bars(reasons: Sequence[Reason]) -> str:
    """Draw what each phrase added to a prompt's similarity, in cosine x 100."""
    rows = [Bar(r.phrase, 100 * r.added, r.origin, is_base=place == 0) for place, r in enumerate(reasons)]
    return bars(rows)


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


def _row(bar: Bar, longest: float) -> str:
    label, note = html.escape(bar.label), html.escape(bar.note)
    track = _track(1.0, "clipnb-base") if bar.is_base else _track(bar.value / longest)
    sign = "" if bar.is_base or not bar.note else "+" if bar.value > 0 else ""
    return (
        f'<span title="{html.escape(bar.label, quote=True)}">{label}<small>{note}</small></span>'
        f"{track}<b>{sign}{bar.value:.1f}</b>"
    )


def _track(share: float, kind: str = "") -> str:
    kind = kind or ("clipnb-less" if share < 0 else "")
    return f'<i class="clipnb-track"><i class="{kind}" style="width: {100 * min(1.0, abs(share)):.1f}%"></i></i>'

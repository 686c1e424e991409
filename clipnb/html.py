"""HTML of everything that shows something: tables, bars, messages. Every text is escaped; no script, so it is saved."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from clipnb.errors import ClipnbError, printable, shortened

_PLOTLY = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})
_LINE = re.compile(r"line (\d+)")
_LONGEST_LINE = 300  # characters of a line that a mistake is shown with


class Markup(str):
    """Text that is HTML already and is not escaped again.

    What a notebook gets is a plain `str` of it: marimo shows no other.
    """

    __slots__ = ()


class Bar(NamedTuple):
    """One bar: its label, its length (drawn in red below zero), and a small note behind the label."""

    label: str
    value: float
    note: str = ""


def element(tag: str, content: str, css: str = "", title: str = "", role: str = "") -> Markup:
    """Return one element; its content is escaped unless it is `Markup`.

    >>> element("b", "<i>", css="clipnb-name")
    '<b class="clipnb-name">&lt;i&gt;</b>'
    """
    given = (("class", css), ("title", title), ("role", role))
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in given if value)
    return Markup(f"<{tag}{attributes}>{escaped(content)}</{tag}>")


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """Join texts and markup; the texts are escaped."""
    return Markup(escaped(between).join(map(escaped, parts)))


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, css: str = "", empty: str = "nothing yet", marked: int = -1
) -> Markup:
    """Return a table; `empty` shows where there are no rows, and the row at `marked` gets the class `clipnb-best`."""
    body = [
        element(
            "tr",
            joined(element("td", cell, title="" if isinstance(cell, Markup) else cell) for cell in row),
            "clipnb-best" if place == marked else "",
        )
        for place, row in enumerate(rows)
    ] or [Markup(f'<tr><td colspan="{len(head)}" class="clipnb-empty">{escape(empty)}</td></tr>')]
    top = element("thead", element("tr", joined(element("th", name) for name in head))) if head else Markup()
    return element("table", joined([top, element("tbody", joined(body))]), css)


def facts(rows: Iterable[tuple[str, str]]) -> Markup:
    """Return names and values as a plain table that needs no style sheet."""
    cell = 'style="text-align: left"'
    lines = (f"<tr><th {cell}>{escaped(name)}</th><td {cell}>{escaped(value)}</td></tr>" for name, value in rows)
    return Markup(f"<table>{''.join(lines)}</table>")


def bars(rows: Sequence[Bar]) -> Markup:
    """Return bars below one another, the longest as long as there is room."""
    longest = _longest(rows)
    return bar_rows(_bar_row(bar, track(bar.value / longest), f"{bar.value:.1f}") for bar in rows)


def added_bars(rows: Sequence[Bar]) -> Markup:
    """Return bars of what each part adds to the first one, which is a number alone since it would dwarf the others.

    They grow from the middle, to the right where they add and to the left where they take away.
    """
    longest = _longest(rows[1:])
    first = [_bar_row(bar, Markup("<i></i>"), f"{bar.value:.1f}") for bar in rows[:1]]
    others = [_bar_row(bar, _track_from_middle(bar.value / longest), signed(bar.value)) for bar in rows[1:]]
    return bar_rows(first + others)


def bar_rows(rows: Iterable[Markup]) -> Markup:
    return element("div", joined(rows), "clipnb-bars")


def track(share: float) -> Markup:
    """Return one bar that fills a share of its room, in [-1, 1]."""
    kind = "clipnb-less" if share < 0 else ""
    return Markup(
        f'<i class="clipnb-track"><i class="{kind}" style="width: {100 * min(1.0, abs(share)):.1f}%"></i></i>'
    )


def signed(value: float) -> str:
    """Return a number with its sign, and no -0.0.

    >>> signed(1.26), signed(-0.04)
    ('+1.3', '+0.0')
    """
    return f"{round(value, 1) + 0.0:+.1f}"


def problem(message: str, text: str = "", report: str = "") -> Markup:
    """Return a mistake; where it names a line of `text`, with that line below it; a report is folded away."""
    if not message:
        return Markup()
    lines = text.splitlines()
    parts = []
    for said in message.splitlines():
        parts.append(element("div", said))
        found = _LINE.search(said)
        if found and 1 <= int(found[1]) <= len(lines):
            line = printable(cut(lines[int(found[1]) - 1], _LONGEST_LINE))
            parts.append(Markup(f"<pre><b>{int(found[1])}</b> {escape(line)}</pre>"))
    if report:
        parts.append(element("details", joined([element("summary", "details for a report"), element("pre", report)])))
    return element("div", joined(parts), "clipnb-problem", role="alert")


def error_text(error: BaseException) -> str:
    # Ours are written for people; of others the kind says more.
    return str(error) if isinstance(error, ClipnbError) else f"{type(error).__name__}: {error}"


def notice(message: str) -> Markup:
    return element("div", message, "clipnb-notice", role="status") if message else Markup()


def status(state: str) -> Markup:
    """Return a run's state as a lamp with a word."""
    return element("span", state, f"clipnb-lamp clipnb-{state}", role="status")


def busy(message: str) -> Markup:
    return element("span", message, "clipnb-lamp clipnb-running", role="status")


def plain(message: str) -> Markup:
    return element("span", message, "clipnb-count")


def caption(message: str) -> Markup:
    return element("span", message, "clipnb-caption")


def download(name: str, kind: str, content: bytes) -> Markup:
    """Return a link that carries a file of this name and MIME type in itself."""
    data = base64.b64encode(content).decode("ascii")
    return Markup(
        f'<a class="clipnb-download" download="{escape(name)}" href="data:{kind};base64,{data}">{escape(name)}</a>'
    )


def image(content: bytes, kind: str, title: str = "") -> Markup:
    """Return an image of this MIME type that is carried in the page itself."""
    data = base64.b64encode(content).decode("ascii")
    return Markup(f'<img src="data:{kind};base64,{data}" alt="{escape(title)}" title="{escape(title)}">')


def cut(text: str, length: int) -> str:
    """Cut a text for a place with room for so many characters."""
    return shortened(text, length, mark="…")


def escaped(text: str) -> Markup:
    """Return a text as HTML that shows it letter by letter; markup stays as it is."""
    return text if isinstance(text, Markup) else Markup(escape(text))


def for_plotly(text: str) -> str:
    """Escape a text for plotly, which then reads neither its HTML nor its TeX.

    >>> for_plotly("<b>5$</b>")
    '&lt;b&gt;5&#36;&lt;/b&gt;'
    """
    return text.translate(_PLOTLY)


def _longest(rows: Sequence[Bar]) -> float:
    return max((abs(bar.value) for bar in rows), default=0.0) or 1.0


def _bar_row(bar: Bar, drawn: Markup, said: str) -> Markup:
    label = element("span", joined([bar.label, element("small", bar.note)]), title=bar.label)
    return joined([label, drawn, element("b", said)])


def _track_from_middle(share: float) -> Markup:
    kind, length = ("clipnb-less" if share < 0 else ""), 50 * min(1.0, abs(share))
    begin = 50 - length if share < 0 else 50
    return Markup(
        '<i class="clipnb-track clipnb-middle">'
        f'<i class="{kind}" style="margin-left: {begin:.1f}%; width: {length:.1f}%"></i></i>'
    )

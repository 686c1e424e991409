"""What a panel says, as HTML in which every word of the user's is escaped."""

from __future__ import annotations

import base64
import html
import re

from clipnb import errors
from clipnb.optimise.statistics import Statistics

_LINE = re.compile(r"line (\d+)")


def problem(message: str, text: str = "") -> str:
    """Show a mistake; where it names a line of a text, that line below it.

    Args:
        message: one or more lines.
        text: what the line numbers in it count in.
    """
    if not message:
        return ""
    lines = text.splitlines()
    parts = []
    for said in message.splitlines():
        parts.append(f"<div>{html.escape(said)}</div>")
        found = _LINE.search(said)
        if found and 1 <= int(found[1]) <= len(lines):
            number = int(found[1])
            parts.append(f"<pre><b>{number}</b> {html.escape(lines[number - 1])}</pre>")
    return f'<div class="clipnb-problem" role="alert">{"".join(parts)}</div>'


def told(error: BaseException) -> str:
    """Put an error into words: ours are written for people, of others the kind says more."""
    return str(error) if isinstance(error, errors.ClipnbError) else f"{type(error).__name__}: {error}"


def shortened(text: str, length: int) -> str:
    """Cut a text for a place with room for so many characters."""
    return errors.shortened(text, length, mark="…")


def notice(message: str) -> str:
    """Show a plain word."""
    return f'<div class="clipnb-notice" role="status">{html.escape(message)}</div>' if message else ""


def status(state: str) -> str:
    """Show the state as a lamp with a word."""
    name = html.escape(state)
    return f'<span class="clipnb-lamp clipnb-{name}">{name}</span>'


def busy(message: str) -> str:
    """Show what is being done, as a lamp."""
    return f'<span class="clipnb-lamp clipnb-running" role="status">{html.escape(message)}</span>'


def plain(message: str) -> str:
    """Show a quiet word."""
    return f'<span class="clipnb-count">{html.escape(message)}</span>'


def caption(message: str) -> str:
    """Show a small line that says what something is."""
    return f'<span class="clipnb-caption">{html.escape(message)}</span>'


def download(name: str, kind: str, content: bytes) -> str:
    """Link to content that is carried in the link itself.

    Args:
        name: of the file that the browser saves.
        kind: MIME type.
        content: of the file.
    """
    data = base64.b64encode(content).decode("ascii")
    safe = html.escape(name, quote=True)
    return f'<a class="clipnb-download" download="{safe}" href="data:{kind};base64,{data}">{safe}</a>'


def statistics_table(statistics: Statistics | None) -> str:
    """Show what is known of every feature and constraint as a table."""
    head = "<tr><th>target</th><th>feature</th><th>weight</th><th>counted</th><th>loss</th><th>similarity</th></tr>"
    rows = []
    for line in statistics.lines if statistics else ():
        similarity = "" if line.similarity is None else f"{line.similarity.mean:.2f}"
        span = "" if line.similarity is None else f"{line.similarity.low:.2f} – {line.similarity.high:.2f}"
        rows.append(
            f"<tr><td>{html.escape(line.target)}</td>"
            f'<td title="{html.escape(line.label, quote=True)}">{html.escape(line.label)}</td>'
            f"<td>{line.weight:.3g}</td><td>{line.share:.0%}</td><td>{line.loss.mean:.3f}</td>"
            f'<td title="{span}">{similarity}</td></tr>'
        )
    body = "".join(rows) or '<tr><td colspan="6" class="clipnb-empty">nothing yet</td></tr>'
    return f'<table class="clipnb-statistics"><thead>{head}</thead><tbody>{body}</tbody></table>'

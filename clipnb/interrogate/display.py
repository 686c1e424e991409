"""How a result shows itself: plain lines in a terminal, a small table in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipnb import html
from clipnb.errors import printable

if TYPE_CHECKING:
    from clipnb.interrogate.result import Interrogation

_SHOWN = 3  # labels a table


def as_lines(found: Interrogation) -> list[str]:
    """Write a result as lines of text: the prompt first, then where it comes from."""
    lines = [found.prompt]
    lines += [f"  {name}: {value}" for name, value in _facts(found)]
    lines += [f"  note: {note}" for note in found.notes]
    return [printable(line) for line in lines]


def as_html(found: Interrogation) -> str:
    """Return a result as an HTML fragment; every text in it is escaped."""
    notes = html.joined(html.element("div", html.element("small", note)) for note in found.notes)
    prompt = html.element("p", html.element("b", found.prompt))
    return html.element("div", html.joined([prompt, html.facts(_facts(found)), notes]), "clipnb-interrogation")


def _facts(found: Interrogation) -> list[tuple[str, str]]:
    """Name what is worth showing, as plain text."""
    facts = [("similarity", f"{100 * found.similarity:.1f} ({found.model}, mode {found.mode})")]
    if found.caption:
        facts.append(("caption", f"{found.caption} ({found.caption_source})"))
    for table, labels in found.ranked.items():
        shown = [f"{label.label} {100 * label.similarity:.1f}" for label in labels[:_SHOWN]]
        facts.append((table, "; ".join(shown)))
    return [*facts, ("seconds", f"{found.seconds:.1f}")]

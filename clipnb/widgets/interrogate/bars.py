"""What an interrogation found, as bars and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clipnb.html import Bar, added_bars, bars, caption, element, joined, table, track
from clipnb.interrogate.result import Interrogation, Reason


def reason_bars(reasons: Sequence[Reason]) -> str:
    """Return what each phrase added to a prompt's similarity, in cosine x 100."""
    return added_bars([Bar(reason.phrase, 100 * reason.added, reason.origin) for reason in reasons])


def label_bars(found: Interrogation) -> str:
    """Return the ranked labels of every table that took part, in cosine x 100."""
    parts = [
        element(
            "div",
            joined([element("div", name, "clipnb-heading"), bars([Bar(x.label, 100 * x.similarity) for x in labels])]),
        )
        for name, labels in found.ranked.items()
    ]
    return element("div", joined(parts), "clipnb-tables") if parts else caption("no table took part")


def comparison(results: Iterable[Interrogation], best: str = "") -> str:
    """Return results of one image beside one another: mode, similarity as a bar, seconds, prompt.

    Args:
        results: of one image.
        best: the mode that is marked.
    """
    rows = list(results)
    longest = max((abs(found.similarity) for found in rows), default=0.0) or 1.0
    lines = [
        (
            found.mode,
            track(found.similarity / longest),
            f"{100 * found.similarity:.1f}",
            f"{found.seconds:.1f}",
            found.prompt,
        )
        for found in rows
    ]
    marked = next((place for place, found in enumerate(rows) if found.mode == best), -1)
    return table(("mode", "", "similarity", "seconds", "prompt"), lines, css="clipnb-comparison", marked=marked)

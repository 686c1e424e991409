"""What is known of every feature and constraint, as a table."""

from __future__ import annotations

from clipnb import html
from clipnb.optimise.statistics import Statistics

_HEAD = ("target", "feature", "weight", "counted", "loss", "similarity")


def statistics_table(statistics: Statistics | None) -> str:
    """Return the statistics of a step as an HTML table."""
    rows = []
    for line in statistics.lines if statistics else ():
        mean = "" if line.similarity is None else f"{line.similarity.mean:.2f}"
        span = "" if line.similarity is None else f"{line.similarity.low:.2f} – {line.similarity.high:.2f}"
        similarity = html.element("span", mean, title=span)
        rows.append(
            (line.target, line.label, f"{line.weight:.3g}", f"{line.share:.0%}", f"{line.loss.mean:.3f}", similarity)
        )
    return html.table(_HEAD, rows, css="clipnb-statistics")

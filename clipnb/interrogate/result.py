"""What an interrogation found, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from clipnb.interrogate.display import as_html, as_lines
from clipnb.interrogate.labels.table import RankedLabel

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


class Reason(NamedTuple):
    """What one phrase added to a prompt.

    Attributes:
        phrase: its text.
        origin: "caption" or the table that it comes from.
        similarity: cosine with the picture, in [-1, 1], of the prompt up to and with this phrase.
        added: by how much this phrase raised it; for the first phrase, the whole similarity.
    """

    phrase: str
    origin: str
    similarity: float
    added: float


class Candidate(NamedTuple):
    """One of the prompts that competed.

    Attributes:
        name: how it was made, such as "classic".
        prompt: its text.
        similarity: cosine with the picture, in [-1, 1].
    """

    name: str
    prompt: str
    similarity: float


@dataclass(frozen=True)
class Interrogation:
    """A prompt for a picture, where it comes from, and why. Shows itself as a small table in a notebook.

    Attributes:
        prompt: the result; fits the encoder's context.
        mode: how it was made.
        caption: the sentence that it begins with, whole; "" in modes that take none.
        caption_source: "given", "composed" (from label tables), the captioner's name, or "none".
        similarity: cosine of prompt and picture, in [-1, 1].
        ranked: for each table that took part, its best labels, best first (mode `negative`: least similar first).
        reasons: what each phrase of the prompt added, in order.
        candidates: the prompts that competed (mode `best`), best first.
        model: the encoder's name.
        seconds: how long it all took.
        times: seconds of its parts: "tables", "picture", "caption", "prompt", "reasons".
        notes: what a reader should know: limits of the encoder, what was cut, what the caption is.
    """

    prompt: str
    mode: str
    caption: str
    caption_source: str
    similarity: float
    ranked: Mapping[str, tuple[RankedLabel, ...]]
    reasons: tuple[Reason, ...]
    candidates: tuple[Candidate, ...]
    model: str
    seconds: float
    times: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain lists, dicts, texts and numbers, ready for JSON."""
        plain = {name: value for name, value in vars(self).items() if name not in ("ranked", "times")}
        plain["ranked"] = {table: [label._asdict() for label in labels] for table, labels in self.ranked.items()}
        plain["times"] = dict(self.times)
        plain["reasons"] = [reason._asdict() for reason in self.reasons]
        plain["candidates"] = [candidate._asdict() for candidate in self.candidates]
        plain["notes"] = list(self.notes)
        return plain

    def to_frame(self) -> pd.DataFrame:
        """Give the ranked labels as a frame.

        Returns:
            One row a label: `table`, `rank` (from 1), `label`, `similarity` (cosine in [-1, 1]).
        """
        import pandas as pd

        rows = [
            (table, rank, label.label, label.similarity)
            for table, labels in self.ranked.items()
            for rank, label in enumerate(labels, start=1)
        ]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=["table", "rank", "label", "similarity"])
        return frame

    def figure(self) -> go.Figure:
        """Draw what each phrase added to the similarity (percent) as horizontal bars, first phrase on top."""
        from clipnb.interrogate.figure import reasons_figure

        return reasons_figure(self.reasons)

    def __str__(self) -> str:
        return "\n".join(as_lines(self))

    def _repr_html_(self) -> str:
        return as_html(self)

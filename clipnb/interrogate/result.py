"""What an interrogation found, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from clipnb import html
from clipnb.errors import printable
from clipnb.interrogate.certainty import certainty_in_words

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from clipnb.interrogate.known import Known
    from clipnb.interrogate.labels.table import RankedLabel

_SHOWN = 3  # labels a table
_LONGEST = 48  # characters of a phrase beside its bar
_ROW, _MARGIN = 24, 120  # pixels of a bar, and of title and axis


class Reason(NamedTuple):
    """What one phrase added to a prompt.

    Attributes:
        phrase: its text.
        origin: "caption" or the table that it comes from.
        similarity: cosine with the image, in [-1, 1], of the prompt up to and with this phrase.
        added: by how much this phrase raised it; for the first phrase, the whole similarity.
    """

    phrase: str
    origin: str
    similarity: float
    added: float


class Candidate(NamedTuple):
    """One of the prompts that competed."""

    name: str  # how it was made, such as "classic"
    prompt: str
    similarity: float  # cosine with the image, in [-1, 1]


class Tag(NamedTuple):
    """A label that stands out for an image.

    Attributes:
        text: as it stands in the prompt.
        score: by how many standard deviations its cosine is above the mean of the image's with its table.
        similarity: its cosine with the image, in [-1, 1].
        table: where it comes from.
    """

    text: str
    score: float
    similarity: float
    table: str


@dataclass(frozen=True)
class Interrogation:
    """A prompt for an image, where it comes from, and why; displayed as a small table in a notebook.

    Attributes:
        prompt: the result; fits the encoder's context.
        mode: how it was made.
        caption: the sentence that it begins with, whole; "" in modes that take none.
        caption_source: "given", "composed" (from label tables), the captioner's name, or "none".
        similarity: cosine of prompt and image, in [-1, 1]; nan where nothing was found, or it was not measured.
        certainty: that a composed caption is right, in [0, 1], calibrated; None where it is not known: for captions of
            other sources, and for encoders that have no calibration (all but lite).
        ranked: for each table that took part, its best labels, best first (mode `negative`: least similar first).
        reasons: what each phrase of the prompt added, in order.
        candidates: the prompts that competed (mode `best`), best first.
        model: the encoder's name.
        seconds: how long it all took.
        times: seconds of its parts: "tables", "picture", "caption", "prompt", "reasons".
        notes: what a reader should know: limits of the encoder, what was cut, what the caption is.
        known: the prompt that the image's file carries inside, compared with this one; None where not asked for.
        embedding: mode `pooled`: what stands for the prompt in a submission, 384 floats of unit length; else empty.
        tags: mode `tags`: every tag with its score, best first, though the prompt may be cut; else empty.
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
    known: Known | None = None
    certainty: float | None = None
    embedding: tuple[float, ...] = field(default=(), repr=False)
    tags: tuple[Tag, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists, dicts, strings and numbers, ready for JSON; nan as None."""
        plain = dict(vars(self))
        plain["ranked"] = {table: [label._asdict() for label in labels] for table, labels in self.ranked.items()}
        plain["times"] = dict(self.times)
        plain["reasons"] = [reason._asdict() for reason in self.reasons]
        plain["candidates"] = [candidate._asdict() for candidate in self.candidates]
        plain["notes"], plain["embedding"] = list(self.notes), list(self.embedding)
        plain["tags"] = [tag._asdict() for tag in self.tags]
        plain["known"] = None if self.known is None else asdict(self.known)
        finite: dict[str, Any] = _finite(plain)
        return finite

    def to_frame(self) -> pd.DataFrame:
        """Return the ranked labels as a data frame.

        Returns:
            One row per label: `table`, `rank` (from 1), `label`, `similarity` (cosine in [-1, 1]), `certainty` (that
            the image shows it, in [0, 1]; nan where it is not known).
        """
        import pandas as pd

        rows = [
            (table, rank, label.label, label.similarity, label.certainty)
            for table, labels in self.ranked.items()
            for rank, label in enumerate(labels, start=1)
        ]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=["table", "rank", "label", "similarity", "certainty"])
        frame["certainty"] = frame["certainty"].astype("float64")
        return frame

    def figure(self) -> go.Figure:
        """Plot what each phrase added to the similarity (cosine x 100) as horizontal bars, first phrase on top."""
        import plotly.graph_objects as go

        figure = go.Figure()
        for origin in dict.fromkeys(reason.origin for reason in self.reasons):
            rows = [(place, reason) for place, reason in enumerate(self.reasons) if reason.origin == origin]
            figure.add_bar(
                name=origin,
                orientation="h",
                x=[100 * reason.added for _, reason in rows],
                y=[place for place, _ in rows],
                customdata=[(html.for_plotly(reason.phrase), 100 * reason.similarity) for _, reason in rows],
                hovertemplate="%{customdata[0]}<br>adds %{x:.2f}, prompt so far %{customdata[1]:.2f}<extra></extra>",
            )
        figure.update_layout(
            height=_MARGIN + _ROW * len(self.reasons),
            margin={"l": 10, "r": 10, "t": 40, "b": 40},
            title="What each phrase adds",
            xaxis={"title": "cosine similarity x 100"},
            yaxis={
                "autorange": "reversed",
                "automargin": True,
                "tickvals": list(range(len(self.reasons))),
                "ticktext": [html.for_plotly(html.cut(reason.phrase, _LONGEST)) for reason in self.reasons],
            },
            legend={"orientation": "h"},
        )
        return figure

    def __str__(self) -> str:
        facts = [f"  {name}: {value}" for name, value in self._facts()]
        return printable("\n".join([self.prompt, *facts, *(f"  note: {note}" for note in self.notes)]))

    def _repr_html_(self) -> str:
        notes = html.joined(html.element("div", html.element("small", note)) for note in self.notes)
        prompt = html.element("p", html.element("b", self.prompt))
        return str(html.element("div", html.joined([prompt, html.facts(self._facts()), notes]), "clipnb-interrogation"))

    def _facts(self) -> list[tuple[str, str]]:
        facts = [("similarity", f"{shown_similarity(self.similarity)} ({self.model}, mode {self.mode})")]
        facts += self.known.facts() if self.known is not None else []
        if self.certainty is not None:
            facts.append(("certainty", certainty_in_words(self.certainty)))
        if self.caption:
            facts.append(("caption", f"{self.caption} ({self.caption_source})"))
        if self.tags:
            facts.append(("tags", "; ".join(f"{tag.text} {tag.score:.1f}" for tag in self.tags)))
        for table, labels in self.ranked.items():
            shown = [f"{label.label} {100 * label.similarity:.1f}" for label in labels[:_SHOWN]]
            facts.append((table, "; ".join(shown)))
        return [*facts, ("seconds", f"{self.seconds:.1f}")]


def shown_similarity(similarity: float) -> str:
    """Return a cosine x 100 for people.

    >>> shown_similarity(0.314), shown_similarity(float("nan"))
    ('31.4', 'none')
    """
    return "none" if isnan(similarity) else f"{100 * similarity:.1f}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value

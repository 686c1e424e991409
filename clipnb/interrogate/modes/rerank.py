"""Mode rerank: a captioner proposes, the encoder chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipnb.interrogate.modes.base import Mode, PromptCandidate, fitting
from clipnb.interrogate.result import Candidate

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery


class RerankMode(Mode):
    """The most similar of the captions that the captioner proposes; of composed ones where there is none."""

    name = "rerank"
    summary = "the captioner proposes several captions, the encoder chooses the most similar"
    takes_opening = True
    max_flavors = 0
    takes_caption = False
    takes_proposals = True
    ranks_only = False
    settings = ("caption_count", "caption_sampling", "caption_max_length")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        del caption, max_flavors
        proposed = query.captions(query.settings.caption_count) if query.captions else []
        measured = zip(proposed, query.similarities(proposed), strict=True)
        competing = sorted(
            (Candidate(f"caption {place}", *one) for place, one in enumerate(measured, 1)),
            key=lambda candidate: candidate.similarity,
            reverse=True,
        )
        kept = fitting(query, query.opening(competing[0].prompt) if competing else [])
        note = f"chosen from {len(competing)} captions" if competing else "no caption to choose from"
        return PromptCandidate(kept.phrases, kept.dropped, tuple(competing), (note,))

"""Mode retrieve: the prompts of a collection that are nearest to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipnb.interrogate.modes.base import Mode, PromptCandidate, fitting
from clipnb.interrogate.prompt import SEPARATOR, Phrase
from clipnb.interrogate.result import Candidate

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery
    from clipnb.interrogate.labels.table import RankedLabel

_ASKED_AGAIN = 4  # times as many are found as are wanted, where a second encoder may drop some


class RetrieveMode(Mode):
    """The nearest prompt of a collection, as it was written."""

    name = "retrieve"
    summary = "the whole prompt of a collection that is nearest to the picture"
    max_flavors = 8
    takes_caption = False
    searches = True
    settings = ("collection_column", "second_model_name", "second_threshold")
    batch_size = 128  # one pass over the collection for all of them

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        del caption
        found, notes = retrieve(query, max(max_flavors, 1))
        phrases = [Phrase(part, "collection") for part in found[0].label.split(SEPARATOR)] if found else []
        kept = fitting(query, phrases)
        competing = tuple(Candidate(f"hit {place}", one.label, one.similarity) for place, one in enumerate(found, 1))
        return PromptCandidate(kept.phrases, kept.dropped, competing, notes)


def retrieve(query: ImageQuery, count: int) -> tuple[list[RankedLabel], tuple[str, ...]]:
    """Return the nearest prompts of the collection that a second encoder, if there is one, agrees to; and notes."""
    resources = query.rankings.resources
    name = resources.collection.name
    chosen = f"chosen from {len(resources.collection):,} prompts of {name}"
    second = resources.second
    if second is None or query.pixels is None:
        return query.nearest(count), (chosen,)
    found = query.nearest(_ASKED_AGAIN * count)
    seen = second.encode_image(query.pixels[None].float() / 255)[0]
    cosines = (second.encode_text([one.label for one in found]) @ seen).tolist()
    least = query.settings.second_threshold
    agreed = [one for one, cosine in zip(found, cosines, strict=True) if cosine >= least]
    dropped = f"{second.name} dropped {len(found) - len(agreed)} of {len(found)} (cosine below {least:g})"
    return agreed[:count], (chosen, dropped)

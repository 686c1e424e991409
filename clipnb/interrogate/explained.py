"""What each phrase of a prompt added, and what a reader of a result should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clipnb.interrogate.captions import Caption
from clipnb.interrogate.certainty import SURE, certainty_in_words
from clipnb.interrogate.image_query import STYLE_TABLES, Embed, ImageQuery, measure
from clipnb.interrogate.modes import PromptCandidate
from clipnb.interrogate.prompt import beginnings, join
from clipnb.interrogate.result import Reason


def explained_by(
    queries: Sequence[ImageQuery], made: Sequence[PromptCandidate], embed: Embed, *, reasons: bool
) -> list[tuple[Reason, ...]]:
    """Measure what each phrase added; without `reasons` the whole prompt alone, as the reason of its last phrase."""
    texts = [beginnings(one.phrases) if reasons else [join(one.phrases)] for one in made]
    explained = []
    for candidate, similarities in zip(made, measure(queries, texts, embed), strict=True):
        measured = zip(candidate.phrases[-len(similarities) :], similarities, [0.0, *similarities], strict=False)
        explained.append(
            tuple(Reason(phrase.text, phrase.origin, now, now - before) for phrase, now, before in measured)
        )
    return explained


def doubts(query: ImageQuery, certainty: float | None) -> Iterator[str]:
    """Tell that a composed caption is uncertain, if it is."""
    if certainty is not None and certainty < SURE:
        together = "" if query.members is None else " all of them"
        yield f"nothing that {query.encoder.name} knows fits{together} well: certainty {certainty_in_words(certainty)}"


def notes_of(query: ImageQuery, caption: Caption, candidate: PromptCandidate, backdrop: str) -> Iterator[str]:
    """What a reader of a result should know: limits of the encoder, what was cut, what the caption is."""
    encoder, phrases = query.encoder, candidate.phrases
    if caption.note:
        yield caption.note
    if backdrop:
        yield f"light artwork on transparency, laid over {backdrop}; set `backdrop` for another colour"
    yield from doubts(query, caption.certainty)
    if not query.styles:
        yield f"left out, since {encoder.name} cannot tell them apart: {', '.join(STYLE_TABLES)}"
    left_out = query.rankings.tables.left_out(query.ranked)
    if left_out:
        yield f"left out, since they are avoided: {left_out}"
    if encoder.note:
        yield encoder.note
    kept = next((phrase.text for phrase in phrases if phrase.origin == "caption"), None)
    if kept is not None and caption.text and not kept.startswith(caption.text.removesuffix(".")):
        yield f"the caption is longer than the {query.room} that fit; it was cut"
    yield from candidate.notes
    if candidate.dropped:
        yield f"{candidate.dropped} phrases did not fit into {query.room}"

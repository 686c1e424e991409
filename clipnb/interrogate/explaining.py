"""Why a prompt is what it is: what each phrase added, and what a reader should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clipnb.interrogate.captions import Caption
from clipnb.interrogate.image_query import STYLE_TABLES, Scene, measure
from clipnb.interrogate.modes.base import Draft
from clipnb.interrogate.prompt import Phrase, beginnings, join
from clipnb.interrogate.result import Reason


def explain(
    scenes: Sequence[Scene], prompts: Sequence[Sequence[Phrase]], *, reasons: bool = True
) -> list[tuple[Reason, ...]]:
    """Measure what each phrase of each prompt added to its similarity.

    Args:
        scenes: pictures of one batch.
        prompts: the parts of each one's prompt.
        reasons: measure every phrase; else only the whole prompt, told as the reason of its last phrase.

    Returns:
        For each picture a reason for each phrase, in order.
    """
    texts = [beginnings(phrases) if reasons else [join(phrases)] for phrases in prompts]
    explained = []
    for phrases, similarities in zip(prompts, measure(scenes, texts), strict=True):
        last = phrases[-len(similarities) :]
        befores = [0.0, *similarities]
        explained.append(
            tuple(
                Reason(phrase.text, phrase.origin, now, now - before)
                for phrase, now, before in zip(last, similarities, befores, strict=False)
            )
        )
    return explained


def notes(scene: Scene, caption: Caption, draft: Draft) -> Iterator[str]:
    """Say what a reader of a result should know: limits of the encoder, what was cut, what the caption is."""
    if caption.note:
        yield caption.note
    if not scene.styles:
        yield f"left out, since {scene.encoder.name} cannot tell them apart: {', '.join(STYLE_TABLES)}"
    if scene.encoder.note:
        yield scene.encoder.note
    if caption.text and draft.phrases and not draft.phrases[0].text.startswith(caption.text.removesuffix(".")):
        yield f"the caption is longer than the {scene.encoder.context_length} tokens that fit; it was cut"
    if draft.dropped:
        yield f"{draft.dropped} phrases did not fit into {scene.encoder.context_length} tokens"

"""Mode pooled: the embedding that a competition asks for, of many candidates instead of one prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from clipnb.interrogate.modes.base import Mode, PromptCandidate, fitting
from clipnb.interrogate.modes.retrieve import retrieve
from clipnb.interrogate.modes.simple import ClassicMode, FastMode
from clipnb.interrogate.prompt import SEPARATOR, Phrase, join

if TYPE_CHECKING:
    from torch import Tensor

    from clipnb.interrogate.image_query import ImageQuery

_LABELS = ("objects", "flavors")
_HITS = 25  # prompts of the collection
_PLAIN_MEDIUM = "a photo"
_Candidate = tuple[str, float]
_SHOWN = 8  # candidates among which the words are chosen, of each kind


class PooledMode(Mode):
    """The mean of the embeddings of many candidates, and the whole prompt that is nearest to it as its words."""

    name = "pooled"
    summary = "the mean embedding of the best labels, templates and retrieved prompts, for submissions; and its words"
    max_flavors = 200
    searches = embeds = True
    settings = ("pooled_weights", "pooled_power", "collection_column", "second_model_name", "second_threshold")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        weights: dict[str, float] = {kind: one for kind, one in query.settings.pooled_weights.items() if one > 0}
        if query.caption_is_composed:  # of the same labels, which tell more together
            weights.pop("caption", None)
        notes: tuple[str, ...] = ()
        kinds: dict[str, list[_Candidate]] = {}
        for kind in weights:
            kinds[kind], more = _candidates(query, kind, caption, max_flavors)
            notes += more
        kinds = {kind: some for kind, some in kinds.items() if some}
        embed = query.rankings.resources.embed
        means = {kind: _mean(embed, some, query.settings.pooled_power) for kind, some in kinds.items()}
        pooled = _unit(_weighted(means, weights)) if means else embed([caption])[0]
        prompts = [some[:_SHOWN] for kind, some in kinds.items() if kind not in _LABELS]
        texts = [text for some in prompts for text, _ in some] + [caption] * bool(caption)
        whole = list(dict.fromkeys(texts or [text for some in kinds.values() for text, _ in some] or [""]))
        cosines = embed(whole) @ pooled
        nearest = int(cosines.argmax())
        words = [Phrase(part, "pooled") for part in whole[nearest].split(SEPARATOR) if part]
        kept = fitting(query, words)
        told = ", ".join(f"{len(some)} {kind}" for kind, some in kinds.items()) or "the caption"
        note = f"pooled: {told}; the prompt is the nearest of {len(whole)} whole ones, cosine {cosines[nearest]:.2f}"
        return PromptCandidate(kept.phrases, kept.dropped, (), (note, *notes), tuple(pooled.tolist()))


def _candidates(query: ImageQuery, kind: str, caption: str, count: int) -> tuple[list[_Candidate], tuple[str, ...]]:
    """Return the candidates of one kind, with their similarity to the image; and notes."""
    notes: tuple[str, ...] = ()
    if kind in _LABELS:
        return [(one.label, one.similarity) for one in query.best(kind, count)], notes
    if kind == "templates":
        medium = next((one.label for one in query.best("mediums")), _PLAIN_MEDIUM)
        made = [(f"{medium} of {one.label}", one.similarity) for one in query.best("objects", count)]
        return [one for one in made if query.allows(one[0])], notes
    if kind == "collection":
        hits, notes = retrieve(query, _HITS)
        return [(one.label, one.similarity) for one in hits], notes
    if kind == "caption":
        return [(caption, 1.0)] * bool(caption), notes
    mode = ClassicMode() if kind == "classic" else FastMode()
    return [(join(mode.propose(query, caption, mode.max_flavors).phrases), 1.0)], notes


def _mean(embed: Callable[[Sequence[str]], Tensor], some: Sequence[_Candidate], power: float) -> Tensor:
    """Return the mean of embeddings, weighted by a power of the similarity to the best one; unit length."""
    import torch  # here, since the command's help does not need it

    values = torch.tensor([value for _, value in some]).clamp(min=1e-6)
    weights = (values / values.max()) ** power
    return _unit((embed([text for text, _ in some]) * weights[:, None]).sum(0))


def _weighted(means: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    import torch

    return torch.stack([weights[kind] * mean for kind, mean in means.items()]).sum(0)


def _unit(vector: Tensor) -> Tensor:
    from torch.nn.functional import normalize

    return normalize(vector, dim=-1)

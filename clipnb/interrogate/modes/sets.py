"""Mode `set`: one prompt for several images; and how a prompt is grown by whatever it should be good at."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from clipnb.interrogate.certainty import caption_of, things_to_say
from clipnb.interrogate.modes.base import PHRASE_TABLES, Mode, PromptCandidate
from clipnb.interrogate.modes.variety import Variety
from clipnb.interrogate.prompt import SEPARATOR, Phrase, join
from clipnb.interrogate.result import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from clipnb.interrogate.image_query import ImageQuery
    from clipnb.interrogate.labels.table import RankedLabel

_PLAIN_MEDIUM = "a photo"
_THINGS, _PAIRED = 16, 6  # of which captions are composed
_PHRASES = 128  # labels that a prompt is grown of
_STANDS_OUT = 3.0  # standard deviations
_ROWS = 2048  # labels that are measured at a time


class ModeOfSets(Mode):
    """Base class of modes that describe several images together: they grow a prompt by its merit for all of them."""

    ranks_only = False
    takes_opening = True
    max_flavors = 8

    def merit(self, query: ImageQuery, embeddings: Tensor) -> Tensor:
        """Return how good texts are, embedded as [N, D]: [N], higher is better."""
        return embeddings @ query.features

    def views(self, query: ImageQuery) -> list[ImageQuery]:
        """Return the queries whose best labels compete, the mode's own last."""
        return [query]

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        """Begin with the caption of most merit, and add phrases as long as the merit of the whole prompt rises."""
        views = self.views(query)
        composed = dict.fromkeys(text for view in views for text in self._composed(view))
        captions = [caption] if caption else [*self._captions(query), *composed]
        merits = self.merit(query, query.encoder.encode_text(captions)).tolist() if captions else []
        competing = sorted(
            (Candidate(f"caption {place}", *one) for place, one in enumerate(zip(captions, merits, strict=True), 1)),
            key=lambda candidate: candidate.similarity,
            reverse=True,
        )
        start = query.opening(competing[0].prompt if competing else "")
        ranked = [(view, one) for view in views for one in self.rank(view, PHRASE_TABLES, _PHRASES)]
        offered = list({one.label: one for view, one in ranked if self._stands_out(view, one)}.values())
        phrases = [*start, *self._grown(query, join(start), offered, max_flavors)]
        chosen = f"chosen from {len(competing):,} captions and {len(offered):,} phrases"
        return PromptCandidate(tuple(phrases), 0, tuple(competing[:_PAIRED]), (chosen,))

    def rank(self, query: ImageQuery, tables: Sequence[str], count: int) -> list[RankedLabel]:
        """Return the labels of most merit, which stands as their similarity; best first."""
        import torch  # here, since the command's help does not need it

        from clipnb.interrogate.labels.table import RankedLabel, best_of

        found = []
        for name in filter(query.takes, tables):
            table, device = query.table(name), query.features.device
            parts = [
                self.merit(query, table.embeddings[start : start + _ROWS].to(device).float())
                for start in range(0, len(table), _ROWS)
            ]
            best = torch.cat([torch.empty(0, device=device), *parts]).topk(min(count, len(table)))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            found.append([RankedLabel(table.labels[row], merit, name) for row, merit in pairs])
            query.ranked[name] = tuple(found[-1][: query.settings.top_labels])
        return best_of(found, count)

    def _stands_out(self, query: ImageQuery, one: RankedLabel) -> bool:
        """Whether a label is far above the others of its table; of the rest, some would raise the merit by chance."""
        mean, deviation = query.spread(one.table)
        return one.similarity > max(query.least, mean + _STANDS_OUT * deviation)

    def _captions(self, query: ImageQuery) -> list[str]:
        return query.captions(_THINGS) if query.captions else []

    def _composed(self, query: ImageQuery) -> list[str]:
        """Return captions of the things of most merit, alone and in pairs."""
        mediums = [one.label for one in self.rank(query, ["mediums"], 1)] or [_PLAIN_MEDIUM]
        ranked = self.rank(query, ["objects"], _THINGS)
        alone = not self._captions(query)  # beside a captioner's, labels compete as they are
        medium, things = things_to_say(query, ranked) if alone else ("", [one.label for one in ranked])
        pairs = [f"{one} and {other}" for one, other in combinations(things[:_PAIRED], 2)]
        texts = [caption_of(medium or mediums[0], thing) for thing in (*things, *pairs)]
        return list(filter(query.allows, texts))

    def _grown(self, query: ImageQuery, prompt: str, offered: Sequence[RankedLabel], count: int) -> list[Phrase]:
        """Return the phrases that each raise the merit of the prompt most, as far as they fit and say something new."""
        variety = Variety(query, prompt, offered)
        endings = query.encoder.continuations([" " + one.label for one in offered])
        merit = float(self.merit(query, query.encoder.encode_text([prompt]))[0]) if prompt else -1.0
        chosen: list[int] = []
        while len(chosen) < count:
            ahead = prompt + SEPARATOR if prompt else ""
            rows = [
                row
                for row, one in enumerate(offered)
                if row not in chosen and query.fits(ahead + one.label) and variety.admits(row, chosen)
            ]
            merits = self.merit(query, endings.encode(ahead.rstrip(), rows)).tolist() if rows else [merit]
            if max(merits) <= merit:
                break
            merit = max(merits)
            chosen.append(rows[merits.index(merit)])
            prompt = ahead + offered[chosen[-1]].label
        return [Phrase.of(offered[row]) for row in chosen]


class SetMode(ModeOfSets):
    """The prompt with the highest mean cosine to several images, or the highest cosine to the worst of them."""

    name = "set"
    summary = "one prompt for several pictures together, the best on average or for the worst of them"
    of_sets = "interrogate_set(pictures)"
    settings = ("set_by", "diverse")

    def views(self, query: ImageQuery) -> list[ImageQuery]:
        """Return the query, before it that of the average: what no image contradicts is seldom what an image shows."""
        if query.settings.set_by == "mean" or query.members is None:
            return [query]
        return [replace(query, members=None), query]

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        """Return the prompt of most merit; what grew best on average may be better for the worst image too."""
        grown = [super(SetMode, self).propose(view, caption, max_flavors) for view in self.views(query)]
        if len(grown) == 1:
            return grown[0]
        merits = self.merit(query, query.encoder.encode_text([join(one.phrases) for one in grown]))
        return grown[int(merits.argmax())]

    def merit(self, query: ImageQuery, embeddings: Tensor) -> Tensor:
        """Return mean or lowest cosines of texts, embedded as [N, D], to the images: [N], in [-1, 1]."""
        if query.settings.set_by == "mean" or query.members is None:
            return super().merit(query, embeddings)
        return (embeddings @ query.members.T).amin(-1)
